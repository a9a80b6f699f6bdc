package inet

import (
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	vlan          = fields.Section("IEEE 802.1Q 9.6")
	fVLAN         = vlan.Struct("vlan", "802.1Q Virtual LAN")
	fVLANPriority = vlan.Enum("vlan.priority", "Priority", priorityName).In(0xe000)
	fVLANDEI      = vlan.Flag(0x1000, "vlan.dei", "DEI", "Ineligible", "Eligible")
	fVLANID       = vlan.Uint("vlan.id", "ID").In(0x0fff)
	fVLANTag      = vlan.Hex("", "Tag").Beside(fVLANPriority, fVLANDEI, fVLANID)
	fVLANType     = vlan.Enum("vlan.etype", "Type", etherTypeName).InHex()
	fVLANLen      = vlan.Uint("vlan.len", "Length")

	fVLANTrailer = vlan.Bytes("vlan.trailer", "Trailer")

	provider     = fields.Section("IEEE 802.1ad 9.6")
	fQinQ        = provider.Struct("ieee8021ad", "IEEE 802.1ad")
	fQinQType    = provider.Enum("ieee8021ah.etype", "Type", etherTypeName).InHex()
	fQinQID      = provider.Uint("ieee8021ad.id", "ID").In(0x0fff)
	fProviderTag = provider.Hex("", "Tag").Beside(
		provider.Uint("ieee8021ad.priority", "Priority").In(0xe000),
		provider.Uint("ieee8021ad.dei", "DEI").In(0x1000),
		fQinQID)
)

// vlan decodes a tag and goes on with what it tags. Its type has been read.
func (w *walk) vlan(c *wire.Cursor, t uint16) {
	layer, tag, fType, name := fVLAN, fVLANTag, fVLANType, "vlan"
	if t == EtherTypeQinQ {
		layer, tag, fType, name = fQinQ, fProviderTag, fQinQType, "ieee8021ad"
	}
	m := c.Open(layer)
	v := c.BE16(tag)
	w.h.VLAN = v & 0x0fff
	if look := c.Ahead(); c.Recording() && look.BE16(fVLANType) < minType {
		fType = fVLANLen
	}
	inner := c.BE16(fType)
	if m >= 0 && t == EtherTypeQinQ {
		c.Title(m, 0, fmt.Sprintf(", ID: %d", w.h.VLAN))
	} else if m >= 0 {
		c.Title(m, 0, fmt.Sprintf(", PRI: %d, DEI: %d, ID: %d", v>>13, v>>12&1, w.h.VLAN))
	}
	if c.Recording() && c.Cause() == nil && inner >= minType {
		w.trailer(c, inner, fVLANTrailer)
	}
	c.Close(m)
	if c.Cause() != nil {
		w.data(c)
		return
	}
	if inner < minType {
		w.met(c, name+":llc")
		w.llc(c)
		return
	}
	w.met(c, name+":ethertype")
	w.ethertype(c, inner)
}

// priorityName is the traffic class of a priority code point. IEEE 802.1Q I.1
func priorityName(v uint64) string {
	return [...]string{"Best Effort (default)", "Background", "Excellent Effort", "Critical Applications",
		"Video, < 100ms latency and jitter", "Voice, < 10ms latency and jitter", "Internetwork Control", "Network Control"}[v&7]
}

package inet

import (
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	vxlan       = fields.Section("RFC 7348 5")
	fVXLAN      = vxlan.Struct("vxlan", "Virtual eXtensible Local Area Network")
	fVXLANFlags = vxlan.Hex("vxlan.flags", "Flags").List(
		vxlan.Flag(0x8000, "vxlan.flag_g", "GBP Extension", "Not defined", "Defined"),
		vxlan.Flag(0x0800, "vxlan.flag_i", "VXLAN Network ID (VNI)", "False", "True"),
		vxlan.Flag(0x0040, "vxlan.flag_d", "Don't Learn", "False", "True"),
		vxlan.Flag(0x0008, "vxlan.flag_a", "Policy Applied", "False", "True"),
		vxlan.Hex("vxlan.flags_reserved", "Reserved(R)").In(0x77b7),
	)
	fVXLANGroup    = vxlan.Uint("vxlan.gbp", "Group Policy ID")
	fVXLANNetwork  = vxlan.Uint("vxlan.vni", "VXLAN Network Identifier (VNI)")
	fVXLANReserved = vxlan.Uint("vxlan.reserved8", "Reserved")

	gre       = fields.Section("RFC 2784 2")
	fGRE      = gre.Struct("gre", "Generic Routing Encapsulation")
	fGREFlags = gre.Hex("gre.flags_and_version", "Flags and Version").Split(
		gre.Flag(0x8000, "gre.flags.checksum", "Checksum Bit", "No", "Yes"),
		gre.Flag(0x4000, "gre.flags.routing", "Routing Bit", "No", "Yes"),
		gre.Flag(0x2000, "gre.flags.key", "Key Bit", "No", "Yes"),
		gre.Flag(0x1000, "gre.flags.sequence_number", "Sequence Number Bit", "No", "Yes"),
		gre.Flag(0x0800, "gre.flags.strict_source_route", "Strict Source Route Bit", "No", "Yes"),
		gre.Uint("gre.flags.recursion_control", "Recursion control").In(0x0700),
		gre.Uint("gre.flags.reserved", "Flags (Reserved)").In(0x00f8),
		gre.Enum("gre.flags.version", "Version", greVersion).In(0x0007),
	)
	fGREProto    = gre.Enum("gre.proto", "Protocol Type", greProtoName).InHex()
	fGREChecksum = gre.Hex("gre.checksum", "Checksum")
	fGREOffset   = gre.Uint("gre.offset", "Offset")
	fGREKey      = gre.Hex("gre.key", "Key")
	fGRESeq      = gre.Uint("gre.sequence_number", "Sequence Number")
)

// vxlan decodes an Ethernet frame within UDP.
func (w *walk) vxlan(c *wire.Cursor) {
	if !w.enter(c) {
		return
	}
	m := c.Open(fVXLAN)
	flags := c.BE16(fVXLANFlags)
	c.BE16(fVXLANGroup)
	c.Overlay(fVXLANNetwork, 3)
	c.Pass(fVXLANNetwork, 3)
	c.U8(fVXLANReserved)
	c.Close(m)
	w.met(c, "vxlan")
	if c.Cause() != nil || flags&0x0800 == 0 {
		w.data(c)
		return
	}
	w.inner()
	w.ethernet(c)
}

// inner forgets the headers that carry a tunnel.
func (w *walk) inner() {
	h := w.h
	*h = Headers{WindowShift: -1, Truncated: h.Truncated, Malformed: h.Malformed}
}

// gre decodes version 0 with its optional fields (RFC 2890); version 1 carries PPP,
// which nobody moves files through.
func (w *walk) gre(c *wire.Cursor) {
	m := c.Open(fGRE)
	flags := c.BE16(fGREFlags)
	t := c.BE16(fGREProto)
	if flags&0xc000 != 0 {
		c.BE16(fGREChecksum)
		c.BE16(fGREOffset)
	}
	if flags&0x2000 != 0 {
		c.BE32(fGREKey)
	}
	if flags&0x1000 != 0 {
		c.BE32(fGRESeq)
	}
	if m >= 0 {
		c.Title(m, 0, fmt.Sprintf(" (%s)", greProtoName(uint64(t))))
	}
	c.Close(m)
	w.met(c, "gre")
	if c.Cause() != nil || flags&0x4007 != 0 {
		w.data(c)
		return
	}
	switch t {
	case EtherTypeTEB:
		if w.enter(c) {
			w.inner()
			w.ethernet(c)
		}
	case EtherTypeIPv4, EtherTypeIPv6:
		w.ethertype(c, t)
	case erspanTwo:
		version := 2
		if flags&0x1000 == 0 {
			version = 1
		}
		w.erspan(c, version)
	case erspanThree:
		w.erspan(c, 3)
	default:
		w.data(c)
	}
}

// greProtoName is Wireshark's word for an Ethernet type in GRE.
func greProtoName(v uint64) string {
	switch uint16(v) {
	case EtherTypeIPv4:
		return "IP"
	case erspanTwo:
		return "ERSPAN"
	case erspanThree:
		return "ERSPAN III"
	}
	return etherTypeName(v)
}

func greVersion(v uint64) string {
	switch v {
	case 0:
		return "GRE"
	case 1:
		return "Enhanced GRE"
	}
	return "Unknown"
}

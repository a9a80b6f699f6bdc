package inet

import "github.com/odxray/odxray/dissect/wire"

var (
	erspan    = fields.Section("draft-foschiano-erspan 4")
	fERSPAN   = erspan.Struct("erspan", "Encapsulated Remote Switch Packet ANalysis").Formatted(erspanType)
	fSPANVlan = erspan.Hex("", "Version and VLAN").Beside(
		erspan.Enum("erspan.version", "Version", func(v uint64) string { return erspanType(v)[1:] }).In(0xf000),
		erspan.Uint("erspan.vlan", "Vlan").In(0x0fff))
	fSPANCut = erspan.Enum("erspan.truncated", "Truncated", yesNo("Not truncated", "Truncated")).In(0x0400)
	fSPANID  = erspan.Uint("erspan.spanid", "SpanID").In(0x03ff)
	fSPANCOS = erspan.Uint("erspan.cos", "COS").In(0xe000)
	fSPANTwo = erspan.Hex("", "Session").Beside(fSPANCOS,
		erspan.Enum("erspan.encap", "Encap", encapsulated).In(0x1800), fSPANCut, fSPANID)
	fSPANIndex = erspan.Hex("", "Index").Beside(
		erspan.Uint("erspan.reserved", "Reserved").In(0xfff00000), erspan.Uint("erspan.index", "Index").In(0x000fffff))

	fSPANThree = erspan.Hex("", "Session").Beside(fSPANCOS,
		erspan.Enum("erspan.bso", "Bad/Short/Oversized", integrity).In(0x1800), fSPANCut, fSPANID)
	fSPANTime  = erspan.Hex("", "Timestamp").Beside(erspan.Uint("erspan.timestamp", "Timestamp").In(0xffffffff))
	fSPANGroup = erspan.Hex("", "Group").Beside(erspan.Uint("erspan.sgt", "Security Group Tag").In(0xffff))
	fSPANFlags = erspan.Hex("", "Flags").Beside(
		erspan.Uint("erspan.p", "Has Ethernet PDU").In(0x8000),
		erspan.Enum("erspan.ft", "Frame Type", frameType).In(0x7c00),
		erspan.Uint("erspan.hw", "Hardware ID").In(0x03f0),
		erspan.Flag(0x0008, "erspan.direction", "Direction", "Ingress", "Egress"),
		erspan.Enum("erspan.gra", "Timestamp granularity", granularity).In(0x0006),
		erspan.Uint("erspan.o", "Optional Sub headers").In(0x0001))
	fSPANSub = erspan.Bytes("", "Platform specific subheader")
)

const (
	erspanTwo   = 0x88be // with a sequence number; without one it is type I, which has no header
	erspanThree = 0x22eb
)

// erspan decodes what switches mirror to a distant port: Ethernet frames in GRE.
func (w *walk) erspan(c *wire.Cursor, version int) {
	m := c.Open(fERSPAN)
	switch version {
	case 2:
		c.BE16(fSPANVlan)
		c.BE16(fSPANTwo)
		c.BE32(fSPANIndex)
	case 3:
		c.BE16(fSPANVlan)
		c.BE16(fSPANThree)
		c.BE32(fSPANTime)
		c.BE16(fSPANGroup)
		if flags := c.BE16(fSPANFlags); flags&1 != 0 {
			c.Skip(fSPANSub, 8)
		}
	}
	c.Title(m, uint64(version-1), "")
	c.Close(m)
	w.met(c, "erspan")
	if c.Failed() {
		w.data(c)
		return
	}
	if w.enter(c) {
		w.inner()
		w.ethernet(c)
	}
}

// erspanType takes the number on the wire, which is one less than the type's.
func erspanType(v uint64) string {
	switch v {
	case 0:
		return " Type I"
	case 1:
		return " Type II"
	case 2:
		return " Type III"
	}
	return " Unknown"
}

func yesNo(no, yes string) func(uint64) string {
	return func(v uint64) string {
		if v != 0 {
			return yes
		}
		return no
	}
}

func encapsulated(v uint64) string {
	return [...]string{"Originally without VLAN tag", "Originally ISL encapsulated", "Originally 802.1Q encapsulated", "VLAN tag preserved in frame"}[v&3]
}

func integrity(v uint64) string {
	return [...]string{"Good or unknown integrity", "Short frame", "Oversized frame", "Bad frame with CRC or alignment error"}[v&3]
}

func frameType(v uint64) string {
	switch v {
	case 0:
		return "Ethernet"
	case 2:
		return "IP"
	}
	return "Unknown"
}

func granularity(v uint64) string {
	return [...]string{"100 microseconds", "100 nanoseconds", "IEEE 1588", "User configurable"}[v&3]
}

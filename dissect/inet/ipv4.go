package inet

import (
	"fmt"
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	ip         = fields.Section("RFC 791 3.1")
	fIP        = ip.Struct("ip", "Internet Protocol Version 4")
	fIPVersion = ip.Uint("ip.version", "Version").In(0xf0)
	fIPHdrLen  = ip.Uint("ip.hdr_len", "Header Length").In(0x0f).Times(4).Formatted(inWords)
	fIPFirst   = ip.Hex("", "Version and Header Length").Beside(fIPVersion, fIPHdrLen)
	fIPDS      = ip.Hex("ip.dsfield", "Differentiated Services Field").Formatted(dsField("0x%02x")).Split(
		ip.Enum("ip.dsfield.dscp", "Differentiated Services Codepoint", dscpName).In(0xfc),
		ip.Enum("ip.dsfield.ecn", "Explicit Congestion Notification", ecnName).In(0x03),
	)
	fIPTotal = ip.Hex("", "Total Length").Beside() // shown by totalLength
	fIPLen   = ip.Uint("ip.len", "Total Length")
	fIPLen0  = ip.Uint("ip.len", "Total Length").Formatted(func(v uint64) string { return fmt.Sprintf(offloaded, v) })
	fIPID    = ip.Hex("ip.id", "Identification").Formatted(func(v uint64) string { return fmt.Sprintf("0x%04x (%d)", v, v) })
	fIPFlags = ip.Hex("ip.flags", "Flags").In(0xe0).List(
		ip.Flag(0x80, "ip.flags.rb", "Reserved bit", "Not set", "Set"),
		ip.Flag(0x40, "ip.flags.df", "Don't fragment", "Not set", "Set"),
		ip.Flag(0x20, "ip.flags.mf", "More fragments", "Not set", "Set"),
	)
	fIPOffset   = ip.Uint("ip.frag_offset", "Fragment Offset").In(0x1fff).Formatted(func(v uint64) string { return fmt.Sprint(8 * v) })
	fIPFragment = ip.Hex("", "Flags and Fragment Offset").Beside(fIPOffset)
	fIPTTL      = ip.Uint("ip.ttl", "Time to Live")
	fIPProto    = ip.Enum("ip.proto", "Protocol", protoName)
	fIPChecksum = ip.Hex("ip.checksum", "Header Checksum").Formatted(func(v uint64) string { return fmt.Sprintf("0x%04x [validation disabled]", v) })
	fIPStatus   = ip.Uint("ip.checksum.status", "Header checksum status").Formatted(sumStatus)
	fIPSrc      = ip.Address("ip.src", "Source Address").Wide(32)
	fIPDst      = ip.Address("ip.dst", "Destination Address").Wide(32)
	_           = ip.Any("ip.addr", "Source or Destination Address", fIPSrc, fIPDst)

	fIPBogusLen    = ip.Struct("ip.bogus_ip_length", "Bogus IP length")
	fIPExceeds     = ip.Struct("ip.bogus_ip_length", "IPv4 total length exceeds packet length")
	fIPBogusHdrLen = ip.Struct("ip.bogus_header_length", "Bogus IP header length")
)

// offloaded is what tshark says of a length that the network card was to fill in.
const offloaded = `%d bytes (reported as 0, presumed to be because of "TCP segmentation offload" (TSO))`

// inWords prints a header length as tshark does: in bytes, and in words of 4.
func inWords(v uint64) string { return fmt.Sprintf("%d bytes (%d)", v, v/4) }

// ipv4 decodes an IPv4 header and goes on.
func (w *walk) ipv4(c *wire.Cursor) {
	h := w.h
	left := c.Len()
	m := c.Open(fIP)
	size := int(c.U8(fIPFirst)&0x0f) * 4
	c.U8(fIPDS)
	if c.Recording() {
		w.totalLength(c, size, left)
	}
	total := int(c.BE16(fIPTotal))
	h.FragID = uint32(c.BE16(fIPID))
	c.Overlay(fIPFlags, 1)
	frag := c.BE16(fIPFragment)
	h.TTL = c.U8(fIPTTL)
	h.Proto = c.U8(fIPProto)
	c.BE16(fIPChecksum)
	if c.Recording() {
		c.Note(fIPStatus, unverifiedStatus, "")
	}
	src, dst := c.BE32(fIPSrc), c.BE32(fIPDst)
	if c.Failed() {
		c.Close(m)
		w.met(c, "ip")
		w.data(c)
		return
	}
	h.Src, h.Dst = addrFrom(src), addrFrom(dst)
	if m >= 0 {
		c.Title(m, 0, ", Src: "+h.Src.String()+", Dst: "+h.Dst.String())
	}
	if size < 20 {
		if c.Recording() {
			remark(c, fIPBogusHdrLen, severityError, groupProtocol, "")
		}
		c.Close(m)
		w.met(c, "ip")
		h.Malformed = true
		h.Kind = IP
		w.data(c)
		return
	}
	switch {
	case total == 0: // segmentation offload: the frame's own length counts
		total = left
	case total < size || total > left:
		h.Malformed = true
		total = max(total, size)
	}
	end := c.Narrow(total - 20)
	if size > 20 {
		ipOptions(c, size-20)
	}
	c.Close(m)
	w.met(c, "ip")

	h.FragOffset = frag & 0x1fff << 3
	h.MoreFragments = frag&0x2000 != 0
	if h.MoreFragments || h.FragOffset != 0 {
		h.Kind = Fragment
		w.data(c)
	} else {
		h.FragID = 0
		w.ipPayload(c, h.Proto, false)
	}
	c.Widen(end)
}

// totalLength shows the total length that c is at, and what is wrong with it. left is
// what the frame holds of the packet.
func (w *walk) totalLength(c *wire.Cursor, size, left int) {
	look := c.Ahead()
	n := int(look.BE16(fIPLen))
	switch {
	case look.Failed():
	case n == 0:
		c.Note(fIPLen0, uint64(left), "")
	case n < size:
		m := c.Overlay(fIPLen, 2)
		remark(c, fIPBogusLen, severityError, groupProtocol, "")
		c.Close(m)
	case n > left && !w.quote:
		m := c.Overlay(fIPLen, 2)
		remark(c, fIPExceeds, severityError, groupProtocol, fmt.Sprintf(" (%d bytes)", left))
		c.Close(m)
	default:
		c.Overlay(fIPLen, 2)
	}
}

func addrFrom(v uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// dsField prints the field whose two parts are DSCP and ECN.
func dsField(format string) func(uint64) string {
	return func(v uint64) string {
		return fmt.Sprintf(format+" (DSCP: %s, ECN: %s)", v, dscpShort(v>>2), ecnShort(v&3))
	}
}

// dscpShort names a code point of RFC 2474, 2597, 3246, 8622.
func dscpShort(v uint64) string {
	switch {
	case v == 46:
		return "EF PHB"
	case v == 44:
		return "VOICE-ADMIT"
	case v == 1:
		return "LE"
	case v&7 == 0:
		return fmt.Sprintf("CS%d", v>>3)
	case v&1 == 0 && v>>3 >= 1 && v>>3 <= 4:
		return fmt.Sprintf("AF%d%d", v>>3, v>>1&3)
	}
	return "Unknown"
}

func dscpName(v uint64) string {
	switch s := dscpShort(v); {
	case v == 0:
		return "Default"
	case v == 46:
		return "Expedited Forwarding"
	case v == 44:
		return "Voice Admit"
	case v == 1:
		return "Lower Effort"
	case s[0] == 'C':
		return "Class Selector " + s[2:]
	case s[0] == 'A':
		return "Assured Forwarding " + s[2:]
	}
	return "Unknown"
}

func ecnShort(v uint64) string { return [...]string{"Not-ECT", "ECT(1)", "ECT(0)", "CE"}[v&3] }

func ecnName(v uint64) string {
	return [...]string{"Not ECN-Capable Transport", "ECN-Capable Transport codepoint '01'",
		"ECN-Capable Transport codepoint '10'", "Congestion Experienced"}[v&3]
}

var (
	ipOption   = fields.Section("RFC 791 3.1")
	fIPOptions = ipOption.Struct("", "Options")
	fIPOption  = ipOption.Struct("", "IP Option").Formatted(func(v uint64) string { return " - " + ipOptionName(v&0x1f) })
	fIPOptType = ipOption.Uint("ip.opt.type", "Type").Split(
		ipOption.Flag(0x80, "ip.opt.type.copy", "Copy on fragmentation", "No", "Yes"),
		ipOption.Enum("ip.opt.type.class", "Class", optionClass).In(0x60),
		ipOption.Enum("ip.opt.type.number", "Number", ipOptionName).In(0x1f),
	)
	fIPOptLen     = ipOption.Uint("ip.opt.len", "Length")
	fIPOptData    = ipOption.Bytes("", "Data")
	fIPOptAlert   = ipOption.Enum("ip.opt.ra", "Router Alert", routerAlert)
	fIPOptPadding = ipOption.Bytes("ip.opt.padding", "Padding")
	fIPBadOption  = ipOption.Struct("ip.opt.len.invalid", "Invalid length for option")
)

// ipOptions passes over n bytes of options. A bad or a cut one ends them, not the
// packet.
func ipOptions(c *wire.Cursor, n int) {
	o := c.Sub(fIPOptions, n)
	if !o.Recording() {
		return
	}
	const end, nop, alert = 0, 1, 148
	m := o.Open(fIPOptions)
	title := fmt.Sprintf("(%d bytes)", n)
	for o.Len() > 0 {
		opt := o.Open(fIPOption)
		t := o.U8(fIPOptType)
		said := ""
		title += ", " + ipOptionName(uint64(t)&0x1f)
		if t > nop {
			size := int(o.U8(fIPOptLen))
			said = fmt.Sprintf(" (%d bytes)", size)
			switch {
			case size < 2 || size-2 > o.Len():
				remark(&o, fIPBadOption, severityWarning, groupProtocol, "")
				o.Rest(fIPOptData)
			case t == alert && size == 4:
				v := o.BE16(fIPOptAlert)
				said += fmt.Sprintf(": %s (%d)", routerAlert(uint64(v)), v)
			case size > 2:
				o.Skip(fIPOptData, size-2)
			}
		}
		o.Title(opt, uint64(t), said)
		o.Close(opt)
		if t == end && o.Len() > 0 {
			o.Rest(fIPOptPadding)
		}
	}
	o.Title(m, 0, title)
	o.Close(m)
}

func routerAlert(v uint64) string {
	if v == 0 {
		return "Router shall examine packet"
	}
	return "Unknown"
}

func optionClass(v uint64) string {
	return [...]string{"Control", "Reserved for future use", "Debugging and measurement", "Reserved for future use"}[v&3]
}

// ipOptionName names an option by the low five bits of its type.
func ipOptionName(v uint64) string {
	switch v {
	case 0:
		return "End of Option List (EOL)"
	case 1:
		return "No-Operation (NOP)"
	case 2:
		return "Security"
	case 3:
		return "Loose Source Route"
	case 4:
		return "Time Stamp"
	case 7:
		return "Record Route"
	case 8:
		return "Stream ID"
	case 9:
		return "Strict Source Route"
	case 20:
		return "Router Alert"
	}
	return "Unknown"
}

package inet

import (
	"fmt"
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

// ICMP says why file traffic did not arrive, so its types are named; the packets
// that it quotes are shown as bytes.

var (
	icmp         = fields.Section("RFC 792")
	fICMP        = icmp.Struct("icmp", "Internet Control Message Protocol")
	fICMPType    = icmp.Uint("icmp.type", "Type").Formatted(func(v uint64) string { return fmt.Sprintf("%d (%s)", v, icmpName(uint8(v))) })
	fICMPCode    = icmp.Uint("icmp.code", "Code")
	fICMPSum     = icmp.Hex("icmp.checksum", "Checksum").Formatted(sumUnverified)
	fICMPIdent   = icmp.Uint("icmp.ident", "Identifier (BE)").Formatted(decHex)
	fICMPIdentLE = icmp.Uint("icmp.ident_le", "Identifier (LE)").Formatted(decHex)
	fICMPSeq     = icmp.Uint("icmp.seq", "Sequence Number (BE)").Formatted(decHex)
	fICMPSeqLE   = icmp.Uint("icmp.seq_le", "Sequence Number (LE)").Formatted(decHex)
	fICMPMTU     = icmp.Uint("icmp.mtu", "MTU of next hop")
	fICMPGateway = icmp.Address("icmp.redir_gw", "Gateway Address")
	fICMPUnused  = icmp.Bytes("icmp.unused", "Unused")

	icmpv6   = fields.Section("RFC 4443, RFC 4861")
	fICMPv6  = icmpv6.Struct("icmpv6", "Internet Control Message Protocol v6")
	fV6Type  = icmpv6.Enum("icmpv6.type", "Type", func(v uint64) string { return icmpv6Name(uint8(v)) })
	fV6Code  = icmpv6.Uint("icmpv6.code", "Code")
	fV6Sum   = icmpv6.Hex("icmpv6.checksum", "Checksum").Formatted(sumUnverified)
	fV6Ident = icmpv6.Hex("icmpv6.echo.identifier", "Identifier")
	fV6Seq   = icmpv6.Uint("icmpv6.echo.sequence_number", "Sequence")
	fV6MTU   = icmpv6.Uint("icmpv6.mtu", "MTU")
	fV6Res   = icmpv6.Bytes("icmpv6.reserved", "Reserved")
	fNSTo    = icmpv6.Address("icmpv6.nd.ns.target_address", "Target Address")
	fNATo    = icmpv6.Address("icmpv6.nd.na.target_address", "Target Address")
	fNAFlags = icmpv6.Hex("icmpv6.nd.na.flag", "Flags").List(
		icmpv6.Flag(0x80000000, "icmpv6.nd.na.flag.r", "Router", "Not set", "Set"),
		icmpv6.Flag(0x40000000, "icmpv6.nd.na.flag.s", "Solicited", "Not set", "Set"),
		icmpv6.Flag(0x20000000, "icmpv6.nd.na.flag.o", "Override", "Not set", "Set"),
	)
)

func decHex(v uint64) string { return fmt.Sprintf("%d (0x%04x)", v, v) }

const (
	icmpEchoReply    = 0
	icmpUnreachable  = 3
	icmpRedirect     = 5
	icmpEcho         = 8
	icmpTimeExceeded = 11
	fragmentNeeded   = 4 // code of icmpUnreachable

	icmpv6Unreachable  = 1
	icmpv6TooBig       = 2
	icmpv6TimeExceeded = 3
	icmpv6Echo         = 128
	icmpv6EchoReply    = 129
	icmpv6RouterAsk    = 133
	icmpv6Router       = 134
	icmpv6NeighborAsk  = 135
	icmpv6Neighbor     = 136
)

func (w *walk) icmp(c *wire.Cursor) {
	w.keep(c)
	m := c.Open(fICMP)
	t, code := c.U8(fICMPType), c.U8(fICMPCode)
	c.BE16(fICMPSum)
	switch {
	case t == icmpEcho || t == icmpEchoReply:
		w.bothWays(c, fICMPIdent, fICMPIdentLE)
		w.bothWays(c, fICMPSeq, fICMPSeqLE)
	case t == icmpUnreachable && code == fragmentNeeded:
		c.Skip(fICMPUnused, 2)
		c.BE16(fICMPMTU)
	case t == icmpRedirect:
		c.Bytes(fICMPGateway, 4)
	default:
		c.Skip(fICMPUnused, 4)
	}
	w.met(c, "icmp")
	w.rest(c)
	c.Close(m)
}

func (w *walk) icmpv6(c *wire.Cursor) {
	w.keep(c)
	m := c.Open(fICMPv6)
	t := c.U8(fV6Type)
	c.U8(fV6Code)
	c.BE16(fV6Sum)
	switch t {
	case icmpv6Echo, icmpv6EchoReply:
		c.BE16(fV6Ident)
		c.BE16(fV6Seq)
	case icmpv6TooBig:
		c.BE32(fV6MTU)
	case icmpv6NeighborAsk:
		c.Skip(fV6Res, 4)
		c.Bytes(fNSTo, 16)
	case icmpv6Neighbor:
		c.BE32(fNAFlags)
		c.Bytes(fNATo, 16)
	}
	w.met(c, "icmpv6")
	w.rest(c)
	c.Close(m)
}

// bothWays reads a number that systems write in either byte order.
func (w *walk) bothWays(c *wire.Cursor, be, le *wire.Field) {
	c.Overlay(be, 2)
	c.U16(le)
}

// keep makes the whole message the payload, of which AppendInfo makes its text.
func (w *walk) keep(c *wire.Cursor) {
	all := c.Ahead()
	w.h.finish(&all, fData)
}

// rest shows what is left of a message, and takes over the failure of c.
func (w *walk) rest(c *wire.Cursor) {
	c.Rest(fData)
	w.h.Truncated = w.h.Truncated || c.Cause() == wire.ErrTruncated
	w.h.Malformed = w.h.Malformed || c.Cause() == wire.ErrShort
}

func icmpName(t uint8) string {
	switch t {
	case icmpEchoReply:
		return "Echo (ping) reply"
	case icmpUnreachable:
		return "Destination unreachable"
	case 4:
		return "Source quench"
	case icmpRedirect:
		return "Redirect"
	case icmpEcho:
		return "Echo (ping) request"
	case 9:
		return "Router advertisement"
	case 10:
		return "Router solicitation"
	case icmpTimeExceeded:
		return "Time-to-live exceeded"
	case 12:
		return "Parameter problem"
	case 13:
		return "Timestamp request"
	case 14:
		return "Timestamp reply"
	}
	return "Unknown"
}

func icmpv6Name(t uint8) string {
	switch t {
	case icmpv6Unreachable:
		return "Destination Unreachable"
	case icmpv6TooBig:
		return "Packet Too Big"
	case icmpv6TimeExceeded:
		return "Time Exceeded"
	case 4:
		return "Parameter Problem"
	case icmpv6Echo:
		return "Echo (ping) request"
	case icmpv6EchoReply:
		return "Echo (ping) reply"
	case 130:
		return "Multicast Listener Query"
	case 131:
		return "Multicast Listener Report"
	case 132:
		return "Multicast Listener Done"
	case icmpv6RouterAsk:
		return "Router Solicitation"
	case icmpv6Router:
		return "Router Advertisement"
	case icmpv6NeighborAsk:
		return "Neighbor Solicitation"
	case icmpv6Neighbor:
		return "Neighbor Advertisement"
	case 137:
		return "Redirect"
	case 143:
		return "Multicast Listener Report Message v2"
	}
	return "Unknown"
}

// icmpCode says what the code of an error means; "" if there is nothing to say.
func icmpCode(t, code uint8) string {
	var names []string
	switch t {
	case icmpUnreachable:
		names = []string{"Network unreachable", "Host unreachable", "Protocol unreachable", "Port unreachable", "Fragmentation needed",
			"Source route failed", "Network unknown", "Host unknown", "Source host isolated", "Network administratively prohibited",
			"Host administratively prohibited", "Network unreachable for TOS", "Host unreachable for TOS", "Communication administratively filtered",
			"Host precedence violation", "Precedence cutoff in effect"}
	case icmpRedirect:
		names = []string{"Redirect for network", "Redirect for host", "Redirect for TOS and network", "Redirect for TOS and host"}
	case icmpTimeExceeded:
		names = []string{"Time to live exceeded in transit", "Fragment reassembly time exceeded"}
	}
	if int(code) < len(names) {
		return names[code]
	}
	return ""
}

func icmpv6Code(t, code uint8) string {
	var names []string
	switch t {
	case icmpv6Unreachable:
		names = []string{"no route to destination", "Administratively prohibited", "Beyond scope of source address", "Address unreachable",
			"Port unreachable", "Source address failed ingress/egress policy", "Reject route to destination"}
	case icmpv6TimeExceeded:
		names = []string{"hop limit exceeded in transit", "fragment reassembly time exceeded"}
	}
	if int(code) < len(names) {
		return names[code]
	}
	return ""
}

// addressOf reads an IPv6 address in an ICMPv6 message, for its Info.
func addressOf(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}

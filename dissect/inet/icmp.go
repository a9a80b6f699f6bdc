package inet

import (
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

// ICMP says why file traffic did not arrive, so its types are named; the packets
// that it quotes are shown as bytes.

var (
	icmp         = fields.Section("RFC 792")
	fICMP        = icmp.Struct("icmp", "Internet Control Message Protocol")
	fICMPType    = icmp.Uint("icmp.type", "Type").Formatted(func(v uint64) string { return fmt.Sprintf("%d (%s)", v, icmpName(uint8(v))) })
	fICMPCode    = icmp.Uint("icmp.code", "Code")
	fUnreachable = icmp.Uint("icmp.code", "Code").Formatted(codeText(icmpUnreachable))
	fRedirect    = icmp.Uint("icmp.code", "Code").Formatted(codeText(icmpRedirect))
	fExceeded    = icmp.Uint("icmp.code", "Code").Formatted(codeText(icmpTimeExceeded))
	fICMPSum     = icmp.Hex("icmp.checksum", "Checksum").Formatted(sumUnverified)
	fICMPGood    = icmp.Hex("icmp.checksum", "Checksum").Formatted(sumGood)
	fICMPBad     = icmp.Hex("icmp.checksum", "Checksum").Formatted(sumBad)
	fICMPStatus  = icmp.Uint("icmp.checksum.status", "Checksum Status").Formatted(sumStatus)
	fICMPIdent   = icmp.Uint("icmp.ident", "Identifier (BE)").Formatted(decHex)
	fICMPIdentLE = icmp.Uint("icmp.ident_le", "Identifier (LE)").Formatted(decHex)
	fICMPSeq     = icmp.Uint("icmp.seq", "Sequence Number (BE)").Formatted(decHex)
	fICMPSeqLE   = icmp.Uint("icmp.seq_le", "Sequence Number (LE)").Formatted(decHex)
	fICMPMTU     = icmp.Uint("icmp.mtu", "MTU of next hop")
	fICMPGateway = icmp.Address("icmp.redir_gw", "Gateway Address").Wide(32)
	fICMPUnused  = icmp.Bytes("icmp.unused", "Unused")
)

func decHex(v uint64) string { return fmt.Sprintf("%d (0x%04x)", v, v) }

const (
	icmpEchoReply    = 0
	icmpUnreachable  = 3
	icmpRedirect     = 5
	icmpEcho         = 8
	icmpTimeExceeded = 11
	fragmentNeeded   = 4 // code of icmpUnreachable
)

func (w *walk) icmp(c *wire.Cursor) {
	message := w.keep(c)
	m := c.Open(fICMP)
	t := c.U8(fICMPType)
	f := fICMPCode
	switch t {
	case icmpUnreachable:
		f = fUnreachable
	case icmpRedirect:
		f = fRedirect
	case icmpTimeExceeded:
		f = fExceeded
	}
	code := c.U8(f)
	checksum(c, message, 0, fICMPSum, fICMPGood, fICMPBad, fICMPStatus)
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
	if t == icmpUnreachable || t == icmpRedirect || t == icmpTimeExceeded || t == 4 || t == 12 {
		w.quoted(c)
	}
	w.rest(c)
	c.Close(m)
}

// quoted shows the beginning of the packet that an error complains of.
func (w *walk) quoted(c *wire.Cursor) {
	if !c.Recording() || c.Failed() || c.Peek(c.Len()) == nil || w.depth >= maxDepth {
		return
	}
	var h Headers
	inner := walk{h: &h, ctx: &unknown, depth: w.depth + 1, size: w.size, quote: true, path: w.path}
	packet := c.Sub(fData, c.Len())
	inner.ip(&packet)
	w.path = inner.path
}

// bothWays reads a number that systems write in either byte order.
func (w *walk) bothWays(c *wire.Cursor, be, le *wire.Field) {
	c.Overlay(be, 2)
	c.U16(le)
}

// keep makes the whole message the payload, of which AppendInfo makes its text. It
// returns the message if it was captured whole.
func (w *walk) keep(c *wire.Cursor) []byte {
	all := c.Ahead()
	w.h.finish(&all, fData)
	if w.h.Cut() {
		return nil
	}
	return w.h.Payload
}

// rest shows what is left of a message, and takes over the failure of c.
func (w *walk) rest(c *wire.Cursor) {
	if c.Recording() {
		w.show(c)
	}
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

// codeText prints the codes of an error of type t.
func codeText(t uint8) func(uint64) string {
	return func(v uint64) string {
		if s := icmpCode(t, uint8(v)); s != "" {
			return fmt.Sprintf("%d (%s)", v, s)
		}
		return fmt.Sprint(v)
	}
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

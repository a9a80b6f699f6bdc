package inet

import (
	"strconv"

	"github.com/odxray/odxray/dissect/wire"
)

// Protocol returns what the Protocol column says of a frame with nothing above TCP and
// UDP that has a name of its own.
func Protocol(h *Headers) string {
	switch h.Kind {
	case TCP:
		return "TCP"
	case UDP:
		return "UDP"
	case Fragment:
		return h.version()
	case InfiniBand:
		if h.EtherType == EtherTypeRoCE {
			return "RoCE"
		}
		return "InfiniBand"
	case IP:
		switch h.Proto {
		case protoTCP:
			return "TCP"
		case protoUDP:
			return "UDP"
		case protoICMP:
			return "ICMP"
		case protoICMPv6:
			return "ICMPv6"
		case protoIGMP:
			return "IGMP"
		case protoESP:
			return "ESP"
		case protoGRE:
			return "GRE"
		}
		if p, ok := ipProtocols[h.Proto]; ok {
			return p.column
		}
		return h.version()
	}
	switch h.EtherType {
	case EtherTypeARP:
		return "ARP"
	case EtherTypeIPv4:
		return "IPv4"
	case EtherTypeIPv6:
		return "IPv6"
	case EtherTypePPPoED:
		return "PPPoED"
	case EtherTypePPPoE:
		return "PPPoES"
	case EtherTypeRoCE:
		return "RoCE"
	case 0:
		if h.LinkDst != nil {
			return "LLC"
		}
		return "Link"
	}
	if p, ok := etherProtocols[h.EtherType]; ok {
		return p.column
	}
	return "0x" + string(appendHex(nil, uint64(h.EtherType), 4))
}

func (h *Headers) version() string {
	if h.Src.Is6() {
		return "IPv6"
	}
	return "IPv4"
}

// AppendInfo appends what the Info column says of a frame with nothing above TCP and
// UDP that says more. ctx may be nil.
func AppendInfo(b []byte, h *Headers, ctx *Context) []byte {
	if ctx == nil {
		ctx = &unknown
	}
	switch h.Kind {
	case TCP:
		return appendTCP(b, h, ctx)
	case UDP:
		b = appendPorts(b, h)
		return appendUint(append(b, " Len="...), uint64(h.PayloadLen))
	case Fragment:
		return appendFragment(b, h)
	case IP:
		return appendIP(b, h)
	}
	if h.EtherType == EtherTypeARP || h.EtherType == EtherTypeRARP {
		return appendARP(b, h)
	}
	switch {
	case h.Malformed:
		return append(b, "[Malformed Packet]"...)
	case h.Truncated && h.EtherType == 0:
		return append(b, "[Packet size limited during capture]"...)
	case h.LinkDst != nil && h.EtherType != 0:
		return append(b, "Ethernet II"...)
	}
	return appendUint(append(b, "Data, Len="...), uint64(h.PayloadLen))
}

func appendUint(b []byte, v uint64) []byte { return strconv.AppendUint(b, v, 10) }

// appendHex appends v with at least n digits.
func appendHex(b []byte, v uint64, n int) []byte {
	for s := 4 * (n - 1); s > 0 && v>>s == 0; s -= 4 {
		b = append(b, '0')
	}
	return strconv.AppendUint(b, v, 16)
}

func appendPorts(b []byte, h *Headers) []byte {
	b = appendUint(b, uint64(h.SrcPort))
	b = append(b, " → "...)
	return appendUint(b, uint64(h.DstPort))
}

// AppendWords appends the remarks on a segment, which stand before the Info of whatever
// it holds.
func AppendWords(b []byte, ctx *Context) []byte { return appendAnalysis(b, &ctx.Analysis) }

func appendTCP(b []byte, h *Headers, ctx *Context) []byte {
	b = appendAnalysis(b, &ctx.Analysis)
	b = appendPorts(b, h)
	b = append(b, " ["...)
	b = append(h.Flags.appendTo(b), ']')
	b = appendUint(append(b, " Seq="...), uint64(h.seq(ctx)))
	if h.Flags&ACK != 0 {
		b = appendUint(append(b, " Ack="...), uint64(h.ack(ctx)))
	}
	b = appendUint(append(b, " Win="...), uint64(h.windowSize(ctx)))
	if h.Flags&URG != 0 {
		b = appendUint(append(b, " Urg="...), uint64(h.Urgent))
	}
	b = appendUint(append(b, " Len="...), uint64(h.PayloadLen))
	b = appendOptions(b, h, ctx)
	if ctx.Segment {
		b = append(b, " [TCP segment of a reassembled PDU]"...)
	}
	return b
}

// appendOptions names the options that matter, in their order.
func appendOptions(b []byte, h *Headers, ctx *Context) []byte {
	c := wire.New(h.Options, nil)
	for c.Len() > 0 {
		kind := c.U8(fKind)
		if kind == optionEnd {
			break
		}
		if kind == optionNOP {
			continue
		}
		size := int(c.U8(fOptionLen)) - 2
		o := c.Sub(fTCPOption, size)
		if c.Join(&o); c.Failed() {
			break
		}
		switch {
		case kind == optionMSS && size == 2:
			b = appendUint(append(b, " MSS="...), uint64(h.MSS))
		case kind == optionScale && size == 1:
			b = appendUint(append(b, " WS="...), 1<<h.WindowShift)
		case kind == optionSACKPermitted && size == 0:
			b = append(b, " SACK_PERM"...)
		case kind == optionTimestamps && size == 8:
			b = appendUint(append(b, " TSval="...), uint64(h.TSval))
			b = appendUint(append(b, " TSecr="...), uint64(h.TSecr))
		case kind == optionSACK && size%8 == 0:
			var base uint32
			if ctx.AckKnown {
				base = ctx.AckBase
			}
			for o.Len() > 0 {
				b = appendUint(append(b, " SLE="...), uint64(o.BE32(fLeft)-base))
				b = appendUint(append(b, " SRE="...), uint64(o.BE32(fRight)-base))
			}
		}
	}
	return b
}

func appendFragment(b []byte, h *Headers) []byte {
	if h.Src.Is6() {
		b = appendUint(append(b, "IPv6 fragment (off="...), uint64(h.FragOffset))
		more := " more=n ident=0x"
		if h.MoreFragments {
			more = " more=y ident=0x"
		}
		b = appendHex(append(b, more...), uint64(h.FragID), 8)
		b = appendUint(append(b, " nxt="...), uint64(h.Proto))
		return append(b, ')')
	}
	b = append(append(b, "Fragmented IP protocol (proto="...), protoName(uint64(h.Proto))...)
	b = appendUint(append(b, ' '), uint64(h.Proto))
	b = appendUint(append(b, ", off="...), uint64(h.FragOffset))
	b = appendHex(append(b, ", ID="...), uint64(h.FragID), 4)
	return append(b, ')')
}

func appendIP(b []byte, h *Headers) []byte {
	switch h.Proto {
	case protoICMP:
		return appendICMP(b, h)
	case protoICMPv6:
		return appendICMPv6(b, h)
	case protoNone:
		return append(b, "IPv6 no next header"...)
	}
	switch {
	case h.Malformed:
		return append(b, "[Malformed Packet]"...)
	case h.Truncated && (h.Proto == protoTCP || h.Proto == protoUDP):
		b = appendPorts(b, h)
		return append(b, "[Packet size limited during capture]"...)
	}
	b = append(b, protoName(uint64(h.Proto))...)
	b = appendUint(append(b, " ("...), uint64(h.Proto))
	return append(b, ')')
}

func appendARP(b []byte, h *Headers) []byte {
	c := wire.New(h.Payload, nil)
	c.Pass(fARP, 6)
	op := c.BE16(fARPOp)
	addresses := c.Pass(fARPAddress, 20)
	if !h.Src.IsValid() || addresses == nil {
		return append(append(b, "ARP "...), arpName(uint64(op))...)
	}
	sender, target := addr48(addresses[:6]), addr48(addresses[10:16])
	switch kind := kindOfARP(op, addresses); {
	case kind == arpProbe:
		b = h.Dst.AppendTo(append(b, "Who has "...))
		b = append(b, "? (ARP Probe)"...)
	case kind == arpAnnouncement:
		b = h.Dst.AppendTo(append(b, "ARP Announcement for "...))
	case kind == arpGratuitous && op == arpRequest:
		b = h.Dst.AppendTo(append(b, "Gratuitous ARP for "...))
		b = append(b, " (Request)"...)
	case kind == arpGratuitous:
		b = h.Dst.AppendTo(append(b, "Gratuitous ARP for "...))
		b = append(b, " (Reply)"...)
	case op == arpRequest:
		b = h.Dst.AppendTo(append(b, "Who has "...))
		b = h.Src.AppendTo(append(b, "? Tell "...))
	case op == arpReply:
		b = h.Src.AppendTo(b)
		b = appendMAC(append(b, " is at "...), sender)
	case op == arpReverseRequest || op == arpInverseRequest:
		b = appendMAC(append(b, "Who is "...), target)
		b = appendMAC(append(b, "? Tell "...), sender)
	case op == arpReverseReply:
		b = appendMAC(b, target)
		b = h.Dst.AppendTo(append(b, " is at "...))
	case op == arpInverseReply:
		b = appendMAC(b, sender)
		b = h.Src.AppendTo(append(b, " is at "...))
	default:
		b = appendHex(append(b, "Unknown ARP opcode 0x"...), uint64(op), 4)
	}
	return b
}

func appendICMP(b []byte, h *Headers) []byte {
	c := wire.New(h.Payload, nil)
	t, code := c.U8(fICMPType), c.U8(fICMPCode)
	c.Pass(fICMPSum, 2)
	id, seq := c.BE16(fICMPIdent), c.BE16(fICMPSeq)
	b = append(b, icmpName(t)...)
	switch {
	case c.Cause() != nil:
	case t == icmpEcho || t == icmpEchoReply:
		if t == icmpEcho {
			b = append(b, "  id=0x"...)
		} else {
			b = append(b, "    id=0x"...)
		}
		b = appendHex(b, uint64(id), 4)
		b = appendUint(append(b, ", seq="...), uint64(seq))
		b = appendUint(append(b, '/'), uint64(seq>>8|seq<<8))
		b = appendUint(append(b, ", ttl="...), uint64(h.TTL))
	default:
		if s := icmpCode(t, code); s != "" {
			if t == icmpRedirect {
				b = append(b, "            "...)
			}
			b = append(append(append(b, " ("...), s...), ')')
		}
	}
	return b
}

func appendICMPv6(b []byte, h *Headers) []byte {
	c := wire.New(h.Payload, nil)
	t, code := c.U8(fV6Type), c.U8(fV6Code)
	c.Pass(fV6Sum, 2)
	b = append(b, icmpv6Name(t)...)
	switch t {
	case icmpv6Echo, icmpv6EchoReply:
		b = appendHex(append(b, " id=0x"...), uint64(c.BE16(fV6Ident)), 4)
		b = appendUint(append(b, ", seq="...), uint64(c.BE16(fV6Seq)))
		b = appendUint(append(b, ", hop limit="...), uint64(h.TTL))
	case icmpv6NeighborAsk:
		c.Pass(fV6Res, 4)
		b = addressOf(c.Bytes(fNSTo, 16)).AppendTo(append(b, " for "...))
		return appendLinkAddress(b, &c, " from ")
	case icmpv6Neighbor:
		flags := c.BE32(fNAFlags)
		b = addressOf(c.Bytes(fNATo, 16)).AppendTo(append(b, ' '))
		sep := " ("
		for i, name := range [...]string{"rtr", "sol", "ovr"} {
			if flags>>(31-i)&1 != 0 {
				b = append(append(b, sep...), name...)
				sep = ", "
			}
		}
		if sep == ", " {
			b = append(b, ')')
		}
		return appendLinkAddress(b, &c, " is at ")
	case icmpv6RouterAsk:
		c.Pass(fV6Res, 4)
		return appendLinkAddress(b, &c, " from ")
	case icmpv6Router:
		c.Pass(fV6Res, 12)
		return appendLinkAddress(b, &c, " from ")
	default:
		if s := icmpv6Code(t, code); s != "" {
			b = append(append(append(b, " ("...), s...), ')')
		}
	}
	return b
}

// appendLinkAddress looks among the options of neighbour discovery for a link-layer
// address. RFC 4861 4.6.1
func appendLinkAddress(b []byte, c *wire.Cursor, before string) []byte {
	const source, target = 1, 2
	for c.Len() >= 8 {
		kind, size := c.U8(fData), 8*int(c.U8(fData))
		o := c.Sub(fData, size-2)
		c.Join(&o)
		if size == 8 && (kind == source || kind == target) {
			return appendMAC(append(b, before...), addr48(o.Bytes(fData, 6)))
		}
	}
	return b
}

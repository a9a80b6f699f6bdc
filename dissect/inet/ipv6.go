package inet

import (
	"fmt"
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	ipv6        = fields.Section("RFC 8200 3")
	fIPv6       = ipv6.Struct("ipv6", "Internet Protocol Version 6")
	fV6Version  = ipv6.Uint("ipv6.version", "Version").In(0xf0)
	_           = ipv6.Any("ip.version", "Version", fV6Version)
	fV6Class    = ipv6.Hex("ipv6.tclass", "Traffic Class").In(0x0ff00000).Formatted(dsField("0x%02x")).Split(fV6DSCP, fV6ECN)
	fV6DSCP     = ipv6.Enum("ipv6.tclass.dscp", "Differentiated Services Codepoint", dscpName).In(0x0fc00000)
	fV6ECN      = ipv6.Enum("ipv6.tclass.ecn", "Explicit Congestion Notification", ecnName).In(0x00300000)
	fV6Flow     = ipv6.Hex("ipv6.flow", "Flow Label").In(0x0fffff)
	fV6Len      = ipv6.Uint("ipv6.plen", "Payload Length")
	fV6Next     = ipv6.Enum("ipv6.nxt", "Next Header", protoName)
	fV6Hops     = ipv6.Uint("ipv6.hlim", "Hop Limit")
	fV6Src      = ipv6.Address("ipv6.src", "Source Address").Wide(128)
	fV6Dst      = ipv6.Address("ipv6.dst", "Destination Address").Wide(128)
	_           = ipv6.Any("ipv6.addr", "Source or Destination Address", fV6Src, fV6Dst)
	fV6LenZero  = ipv6.Struct("ipv6.plen_zero", `IPv6 payload length equals 0 (maybe because of "TCP segmentation offload" (TSO))`)
	fV6LenBogus = ipv6.Struct("ipv6.plen_exceeds_framing", "IPv6 payload length does not match expected framing length")

	extension  = fields.Section("RFC 8200 4")
	fHopByHop  = extension.Struct("ipv6.hopopts", "IPv6 Hop-by-Hop Option")
	fHopNext   = extension.Enum("ipv6.hopopts.nxt", "Next Header", protoName)
	fHopLen    = extension.Uint("ipv6.hopopts.len", "Length")
	fHopOctets = extension.Uint("ipv6.hopopts.len_oct", "Length").Formatted(octets)
	fDestOpts  = extension.Struct("ipv6.dstopts", "Destination Options for IPv6")
	fDstNext   = extension.Enum("ipv6.dstopts.nxt", "Next Header", protoName)
	fDstLen    = extension.Uint("ipv6.dstopts.len", "Length")
	fDstOctets = extension.Uint("ipv6.dstopts.len_oct", "Length").Formatted(octets)
	fRouting   = extension.Struct("ipv6.routing", "Routing Header for IPv6")
	fRtNext    = extension.Enum("ipv6.routing.nxt", "Next Header", protoName)
	fRtLen     = extension.Uint("ipv6.routing.len", "Length")
	fRtOctets  = extension.Uint("ipv6.routing.len_oct", "Length").Formatted(octets)
	fRtType    = extension.Enum("ipv6.routing.type", "Type", routingName)
	fRtLeft    = extension.Uint("ipv6.routing.segleft", "Segments Left")
	fRtData    = extension.Bytes("ipv6.routing.unknown_data", "Type-Specific Data")

	fV6Fragment = extension.Struct("ipv6.fraghdr", "Fragment Header for IPv6")
	fFrNext     = extension.Enum("ipv6.fraghdr.nxt", "Next header", protoName)
	fFrReserved = extension.Hex("ipv6.fraghdr.reserved_octet", "Reserved octet")
	fFrOffset   = extension.Uint("ipv6.fraghdr.offset", "Offset").In(0xfff8).
			Formatted(func(v uint64) string { return fmt.Sprintf("%d (%d bytes)", v, 8*v) })
	fFrBits = extension.Hex("", "Offset and Flags").Beside(fFrOffset,
		extension.Uint("ipv6.fraghdr.reserved_bits", "Reserved bits").In(0x0006),
		extension.Flag(0x0001, "ipv6.fraghdr.more", "More Fragments", "No", "Yes"))
	fFrIdent = extension.Hex("ipv6.fraghdr.ident", "Identification")

	authHeader = fields.Section("RFC 4302 2")
	fAH        = authHeader.Struct("ah", "Authentication Header")
	fAHNext    = authHeader.Enum("ah.next_header", "Next header", protoName)
	fAHLen     = authHeader.Uint("ah.length", "Length")
	fAHRes     = authHeader.Bytes("ah.reserved", "Reserved")
	fAHSPI     = authHeader.Hex("ah.spi", "AH SPI")
	fAHSeq     = authHeader.Uint("ah.sequence", "AH Sequence")
	fAHICV     = authHeader.Bytes("ah.icv", "AH ICV")

	option   = fields.Section("RFC 8200 4.2")
	fOption  = option.Struct("ipv6.opt", "").Formatted(optionName)
	fOptType = option.Enum("ipv6.opt.type", "Type", optionName).InHex().Split(
		option.Enum("ipv6.opt.type.action", "Action", optionAction).In(0xc0),
		option.Flag(0x20, "ipv6.opt.type.change", "May Change", "No", "Yes"),
		option.Hex("ipv6.opt.type.rest", "Low-Order Bits").In(0x1f),
	)
	fOptLen   = option.Uint("ipv6.opt.length", "Length")
	fOptPad0  = option.Bytes("ipv6.opt.padn", "PadN").Formatted(func(uint64) string { return "<none>" })
	fOptPadN  = option.Bytes("ipv6.opt.padn", "PadN")
	fOptAlert = option.Enum("ipv6.opt.router_alert", "Router Alert", alertName)
	fOptJumbo = option.Uint("ipv6.opt.jumbo", "Payload Length")
	fOptData  = option.Bytes("ipv6.opt.unknown", "Unknown Option Payload")
)

func octets(v uint64) string { return fmt.Sprintf("%d bytes", v) }

// ipv6 decodes an IPv6 header and goes on.
func (w *walk) ipv6(c *wire.Cursor) {
	h := w.h
	m := c.Open(fIPv6)
	c.Overlay(fV6Version, 1)
	c.Overlay(fV6Class, 4)
	c.Pass(fIPv6, 1)
	c.Overlay(fV6Flow, 3)
	c.Pass(fV6Flow, 3)
	n := int(c.BE16(fV6Len))
	next := c.U8(fV6Next)
	h.TTL = c.U8(fV6Hops)
	src, dst := c.Bytes(fV6Src, 16), c.Bytes(fV6Dst, 16)
	if dst == nil {
		c.Close(m)
		w.met(c, "ipv6")
		w.data(c)
		return
	}
	h.Src, h.Dst = netip.AddrFrom16([16]byte(src)), netip.AddrFrom16([16]byte(dst))
	if m >= 0 {
		c.Title(m, 0, ", Src: "+h.Src.String()+", Dst: "+h.Dst.String())
	}
	switch {
	case n == 0:
		// Receive offload merges packets past 64 KiB and leaves 0; the frame's own
		// length counts, as it does for a jumbogram.
		n = c.Len()
		if next != protoNone && c.Recording() {
			remark(c, fV6LenZero, severityNote, groupProtocol, "")
		}
	case n > c.Len():
		h.Malformed = true
		if c.Recording() && !w.quote {
			remark(c, fV6LenBogus, severityWarning, groupProtocol, "")
		}
	}
	w.met(c, "ipv6")
	end := c.Narrow(n)
	fragment := w.extensions(c, &next)
	c.Close(m)
	h.Proto = next
	if fragment || c.Cause() != nil {
		if fragment {
			h.Kind = Fragment
		}
		w.data(c)
	} else {
		w.ipPayload(c, next, true)
	}
	c.Widen(end)
}

// extensions decodes the extension headers, of which next is the first, and leaves in
// next the protocol that follows. It is true if that follows in parts.
func (w *walk) extensions(c *wire.Cursor, next *uint8) bool {
	for depth := 0; depth < maxDepth; depth++ {
		switch *next {
		case protoHopByHop:
			*next = w.optionHeader(c, fHopByHop, fHopNext, fHopLen, fHopOctets)
			w.met(c, "ipv6.hopopts")
		case protoDestOpts:
			*next = w.optionHeader(c, fDestOpts, fDstNext, fDstLen, fDstOctets)
			w.met(c, "ipv6.dstopts")
		case protoRouting:
			*next = w.routing(c)
			w.met(c, "ipv6.routing")
		case protoAH:
			*next = w.authentication(c)
			w.met(c, "ah")
		case protoFragment:
			w.met(c, "ipv6.fraghdr")
			if w.fragment(c, next) {
				return true
			}
		default:
			return false
		}
		if c.Cause() != nil {
			return false
		}
	}
	w.h.Malformed = true
	return false
}

// optionHeader decodes a header of options.
func (w *walk) optionHeader(c *wire.Cursor, layer, fNext, fLen, fOctets *wire.Field) uint8 {
	defer c.Close(c.Open(layer))
	next := c.U8(fNext)
	size := 8 + 8*int(c.U8(fLen))
	c.Note(fOctets, uint64(size), "")
	w.options(c, size-2)
	return next
}

// options passes over n bytes of options. A bad or a cut one ends them, not the packet.
func (w *walk) options(c *wire.Cursor, n int) {
	const pad1, padN, routerAlert, jumbo = 0, 1, 5, 0xc2
	o := c.Sub(fOption, n)
	if !o.Recording() {
		return
	}
	for o.Len() > 0 {
		m := o.Open(fOption)
		t := o.U8(fOptType)
		o.Title(m, uint64(t), "")
		if t == pad1 {
			o.Close(m)
			continue
		}
		size := int(o.U8(fOptLen))
		switch {
		case t == padN && size == 0:
			o.Skip(fOptPad0, 0)
		case t == padN:
			o.Skip(fOptPadN, size)
		case t == routerAlert && size == 2:
			o.BE16(fOptAlert)
		case t == jumbo && size == 4:
			o.BE32(fOptJumbo)
		default:
			o.Skip(fOptData, size)
		}
		o.Close(m)
	}
}

func (w *walk) routing(c *wire.Cursor) uint8 {
	defer c.Close(c.Open(fRouting))
	next := c.U8(fRtNext)
	size := 8 + 8*int(c.U8(fRtLen))
	c.Note(fRtOctets, uint64(size), "")
	c.U8(fRtType)
	c.U8(fRtLeft)
	c.Skip(fRtData, size-4)
	return next
}

// fragment decodes a fragment header, and is true if it is one of a packet in parts:
// a whole packet may carry one too (RFC 6946).
func (w *walk) fragment(c *wire.Cursor, next *uint8) bool {
	defer c.Close(c.Open(fV6Fragment))
	*next = c.U8(fFrNext)
	c.U8(fFrReserved)
	bits := c.BE16(fFrBits)
	id := c.BE32(fFrIdent)
	if bits&^6 == 0 || c.Cause() != nil {
		return false
	}
	w.h.FragID, w.h.FragOffset, w.h.MoreFragments = id, bits&0xfff8, bits&1 != 0
	return true
}

func (w *walk) authentication(c *wire.Cursor) uint8 {
	defer c.Close(c.Open(fAH))
	next := c.U8(fAHNext)
	size := 8 + 4*int(c.U8(fAHLen))
	c.Skip(fAHRes, 2)
	c.BE32(fAHSPI)
	c.BE32(fAHSeq)
	if size > 12 {
		c.Skip(fAHICV, size-12)
	}
	return next
}

// ipPayload goes on with what an IP packet carries.
func (w *walk) ipPayload(c *wire.Cursor, proto uint8, v6 bool) {
	h := w.h
	if !w.enter(c) {
		return
	}
	if v6 {
		if w.extensions(c, &proto) { // a fragment in a fragment
			h.Malformed = true
			w.data(c)
			return
		}
	}
	h.Kind, h.Proto = IP, proto
	if w.quote && proto == protoTCP && c.Len() < leastTCP {
		w.data(c)
		return
	}
	switch proto {
	case protoTCP:
		w.tcp(c)
	case protoUDP:
		w.udp(c)
	case protoIPv4:
		w.ethertype(c, EtherTypeIPv4)
	case protoIPv6:
		w.ethertype(c, EtherTypeIPv6)
	case protoGRE:
		w.gre(c)
	case protoAH:
		proto = w.authentication(c)
		w.met(c, "ah")
		w.ipPayload(c, proto, v6)
	case protoICMP:
		w.icmp(c)
	case protoICMPv6:
		w.icmpv6(c)
	default:
		w.data(c)
	}
}

func routingName(v uint64) string {
	switch v {
	case 0:
		return "Source Route"
	case 2:
		return "Type 2 Routing Header"
	case 3:
		return "RPL Source Route"
	case 4:
		return "Segment Routing"
	}
	return "Unknown"
}

func optionName(v uint64) string {
	switch v {
	case 0x00:
		return "Pad1"
	case 0x01:
		return "PadN"
	case 0x04:
		return "Tunnel Encapsulation Limit"
	case 0x05:
		return "Router Alert"
	case 0x26:
		return "Quick-Start"
	case 0xc2:
		return "Jumbo Payload"
	}
	return "Unknown IPv6 Option"
}

func optionAction(v uint64) string {
	return [...]string{"Skip and continue", "Discard", "Discard and send ICMP to source if not multicast",
		"Discard and send ICMP to source if not multicast"}[v&3]
}

func alertName(v uint64) string {
	switch v {
	case 0:
		return "MLD"
	case 1:
		return "RSVP"
	case 2:
		return "Active Networks"
	}
	return "Unknown"
}

// protoName is Wireshark's word for an IP protocol.
func protoName(v uint64) string {
	switch v {
	case protoHopByHop:
		return "IPv6 Hop-by-Hop Option"
	case protoICMP:
		return "ICMP"
	case protoIGMP:
		return "IGMP"
	case protoIPv4:
		return "IPIP"
	case protoTCP:
		return "TCP"
	case protoUDP:
		return "UDP"
	case protoIPv6:
		return "IPv6"
	case protoRouting:
		return "Routing Header for IPv6"
	case protoFragment:
		return "Fragment Header for IPv6"
	case protoGRE:
		return "Generic Routing Encapsulation"
	case protoESP:
		return "Encap Security Payload"
	case protoAH:
		return "Authentication Header"
	case protoICMPv6:
		return "ICMPv6"
	case protoNone:
		return "No Next Header for IPv6"
	case protoDestOpts:
		return "Destination Options for IPv6"
	}
	if p, ok := ipProtocols[uint8(v)]; ok {
		return p.name
	}
	return "Unknown"
}

// ipProtocols is what else is met beside file traffic: the name of the protocol, and
// the word for the Protocol column.
var ipProtocols = map[uint8]struct{ name, column string }{
	46:  {"Reservation Protocol", "RSVP"},
	88:  {"EIGRP", "EIGRP"},
	89:  {"OSPF IGP", "OSPF"},
	103: {"PIM", "PIM"},
	112: {"VRRP", "VRRP"},
	115: {"Layer 2 Tunneling", "L2TPv3"},
	132: {"SCTP", "SCTP"},
	136: {"UDPlite", "UDP-Lite"},
	137: {"MPLS-in-IP", "MPLS"},
}

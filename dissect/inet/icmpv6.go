package inet

import (
	"fmt"
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	icmpv6     = fields.Section("RFC 4443 2.1")
	fICMPv6    = icmpv6.Struct("icmpv6", "Internet Control Message Protocol v6")
	fV6Type    = icmpv6.Enum("icmpv6.type", "Type", func(v uint64) string { return icmpv6Name(uint8(v)) })
	fV6Code    = icmpv6.Uint("icmpv6.code", "Code")
	fV6Sum     = icmpv6.Hex("icmpv6.checksum", "Checksum").Formatted(sumUnverified)
	fV6SumGood = icmpv6.Hex("icmpv6.checksum", "Checksum").Formatted(sumGood)
	fV6SumBad  = icmpv6.Hex("icmpv6.checksum", "Checksum").Formatted(sumBad)
	fV6Status  = icmpv6.Uint("icmpv6.checksum.status", "Checksum Status").Formatted(sumStatus)
	fV6Ident   = icmpv6.Hex("icmpv6.echo.identifier", "Identifier")
	fV6Seq     = icmpv6.Uint("icmpv6.echo.sequence_number", "Sequence")
	fV6MTU     = icmpv6.Uint("icmpv6.mtu", "MTU")
	fV6Res     = icmpv6.Bytes("icmpv6.reserved", "Reserved")

	discovery = fields.Section("RFC 4861 4")
	fNSTo     = discovery.Address("icmpv6.nd.ns.target_address", "Target Address").Wide(128)
	fNATo     = discovery.Address("icmpv6.nd.na.target_address", "Target Address").Wide(128)
	fNAFlags  = discovery.Hex("icmpv6.nd.na.flag", "Flags").List(
		discovery.Flag(0x80000000, "icmpv6.nd.na.flag.r", "Router", "Not set", "Set"),
		discovery.Flag(0x40000000, "icmpv6.nd.na.flag.s", "Solicited", "Not set", "Set"),
		discovery.Flag(0x20000000, "icmpv6.nd.na.flag.o", "Override", "Not set", "Set"),
		discovery.Uint("icmpv6.nd.na.flag.rsv", "Reserved").In(0x1fffffff),
	)
	fRAHops      = discovery.Uint("icmpv6.nd.ra.cur_hop_limit", "Cur hop limit")
	fRAFlags     = discovery.Hex("icmpv6.nd.ra.flag", "Flags")
	fRALifetime  = discovery.Uint("icmpv6.nd.ra.router_lifetime", "Router lifetime (s)")
	fRAReachable = discovery.Uint("icmpv6.nd.ra.reachable_time", "Reachable time (ms)")
	fRARetrans   = discovery.Uint("icmpv6.nd.ra.retrans_timer", "Retrans timer (ms)")

	fNDOption  = discovery.Struct("icmpv6.opt", "ICMPv6 Option")
	fNDType    = discovery.Enum("icmpv6.opt.type", "Type", ndOptionName)
	fNDLen     = discovery.Uint("icmpv6.opt.length", "Length").Formatted(func(v uint64) string { return fmt.Sprintf("%d (%d bytes)", v, 8*v) })
	fNDAddress = discovery.Address("icmpv6.opt.linkaddr", "Link-layer address").Formatted(mac)
	fNDNonce   = discovery.Bytes("icmpv6.opt.nonce", "Nonce")
	fNDData    = discovery.Bytes("", "Data")

	listener  = fields.Section("RFC 9777 5.2")
	fMLDCount = listener.Uint("icmpv6.mldr.nb_mcast_records", "Number of Multicast Address Records")
	fMLD      = listener.Struct("icmpv6.mldr.mar", "Multicast Address Record").Formatted(func(v uint64) string { return " " + recordName(v) })
	fMLDType  = listener.Enum("icmpv6.mldr.mar.record_type", "Record Type", recordName)
	fMLDAux   = listener.Uint("icmpv6.mldr.mar.aux_data_len", "Aux Data Len")
	fMLDNum   = listener.Uint("icmpv6.mldr.mar.nb_sources", "Number of Sources")
	fMLDGroup = listener.Address("icmpv6.mldr.mar.multicast_address", "Multicast Address")
	fMLDFrom  = listener.Address("icmpv6.mldr.mar.source_address", "Source Address")
)

const (
	icmpv6Unreachable  = 1
	icmpv6TooBig       = 2
	icmpv6TimeExceeded = 3
	icmpv6Problem      = 4
	icmpv6Echo         = 128
	icmpv6EchoReply    = 129
	icmpv6RouterAsk    = 133
	icmpv6Router       = 134
	icmpv6NeighborAsk  = 135
	icmpv6Neighbor     = 136
	icmpv6Redirect     = 137
	icmpv6Listener     = 143
)

func (w *walk) icmpv6(c *wire.Cursor) {
	h := w.h
	message := w.keep(c)
	m := c.Open(fICMPv6)
	t := c.U8(fV6Type)
	c.U8(fV6Code)
	var pseudo uint32
	if c.Recording() {
		pseudo = pseudoHeader(h.Src, h.Dst, h.PayloadLen, protoICMPv6)
	}
	checksum(c, message, pseudo, fV6Sum, fV6SumGood, fV6SumBad, fV6Status)
	switch t {
	case icmpv6Echo, icmpv6EchoReply:
		c.BE16(fV6Ident)
		c.BE16(fV6Seq)
	case icmpv6TooBig:
		c.BE32(fV6MTU)
	case icmpv6Unreachable, icmpv6TimeExceeded, icmpv6Problem:
		c.Skip(fV6Res, 4)
	case icmpv6RouterAsk:
		c.Skip(fV6Res, 4)
		ndOptions(c)
	case icmpv6Router:
		c.U8(fRAHops)
		c.U8(fRAFlags)
		c.BE16(fRALifetime)
		c.BE32(fRAReachable)
		c.BE32(fRARetrans)
		ndOptions(c)
	case icmpv6NeighborAsk:
		c.Skip(fV6Res, 4)
		c.Bytes(fNSTo, 16)
		ndOptions(c)
	case icmpv6Neighbor:
		c.BE32(fNAFlags)
		c.Bytes(fNATo, 16)
		ndOptions(c)
	case icmpv6Listener:
		records(c)
	}
	w.met(c, "icmpv6")
	if t >= icmpv6Unreachable && t <= icmpv6Problem {
		w.quoted(c)
	}
	w.rest(c)
	c.Close(m)
}

// ndOptions decodes the options of neighbour discovery. RFC 4861 4.6
func ndOptions(c *wire.Cursor) {
	const source, target, nonce = 1, 2, 14
	for c.Len() > 0 {
		m := c.Open(fNDOption)
		t := c.U8(fNDType)
		size := 8 * int(c.U8(fNDLen))
		if size == 0 {
			c.Fail(fNDLen, wire.ErrShort) // "Nodes MUST silently discard an ND packet that contains an option with length zero."
		}
		title := ""
		switch {
		case (t == source || t == target) && size == 8:
			c.Overlay(fNDAddress, 6)
			b := c.Pass(fNDAddress, 6)
			if m >= 0 {
				title = " : " + macText(addr48(b))
			}
		case t == nonce && size > 2:
			c.Bytes(fNDNonce, size-2)
		default:
			c.Skip(fNDData, size-2)
		}
		if m >= 0 {
			c.Title(m, 0, " ("+ndOptionName(uint64(t))+title+")")
		}
		c.Close(m)
	}
}

// records decodes the groups that a host listens to.
func records(c *wire.Cursor) {
	c.Skip(fV6Res, 2)
	for range c.BE16(fMLDCount) {
		if c.Failed() {
			return
		}
		m := c.Open(fMLD)
		t := c.U8(fMLDType)
		aux := 4 * int(c.U8(fMLDAux))
		sources := int(c.BE16(fMLDNum))
		group := c.Bytes(fMLDGroup, 16)
		if m >= 0 {
			c.Title(m, uint64(t), addressOf(group).String())
		}
		for ; sources > 0 && !c.Failed(); sources-- {
			c.Bytes(fMLDFrom, 16)
		}
		if aux > 0 {
			c.Skip(fNDData, aux)
		}
		c.Close(m)
	}
}

// addressOf returns an IPv6 address in a message, for what is said of it.
func addressOf(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}

func icmpv6Name(t uint8) string {
	switch t {
	case icmpv6Unreachable:
		return "Destination Unreachable"
	case icmpv6TooBig:
		return "Packet Too Big"
	case icmpv6TimeExceeded:
		return "Time Exceeded"
	case icmpv6Problem:
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
	case icmpv6Redirect:
		return "Redirect"
	case icmpv6Listener:
		return "Multicast Listener Report Message v2"
	}
	return "Unknown"
}

// icmpv6Code says what the code of an error means; "" if there is nothing to say.
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

func ndOptionName(v uint64) string {
	switch v {
	case 1:
		return "Source link-layer address"
	case 2:
		return "Target link-layer address"
	case 3:
		return "Prefix information"
	case 4:
		return "Redirected header"
	case 5:
		return "MTU"
	case 14:
		return "Nonce"
	case 24:
		return "Route Information"
	case 25:
		return "Recursive DNS Server"
	case 31:
		return "DNS Search List Option"
	}
	return "Unknown"
}

func recordName(v uint64) string {
	switch v {
	case 1:
		return "Include"
	case 2:
		return "Exclude"
	case 3:
		return "Changed to include"
	case 4:
		return "Changed to exclude"
	case 5:
		return "Allow new sources"
	case 6:
		return "Block old sources"
	}
	return "Unknown"
}

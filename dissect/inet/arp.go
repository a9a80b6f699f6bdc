package inet

import (
	"fmt"
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	arp            = fields.Section("RFC 826")
	fARP           = arp.Struct("arp", "Address Resolution Protocol")
	fARPHType      = arp.Enum("arp.hw.type", "Hardware type", hardwareName)
	fARPPType      = arp.Enum("arp.proto.type", "Protocol type", etherTypeName).InHex()
	fARPHSize      = arp.Uint("arp.hw.size", "Hardware size")
	fARPPSize      = arp.Uint("arp.proto.size", "Protocol size")
	fARPOp         = arp.Enum("arp.opcode", "Opcode", arpName)
	fARPSrcMAC     = arp.Address("arp.src.hw_mac", "Sender MAC address").Wide(48).Formatted(mac)
	fARPSrcIP      = arp.Address("arp.src.proto_ipv4", "Sender IP address").Wide(32)
	fARPDstMAC     = arp.Address("arp.dst.hw_mac", "Target MAC address").Wide(48).Formatted(mac)
	fARPDstIP      = arp.Address("arp.dst.proto_ipv4", "Target IP address").Wide(32)
	fARPProbe      = arp.Flag(0, "arp.isprobe", "Is probe", "False", "True")
	fARPGratuitous = arp.Flag(0, "arp.isgratuitous", "Is gratuitous", "False", "True")
	fARPAnnounce   = arp.Flag(0, "arp.isannouncement", "Is announcement", "False", "True")
	fARPAddress    = arp.Bytes("", "Addresses")
)

const (
	arpRequest        = 1
	arpReply          = 2
	arpReverseRequest = 3
	arpReverseReply   = 4
	arpInverseRequest = 8
	arpInverseReply   = 9
)

// arp decodes ARP for IPv4 over Ethernet, and of others the fixed part. The sender and
// the target become Src and Dst, so that the frame can be found by them.
func (w *walk) arp(c *wire.Cursor) {
	h := w.h
	whole := c.Ahead()
	h.PayloadLen = whole.Len()
	h.Payload = whole.Rest(fARP)
	m := c.Open(fARP)
	hardware := c.BE16(fARPHType)
	proto := c.BE16(fARPPType)
	hardwareSize, protoSize := c.U8(fARPHSize), c.U8(fARPPSize)
	op := c.BE16(fARPOp)
	if hardware == hardwareEthernet && proto == EtherTypeIPv4 && hardwareSize == 6 && protoSize == 4 {
		if c.Recording() {
			arpTitle(c, m, op, kindOfARP(op, c.Peek(20)))
		}
		macAddress(c, fARPSrcMAC)
		src := c.Bytes(fARPSrcIP, 4)
		macAddress(c, fARPDstMAC)
		dst := c.Bytes(fARPDstIP, 4)
		if dst != nil {
			h.Src, h.Dst = netip.AddrFrom4([4]byte(src)), netip.AddrFrom4([4]byte(dst))
		}
	} else {
		if c.Recording() && c.Cause() == nil {
			arpTitle(c, m, op, arpPlain)
		}
		if n := 2 * (int(hardwareSize) + int(protoSize)); n > 0 {
			c.Skip(fARPAddress, n)
		}
	}
	c.Close(m)
	w.met(c, "arp")
	h.Truncated = c.Cause() == wire.ErrTruncated
	h.Malformed = c.Cause() != nil && !h.Truncated
}

// arpKind says what a message is for, which its addresses tell. RFC 5227 1.1
type arpKind uint8

const (
	arpPlain arpKind = iota
	arpProbe
	arpAnnouncement
	arpGratuitous
)

// kindOfARP takes the addresses of a message: 6 and 4 bytes of the sender, then of the
// target.
func kindOfARP(op uint16, b []byte) arpKind {
	if len(b) != 20 || op != arpRequest && op != arpReply {
		return arpPlain
	}
	sender, target, unset := [4]byte(b[6:]), [4]byte(b[16:]), [6]byte(b[10:]) == [6]byte{}
	switch {
	case op == arpRequest && sender == [4]byte{} && unset:
		return arpProbe
	case sender != target || sender == [4]byte{}:
		return arpPlain
	case op == arpRequest && unset:
		return arpAnnouncement
	}
	return arpGratuitous
}

// arpTitle shows what a message is for.
func arpTitle(c *wire.Cursor, m wire.Mark, op uint16, kind arpKind) {
	title := arpName(uint64(op))
	switch kind {
	case arpProbe:
		title = "ARP Probe"
		c.Note(fARPProbe, 1, "")
	case arpAnnouncement:
		title = "ARP Announcement"
		c.Note(fARPGratuitous, 1, "")
		c.Note(fARPAnnounce, 1, "")
	case arpGratuitous:
		title += "/gratuitous ARP"
		c.Note(fARPGratuitous, 1, "")
	default:
		if title == "Unknown" {
			title = fmt.Sprintf("opcode 0x%04x", op)
		}
	}
	c.Title(m, 0, " ("+title+")")
}

// macAddress reads an address whose parts nobody looks at.
func macAddress(c *wire.Cursor, f *wire.Field) {
	c.Overlay(f, 6)
	c.Pass(f, 6)
}

func arpName(v uint64) string {
	switch v {
	case arpRequest:
		return "request"
	case arpReply:
		return "reply"
	case arpReverseRequest:
		return "reverse request"
	case arpReverseReply:
		return "reverse reply"
	case arpInverseRequest:
		return "inverse request"
	case arpInverseReply:
		return "inverse reply"
	}
	return "Unknown"
}

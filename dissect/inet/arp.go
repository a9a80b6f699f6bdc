package inet

import (
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	arp         = fields.Section("RFC 826")
	fARP        = arp.Struct("arp", "Address Resolution Protocol")
	fARPHType   = arp.Enum("arp.hw.type", "Hardware type", hardwareName)
	fARPPType   = arp.Enum("arp.proto.type", "Protocol type", etherTypeName).InHex()
	fARPHSize   = arp.Uint("arp.hw.size", "Hardware size")
	fARPPSize   = arp.Uint("arp.proto.size", "Protocol size")
	fARPOp      = arp.Enum("arp.opcode", "Opcode", arpName)
	fARPSrcMAC  = arp.Address("arp.src.hw_mac", "Sender MAC address").Formatted(mac)
	fARPSrcIP   = arp.Address("arp.src.proto_ipv4", "Sender IP address")
	fARPDstMAC  = arp.Address("arp.dst.hw_mac", "Target MAC address").Formatted(mac)
	fARPDstIP   = arp.Address("arp.dst.proto_ipv4", "Target IP address")
	fARPAddress = arp.Bytes("", "Addresses")
)

const (
	arpRequest = 1
	arpReply   = 2
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
	if m >= 0 && c.Cause() == nil {
		c.Title(m, 0, " ("+arpName(uint64(op))+")")
	}
	if hardware == hardwareEthernet && proto == EtherTypeIPv4 && hardwareSize == 6 && protoSize == 4 {
		macAddress(c, fARPSrcMAC)
		src := c.Bytes(fARPSrcIP, 4)
		macAddress(c, fARPDstMAC)
		dst := c.Bytes(fARPDstIP, 4)
		if dst != nil {
			h.Src, h.Dst = netip.AddrFrom4([4]byte(src)), netip.AddrFrom4([4]byte(dst))
		}
	} else if n := 2 * (int(hardwareSize) + int(protoSize)); n > 0 {
		c.Skip(fARPAddress, n)
	}
	c.Close(m)
	w.met(c, "arp")
	h.Truncated = c.Cause() == wire.ErrTruncated
	h.Malformed = c.Cause() != nil && !h.Truncated
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
	case 3:
		return "reverse request"
	case 4:
		return "reverse reply"
	case 8:
		return "inverse request"
	case 9:
		return "inverse reply"
	}
	return "unknown"
}

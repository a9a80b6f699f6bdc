package inet

import (
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

// usual decodes the frame that c is at if it is what nearly all frames of file traffic
// are: captured whole, Ethernet, IPv4 without options or fragments, TCP with no options
// or those of every segment with time stamps (RFC 7323 A). It reports false, having done
// nothing, where anything is otherwise: the decoders of each layer, which say of other
// frames what they hold, say the same of these.
func usual(c *wire.Cursor, h *Headers) bool {
	const (
		eth, ip4, tcp = 14, 20, 20
		stamps        = 12
	)
	b := c.Peek(eth + ip4 + tcp)
	if b == nil || b[12] != byte(EtherTypeIPv4>>8) || b[13] != byte(EtherTypeIPv4&0xff) || b[14] != 0x45 || b[20]&^0x40|b[21] != 0 || b[23] != protoTCP {
		return false
	}
	size := eth + int(be16(b[16:]))
	start := eth + ip4 + int(b[46]>>4)*4
	if size < start {
		return false
	}
	if b = c.Peek(size); b == nil { // said to be longer than it is, or cut
		return false
	}
	switch start {
	default:
		return false
	case eth + ip4 + tcp + stamps:
		if be32(b[54:]) != 0x0101080a { // NOP, NOP, Timestamps, 10 bytes
			return false
		}
		h.Options, h.HasTimestamp = b[54:start:start], true
		h.TSval, h.TSecr = be32(b[58:]), be32(b[62:])
	case eth + ip4 + tcp:
	}
	h.Kind = TCP
	h.LinkDst, h.LinkSrc, h.EtherType = b[0:6:6], b[6:12:12], EtherTypeIPv4
	h.Src, h.Dst = netip.AddrFrom4([4]byte(b[26:])), netip.AddrFrom4([4]byte(b[30:]))
	h.Proto, h.TTL = protoTCP, b[22]
	h.SrcPort, h.DstPort = be16(b[34:]), be16(b[36:])
	h.Seq, h.Ack = be32(b[38:]), be32(b[42:])
	h.Flags = TCPFlags(be16(b[46:]) & 0x0fff)
	h.Window, h.Urgent = be16(b[48:]), be16(b[52:])
	h.Payload, h.PayloadLen = b[start:size:size], size-start
	return true
}

// datagram is usual for UDP, which carries RoCE: without the tunnels that may lie above it.
func datagram(c *wire.Cursor, h *Headers) bool {
	const eth, ip4, udp = 14, 20, 8
	b := c.Peek(eth + ip4 + udp)
	if b == nil || b[12] != byte(EtherTypeIPv4>>8) || b[13] != byte(EtherTypeIPv4&0xff) || b[14] != 0x45 || b[20]&^0x40|b[21] != 0 || b[23] != protoUDP {
		return false
	}
	start, length := eth+ip4+udp, int(be16(b[38:]))
	size := eth + ip4 + length
	if length < udp || size != eth+int(be16(b[16:])) {
		return false
	}
	to := be16(b[36:])
	if b = c.Peek(size); b == nil || to == portVXLAN || to == portGeneve {
		return false
	}
	h.Kind = UDP
	h.LinkDst, h.LinkSrc, h.EtherType = b[0:6:6], b[6:12:12], EtherTypeIPv4
	h.Src, h.Dst = netip.AddrFrom4([4]byte(b[26:])), netip.AddrFrom4([4]byte(b[30:]))
	h.Proto, h.TTL = protoUDP, b[22]
	h.SrcPort, h.DstPort = be16(b[34:]), to
	h.Lower = b[eth:start:start]
	h.Payload, h.PayloadLen = b[start:size:size], size-start
	return true
}

func be16(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }
func be32(b []byte) uint32 { return uint32(be16(b))<<16 | uint32(be16(b[2:])) }

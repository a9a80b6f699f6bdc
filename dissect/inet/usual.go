package inet

import (
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

// Bytes of headers that are as short as can be.
const ethLen, ip4Len, tcpLen, udpLen = 14, 20, 20, 8

// usual decodes a frame if it is what nearly all frames of file traffic
// are: captured whole, Ethernet, IPv4 without options or fragments, TCP with no options
// or those of every segment with time stamps (RFC 7323 A). It reports false, having done
// nothing, where anything is otherwise: the decoders of each layer, which say of other
// frames what they hold, say the same of these.
func usual(frame []byte, h *Headers) bool {
	b, start := usualSegment(frame)
	if len(b) < ethLen+ip4Len+tcpLen {
		return false
	}
	size, head := len(b), (*[ethLen + ip4Len + tcpLen]byte)(b)
	if start > ethLen+ip4Len+tcpLen {
		h.Options, h.HasTimestamp = b[54:start:start], true
		h.TSval, h.TSecr = wire.GetBE32(b[58:]), wire.GetBE32(b[62:])
	}
	h.Kind = TCP
	h.LinkDst, h.LinkSrc, h.EtherType = b[0:6:6], b[6:12:12], EtherTypeIPv4
	h.Src, h.Dst = netip.AddrFrom4([4]byte(head[26:30])), netip.AddrFrom4([4]byte(head[30:34]))
	h.Proto, h.TTL = protoTCP, head[22]
	h.SrcPort, h.DstPort = wire.GetBE16(head[34:]), wire.GetBE16(head[36:])
	h.Seq, h.Ack = wire.GetBE32(head[38:]), wire.GetBE32(head[42:])
	h.Flags = TCPFlags(wire.GetBE16(head[46:]) & 0x0fff)
	h.Window, h.Urgent = wire.GetBE16(head[48:]), wire.GetBE16(head[52:])
	h.Payload, h.PayloadLen = b[start:size:size], size-start
	return true
}

// usualSegment returns the packet in a frame, as far as the IP header says it goes, and where
// its payload starts; nil if it is not usual.
func usualSegment(frame []byte) (b []byte, start int) {
	const stamps = 12
	if len(frame) < ethLen+ip4Len+tcpLen {
		return nil, 0
	}
	head := (*[ethLen + ip4Len + tcpLen]byte)(frame)
	if !simple(head[ethLen-2:ethLen+10]) || head[23] != protoTCP {
		return nil, 0
	}
	start = ethLen + ip4Len + int(head[46]>>4)*4
	size := ethLen + int(wire.GetBE16(head[16:]))
	if size < start || size > len(frame) {
		return nil, 0
	}
	switch b = frame[:size:size]; {
	case start == ethLen+ip4Len+tcpLen:
		return b, start
	case start == ethLen+ip4Len+tcpLen+stamps && wire.GetBE32(b[54:]) == 0x0101080a: // NOP, NOP, Timestamps, 10 bytes
		return b, start
	}
	return nil, 0
}

// datagram is usual for UDP, which carries RoCE: without the tunnels that may lie above it.
func datagram(frame []byte, h *Headers) bool {
	if len(frame) < ethLen+ip4Len+udpLen {
		return false
	}
	head := (*[ethLen + ip4Len + udpLen]byte)(frame)
	if !simple(head[ethLen-2:ethLen+10]) || head[23] != protoUDP {
		return false
	}
	start, length := ethLen+ip4Len+udpLen, int(wire.GetBE16(head[38:]))
	size := ethLen + ip4Len + length
	if length < udpLen || size != ethLen+int(wire.GetBE16(head[16:])) {
		return false
	}
	to := wire.GetBE16(head[36:])
	if size > len(frame) || to == portVXLAN || to == portGeneve {
		return false
	}
	b := frame[:size:size]
	h.Kind = UDP
	h.LinkDst, h.LinkSrc, h.EtherType = b[0:6:6], b[6:12:12], EtherTypeIPv4
	h.Src, h.Dst = netip.AddrFrom4([4]byte(head[26:30])), netip.AddrFrom4([4]byte(head[30:34]))
	h.Proto, h.TTL = protoUDP, head[22]
	h.SrcPort, h.DstPort = wire.GetBE16(head[34:]), to
	h.Lower = b[ethLen:start:start]
	h.Payload, h.PayloadLen = b[start:size:size], size-start
	return true
}

// simple reports whether an Ethernet type is that of IPv4, and the header behind it has no
// options and is of no fragment.
func simple(b []byte) bool {
	return wire.GetBE16(b) == EtherTypeIPv4 && b[2] == 0x45 && wire.GetBE16(b[8:])&^0x4000 == 0
}

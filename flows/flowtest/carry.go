package flowtest

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/linktype"
)

// Carrier is what else than UDP may carry packets of InfiniBand.
type Carrier uint8

const (
	RoCEv1     Carrier = iota // Ethernet, behind a global route header
	Local                     // a link of InfiniBand
	LocalRoute                // the same, behind a global route header
)

// Carry returns the packets of RoCEv2 over IPv4 among those given as another carrier has
// them, with right invariant and variant CRCs. [IBTA] 7.8
func Carry(packets []captures.Packet, by Carrier) (out []captures.Packet) {
	for _, p := range packets {
		b := p.Data
		if len(b) < 42+16 || b[12] != 8 || b[13] != 0 || b[14] != 0x45 || b[23] != 17 || binary.BigEndian.Uint16(b[36:]) != 4791 || len(b) != p.WireLen {
			continue
		}
		ip, body := b[14:34], b[42:34+binary.BigEndian.Uint16(b[38:])]
		body = body[:len(body)-4]
		gid := func(ip []byte) []byte { return append(append(make([]byte, 10), 0xff, 0xff), ip...) }
		global := append(append([]byte{0x60, 0, 0, 0, byte((len(body) + 4) >> 8), byte(len(body) + 4), 0x1b, 64}, gid(ip[12:16])...), gid(ip[16:20])...)
		seen := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, global...) // by the invariant CRC
		seen[8], seen[9], seen[10], seen[11], seen[15] = 0x6f, 0xff, 0xff, 0xff, 0xff
		var lower []byte
		switch by {
		case RoCEv1:
			lower = append(append(lower, b[:12]...), 0x89, 0x15)
			lower = append(lower, global...)
		case LocalRoute:
			lower = append(local(3, ip, len(global)+len(body)+4), global...)
		default:
			lower = local(2, ip, len(body)+4)
			seen = append([]byte(nil), lower...)
			seen[0] |= 0xf0
		}
		n := len(seen)
		seen = append(seen, body...)
		seen[n+4] = 0xff
		p.Data = append(append([]byte(nil), lower...), body...)
		p.Data = binary.LittleEndian.AppendUint32(p.Data, crc32.ChecksumIEEE(seen))
		if by != RoCEv1 {
			p.Link = linktype.InfiniBand
			p.Data = binary.LittleEndian.AppendUint16(p.Data, variant(p.Data))
		}
		p.WireLen, p.Number = len(p.Data), len(out)+1
		out = append(out, p)
	}
	return out
}

// local makes a local route header for size bytes: the last byte of an address is its LID.
func local(next byte, ip []byte, size int) []byte {
	words := (size + 8) / 4
	return []byte{0x30, 0x10 | next, 0, ip[19], byte(words >> 8), byte(words), 0, ip[15]}
}

// variant is x^16+x^12+x^3+x+1 over all before it, bit by bit. [IBTA] 7.8.2
func variant(b []byte) uint16 {
	crc := uint16(0xffff)
	for _, x := range b {
		for i := range 8 {
			low := crc ^ uint16(x)>>i
			if crc >>= 1; low&1 != 0 {
				crc ^= 0xd008
			}
		}
	}
	return ^crc
}

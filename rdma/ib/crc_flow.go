package ib

import (
	"hash/crc32"
	"sync"

	"github.com/odxray/odxray/dissect/wire"
)

// The CRC of what a packet begins with is that of another of its queue pair, but for the
// few bytes that count: bits of a CRC are sums of bits of what it is made of, so that what
// has changed can be added. Tests hold it to what invariant says.

// headLen is the bytes that a packet over IPv4 begins with, as its CRC sees them: a local
// route header, those of IP and UDP, and the base header.
const headLen = localLen + ipv4Len + udpLen + baseLen

const (
	ipv4Len = 20 // without options
	udpLen  = 8
)

// flow is the beginning of a packet, and what its CRC comes to there.
type flow struct {
	words [5]uint64 // without the local route header; what stays the same on the way
	crc   uint32
}

// Bits of a flow's words that each of its packets has of its own: the identification of IP,
// the operation and the flags, the wish for an acknowledgement and the sequence number.
const (
	ownID   = 0xffff << 32
	ownOp   = 0xffff << 32
	ownWish = 0xffffffff << 32
)

// changes are what the bytes in these bits do to the CRC, by how they differ.
var changes = sync.OnceValue(func() *[8][256]uint32 {
	var t [8][256]uint32
	for i, before := range [len(t)]int{36, 35, 12, 11, 4, 3, 2, 1} { // the end of the beginning
		for v := range t[i] {
			crc := crc32.IEEETable[v]
			for range before - 1 {
				crc = crc32.IEEETable[crc&0xff] ^ crc>>8
			}
			t[i][v] = crc
		}
	}
	return &t
})

// overIPv4 is invariant for a packet whose headers of IP and UDP are lower.
func (d *Decoder) overIPv4(lower *[ipv4Len + udpLen]byte, packet []byte) uint32 {
	// Bytes that routers change count as ones; see coverUDP.
	w0 := wire.GetU64(lower[0:]) | 0xff<<8
	w1 := wire.GetU64(lower[8:]) | 0xff | 0xffff<<16
	w2 := wire.GetU64(lower[16:])
	w3 := uint64(wire.GetU32(lower[24:])|0xffff<<16) | uint64(wire.GetU32(packet))<<32
	w4 := wire.GetU64(packet[4:]) | 0xff
	f := &d.flows[packet[7]%byte(len(d.flows))] // by the queue pair that it goes to
	d0, d3, d4 := w0^f.words[0], w3^f.words[3], w4^f.words[4]
	if d0&^ownID|d3&^ownOp|d4&^ownWish != 0 || w1 != f.words[1] || w2 != f.words[2] {
		f.words = [5]uint64{w0, w1, w2, w3, w4}
		b := append(d.head[:d.coverUDP(lower[:])], packet[:baseLen]...)
		b[headLen-baseLen+4] = 0xff
		f.crc, d0, d3, d4 = crc32.ChecksumIEEE(b), 0, 0, 0
		if d.changes == nil {
			d.changes = changes()
		}
	}
	t := d.changes
	crc := f.crc ^ t[0][byte(d0>>32)] ^ t[1][byte(d0>>40)] ^ t[2][byte(d3>>32)] ^ t[3][byte(d3>>40)] ^
		t[4][byte(d4>>32)] ^ t[5][byte(d4>>40)] ^ t[6][byte(d4>>48)] ^ t[7][byte(d4>>56)]
	return crc32.Update(crc, crc32.IEEETable, packet[baseLen:])
}

package ib

import (
	"hash/crc32"

	"github.com/odxray/odxray/dissect/wire"
)

// CRC is what checking the invariant CRC came to.
type CRC uint8

const (
	CRCUnknown CRC = iota // not captured whole, or the headers below are not at hand
	CRCGood
	CRCBad
	CRCAbsent // zero: the point of capture does not carry it
)

func (v CRC) String() string {
	return [...]string{"Unverified", "Good", "Bad", "Not present"}[min(v, CRCAbsent)]
}

const (
	localLen = 8  // bytes of a local route header, which RoCEv2 does without and the CRC covers as ones
	baseLen  = 12 // bytes of the base header
	maxHead  = localLen + 40 + 8 + baseLen + 2*block

	block       = 16 // bytes
	smallestRun = 64 // bytes, below which a CRC is made byte by byte
)

var (
	crcs       = fields.Section("[IBTA] A17.3.3")
	fCRC       = crcs.Hex("infiniband.invariant.crc", "Invariant CRC")
	fCRCStatus = crcs.Uint("rdma.icrc.status", "Invariant CRC Status").Formatted(wire.Text[CRC])
)

// crc reads the invariant CRC that c is at, the last thing of the packet whole, and
// checks it against the packet and the headers below.
func (d *Decoder) crc(c *wire.Cursor, whole []byte) CRC {
	got := c.BE32(fCRC)
	verdict := CRCUnknown
	if !c.Failed() && len(whole) >= baseLen+crcLen {
		verdict = d.check(got, whole)
	}
	c.Note(fCRCStatus, uint64(verdict), "")
	return verdict
}

// check compares the invariant CRC that a packet ends with.
func (d *Decoder) check(got uint32, whole []byte) CRC {
	switch {
	case d.lower == 0 && d.udp == nil:
		return CRCUnknown
	case got == 0:
		return CRCAbsent
	}
	// The number goes out least significant byte first.
	if sum := d.sum(whole[:len(whole)-crcLen]); got == sum>>24|sum>>8&0xff00|sum<<8&0xff0000|sum<<24 {
		return CRCGood
	}
	return CRCBad
}

// sum returns the invariant CRC of a packet.
func (d *Decoder) sum(packet []byte) uint32 {
	switch {
	case len(d.udp) == ipv4Len+udpLen:
		return d.overIPv4((*[ipv4Len + udpLen]byte)(d.udp), packet)
	case d.udp != nil:
		d.lower = d.coverUDP(d.udp)
	}
	return d.invariant(packet)
}

// invariant returns the CRC of a packet: that of Ethernet, over everything that stays the
// same on its way; what does not counts as ones. [IBTA] A17.3.3, 7.8.1
func (d *Decoder) invariant(packet []byte) uint32 {
	// A whole number of the blocks that processors take at once: what is left of the packet
	// is, too, but for its end.
	n := min(len(packet), baseLen+(block-(d.lower+baseLen)%block)%block)
	if d.lower+n < smallestRun {
		n = min(len(packet), n+block)
	}
	b := append(d.head[:d.lower], packet[:n]...)
	b[d.lower+4] = 0xff // FECN, BECN, reserved
	return crc32.Update(crc32.ChecksumIEEE(b), crc32.IEEETable, packet[n:])
}

// cover begins the headers below, as the CRC sees them, with ones for a local route header
// that is not there, or that routers change.
func (d *Decoder) cover(lower []byte) (b []byte) {
	b = append(d.head[:0], "\xff\xff\xff\xff\xff\xff\xff\xff"...) // localLen of them
	return append(b, lower...)
}

// coverUDP notes the headers of IP and UDP as the CRC sees them. It returns how many bytes
// they are.
func (d *Decoder) coverUDP(lower []byte) int {
	b := d.cover(lower)
	udp := len(b) - 8
	if udp == localLen+20 {
		b[localLen+1] = 0xff                        // type of service
		b[localLen+8] = 0xff                        // time to live
		b[localLen+10], b[localLen+11] = 0xff, 0xff // checksum
	} else {
		vary(b[localLen:])
	}
	b[udp+6], b[udp+7] = 0xff, 0xff // checksum
	return len(b)
}

// vary makes ones of what routers change in a header of IPv6, or in a global route header.
func vary(b []byte) {
	b[0] |= 0x0f                        // traffic class,
	b[1], b[2], b[3] = 0xff, 0xff, 0xff // flow label
	b[7] = 0xff                         // hop limit
}

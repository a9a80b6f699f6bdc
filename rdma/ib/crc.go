package ib

import (
	"hash/crc32"

	"github.com/odxray/odxray/dissect/inet"
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
	maxHead  = localLen + 40 + 8 + baseLen
)

var (
	crcs       = fields.Section("[IBTA] A17.3.3")
	fCRC       = crcs.Hex("infiniband.invariant.crc", "Invariant CRC")
	fCRCStatus = crcs.Uint("rdma.icrc.status", "Invariant CRC Status").Formatted(wire.Text[CRC])
)

// crc reads the invariant CRC that c is at, the last thing of the packet whole, and
// checks it against the packet and the headers below.
func (d *Decoder) crc(c *wire.Cursor, whole []byte, h *inet.Headers) CRC {
	got := c.BE32(fCRC)
	verdict := CRCUnknown
	switch {
	case c.Failed() || whole == nil || h == nil || h.Lower == nil || len(whole) < baseLen+crcLen:
	case got == 0:
		verdict = CRCAbsent
	default:
		// The number goes out least significant byte first.
		sum := d.invariant(whole[:len(whole)-crcLen], h.Lower)
		verdict = CRCBad
		if got == sum>>24|sum>>8&0xff00|sum<<8&0xff0000|sum<<24 {
			verdict = CRCGood
		}
	}
	c.Note(fCRCStatus, uint64(verdict), "")
	return verdict
}

// invariant returns the CRC of a packet: that of Ethernet, over everything that stays the
// same on its way; what does not counts as ones. [IBTA] A17.3.3, 7.8.1
func (d *Decoder) invariant(packet, lower []byte) uint32 {
	b := d.head[:0]
	for range localLen {
		b = append(b, 0xff)
	}
	ip := len(b)
	b = append(b, lower...)
	if udp := ip + len(lower) - 8; udp == ip+20 {
		b[ip+1] = 0xff                  // type of service
		b[ip+8] = 0xff                  // time to live
		b[ip+10], b[ip+11] = 0xff, 0xff // checksum
		b[udp+6], b[udp+7] = 0xff, 0xff // checksum
	} else {
		b[ip] |= 0x0f                                // traffic class,
		b[ip+1], b[ip+2], b[ip+3] = 0xff, 0xff, 0xff // flow label
		b[ip+7] = 0xff                               // hop limit
		b[udp+6], b[udp+7] = 0xff, 0xff              // checksum
	}
	base := len(b)
	b = append(b, packet[:baseLen]...)
	b[base+4] = 0xff // FECN, BECN, reserved
	return crc32.Update(crc32.ChecksumIEEE(b), crc32.IEEETable, packet[baseLen:])
}

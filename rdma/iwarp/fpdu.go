package iwarp

import (
	"fmt"
	"hash/crc32"

	"github.com/odxray/odxray/dissect/wire"
)

// CRC is what checking the CRC32c of an FPDU came to. RFC 5044 4.4
type CRC uint8

const (
	CRCUnknown CRC = iota // not captured whole, or nobody has said if checksums are used, and it is wrong
	CRCGood
	CRCBad
	CRCUnused // the two sides do not use checksums
	CRCAbsent // zero, and nobody has said if they do
)

func (v CRC) String() string {
	return [...]string{"Unverified", "Good", "Bad", "Not used", "Not present"}[min(v, CRCAbsent)]
}

const (
	lengthLen   = 2 // bytes of the ULPDU_Length field
	crcLen      = 4
	markerLen   = 4
	markerEvery = 512 // bytes of the stream from the beginning of a marker to that of the next
)

var (
	fpdus      = fields.Section("[RFC5044] 4.1")
	fFPDU      = fpdus.Struct("iwarp_mpa.fpdu", "FPDU")
	fULPDU     = fpdus.Uint("iwarp_mpa.ulpdulength", "ULPDU length").Formatted(inBytes)
	fPad       = fpdus.Bytes("iwarp_mpa.pad", "Padding")
	fCRC       = fpdus.Hex("iwarp_mpa.crc", "CRC")
	fCRCGood   = fpdus.Hex("iwarp_mpa.crc_check", "CRC check").Formatted(func(v uint64) string { return fmt.Sprintf("0x%08x (Good CRC32)", v) })
	fCRCBad    = fpdus.Hex("iwarp_mpa.crc_check", "CRC check").Formatted(func(v uint64) string { return fmt.Sprintf("0x%08x (Bad CRC32)", v) })
	fCRCStatus = fpdus.Uint("rdma.mpa.crc.status", "CRC Status").Formatted(wire.Text[CRC])

	markers    = fields.Section("[RFC5044] 4.3")
	fMarkers   = markers.Struct("iwarp_mpa.markers", "Markers")
	fMarkerRes = markers.Hex("iwarp_mpa.marker_res", "Reserved")
	fPointer   = markers.Uint("iwarp_mpa.marker_fpduptr", "FPDU back pointer").Formatted(inBytes)
	fBetween   = markers.Bytes("", "Between markers")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// contentSize returns the size of an FPDU without markers, for its ULPDU_Length.
func contentSize(ulpdu int) int { return (lengthLen+ulpdu+3)&^3 + crcLen }

// Decode decodes u, an FPDU, into s: c is at its bytes without markers. raw is at those on
// the wire; it may be nil if nobody wants to see markers.
func (u *Unit) Decode(s *Segment, c, raw *wire.Cursor) {
	if !c.Recording() && u.data(s) {
		return
	}
	all := c.Open(fLayer)
	m := c.Open(fFPDU)
	n := int(c.BE16(fULPDU))
	body := c.Sub(fULPDU, n)
	c.Join(&body)
	if pad := -(lengthLen + n) & 3; pad > 0 {
		c.Skip(fPad, pad)
	}
	switch u.CRC {
	case CRCGood:
		c.BE32(fCRCGood)
	case CRCBad:
		c.BE32(fCRCBad)
	default:
		c.BE32(fCRC)
	}
	c.Note(fCRCStatus, uint64(u.CRC), "")
	c.Close(m)
	if raw != nil && u.Markers > 0 {
		u.markers(raw)
	}
	c.Close(all)
	// What the capture cut is cut within the body, too, which then goes as far as it can.
	if c.Failed() && c.Cause() != wire.ErrTruncated {
		*s = Segment{}
		return
	}
	s.Decode(&body)
}

// data is Decode for what most FPDUs of bulk data are: a tagged segment, captured whole, that
// nobody wants a tree of. It is false for all others.
func (u *Unit) data(s *Segment) bool {
	b := u.Bytes
	if len(b) < u.Len || len(b) < lengthLen+taggedLen || b[2]&0x80 == 0 {
		return false
	}
	n := int(b[0])<<8 | int(b[1])
	if contentSize(n) != u.Len {
		return false
	}
	*s = Segment{Tagged: true, Last: b[2]&0x40 != 0, Version: b[2] & 3, Opcode: Opcode(b[3] & 15),
		STag: wire.GetBE32(b[4:]), Offset: uint64(wire.GetBE32(b[8:]))<<32 | uint64(wire.GetBE32(b[12:]))}
	s.Payload = wire.New(b[lengthLen+taggedLen:lengthLen+n], nil)
	return true
}

// markers shows the markers among the bytes that c is at.
func (u *Unit) markers(c *wire.Cursor) {
	m := c.Open(fMarkers)
	gap := u.firstMarker
	for range u.Markers {
		c.Sub(fBetween, gap)
		c.BE16(fMarkerRes)
		c.BE16(fPointer)
		gap = markerEvery - markerLen
	}
	c.Close(m)
}

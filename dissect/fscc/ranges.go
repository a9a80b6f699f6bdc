package fscc

import "github.com/odxray/odxray/dissect/wire"

// Range is a run of bytes of a file.
type Range struct {
	Offset uint64 // bytes
	Length uint64 // bytes
}

// Ranges is ranges as they lie on the wire.
type Ranges []byte

const rangeSize = 16

// Len returns how many ranges there are.
func (s Ranges) Len() int { return len(s) / rangeSize }

// At returns range i.
func (s Ranges) At(i int) (r Range) {
	c := wire.New(s[i*rangeSize:], nil)
	r.decode(&c)
	return r
}

// AllocatedRangesRequest asks which parts of a range are not holes. [MS-FSCC] 2.3.51
type AllocatedRangesRequest struct{ Range }

// AllocatedRangesReply lists them: with STATUS_BUFFER_OVERFLOW the first of them.
// [MS-FSCC] 2.3.52
type AllocatedRangesReply struct{ Ranges Ranges }

// ZeroDataRequest asks for zeros from Offset up to Beyond, which is no length.
// [MS-FSCC] 2.3.85
type ZeroDataRequest struct {
	Offset uint64 // of the first byte
	Beyond uint64 // of the byte after the last
}

// TrimRequest says which ranges hold nothing of use any more. [MS-FSCC] 2.3.13
type TrimRequest struct {
	Key    uint32
	Count  uint32 // as claimed
	Ranges Ranges
}

// TrimReply says how many of them were taken note of. [MS-FSCC] 2.3.14
type TrimReply struct{ Processed uint32 }

var (
	ranges       = fields.Section("[MS-FSCC] 2.3.51")
	fRange       = ranges.Struct("", "Range")
	fRangeOffset = ranges.Uint("smb2.fsctl.range_offset", "File Offset")
	fRangeLength = ranges.Uint("smb2.fsctl.range_length", "Length")

	// Wireshark calls this a length.
	fZeroBeyond = fields.Section("[MS-FSCC] 2.3.85").Uint("copy.zero.beyond", "BeyondFinalZero")

	trim           = fields.Section("[MS-FSCC] 2.3.13")
	fTrimKey       = trim.Hex("copy.trim.key", "Key")
	fTrimCount     = trim.Uint("copy.trim.count", "NumRanges")
	fTrimProcessed = fields.Section("[MS-FSCC] 2.3.14").Uint("copy.trim.processed", "NumRangesProcessed")
)

func (r *Range) decode(c *wire.Cursor) {
	defer c.Close(c.Open(fRange))
	r.Offset = c.U64(fRangeOffset)
	r.Length = c.U64(fRangeLength)
}

func (m *AllocatedRangesRequest) Decode(c *wire.Cursor) { m.decode(c) }

func (m *AllocatedRangesReply) Decode(c *wire.Cursor) { m.Ranges = decodeRanges(c, c.Len()/rangeSize) }

// decodeRanges reads n ranges.
func decodeRanges(c *wire.Cursor, n int) Ranges {
	list := c.Ahead()
	for range n {
		if c.Len() == 0 {
			c.Fail(fRange, wire.ErrShort)
			break
		}
		var r Range
		r.decode(c)
	}
	return Ranges(list.Bytes(fRange, rangeSize*min(n, list.Len()/rangeSize)))
}

func (m *ZeroDataRequest) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fRange))
	m.Offset = c.U64(fRangeOffset)
	m.Beyond = c.U64(fZeroBeyond)
}

func (m *TrimRequest) Decode(c *wire.Cursor) {
	m.Key = c.U32(fTrimKey)
	m.Count = c.U32(fTrimCount)
	m.Ranges = decodeRanges(c, int(m.Count))
}

func (m *TrimReply) Decode(c *wire.Cursor) { m.Processed = c.U32(fTrimProcessed) }

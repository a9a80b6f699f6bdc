package smb2

import "github.com/odxray/odxray/dissect/wire"

// What a message says of variable length, it points at with an offset from its own
// beginning and a length, of 8, 16 or 32 bits each. Wireshark shows all alike.
var (
	pairs       = fields.Section("[MS-SMB2] 2.2")
	fPairOffset = pairs.Hex("smb2.olb.offset", "Blob Offset").Wide(32)
	fPairLength = pairs.Uint("smb2.olb.length", "Blob Length")
	fPadding    = pairs.Bytes("", "Padding")
)

// pair16 reads an offset and a length of 16 bits each.
func pair16(c *wire.Cursor) (off, n uint32) {
	return uint32(c.U16(fPairOffset)), uint32(c.U16(fPairLength))
}

// pair32 reads an offset and a length of 32 bits each.
func pair32(c *wire.Cursor) (off, n uint32) { return c.U32(fPairOffset), c.U32(fPairLength) }

// look16 and look32 look at a pair without a trace.
func look16(c wire.Cursor) (off, n uint32) { c = c.Ahead(); return pair16(&c) }
func look32(c wire.Cursor) (off, n uint32) { c = c.Ahead(); return pair32(&c) }

func pairOf(c *wire.Cursor, wide bool) (off, n uint32) {
	if wide {
		return pair32(c)
	}
	return pair16(c)
}

// at is c.At, but an offset that points at nothing may point anywhere.
func at(c *wire.Cursor, f *wire.Field, off, n uint32) wire.Cursor {
	if n == 0 {
		off = 0
	}
	return c.At(f, off, n)
}

// padding passes over what fills a structure up to where the next begins. More than
// alignment explains is not padding: it stays a gap.
func padding(c *wire.Cursor, from, to uint32) {
	if from < to && to-from < 8 {
		p := c.At(fPadding, from, to-from)
		p.Skip(fPadding, p.Len())
		c.Join(&p)
	}
}

// name16 reads the text f that the 16-bit pair at the start of pair points at, with
// the pair below it.
func name16(c, pair *wire.Cursor, f *wire.Field) wire.UTF16 { return name(c, pair, f, false) }

// name32 is name16 with a 32-bit pair.
func name32(c, pair *wire.Cursor, f *wire.Field) wire.UTF16 { return name(c, pair, f, true) }

func name(c, pair *wire.Cursor, f *wire.Field, wide bool) wire.UTF16 {
	look := pair.Ahead()
	off, n := pairOf(&look, wide)
	text := at(c, f, off, n)
	s := text.UTF16(f, text.Len())
	mark := text.Below(f)
	pairOf(pair, wide)
	text.End(mark)
	c.Join(&text)
	c.Join(pair)
	return s
}

// within reads n bytes as f, and returns a cursor over them for what they hold, which
// comes below f until End(mark).
func within(c *wire.Cursor, f *wire.Field, n int, b *[]byte) (inner wire.Cursor, mark wire.Mark) {
	outer := *c
	if *b = c.Bytes(f, n); c.Failed() {
		return *c, -1
	}
	inner = outer.Sub(f, n)
	return inner, c.Below(f)
}

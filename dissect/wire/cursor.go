package wire

import "encoding/binary"

// Cursor is a position in a message. The first failed read sticks: every later
// one returns zero, so a decoder checks Err once, or leaves that to its caller.
//
// A Cursor is a value. A copy walks on its own, but records into the same tree.
type Cursor struct {
	buf  []byte // what was captured; results alias it
	base uint64 // where At counts from; base <= off <= end
	off  uint64 // position in buf, and past it in a cut message
	end  uint64 // limit set by the message or the structure around; may exceed len(buf)
	fail Error  // fail.Err is nil until a read fails
	tree *Tree
	id   uint16 // index of buf in tree.Bufs
	head bool   // what is past buf was captured, but not gathered
	part bool   // the sender said that it left out what is past end

	// fast is how far numbers can be read without a look at anything else: all of it
	// was captured, no tree wants it, and nothing has failed. 0 if any of that is not so.
	fast uint64
}

// hurry sets fast after a change of what it depends on.
func (c *Cursor) hurry() {
	c.fast = 0
	if c.tree == nil && c.fail.Err == nil {
		c.fast = min(c.end, uint64(len(c.buf)))
	}
}

// New returns a Cursor over a message captured whole. It records into tree
// unless that is nil.
func New(b []byte, tree *Tree) Cursor { return NewCut(b, len(b), tree) }

// NewNamed is New for bytes that no capture holds: what was decrypted or decompressed.
// The tree keeps how that is called.
func NewNamed(name string, b []byte, tree *Tree) Cursor {
	c := New(b, tree)
	if tree != nil {
		for len(tree.names) < int(c.id) {
			tree.names = append(tree.names, "")
		}
		tree.names = append(tree.names, name)
	}
	return c
}

// NewCut returns a Cursor over a message of which the capture holds only the
// first bytes: wireLen is its length in bytes on the wire, as the layer below
// gives it. Reads between len(b) and wireLen fail with ErrTruncated, reads past
// both with ErrShort. A wireLen below len(b) ends the message early.
func NewCut(b []byte, wireLen int, tree *Tree) Cursor {
	var c Cursor
	c.Reset(b, wireLen, tree)
	return c
}

// Reset makes c what NewCut returns, where it lies. A Cursor that is copied just after it was
// made waits for the processor to have stored all of it, which what is made for every frame
// should not.
func (c *Cursor) Reset(b []byte, wireLen int, tree *Tree) {
	c.reset(b, 0, 0, uint64(max(wireLen, 0)), tree)
	if tree != nil {
		c.id = uint16(len(tree.Bufs))
		tree.Bufs = append(tree.Bufs, b)
	}
}

// reset sets every part of c by itself.
func (c *Cursor) reset(b []byte, base, off, end uint64, tree *Tree) {
	c.buf, c.base, c.off, c.end = b, base, off, end
	c.fail.Field, c.fail.Off, c.fail.Err = nil, 0, nil
	c.tree, c.id, c.head, c.part = tree, 0, false, false
	c.fast = 0
	if tree == nil {
		c.fast = min(end, uint64(len(b)))
	}
}

// NewHead returns a Cursor over a message of which only the beginning was gathered
// from its stream, because nothing but Payload is expected past it. It is NewCut
// but for that.
func NewHead(b []byte, wireLen int, tree *Tree) Cursor {
	c := NewCut(b, wireLen, tree)
	c.HeadOnly()
	return c
}

// HeadOnly makes c what NewHead returns; just after Reset.
func (c *Cursor) HeadOnly() { c.head = true }

// Payload passes over n bytes of file data, which no decoder looks at. It returns
// as many of them as were gathered: fewer than n, without a failure, if c is a
// NewHead. The node covers all n bytes.
func (c *Cursor) Payload(f *Field, n int) []byte {
	if !c.head || c.off+uint64(n) <= uint64(len(c.buf)) {
		return c.Bytes(f, n)
	}
	start := min(c.off, uint64(len(c.buf)))
	s := c.Sub(f, n)
	if c.Join(&s); c.fail.Err != nil {
		return nil
	}
	if c.tree != nil {
		c.record(f, uint32(n), 0)
	}
	return c.buf[start:]
}

// take returns the next n bytes. It is the only place that slices the message.
// A negative int passed as n has become huge here, and fails.
func (c *Cursor) take(f *Field, n uint64) []byte {
	if c.fail.Err != nil {
		return nil
	}
	if n > c.end-c.off {
		c.Fail(f, ErrShort)
		return nil
	}
	if c.off+n > uint64(len(c.buf)) {
		c.Fail(f, ErrTruncated)
		return nil
	}
	b := c.buf[c.off : c.off+n : c.off+n]
	c.off += n
	return b
}

// narrow makes s, a copy of another cursor, cover the n bytes from start. They
// must lie within what that may read, but need not have been captured.
func (s *Cursor) narrow(f *Field, start, n uint64) bool {
	if s.fail.Err != nil {
		return false
	}
	if start > s.end || n > s.end-start {
		s.Fail(f, ErrShort)
		return false
	}
	s.off, s.end = start, start+n
	s.hurry()
	return true
}

// At returns a Cursor over the n bytes at off, in bytes from where the message
// starts, as SMB2's offset and length pairs give them. Pass its error back with
// Join. ErrShort: the pair points outside what c covers.
func (c *Cursor) At(f *Field, off, n uint32) Cursor {
	var s Cursor
	s.copy(c)
	s.narrow(f, c.base+uint64(off), uint64(n))
	return s
}

// From is At without a length: what the message holds from off on.
func (c *Cursor) From(f *Field, off uint32) Cursor {
	var s Cursor
	s.copy(c)
	s.narrow(f, c.base+uint64(off), c.end-min(c.end, c.base+uint64(off)))
	return s
}

// Sub passes over the next n bytes and returns a Cursor over them, whose At
// counts from their start: a message in a chain, or fields to be read later than
// they lie. Pass its error back with Join.
func (c *Cursor) Sub(f *Field, n int) Cursor {
	var s Cursor
	c.Split(&s, f, n)
	return s
}

// Split is Sub into s, for what is done for every frame.
func (c *Cursor) Split(s *Cursor, f *Field, n int) {
	s.copy(c)
	if s.narrow(f, c.off, uint64(n)) {
		s.base, c.off = s.off, s.end
	}
}

// Leave passes over n bytes, captured or not.
func (c *Cursor) Leave(f *Field, n int) {
	switch {
	case c.fail.Err != nil:
	case uint64(n) > c.end-c.off:
		c.Fail(f, ErrShort)
	default:
		c.off += uint64(n)
	}
}

// copy makes s a copy of c, part by part; see Reset.
func (s *Cursor) copy(c *Cursor) {
	s.buf, s.base, s.off, s.end = c.buf, c.base, c.off, c.end
	s.fail.Field, s.fail.Off, s.fail.Err = c.fail.Field, c.fail.Off, c.fail.Err
	s.tree, s.id, s.head, s.part, s.fast = c.tree, c.id, c.head, c.part, c.fast
}

// Ahead returns a copy of c that records nothing, and whose failure is its own:
// for a look at what decides how to read on.
func (c *Cursor) Ahead() Cursor {
	var s Cursor
	s.copy(c)
	s.tree = nil
	s.hurry()
	return s
}

// Partial says that the sender left out what did not fit: STATUS_BUFFER_OVERFLOW.
// Text and bytes then go as far as they go, and running out of them is no failure
// that Join takes over.
func (c *Cursor) Partial() { c.part = true }

// Join takes over the error of a Cursor got from At or Sub.
func (c *Cursor) Join(s *Cursor) {
	if c.fail.Err == nil && (s.fail.Err != errPartial || c.part) {
		c.fail = s.fail
		c.hurry()
	}
}

// Err returns nil or an *Error: the first failure. It allocates if there is one.
func (c *Cursor) Err() error {
	if c.fail.Err == nil {
		return nil
	}
	e := c.fail
	return &e
}

// Failed reports whether a read has failed. Unlike Err it never allocates.
func (c *Cursor) Failed() bool { return c.fail.Err != nil }

// Fail makes err, found at f, the failure of c unless it has one. The tree gets
// a node under the name that Wireshark filters use for it, and then no more.
func (c *Cursor) Fail(f *Field, err error) {
	if c.fail.Err != nil {
		return
	}
	switch {
	case err == ErrTruncated:
		c.Note(fCut, 0, f.Label)
	case err == ErrShort && c.part:
		err = errPartial
		c.Note(fPartial, 0, "")
	default:
		c.Note(fMalformed, 0, f.Label)
	}
	c.fail = Error{f, int(c.off), err}
	c.fast = 0
}

// Len returns how many bytes are left on the wire, captured or not. After a
// failure it is 0, so that a loop over what is left ends.
func (c *Cursor) Len() int {
	if c.fail.Err != nil {
		return 0
	}
	return int(c.end - c.off)
}

// Cause returns what Err wraps, or nil, and allocates nothing.
func (c *Cursor) Cause() error { return c.fail.Err }

// Recording tells whether a tree is attached: whether it is worth while to make up
// titles and notes.
func (c *Cursor) Recording() bool { return c.tree != nil }

// Peek returns the next n bytes without passing over them, or nil if they are not all
// there.
func (c *Cursor) Peek(n int) []byte {
	if end := c.off + uint64(n); c.fail.Err == nil && n >= 0 && end <= min(c.end, uint64(len(c.buf))) {
		return c.buf[c.off:end:end]
	}
	return nil
}

// Behind returns the n bytes before c's position, or nil if the buffer does not hold them.
func (c *Cursor) Behind(n int) []byte {
	if c.fail.Err != nil || n < 0 || uint64(n) > c.off || c.off > uint64(len(c.buf)) {
		return nil
	}
	return c.buf[c.off-uint64(n) : c.off : c.off]
}

// End is where a Cursor ended before Narrow.
type End uint64

// Narrow ends c after the next n bytes, if it does not end before them. It is Sub
// without a second Cursor, for a header that says how long everything after it is.
func (c *Cursor) Narrow(n int) End {
	old := End(c.end)
	if n >= 0 && uint64(n) < c.end-c.off {
		c.end = c.off + uint64(n)
		c.hurry()
	}
	return old
}

// Widen undoes Narrow, so that what lies behind can be read.
func (c *Cursor) Widen(e End) {
	c.end = uint64(e)
	c.hurry()
}

// Rest passes over everything that is left and returns as much of it as was
// captured, aliasing the message. Unlike Bytes it takes a cut for granted.
func (c *Cursor) Rest(f *Field) []byte {
	if c.fail.Err != nil {
		return nil
	}
	start, size := min(c.off, uint64(len(c.buf))), uint64(len(c.buf))
	n := c.end - c.off
	c.off = c.end
	if c.tree != nil && n > 0 {
		c.record(f, uint32(n), 0)
	}
	return c.buf[start:min(c.end, size):min(c.end, size)]
}

// U8, U16, U32 and U64 read little-endian numbers; BE16, BE24, BE32, BE48 and BE64 read
// big-endian ones.

func (c *Cursor) U8(f *Field) uint8 {
	if c.off >= c.fast {
		return c.slow8(f)
	}
	c.off++
	return c.buf[c.off-1]
}

func (c *Cursor) U16(f *Field) uint16 {
	if o := c.off + 2; o <= c.fast {
		c.off = o
		return le.Uint16(c.buf[o-2:])
	}
	return c.slow16(f)
}

func (c *Cursor) U32(f *Field) uint32 {
	if o := c.off + 4; o <= c.fast {
		c.off = o
		return le.Uint32(c.buf[o-4:])
	}
	return c.slow32(f)
}

func (c *Cursor) BE16(f *Field) uint16 {
	if o := c.off + 2; o <= c.fast {
		c.off = o
		return be.Uint16(c.buf[o-2:])
	}
	return c.slowBE16(f)
}

func (c *Cursor) BE32(f *Field) uint32 {
	if o := c.off + 4; o <= c.fast {
		c.off = o
		return be.Uint32(c.buf[o-4:])
	}
	return c.slowBE32(f)
}

func (c *Cursor) slow8(f *Field) uint8 { return uint8(c.number(f, 1, uint64(c.fixed(f, 1)[0]))) }
func (c *Cursor) slow16(f *Field) uint16 {
	return uint16(c.number(f, 2, uint64(le.Uint16(c.fixed(f, 2)))))
}
func (c *Cursor) slow32(f *Field) uint32 {
	return uint32(c.number(f, 4, uint64(le.Uint32(c.fixed(f, 4)))))
}
func (c *Cursor) U64(f *Field) uint64 { return c.number(f, 8, le.Uint64(c.fixed(f, 8))) }
func (c *Cursor) slowBE16(f *Field) uint16 {
	return uint16(c.number(f, 2, uint64(be.Uint16(c.fixed(f, 2)))))
}
func (c *Cursor) slowBE32(f *Field) uint32 {
	return uint32(c.number(f, 4, uint64(be.Uint32(c.fixed(f, 4)))))
}
func (c *Cursor) BE24(f *Field) uint32 {
	b := c.fixed(f, 3)
	return uint32(c.number(f, 3, uint64(b[0])<<16|uint64(be.Uint16(b[1:]))))
}
func (c *Cursor) BE48(f *Field) uint64 {
	b := c.fixed(f, 6)
	return c.number(f, 6, uint64(be.Uint16(b))<<32|uint64(be.Uint32(b[2:])))
}
func (c *Cursor) BE64(f *Field) uint64 { return c.number(f, 8, be.Uint64(c.fixed(f, 8))) }

var (
	le, be = binary.LittleEndian, binary.BigEndian
	zeros  [8]byte
)

// fixed is take for numbers: after a failure it returns zeros.
func (c *Cursor) fixed(f *Field, n uint64) []byte {
	if b := c.take(f, n); b != nil {
		return b
	}
	return zeros[:n]
}

// number records the number v, just read, and returns it.
func (c *Cursor) number(f *Field, n uint32, v uint64) uint64 {
	if c.tree != nil {
		c.recordNumber(f, n, v)
	}
	return v
}

// Bytes reads n bytes. The result aliases the message; it is nil after a failure.
func (c *Cursor) Bytes(f *Field, n int) []byte {
	if c.part && c.Len() > 0 && uint64(n) > c.end-c.off {
		b := c.Bytes(f, c.Len())
		c.Fail(f, ErrShort)
		return b
	}
	b := c.take(f, uint64(n))
	if c.tree != nil {
		c.record(f, uint32(n), 0)
	}
	return b
}

// Skip passes over n bytes that have a field but no use, such as reserved ones.
func (c *Cursor) Skip(f *Field, n int) { c.Bytes(f, n) }

// GUID reads 16 bytes.
func (c *Cursor) GUID(f *Field) (g GUID) {
	copy(g[:], c.Bytes(f, len(g)))
	return g
}

// UTF16 reads n bytes of little-endian UTF-16 without a terminator. The result
// aliases the message: only its String method converts, and allocates.
func (c *Cursor) UTF16(f *Field, n int) UTF16 { return UTF16(c.Bytes(f, n)) }

// UTF16Z reads UTF-16 that a zero ends, or the end of what c covers. The result is
// without the zero, which the node covers.
func (c *Cursor) UTF16Z(f *Field) UTF16 {
	size := uint64(len(c.buf))
	rest := c.buf[min(c.off, size):min(c.end, size)]
	for n := 0; n+2 <= len(rest); n += 2 {
		if rest[n]|rest[n+1] == 0 {
			b := c.Bytes(f, n+2)
			return UTF16(b[:min(n, len(b))])
		}
	}
	return c.UTF16(f, c.Len())
}

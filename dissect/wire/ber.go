package wire

import (
	"errors"
	"strconv"
)

// ErrBER reports an element in a form that BER has but no security blob uses: an
// identifier of several bytes, an indefinite length, or a length of more than four.
var ErrBER = errors.New("is not a definite BER element")

// Element passes over the BER element that c is at and returns its identifier
// octet and a Cursor over its contents, whose error is to be passed back with Join.
// Neither identifier nor length gets a node; f is what a failure names.
// [X.690] 8.1
func (c *Cursor) Element(f *Field) (id uint8, contents Cursor) {
	b := c.Pass(f, 2)
	if b == nil {
		return 0, *c
	}
	id, n := b[0], uint64(b[1])
	long := n - 0x80
	switch {
	case id&0x1f == 0x1f, n >= 0x80 && (long == 0 || long > 4):
		c.Fail(f, ErrBER)
	case n >= 0x80:
		n = 0
		for _, d := range c.Pass(f, int(long)) {
			n = n<<8 | uint64(d)
		}
	}
	contents = c.Sub(f, int(n))
	c.Join(&contents)
	return id, contents
}

// Pass is Bytes without a node: for what no tree shows, or Overlay has recorded.
func (c *Cursor) Pass(f *Field, n int) []byte { return c.take(f, uint64(n)) }

// Integer reads what is left of c, the contents of a BER INTEGER or ENUMERATED of
// at most 8 bytes. [X.690] 8.3
func (c *Cursor) Integer(f *Field) int64 {
	n := c.Len()
	if n > 8 {
		c.Fail(f, ErrBER)
		return 0
	}
	b := c.take(f, uint64(n))
	var v int64
	for i, d := range b {
		if i == 0 {
			v = int64(int8(d))
		} else {
			v = v<<8 | int64(d)
		}
	}
	if c.tree != nil {
		c.recordNumber(f, uint32(n), uint64(v))
	}
	return v
}

// OID is an object identifier as it lies in a BER element. [X.690] 8.19
type OID []byte

// String is the dotted form. A number of more than 63 bits ends it with an ellipsis.
func (o OID) String() string { return string(o.AppendTo(nil)) }

// AppendTo appends what String returns.
func (o OID) AppendTo(dst []byte) []byte {
	var v uint64
	first := true
	for _, d := range o {
		if v >= 1<<56 {
			return append(dst, "…"...)
		}
		if v = v<<7 | uint64(d&0x7f); d&0x80 != 0 {
			continue
		}
		if first { // two numbers share one
			top := min(v/40, 2)
			dst = strconv.AppendUint(dst, top, 10)
			v -= 40 * top
		}
		dst = strconv.AppendUint(append(dst, '.'), v, 10)
		v, first = 0, false
	}
	return dst
}

// OID reads what is left of c, the contents of an OBJECT IDENTIFIER. The line shows
// the name that f's Format gives v, unless that is empty, after the dotted form.
func (c *Cursor) OID(f *Field, v uint64) OID {
	n := c.Len()
	b := c.take(f, uint64(n))
	if c.tree != nil {
		c.record(f, uint32(n), v)
	}
	return b
}

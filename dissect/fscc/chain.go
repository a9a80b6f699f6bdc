package fscc

import (
	"iter"

	"github.com/odxray/odxray/dissect/wire"
)

// Chain is the entries of a list, as they lie in the message: as many of them as
// decoded. The list's All method decodes them again, one by one.
type Chain struct {
	Count int
	Raw   []byte // aliases the message
}

var fPadding = fields.Section("[MS-FSCC] 2.4").Bytes("", "Padding")

// link passes over the next entry of a chain and returns a Cursor over it. An entry
// begins with the offset of the one after it in bytes, which is 0 in the last.
func link(c *wire.Cursor, next *wire.Field) wire.Cursor {
	look, n := c.Ahead(), c.Len()
	if off := look.U32(next); off != 0 {
		n = int(off)
	}
	return c.Sub(next, n)
}

// end passes over what is left of the entry e, which c is after.
func end(c, e *wire.Cursor) {
	if e.Len() > 0 {
		e.Skip(fPadding, e.Len()) // aligns the next one
	}
	c.Join(e)
}

// add counts the entry before c, if it decoded; first is where c was at first.
func (l *Chain) add(first wire.Cursor, c *wire.Cursor) {
	if !c.Failed() {
		l.Count++
		l.Raw = first.Bytes(fPadding, first.Len()-c.Len())
	}
}

// each decodes the entries of a chain.
func each[T any](l *Chain, decode func(*T, *wire.Cursor)) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		c := wire.New(l.Raw, nil)
		for range l.Count {
			var e T
			if decode(&e, &c); !yield(&e) {
				return
			}
		}
	}
}

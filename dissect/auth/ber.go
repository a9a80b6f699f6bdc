package auth

import (
	"errors"
	"strconv"

	"github.com/odxray/odxray/dissect/wire"
)

// Identifier octets. [X.690] 8.1.2
const (
	integerTag     = 0x02
	bitStringTag   = 0x03
	octetStringTag = 0x04
	oidTag         = 0x06
	enumTag        = 0x0a
	timeTag        = 0x18 // GeneralizedTime
	stringTag      = 0x1b // GeneralString
	sequenceTag    = 0x30
	applicationTag = 0x60 // [APPLICATION 0]; others follow
	contextTag     = 0xa0 // [0]; others follow
)

var errTag = errors.New("is not the element that belongs here")

// The functions below read elements that may stand in only one place, so there is
// no recursion, and nothing that a hostile blob could nest.

// inside passes over the element at c, which must be of the given kind, and returns
// a Cursor over its contents, to be passed back with Join.
func inside(c *wire.Cursor, tag uint8, f *wire.Field) wire.Cursor {
	id, e := c.Element(f)
	if id != tag {
		c.Fail(f, errTag)
		return *c
	}
	return e
}

func integer(c *wire.Cursor, tag uint8, f *wire.Field) int64 {
	e := inside(c, tag, f)
	v := e.Integer(f)
	c.Join(&e)
	return v
}

func octets(c *wire.Cursor, tag uint8, f *wire.Field) []byte {
	e := inside(c, tag, f)
	b := e.Bytes(f, e.Len())
	c.Join(&e)
	return b
}

func mechanism(c *wire.Cursor, f *wire.Field) Mech {
	e := inside(c, oidTag, f)
	look := e.Ahead()
	m := mechOf(look.Pass(f, look.Len()))
	e.OID(f, uint64(m))
	c.Join(&e)
	return m
}

// items is the Format of a number of elements.
func items(n uint64) string {
	if n == 1 {
		return "1 item"
	}
	return strconv.FormatUint(n, 10) + " items"
}

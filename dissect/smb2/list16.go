package smb2

import "github.com/odxray/odxray/dissect/wire"

// A List16 is 16-bit codes as they lie on the wire.
type List16 []byte

var fList16 = fields.Section("").Hex("", "Code") // of a second look: no tree sees it

// Len returns how many there are.
func (l List16) Len() int { return len(l) / 2 }

// At returns one of them.
func (l List16) At(i int) uint16 {
	c := wire.New(l[2*i:], nil)
	return c.U16(fList16)
}

// Has reports whether v is one of them.
func (l List16) Has(v uint16) bool {
	for i := range l.Len() {
		if l.At(i) == v {
			return true
		}
	}
	return false
}

// list16 reads n codes.
func list16(c *wire.Cursor, f *wire.Field, n uint16) List16 {
	look := c.Ahead()
	l := List16(look.Bytes(f, min(2*int(n), c.Len())))
	for i := uint16(0); i < n && !c.Failed(); i++ {
		c.U16(f)
	}
	return l
}

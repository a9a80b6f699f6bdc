package dtyp

import (
	"iter"

	"github.com/odxray/odxray/dissect/wire"
)

// ACL is a list of rights. [MS-DTYP] 2.4.5
type ACL struct {
	Revision uint8
	Size     uint16 // bytes, as claimed
	Claimed  uint16 // how many entries it has
	Count    int    // how many of them decoded
	Raw      []byte // those; aliases the message
}

var (
	acl          = fields.Section("[MS-DTYP] 2.4.5")
	fSACL        = acl.Struct("", "NT System (SACL) ACL")
	fDACL        = acl.Struct("", "NT User (DACL) ACL")
	fACLRevision = acl.Enum("nt.acl.revision", "Revision", func(v uint64) string {
		switch v & 0xff {
		case 2:
			return "NT4"
		case 4:
			return "AD"
		}
		return "Unknown"
	})
	fACLSize    = acl.Uint("nt.acl.size", "Size")
	fNumACEs    = acl.Uint("nt.acl.num_aces", "Num ACEs")
	fACLPadding = acl.Bytes("", "Padding")
)

func (a *ACL) decode(c *wire.Cursor, f *wire.Field) {
	defer c.Close(c.Open(f))
	a.Revision = uint8(c.U16(fACLRevision)) // with a reserved byte, as Wireshark has it
	a.Size = c.U16(fACLSize)
	a.Claimed = uint16(c.U32(fNumACEs)) // the same
	list := c.Sub(fACLSize, int(a.Size)-8)
	first := list.Ahead()
	var e ACE
	for a.Count < int(a.Claimed) {
		if e.decode(&list); list.Failed() {
			break
		}
		a.Count++
		all := first
		a.Raw = all.Bytes(fACLPadding, first.Len()-list.Len())
	}
	if list.Len() > 0 {
		list.Skip(fACLPadding, list.Len())
	}
	c.Join(&list)
}

// All yields the entries that decoded.
func (a *ACL) All() iter.Seq[*ACE] {
	return func(yield func(*ACE) bool) {
		c := wire.New(a.Raw, nil)
		for range a.Count {
			var e ACE
			if e.decode(&c); !yield(&e) {
				return
			}
		}
	}
}

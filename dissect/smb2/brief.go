package smb2

import (
	"bytes"

	"github.com/odxray/odxray/dissect/wire"
)

// Lists mostly ask for plain fields of the header: these. Of a header that is whole each
// of them is the same node at the same place, so that nothing else need be walked. A test
// holds that the tree is the one that decoding makes.

// brief is a field of the header that is recorded by itself.
type brief struct {
	field    *wire.Field
	off, len int
	in       direction
}

type direction uint8

const (
	both direction = iota
	requests
	responses
)

// briefs is in the order in which decoding records them.
var briefs = []brief{
	{fCharge, 6, 2, both}, {fStatus, 8, 4, responses}, {fChannelSeq, 8, 2, requests}, {fCommand, 12, 2, both},
	{fGranted, 14, 2, responses}, {fRequested, 14, 2, requests}, {fFlags, 16, 4, both}, {fNextCommand, 20, 4, both},
	{fMessageID, 24, 8, both}, {fSessionID, 40, 8, both},
}

// brevity is what a set of wanted fields asks of headers.
type brevity struct {
	of   wire.Want
	list []brief // in their order
	all  bool    // nothing else is wanted
}

// brief returns what is wanted of a header.
func (d *Decoder) brief(want wire.Want) *brevity {
	b := &d.brevity
	if len(b.of) == len(want) && &b.of[0] == &want[0] {
		return b
	}
	*b = brevity{of: want, all: true}
	known := make(map[*wire.Field]bool)
	for _, x := range briefs {
		known[x.field] = true
		wanted := want.Has(x.field)
		for _, bit := range x.field.Bits {
			known[bit] = true
			wanted = wanted || want.Has(bit)
		}
		if wanted {
			b.list = append(b.list, x)
		}
	}
	for _, f := range fields.All() {
		if want.Has(f) && !known[f] && f != fAAPLStatus && f.Any == nil { // which only CREATE has; nothing is recorded as an Any itself
			b.all = false
		}
	}
	return b
}

// mayHoldStatus reports whether b, an answer to CREATE, may have fAAPLStatus: b is nil
// where not all of it is there.
func mayHoldStatus(b []byte) bool { return b == nil || bytes.Contains(b, []byte("AAPL")) }

// short decodes the message that c is at if no more is wanted of it than briefs. It
// reports false if more is, or if anything is wrong with the header: then nothing of it is
// recorded, and c is where it was.
func (d *Decoder) short(c *wire.Cursor) bool {
	want := c.Want()
	if !d.HeaderOnly || len(want) == 0 {
		return false
	}
	b := d.brief(want)
	h := &d.msg.Header
	ok := h.Peek(c)
	size := c.Len()
	if next := h.NextCommand; next != 0 {
		ok = ok && next >= headerSize && uint64(next) <= uint64(size)
		size = int(next)
	}
	in := requests
	if h.Flags&FlagResponse != 0 {
		in = responses
	}
	if !b.all || !ok || h.Command == Create && in == responses && mayHoldStatus(c.Peek(size)) {
		return false
	}
	head := wholeHeader(c)
	for i := range b.list {
		x := &b.list[i]
		if x.in != both && x.in != in {
			continue
		}
		v := uint64(0)
		switch x.len {
		case 2:
			v = uint64(wire.GetU16(head[x.off:]))
		case 4:
			v = uint64(wire.GetU32(head[x.off:]))
		default:
			v = wire.GetU64(head[x.off:])
		}
		if x.field.Bits == nil {
			c.Put(x.field, x.off, x.len, v)
		} else {
			at := *c
			at.Pass(x.field, x.off)
			at.U32(x.field) // records the bits, too
		}
	}
	c.Leave(fNextCommand, size)
	return true
}

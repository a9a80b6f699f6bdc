package filter

import (
	"bytes"

	"github.com/odxray/odxray/dissect/wire"
)

// Keep appends to dst those of the nodes from one index to another of src that f looks
// at, with the bytes that it looks at: src and its buffers may then be used again. The
// nodes of dst have no children.
func (f *Filter) Keep(dst, src *wire.Tree, from, to int) {
	for i := from; i < to; i++ {
		n := src.Nodes[i]
		wanted, looked := false, false
		for _, u := range f.used {
			if u.want.Has(n.Field) {
				wanted, looked = true, looked || u.looked
			}
		}
		if !wanted {
			continue
		}
		var b []byte
		switch c := classOf(n.Field); {
		case !looked, n.Text != "", c != octets && c != text:
		case n.Field.Kind == wire.KindStruct:
			f.run.tree = src
			b = f.run.covered(&n)
			f.run.tree = nil
		case !n.Generated:
			b = src.Bytes(i)
		}
		n.End, n.Off, n.Buf = 0, 0, 0
		if len(dst.Bufs) == 0 {
			dst.Bufs = append(dst.Bufs, nil) // what can share a buffer
		}
		if alone := isProtocol(n.Field) || len(b) < int(n.Len); !alone || len(dst.Bufs) == maxKept {
			n.Off, n.Len = uint32(len(dst.Bufs[0])), min(n.Len, uint32(len(b)))
			dst.Bufs[0] = append(dst.Bufs[0], b...)
		} else if len(b) > 0 { // goes to the end of its buffer, or would if it had been gathered
			n.Buf = uint16(len(dst.Bufs))
			dst.Bufs = append(dst.Bufs, bytes.Clone(b))
		}
		dst.Nodes = append(dst.Nodes, n)
	}
}

// maxKept is how many buffers a tree has that Keep fills.
const maxKept = 1 << 15

package inet

import "github.com/odxray/odxray/dissect/wire"

// Most lists ask for a few plain fields of every frame: these. Of a usual frame each of
// them is the same node at the same place, whatever else the frame holds, so that nothing
// else need be walked. A test holds that the tree is the one that decoding makes.

// brief is a field of a usual frame that is recorded by itself.
type brief struct {
	field *wire.Field
	off   int // where it stands in the frame
	len   int // of its bytes; 0 if note makes it up
}

// briefs is in the order in which decoding records them.
var briefs = []brief{
	{fEpoch, 0, 0}, {fRelative, 0, 0}, {fFrameNumber, 0, 0}, {fFrameLen, 0, 0},
	{fIPTTL, 22, 1}, {fIPProto, 23, 1}, {fIPSrc, 26, 4}, {fIPDst, 30, 4},
	{fSrcPort, 34, 2}, {fDstPort, 36, 2}, {fStream, 38, 0}, {fTCPLen, 38, 0}, {fSeqRaw, 38, 4}, {fAckRaw, 42, 4}, {fWindow, 48, 2},
}

// note records a field that has no bytes of its own. No function that a field names does
// that: a call through one would move the cursor to the heap.
func (x *brief) note(c *wire.Cursor, h *Headers, ctx *Context) {
	switch x.field {
	case fEpoch:
		c.Put(fEpoch, x.off, 0, uint64(ctx.Time))
	case fRelative:
		if ctx.FirstTime != 0 {
			c.PutNote(fRelative, x.off, uint64(ctx.Time-ctx.FirstTime))
		}
	case fFrameNumber:
		c.Put(fFrameNumber, x.off, 0, uint64(ctx.Frame))
	case fFrameLen:
		c.Put(fFrameLen, x.off, 0, uint64(c.Len()))
	case fStream:
		if ctx.HasStream {
			c.PutNote(fStream, x.off, uint64(ctx.Stream))
		}
	case fTCPLen:
		c.PutNote(fTCPLen, x.off, uint64(h.PayloadLen))
	}
}

// brevity is what a set of wanted fields asks of usual frames.
type brevity struct {
	of   wire.Want
	list []brief // in their order
	all  bool    // nothing else is wanted
}

// brief returns what is wanted of a usual frame; all is false if that is more than a list
// of briefs.
func (d *Decoder) brief(want wire.Want) *brevity {
	b := &d.brevity
	if len(want) == 0 {
		return &brevity{}
	}
	if len(b.of) == len(want) && &b.of[0] == &want[0] {
		return b
	}
	*b = brevity{of: want, all: true}
	known := make(map[*wire.Field]bool)
	for _, x := range briefs {
		known[x.field] = true
		if want.Has(x.field) {
			b.list = append(b.list, x)
		}
	}
	for _, f := range fields.All() {
		if want.Has(f) && !known[f] && f.Any == nil { // nothing is recorded as an Any itself
			b.all = false
		}
	}
	return b
}

// record records the list for the usual frame that c is at.
func (b *brevity) record(c *wire.Cursor, h *Headers, ctx *Context) {
	frame := c.Peek(ethLen + ip4Len + tcpLen)
	for i := range b.list {
		x := &b.list[i]
		switch x.len {
		case 0:
			x.note(c, h, ctx)
		case 1:
			c.Put(x.field, x.off, 1, uint64(frame[x.off]))
		case 2:
			c.Put(x.field, x.off, 2, uint64(wire.GetBE16(frame[x.off:])))
		default:
			c.Put(x.field, x.off, 4, uint64(wire.GetBE32(frame[x.off:])))
		}
	}
}

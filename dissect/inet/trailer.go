package inet

import (
	"fmt"
	"slices"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	trailers = fields.Section("IEEE 802.3 3.2")
	fPadding = trailers.Bytes("eth.padding", "Padding")
	fTrailer = trailers.Bytes("eth.trailer", "Trailer")
	fFCS     = trailers.Hex("eth.fcs", "Frame check sequence").Formatted(func(v uint64) string { return fmt.Sprintf("0x%08x [unverified]", v) })
	fFCSIs   = trailers.Uint("eth.fcs.status", "FCS Status").Formatted(sumStatus)

	fNoPadding = trailers.Struct("eth.padding_bad", "Didn't find padding of zeros, and an undecoded trailer exists. There may be padding of non-zeros.")
)

// leastFrame is what Ethernet pads a frame to, without the check sequence of four
// bytes that few captures hold.
const leastFrame = 60

// trailer shows what follows the packet of type t in the frame: padding to the least
// length, and what a switch or the network card has added. tshark shows it within the
// link layer, before the packet; only decoding the packet tells where that ends.
func (w *walk) trailer(c *wire.Cursor, t uint16, f *wire.Field) {
	if tagged(t) {
		return // the tag's own layer shows it
	}
	if !c.Wants(f) && !c.Wants(fPadding) && !c.Wants(fFCS) && !c.Wants(fFCSIs) && !c.Wants(fNoPadding) {
		return
	}
	if w.ahead == nil {
		w.ahead = new(innerWalk)
	}
	look := c.Ahead()
	w.ahead.end(&look, w, t)
	n := look.Len()
	b := look.Peek(n)
	if n == 0 || b == nil {
		return
	}
	tail := *c
	tail.Pass(f, c.Len()-n)
	expected := leastFrame - (w.size - n) // of padding
	if expected > 0 && w.size >= leastFrame && !slices.ContainsFunc(b[:expected], func(b byte) bool { return b != 0 }) {
		tail.Skip(fPadding, expected)
		expected = 0
	}
	check := f == fTrailer && tail.Len() >= 4 && w.size >= leastFrame+4
	if n = tail.Len(); check {
		n -= 4
	}
	if n > 0 {
		m := tail.Open(f)
		tail.Pass(f, n)
		if expected > 0 && w.size >= leastFrame {
			remark(&tail, fNoPadding, severityNote, groupProtocol, "")
		}
		tail.Close(m)
	}
	if check {
		tail.BE32(fFCS)
		tail.Note(fFCSIs, unverifiedStatus, "")
	}
}

// innerWalk is a walk that only looks where a packet ends.
type innerWalk struct {
	walk
	headers Headers
}

// end has c pass over the packet of type t that w is at.
func (i *innerWalk) end(c *wire.Cursor, w *walk, t uint16) {
	i.headers = Headers{}
	i.walk = walk{h: &i.headers, ctx: w.ctx, depth: w.depth}
	i.ethertype(c, t)
}

// tagged tells whether a type announces a tag, after which another type follows.
func tagged(t uint16) bool {
	return t == EtherTypeVLAN || t == EtherTypeQinQ || t == EtherTypeQinQ1
}

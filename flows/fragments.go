package flows

// IP fragments: put together before TCP sees them. RFC 791 3.2, RFC 8200 4.5

import (
	"net/netip"
	"slices"

	"github.com/odxray/odxray/dissect/inet"
)

const (
	maxDatagrams     = 1 << 12        // that wait for fragments
	maxFragmentBytes = 16 << 20       // in them
	pieceCost        = 96             // bytes that a fragment takes beside its data
	maxPieces        = 1 << 12        // fragments of one datagram: 64 KiB in the smallest pieces are 8192
	fragmentTimeout  = 60_000_000_000 // ns of capture time; RFC 8200 4.5
)

// datagramKey is what fragments of one datagram share.
type datagramKey struct {
	src, dst netip.Addr
	id       uint32
	proto    uint8
}

// datagram is fragments that wait for others.
type datagram struct {
	key    datagramKey
	pieces []piece
	bytes  int
	end    int   // of the whole, in bytes; 0 until the last fragment is there
	since  int64 // time of the first to arrive
	frames []uint32
}

// piece is the payload of a fragment.
type piece struct {
	off  int
	data []byte // a copy
}

// fragmentTable holds datagrams in order of their arrival.
type fragmentTable struct {
	byKey   map[datagramKey]*datagram
	queue   []*datagram // oldest first; those that are done are skipped
	bytes   int
	dropped int // datagrams given up for age or room
	whole   []byte
}

// add takes a fragment, and returns the payload of its datagram and the frames that
// brought it once it is whole. The payload is valid until the next call.
func (t *fragmentTable) add(h *inet.Headers, frame uint32, now int64) (payload []byte, frames []uint32) {
	t.expire(now)
	if h.Cut() { // its end is not in the capture, so the datagram never will be
		return nil, nil
	}
	k := datagramKey{h.Src, h.Dst, h.FragID, h.Proto}
	d := t.byKey[k]
	if d == nil {
		d = &datagram{key: k, since: now}
		if t.byKey == nil {
			t.byKey = make(map[datagramKey]*datagram)
		}
		t.byKey[k] = d
		if len(t.queue) > 2*maxDatagrams {
			t.queue = slices.DeleteFunc(t.queue, func(d *datagram) bool { return d.pieces == nil })
		}
		t.queue = append(t.queue, d)
	}
	off, data := int(h.FragOffset), h.Payload[:h.PayloadLen]
	if len(d.pieces) == maxPieces {
		t.forget(d)
		t.dropped++
		return nil, nil
	}
	if !h.MoreFragments {
		d.end = off + len(data)
	}
	d.pieces = append(d.pieces, piece{off, slices.Clone(data)})
	d.frames = append(d.frames, frame)
	d.bytes += len(data)
	t.bytes += len(data) + pieceCost
	if d.end == 0 || d.bytes < d.end || !t.join(d) {
		for len(t.byKey) > maxDatagrams || t.bytes > maxFragmentBytes {
			t.drop()
		}
		return nil, nil
	}
	t.forget(d)
	return t.whole, d.frames
}

// join fills t.whole with a datagram, the bytes that came first winning, and reports
// whether that has no hole.
func (t *fragmentTable) join(d *datagram) bool {
	t.whole = slices.Grow(t.whole[:0], d.end)[:d.end]
	var have Ranges
	for _, p := range d.pieces {
		r := Range{uint64(p.off), uint64(min(p.off+len(p.data), d.end))}
		for _, gap := range have.Gaps(r) {
			copy(t.whole[gap.Start:gap.End], p.data[int(gap.Start)-p.off:])
		}
		have.Add(r)
	}
	return have.Len() == uint64(d.end)
}

func (t *fragmentTable) forget(d *datagram) {
	delete(t.byKey, d.key)
	t.bytes -= d.bytes + len(d.pieces)*pieceCost
	d.pieces, d.bytes = nil, 0
}

// drop gives up the oldest datagram.
func (t *fragmentTable) drop() {
	for len(t.queue) > 0 {
		d := t.queue[0]
		t.queue = t.queue[1:]
		if d.pieces != nil && t.byKey[d.key] == d {
			t.forget(d)
			t.dropped++
			return
		}
	}
}

// expire gives up what is too old, and lets go of what is done.
func (t *fragmentTable) expire(now int64) {
	for len(t.queue) > 0 {
		d := t.queue[0]
		switch {
		case d.pieces == nil:
		case now-d.since > fragmentTimeout:
			t.forget(d)
			t.dropped++
		default:
			return
		}
		t.queue = t.queue[1:]
	}
}

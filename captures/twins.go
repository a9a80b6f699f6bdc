package captures

import (
	"hash/maphash"
	"time"
)

// twins finds the frames that several files hold. It remembers each frame that
// not all files have shown yet for a second of the capture. The first showing of
// a frame in one file goes with the first in another, the second with the second,
// so what was sent twice stays twice.
type twins struct {
	all   uint64 // a bit for each file
	at    map[uint64]chain
	slots []twin // a ring, oldest first
	first int
	count int
}

// A chain links the slots of frames that look alike, oldest first.
type chain struct{ head, tail int32 }

type twin struct {
	id     uint64
	time   int64
	files  uint64 // which have shown it
	next   int32  // in its chain; -1 at the end
	linked bool
}

const (
	twinSpan = int64(time.Second)
	// Where more frames than this pass in a second, the oldest are forgotten
	// early, and a twin may be delivered that should not.
	maxTwins = 1 << 20
	// So many frames that look alike are looked at. Only a flood of them waits in
	// one file for another.
	maxChain = 32
)

func newTwins(files int) twins {
	return twins{all: 1<<files - 1, at: map[uint64]chain{}, slots: make([]twin, 1<<10)}
}

var twinSeed = maphash.MakeSeed()

// twinID is the same for frames that are the same. It cannot be foreseen, so
// nobody can make a capture with frames that pass for others.
func twinID(p *Packet) uint64 {
	return maphash.Bytes(twinSeed, p.Data) ^ uint64(p.WireLen)<<8 ^ uint64(p.Link)
}

// see reports whether another file has already shown p, and remembers it if not.
func (t *twins) see(id uint64, p *Packet) bool {
	for t.count > 0 && t.slots[t.first].time < p.Time-twinSpan {
		t.forget()
	}
	bit := uint64(1) << p.File
	c, ok := t.at[id]
	if ok {
		prev := int32(-1)
		for i, n := c.head, 0; i >= 0 && n < maxChain; i, n = t.slots[i].next, n+1 {
			s := &t.slots[i]
			if s.files&bit == 0 && max(s.time-p.Time, p.Time-s.time) <= twinSpan {
				if s.files |= bit; s.files == t.all {
					t.unlink(id, c, prev, i)
				}
				return true
			}
			prev = i
		}
	}
	if t.count == len(t.slots) {
		t.room()
		c, ok = t.at[id]
	}
	i := int32((t.first + t.count) % len(t.slots))
	t.count++
	t.slots[i] = twin{id: id, time: p.Time, files: bit, next: -1, linked: true}
	if ok {
		t.slots[c.tail].next = i
		c.tail = i
	} else {
		c = chain{i, i}
	}
	t.at[id] = c
	return false
}

// unlink takes slot i, which follows prev, out of chain c.
func (t *twins) unlink(id uint64, c chain, prev, i int32) {
	s := &t.slots[i]
	s.linked = false
	switch {
	case prev >= 0:
		t.slots[prev].next = s.next
	default:
		c.head = s.next
	}
	if c.tail == i {
		c.tail = prev
	}
	if c.head < 0 {
		delete(t.at, id)
		return
	}
	t.at[id] = c
}

// forget drops the oldest slot, which is the first of its chain.
func (t *twins) forget() {
	if s := &t.slots[t.first]; s.linked {
		t.unlink(s.id, t.at[s.id], -1, int32(t.first))
	}
	t.first = (t.first + 1) % len(t.slots)
	t.count--
}

// room makes room for a slot.
func (t *twins) room() {
	if len(t.slots) == maxTwins {
		t.forget()
		return
	}
	// Slots keep their order; those no longer needed are left behind.
	old, first, count := t.slots, t.first, t.count
	t.slots, t.first, t.count = make([]twin, 2*len(old)), 0, 0
	clear(t.at)
	for n := range count {
		s := old[(first+n)%len(old)]
		if !s.linked {
			continue
		}
		i := int32(t.count)
		t.count++
		s.next = -1
		t.slots[i] = s
		c, ok := t.at[s.id]
		if ok {
			t.slots[c.tail].next = i
			c.tail = i
		} else {
			c = chain{i, i}
		}
		t.at[s.id] = c
	}
}

package flows

// A second look at frames of iWARP: their FPDUs lie in a stream of TCP, which is read again.

import (
	"sort"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/rdma/iwarp"
	"github.com/odxray/odxray/rdma/smbd"
)

// indexedRun is units of MPA that lie one after the other and end in one frame.
type indexedRun struct {
	off     uint64 // in the stream
	frame   uint32 // in which they end
	first   uint32 // that brought the first byte
	size    uint32 // bytes
	dir     uint8
	startup bool // it is the start-up frame
	cut     bool // not captured whole
	layout  iwarp.Layout
}

// run adds a unit.
func (ix *index) run(frame uint32, dir int, u *iwarp.Unit) {
	cut := len(u.Raw) < u.Size
	if n := ix.runs.n; n > ix.runs.gone {
		if r := ix.runs.at(n - 1); r.frame == frame && int(r.dir) == dir && r.off+uint64(r.size) == u.Off && !r.startup && !r.cut && !u.Startup && !cut &&
			(r.layout.Marker > 0) == (u.Layout.Marker > 0) && r.layout.Checks == u.Layout.Checks {
			r.size += uint32(u.Size)
			r.first = min(r.first, u.First) // what overtook it was captured before it
			return
		}
	}
	ix.runs.add(indexedRun{off: u.Off, frame: frame, first: u.First, size: uint32(u.Size), dir: uint8(dir), startup: u.Startup, cut: cut, layout: u.Layout})
}

// runsIn returns the position of the first run that ends in frame n or later.
func (ix *index) runsIn(n uint32) int {
	gone := ix.runs.gone
	return gone + sort.Search(ix.runs.n-gone, func(i int) bool { return ix.runs.at(gone+i).frame >= n })
}

// stretch is where in its stream something lies.
type stretch struct {
	first uint32 // frame that brought its first byte
	from  uint32 // stream offset, the lower half
	size  uint32
	mark  uint32 // iwarp.Layout.Marker
}

// stretchOf returns the first of the stretches that list holds, as an rdma.Event has them.
func stretchOf(list []uint32) stretch { return stretch{list[0], list[1], list[2], list[3]} }

// units reads the bytes at a place of a stream again and yields the units there, until
// yield is false.
func (ix *index) units(r captures.Source, f *iwarp.Framer, frame, conn uint32, dir uint8, at stretch, checks iwarp.Checks, startup bool, yield func(*iwarp.Unit) bool) error {
	c := ix.conns.at(int(conn) - 1)
	u := unit{size: int(at.size)}
	m := indexedMessage{first: at.first, last: frame, dir: dir}
	if err := ix.regather(r, &u, conn, c.start[dir]+at.from, &m, u.size); err != nil {
		return err
	}
	f.Again(iwarp.Layout{Marker: uint16(at.mark), Checks: checks}, uint64(at.from), startup)
	f.Push(u.b, u.size-len(u.b), uint64(at.from), at.first)
	for x := f.Next(); x != nil && yield(x); x = f.Next() {
	}
	return nil
}

// resendMPA is resend for messages over iWARP: list is the places of their FPDUs.
func (ix *index) resendMPA(r captures.Source, s *indexedSend, list chunkList, data bool) (b []byte, size int, err error) {
	var f iwarp.Framer
	var g iwarp.Segment
	var m smbd.Message
	for i := 0; i+4 <= list.n && err == nil; i += 4 {
		at := stretch{list.at(i), list.at(i + 1), list.at(i + 2), list.at(i + 3)}
		var part []byte
		partSize := 0
		err = ix.units(r, &f, s.frame, s.conn, s.dir, at, iwarp.ChecksUnused, false, func(u *iwarp.Unit) bool {
			c := wire.NewCut(u.Bytes, u.Len, nil)
			if u.Decode(&g, &c, nil); !g.Opcode.Sends() || g.Tagged {
				return true
			}
			body, n := g.Body()
			part, partSize = goOn(part, partSize, body), partSize+n
			return !g.Last
		})
		if !data {
			return part, partSize, err
		}
		c := wire.NewCut(part, partSize, nil)
		m.Decode(&c, smbd.DataTransfer)
		b, size = goOn(b, size, m.Bytes()), size+int(m.DataLength)
	}
	return b, size, err
}

// chunkList is n numbers of a chunks, from one on.
type chunkList struct {
	of   *chunks[uint32]
	from uint32
	n    int
}

func (l chunkList) at(i int) uint32 { return *l.of.at(int(l.from) + i) }

// drawMPA has v look at the units of MPA that end in frame n, and at the messages that end
// with them. The messages of SMB are those of the index from first to last.
func (c *Capture) drawMPA(v *frameView, n uint32, f *indexedFrame, first, last int) (marks Mark, err error) {
	ix := c.a.index
	send := ix.sendsIn(n)
	for i := ix.runsIn(n); err == nil && i < ix.runs.n && ix.runs.at(i).frame == n; i++ {
		r := ix.runs.at(i)
		at := stretch{r.first, uint32(r.off), r.size, uint32(r.layout.Marker)}
		inner := error(nil)
		err = ix.units(c.source, &c.framer, n, f.conn, r.dir, at, r.layout.Checks, r.startup, func(u *iwarp.Unit) bool {
			if r.startup {
				v.mpa(u, nil)
				return true
			}
			s := &c.segment
			cur := wire.NewCut(u.Bytes, u.Len, nil)
			u.Decode(s, &cur, nil)
			v.mpa(u, s)
			if !s.Opcode.Sends() || s.Tagged || !s.Last || send >= ix.sends.n {
				return true
			}
			d := ix.sends.at(send)
			end := *ix.brought.at(int(d.parts) + 1) + *ix.brought.at(int(d.parts) + 2)
			if d.frame != n || end != uint32(u.Off)+uint32(u.Size) {
				return true // its beginning is missing
			}
			var whole bool
			send++
			if whole, inner = c.directMPA(v, d); inner != nil || !whole {
				return inner == nil
			}
			var m Mark
			m, first = c.unitAgain(v, d.conn, first, last)
			marks |= m
			return true
		})
		if err == nil {
			err = inner
		}
	}
	return marks, err
}

// directMPA shows a message of SMB Direct over iWARP. If an SMB message is whole with it,
// that fills c.again.
func (c *Capture) directMPA(v *frameView, d *indexedSend) (whole bool, err error) {
	ix := c.a.index
	b, size, err := ix.resendMPA(c.source, d, chunkList{&ix.brought, d.parts, int(d.nParts)}, false)
	if err != nil {
		return false, err
	}
	v.direct(b, size, d.kind)
	if d.nAll == 0 {
		return false, nil
	}
	c.again = unit{bare: true}
	c.again.b, c.again.size, err = ix.resendMPA(c.source, d, chunkList{&ix.brought, d.all, int(d.nAll)}, true)
	return true, err
}

// unitAgain shows c.again, whose messages are those of the index from first on, last
// excluded. It returns which comes after them.
func (c *Capture) unitAgain(v *frameView, conn uint32, first, last int) (marks Mark, next int) {
	ix := c.a.index
	if first >= last {
		return 0, first
	}
	batch := c.a.batch[:0]
	m := ix.messages.at(first)
	for i := first; i < last && (i == first || ix.messages.at(i).chain > 0); i++ {
		g := ix.messages.at(i)
		batch = append(batch, delivered{g.x, g.facts&isResponse != 0, g.facts&isInterim != 0})
		next = i + 1
	}
	c.again.lost = m.facts&hasLoss != 0
	if m.facts&isMade != 0 {
		c.remake(v, conn, int(m.dir))
	}
	v.conn = conn
	v.unit(c.a, &c.again, batch)
	return c.a.marksOf(batch), next
}

package flows

// iWARP: connections of TCP that carry FPDUs, and SMB Direct in those.

import (
	"slices"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/rdma"
	"github.com/odxray/odxray/rdma/iwarp"
	"github.com/odxray/odxray/rdma/smbd"
)

// mpa is what a connection has that carries iWARP.
type mpa struct {
	framers [2]iwarp.Framer
	place   rdma.Placement
	startup [2]int // frames: of the request, of the reply; 0 if not in the capture
	checks  bool   // a side wants checksums
	units   int    // found so far
}

// maxForeign is how many bytes may pass without an FPDU among them, on a port where they
// are expected.
const maxForeign = 1 << 20

// held returns how many bytes of memory a direction holds. m may be nil.
func (m *mpa) held(dir int) int {
	if m == nil {
		return 0
	}
	return m.framers[dir].Held()
}

// pending returns how many bytes have passed of what is being gathered of a direction.
func (c *conn) pending(dir int) int {
	if c.mpa != nil {
		return c.mpa.framers[dir].Pending()
	}
	return c.streams[dir].have
}

// frames says that a connection carries iWARP.
func (a *Analyzer) frames(c *conn) {
	c.speaks, c.mpa = framed, new(mpa)
	if a.index != nil {
		x := a.index.conns.at(int(c.id) - 1)
		if x.mpa, x.plain = a.frame, uint32(a.index.messages.n); c != a.at {
			x.mpa++ // nothing of it ends in the frame at hand
		}
	}
}

// startsMPA looks if a connection that nothing is known of carries iWARP, and reports
// whether it has taken the bytes at stream offset start. A start-up frame tells, at the
// beginning of a stream also by its first bytes; where the capture begins later, an FPDU
// that begins with a segment does.
func (a *Analyzer) startsMPA(c *conn, dir int, data []byte, cut int, start uint64, frame uint32) bool {
	s := &c.streams[dir]
	if c.messages > 0 || len(data) == 0 {
		return false
	}
	held := s.key.Len()
	fits, whole := false, false
	if held > 0 || data[0] == 'M' {
		fits, whole = s.key.Add(data)
	}
	switch {
	case whole:
		a.frames(c)
		for i := range c.mpa.framers {
			if other := &c.streams[i]; !other.seen || other.off == 0 {
				c.mpa.framers[i].Expect(iwarp.Key{}, 0, 0, 0)
			}
		}
		c.mpa.framers[dir].Expect(s.key, held, start-uint64(held), s.first)
	case fits && start == uint64(held):
		if held == 0 {
			s.first = frame
		}
		return true // the rest of it comes with the next segment
	case c.speaks == session && s.synced:
		s.key = iwarp.Key{}
		return false
	case iwarp.Recognise(data, cut):
		a.frames(c)
	case c.speaks == undecided && (c.key.lowPort == smbd.PortIWARP || c.key.highPort == smbd.PortIWARP) && !a.recognise(c, s, data):
		a.frames(c)
	default:
		s.key = iwarp.Key{}
		return false
	}
	a.fpdus(c, dir, data, cut, start, frame)
	return true
}

// fpdus takes bytes of a connection of iWARP; see deliver.
func (a *Analyzer) fpdus(c *conn, dir int, data []byte, cut int, start uint64, frame uint32) {
	f := &c.mpa.framers[dir]
	f.Push(data, cut, start, frame)
	for u := f.Next(); u != nil; u = f.Next() {
		c.mpa.units++
		a.fpdu(c, dir, u)
	}
	if passed := f.Passed(); c.mpa.units == 0 || !c.syn {
		a.skipped += passed
	} else {
		c.lost += passed
		a.lostBytes += passed
	}
	if c.mpa.units == 0 && c.streams[dir].off > maxForeign {
		c.speaks, c.mpa = foreign, nil
	}
}

// fpdu takes a unit of MPA.
func (a *Analyzer) fpdu(c *conn, dir int, u *iwarp.Unit) {
	m := c.mpa
	a.unitEnded = true
	if u.Gap {
		a.fromPlacement(c, m.place.Hole(dir))
	}
	if a.index != nil && c == a.at { // else it ends in no frame: its connection is over
		a.index.run(a.frame, dir, u)
	}
	if u.Startup {
		a.startup(c, dir, u)
		if a.view != nil && c == a.at {
			a.view.mpa(u, nil)
		}
		return
	}
	s := &a.direct.segment
	cur := wire.NewCut(u.Bytes, u.Len, nil)
	u.Decode(s, &cur, nil)
	if a.view != nil && c == a.at {
		a.view.mpa(u, s)
	}
	if len(u.Bytes) < min(u.Len, segmentHead) { // the capture does not say what it is
		a.fromPlacement(c, m.place.Hole(dir))
		return
	}
	a.fromPlacement(c, m.place.Segment(dir, u, s, a.frame, a.now))
}

// segmentHead is the length and the longest header of a DDP segment, in bytes. RFC 5041 4.3
const segmentHead = 2 + 18

// startup takes a start-up frame, which says how the two sides frame what follows.
func (a *Analyzer) startup(c *conn, dir int, u *iwarp.Unit) {
	m, s := c.mpa, iwarp.Startup{}
	cur := wire.NewCut(u.Bytes, u.Len, nil)
	s.Decode(&cur)
	c.syn = true // nothing of iWARP is missing
	at := 0
	if c.server = 1 - dir; s.Reply {
		at, c.server = 1, dir
	}
	m.startup[at] = int(a.frame)
	if client, server := c.ends(); s.Reply {
		a.direct.answered(client.Addr(), server.Addr(), server.Port(), a.frame, !s.Rejected, "rejected by the MPA reply")
	} else {
		a.direct.asked(IWARP, client.Addr(), server.Addr(), server.Port(), a.frame, a.now)
	}
	m.checks = m.checks || s.CRC
	m.framers[1-dir].Mark(s.Markers)
	checks := iwarp.ChecksUnknown
	switch {
	case m.checks:
		checks = iwarp.ChecksUsed
	case m.startup[0] != 0 && m.startup[1] != 0:
		checks = iwarp.ChecksUnused
	}
	for i := range m.framers {
		m.framers[i].Checks = checks
	}
}

// fromPlacement takes what an FPDU has brought about.
func (a *Analyzer) fromPlacement(c *conn, events []rdma.Event) {
	for i := range events {
		e := &events[i]
		if c.direct == nil && (e.Kind != rdma.Sent || !a.directOver(c, e)) {
			continue
		}
		a.happened(c, e)
	}
}

// directOver makes a connection of SMB Direct of one of iWARP, if what is sent on it is
// that.
func (a *Analyzer) directOver(c *conn, e *rdma.Event) bool {
	if !servicePort(c.key.lowPort) && !servicePort(c.key.highPort) && smbd.Recognise(e.Bytes) == smbd.Unknown {
		return false
	}
	c.direct = &direct{kind: IWARP}
	a.direct.overTCP = append(a.direct.overTCP, c)
	if len(a.direct.overTCP) > maxConns {
		a.direct.dismissed++
		a.direct.operations -= len(a.direct.overTCP[0].direct.operations)
		a.direct.overTCP = slices.Delete(a.direct.overTCP, 0, 1)
	}
	return true
}

// noMoreFPDUs ends a direction.
func (a *Analyzer) noMoreFPDUs(c *conn, dir int) {
	c.mpa.framers[dir].Release()
	a.fromPlacement(c, c.mpa.place.End(dir))
}

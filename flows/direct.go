package flows

// SMB Direct: what connections of RDMA carry, whatever carries them.

import (
	"cmp"
	"slices"

	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/rdma"
	"github.com/odxray/odxray/rdma/smbd"
)

// direct is a connection of SMB Direct.
type direct struct {
	kind Transport  // what carries it
	pair *rdma.Pair // nil over TCP: iWARP has no queue pairs on the wire

	sent                      [2]int // messages
	parts                     [2]smbd.Assembler
	request                   smbd.Message // of the negotiation; its Kind is 0 if it was not seen
	answer                    smbd.Message
	requestFrame, answerFrame int
	asked                     [2]uint64 // credits requested and granted, in data transfers of both directions
	granted                   [2]uint64
	server                    int // as conn.server
	ledger                    ledger
	history                   *[2]history // of what the ends may send; nil if there are too many

	owing      int               // requests that nothing at all has answered
	dead       map[uint32]uint32 // keys that requests gave and that are over, by key: in which frame
	live       []memory          // of requests that wait for an answer
	forgotten  bool              // there was more of it than is kept
	operations []*rdma.Operation
	unlisted   int // that were not kept

	faults  []RDMAFault
	inline  []Inline
	delays  delays
	repeats int // the first frame of a packet that was sent again
}

// happened takes what a packet has brought about; c is nil if that is on a connection which
// carries no SMB Direct, as far as is known.
func (a *Analyzer) happened(c *conn, e *rdma.Event) {
	if e.Kind == rdma.Repeated {
		a.marks |= MarkRetransmit
		if a.index != nil {
			a.index.frames.at(a.index.frames.n - 1).pos |= uint64(inet.Retransmission) << posBits
		}
	}
	switch e.Kind {
	case rdma.Asked:
		a.direct.asked(carriers[a.direct.ib.Carrier], e.From, e.To, e.Port, a.frame, a.now)
	case rdma.Refused, rdma.Joined:
		a.direct.answered(e.From, e.To, e.Port, a.frame, e.Kind == rdma.Joined, e.Reason)
	}
	if c == nil {
		return
	}
	switch d := c.direct; e.Kind {
	case rdma.Sent:
		a.sent(c, e)
	case rdma.Began:
		a.moves(c, e.Op)
	case rdma.Hole:
		d.parts[e.Dir].Reset()
		d.ledger.forget()
		if c.mpa == nil { // else its stream counts what is lost
			c.lost++
			a.lostBytes++
		}
	case rdma.Left:
		a.disconnects(c, e.Dir)
	case rdma.Forgotten:
		a.dismiss(c)
	case rdma.Repeated:
		d.delays.again(e)
		d.repeats = cmp.Or(d.repeats, int(a.frame))
		c.retransmits++
	}
}

// transferHead is the header of a data transfer without its padding, in bytes.
// [MS-SMBD] 2.2.3
const transferHead = 20

// sent takes a message of RDMA.
func (a *Analyzer) sent(c *conn, e *rdma.Event) {
	if c.mpa == nil && !a.over { // else the frame at hand is of a connection of TCP, if it is of one at all
		a.at = c
	}
	c.last, c.lastTime = a.frame, a.now
	d, m := c.direct, &a.direct.smbd
	d.server = c.server
	kind := smbd.DataTransfer
	if d.sent[e.Dir] == 0 {
		kind = smbd.Recognise(e.Bytes)
		if kind == smbd.Unknown {
			kind = smbd.DataTransfer
		}
	}
	d.sent[e.Dir]++
	cur := wire.NewCut(e.Bytes, e.Size, nil)
	m.Decode(&cur, kind)
	var w smbd.Whole
	whole := false
	switch kind {
	case smbd.NegotiateRequest:
		d.request = *m
		d.requestFrame = int(a.frame)
		c.server = 1 - e.Dir
	case smbd.NegotiateResponse:
		d.answer = *m
		d.answerFrame = int(a.frame)
		c.server = e.Dir
		if d.ledger.begin(&d.request, m, e.Dir); a.direct.histories < maxHistories {
			a.direct.histories++
			d.history = new([2]history)
		}
	case smbd.DataTransfer:
		if len(e.Bytes) < min(e.Size, transferHead) { // its numbers are not in the capture
			d.parts[e.Dir].Reset()
			d.ledger.forget()
			break
		}
		d.asked[e.Dir] += uint64(m.CreditsRequested)
		d.granted[e.Dir] += uint64(m.CreditsGranted)
		if !cur.Failed() || cur.Cause() == wire.ErrTruncated || len(e.Bytes) < e.Size { // of what was cut not even the kind is sure
			var problem smbd.Problem
			d.transfer(e.Dir, m, a.frame, a.now)
			w, whole, problem = d.parts[e.Dir].Add(m, e.Frames)
			d.judge(a.frame, c.server == e.Dir, m, problem)
		} else {
			d.fault(RDMAFault{Kind: FaultHeader, Level: Error, Frame: int(a.frame), Text: "a data transfer is too short, or its data lies outside it"})
		}
	}
	if a.index != nil && c == a.at {
		a.index.send(a.frame, c.id, kind, e.Dir, e.Frames, w.Frames)
	}
	if a.view != nil && c == a.at {
		a.view.direct(e.Bytes, e.Size, kind)
	}
	if e.HasInvalidate {
		d.invalidated(e.Invalidate, a.frame)
	}
	if whole && len(w.Bytes) > 0 {
		u := unit{b: w.Bytes, size: w.Size, bare: true}
		if s := &c.streams[e.Dir]; c.mpa != nil {
			at := stretchOf(w.Frames)
			u.first, u.off = at.first, s.off-uint64(uint32(s.off)-at.from)
		} else {
			u.first, u.off = slices.Min(w.Frames), s.off
			s.off += uint64(w.Size)
		}
		a.pdu(c, e.Dir, &u)
	}
	d.delays.carries(e, whole && len(w.Bytes) > 0)
	d.weigh(a.frame, a.now)
}

// disconnects takes that an end has no more to say.
func (a *Analyzer) disconnects(c *conn, dir int) {
	a.at = c
	c.last, c.lastTime = a.frame, a.now
	if c.closed = true; c.endTime == 0 {
		c.endTime = a.now
	}
	c.direct.rest(a.frame, a.now)
	was := c.fins
	if c.fins |= 1 << dir; c.fins == bothSides && was != bothSides {
		a.hungUp(c)
	}
}

// dismiss forgets a connection that is followed no longer.
func (a *Analyzer) dismiss(c *conn) {
	t := &a.direct
	t.dismissed++
	t.operations -= len(c.direct.operations)
	delete(t.byPair, c.direct.pair.ID)
	a.endConn(c)
}

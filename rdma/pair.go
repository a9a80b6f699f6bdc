package rdma

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/odxray/odxray/rdma/ib"
)

// End is one of the two queue pairs of a connection.
type End struct {
	Addr netip.Addr
	QP   uint32
}

// Evidence says how it is known which two queue pairs belong together.
type Evidence uint8

const (
	ByConnect     Evidence = iota // the communication manager said so
	ByAcknowledge                 // one acknowledges what the other sent
)

func (e Evidence) String() string { return [...]string{"connect", "acknowledgements"}[e&1] }

// Pair is a connection: two queue pairs. A direction is that of what one end sends.
type Pair struct {
	ID          uint32
	Ends        [2]End        // with ByConnect the first is the one that asked
	Names       [2]netip.Addr // their addresses of IP, if the request to connect said them
	Carrier     ib.Carrier
	By          Evidence
	Port        uint16 // that was asked for; 0 if unknown
	SrcPort     uint16
	MTU         uint32 // bytes of a packet's payload; 0 unknown
	First, Last uint32 // frames
	Closed      uint32 // frame in which an end disconnected; 0 if none did

	Packets  int
	Repeated int // packets sent again
	Refused  int // NAKs
	NotReady int // times that a receiver was not
	Lost     int // packets that the capture lacks
	Marked   int // packets that met congestion on their way: FECN, or ECN of IP as the caller tells
	Notified int // CNPs, and packets with BECN
	Rivals   int // other queue pairs that might belong to one of the two as well
	Reads    int
	Writes   int
	BadCRC   [2]int // packets of a direction whose invariant CRC is wrong
	GoodCRC  [2]int
	NoCRC    [2]int
	FirstBad uint32 // frame of the first wrong one

	ids   [2]uint32 // that the ends gave themselves; 0 if unknown
	half  bool      // nothing of the second direction is known
	queue []Event
	side  [2]side
}

// side is what one end sends.
type side struct {
	seen  bool
	first uint32 // sequence number that it began with
	next  uint32 // that comes next
	slack uint32 // how much higher next may be: a READ took nobody knows how many

	// The message being gathered.
	gathering bool
	cut       bool
	size      int
	buf       []byte
	frames    []uint32

	write *Operation   // that is on its way
	last  *Operation   // the latest WRITE, on its way or not
	reads []*Operation // that were asked for, the latest last

	held    []packet // that came too early, in order
	heldLen int      // bytes
	acked   uint32   // sequence number that the receiver has although it is not here
	ackedAt uint32   // frame that says so; 0 if none does
}

// packet is what is kept of one that has to wait.
type packet struct {
	*ib.Packet
	body  []byte
	size  int
	frame uint32
	now   int64
}

const (
	maxSend    = 1 << 20  // bytes of a message in several packets
	maxHeld    = 1 << 20  // bytes that wait behind a hole
	maxReads   = 256      // READs that answers are still expected for
	maxQueue   = 256      // events of a queue pair whose counterpart is unknown
	maxQueued  = 16 << 20 // bytes of messages in those of all
	patience   = 8        // frames that a hole may still be filled after its receiver acknowledged it
	farAway    = 1 << 20  // sequence numbers; a packet that far off belongs to another connection
	smallest   = 256      // bytes of the smallest MTU
	sequenceOf = 1 << 24
)

// diff returns how far sequence number x is after y.
func diff(x, y uint32) int {
	d := int(x-y) & (sequenceOf - 1)
	if d >= sequenceOf/2 {
		d -= sequenceOf
	}
	return d
}

func after(psn, n uint32) uint32 { return (psn + n) & (sequenceOf - 1) }

// takes returns how many sequence numbers a packet takes, and how many more it may.
func (p *Pair) takes(q *packet) (n, slack uint32) {
	if q.Opcode != ib.ReadRequest || q.Length == 0 {
		return 1, 0
	}
	if p.MTU == 0 {
		return 1, (q.Length - 1) / smallest
	}
	return (q.Length-1)/p.MTU + 1, 0
}

// request takes a packet that asks for something: a SEND, a WRITE, a READ request.
func (t *Table) request(p *Pair, dir int, q *packet) {
	s := &p.side[dir]
	if !s.seen {
		s.seen, s.first, s.next = true, q.PSN, q.PSN
	}
	d := diff(q.PSN, s.next)
	switch {
	case d == 0 || d > 0 && uint32(d) <= s.slack:
		t.accept(p, dir, q)
		t.release(p, dir)
	case d > farAway || d < -farAway:
		s.drop()
		s.next, s.first = q.PSN, q.PSN
		t.accept(p, dir, q)
	case d < 0:
		p.Repeated++
		o := s.operation(q.PSN)
		if o != nil {
			o.Repeated++
		}
		t.events = append(t.events, Event{Kind: Repeated, Pair: p, Dir: dir, Op: o, PSN: q.PSN})
	default:
		s.hold(q)
		if s.heldLen > maxHeld || len(s.held) > maxReads {
			t.skip(p, dir)
		}
	}
}

// operation returns the latest that a sequence number is of; nil if it is of none.
func (s *side) operation(psn uint32) *Operation {
	for _, o := range slices.Backward(s.reads) {
		if d := diff(psn, o.PSN); d >= 0 && uint32(d) < max(o.Packets, 1) {
			return o
		}
	}
	if o := s.last; o != nil {
		if d := diff(psn, o.PSN); d >= 0 && uint32(d) < o.Packets {
			return o
		}
	}
	return nil
}

// hold keeps a packet that came too early, in its place.
func (s *side) hold(q *packet) {
	i := len(s.held)
	for i > 0 && diff(q.PSN, s.held[i-1].PSN) < 0 {
		i--
	}
	if i > 0 && s.held[i-1].PSN == q.PSN {
		return
	}
	kept, p := *q, *q.Packet
	kept.Packet, kept.body = &p, bytes.Clone(q.body)
	s.held = slices.Insert(s.held, i, kept)
	s.heldLen += len(kept.body)
}

func (s *side) unhold() { s.held, s.heldLen = nil, 0 }

// drop forgets what was being gathered.
func (s *side) drop() {
	s.unhold()
	s.gathering, s.write, s.slack, s.ackedAt = false, nil, 0, 0
}

// release accepts what waited and is in order now.
func (t *Table) release(p *Pair, dir int) {
	s := &p.side[dir]
	for len(s.held) > 0 {
		d := diff(s.held[0].PSN, s.next)
		if d > 0 {
			return
		}
		q := s.held[0]
		s.held = s.held[1:]
		s.heldLen -= len(q.body)
		if d == 0 {
			t.accept(p, dir, &q)
		}
	}
	s.unhold()
}

// skip gives up the packets before the first that waits, or those that were acknowledged.
func (t *Table) skip(p *Pair, dir int) {
	s := &p.side[dir]
	next := after(s.acked, 1)
	if len(s.held) > 0 {
		next = s.held[0].PSN
	}
	p.Lost += max(diff(next, s.next), 0)
	s.gathering, s.write, s.slack, s.ackedAt, s.next = false, nil, 0, 0, next
	t.emit(Event{Kind: Hole, Pair: p, Dir: dir})
	t.release(p, dir)
}

// accept takes the packet that is next.
func (t *Table) accept(p *Pair, dir int, q *packet) {
	s := &p.side[dir]
	n, slack := p.takes(q)
	s.next, s.slack = after(q.PSN, n), slack
	if s.ackedAt != 0 && diff(s.acked, s.next) < 0 {
		s.ackedAt = 0
	}
	switch q.Opcode {
	case ib.SendOnly, ib.SendOnlyImmediate, ib.SendOnlyInvalidate:
		s.gathering = false
		s.frames = append(s.frames[:0], q.frame)
		t.sent(p, dir, q, q.body, q.size)
	case ib.SendFirst:
		s.gathering, s.cut, s.size = true, false, 0
		if len(t.events) > 0 { // one of which may be what the memory still holds
			s.buf = nil
		}
		s.buf, s.frames = s.buf[:0], s.frames[:0]
		s.gather(q)
	case ib.SendMiddle:
		s.gather(q)
	case ib.SendLast, ib.SendLastImmediate, ib.SendLastInvalidate:
		s.gather(q)
		if s.gathering {
			s.gathering = false
			t.sent(p, dir, q, s.buf, s.size)
		}
	case ib.WriteFirst, ib.WriteOnly, ib.WriteOnlyImmediate:
		p.Writes++
		s.write = &Operation{By: dir, RKey: q.RKey, Address: q.Address, Length: q.Length, PSN: q.PSN, FirstFrame: q.frame, FirstTime: q.now}
		s.last = s.write
		t.emit(Event{Kind: Began, Pair: p, Dir: dir, Op: s.write})
		t.sample(s.write, q)
		s.wrote(q)
	case ib.WriteMiddle:
		s.wrote(q)
	case ib.WriteLast, ib.WriteLastImmediate:
		s.wrote(q)
		s.write = nil
	case ib.ReadRequest:
		p.Reads++
		if len(s.reads) == maxReads {
			s.reads = slices.Delete(s.reads, 0, maxReads/2)
		}
		o := &Operation{Read: true, By: dir, RKey: q.RKey, Address: q.Address, Length: q.Length, PSN: q.PSN, FirstFrame: q.frame, FirstTime: q.now}
		if o.Packets = n; slack > 0 {
			o.Packets = 0
		}
		s.reads = append(s.reads, o)
		t.emit(Event{Kind: Began, Pair: p, Dir: dir, Op: o})
	}
}

// gather adds the packet to the message.
func (s *side) gather(q *packet) {
	if !s.gathering {
		return // its beginning is missing
	}
	if s.size += q.size; s.size > maxSend {
		s.gathering = false
		return
	}
	if !s.cut {
		s.buf = append(s.buf, q.body...)
	}
	s.cut = s.cut || len(q.body) < q.size
	s.frames = append(s.frames, q.frame)
}

// wrote moves what a packet of a WRITE carries.
func (s *side) wrote(q *packet) {
	o := s.write
	if o == nil {
		return
	}
	o.Move(o.next, uint32(q.size), q.frame, q.now)
	o.next += uint32(q.size)
	o.Packets++
}

func (t *Table) sent(p *Pair, dir int, q *packet, b []byte, size int) {
	first := len(t.brought)
	t.brought = append(t.brought, p.side[dir].frames...)
	t.emit(Event{Kind: Sent, Pair: p, Dir: dir, Bytes: b, Size: size, Frames: t.brought[first:],
		Invalidate: q.Invalidate, HasInvalidate: q.HasInvalidate, PSN: q.PSN})
}

// answer takes a packet that answers: an acknowledgement, or data of a READ.
func (t *Table) answer(p *Pair, dir int, q *packet) {
	s := &p.side[1-dir] // that it answers
	switch q.Opcode {
	case ib.ReadResponseFirst, ib.ReadResponseMiddle, ib.ReadResponseLast, ib.ReadResponseOnly:
		t.answered(s, p, q)
	}
	if !q.HasSyndrome || !s.seen {
		return
	}
	switch {
	case q.Syndrome.NotReady():
		p.NotReady++
	case q.Syndrome.Refused():
		p.Refused++
		if !q.Syndrome.SequenceError() {
			s.refuse(q)
		}
		s.unhold() // the receiver took none of it, and it will come again
	case q.Syndrome.Acknowledged():
		// READ data acknowledges what came before its request only as far as it goes, too.
		if d := diff(q.PSN, s.next); d >= 0 && d < farAway && uint32(d) >= s.slack {
			if s.ackedAt == 0 {
				s.ackedAt = q.frame
			}
			s.acked = q.PSN
		}
	}
}

// refuse notes which operation a NAK is of that ends the connection.
func (s *side) refuse(q *packet) {
	if o := s.operation(q.PSN); o != nil {
		o.Refused = q.Syndrome.String()
	}
}

// sample has the caller see the packet that an operation's data begins with.
func (t *Table) sample(o *Operation, q *packet) {
	if t.Sample != nil && o.Sample == 0 {
		o.Sample = t.Sample(q.body, o.Length)
	}
}

// answered moves what a packet of a READ's data carries.
func (t *Table) answered(s *side, p *Pair, q *packet) {
	for _, o := range slices.Backward(s.reads) {
		d := diff(q.PSN, o.PSN)
		if d < 0 || o.Packets > 0 && uint32(d) >= o.Packets {
			continue
		}
		from := uint32(0)
		switch {
		case d == 0:
			t.sample(o, q)
		case p.MTU != 0:
			from = uint32(min(uint64(d)*uint64(p.MTU), uint64(o.Length)))
		case uint32(q.size) <= o.Length: // the last of it
			from = o.Length - uint32(q.size)
		default:
			return
		}
		o.Move(from, uint32(q.size), q.frame, q.now)
		o.ended = o.ended || q.Opcode == ib.ReadResponseLast || q.Opcode == ib.ReadResponseOnly
		return
	}
}

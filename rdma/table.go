package rdma

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/odxray/odxray/rdma/ib"
)

// EventKind says what happened.
type EventKind uint8

const (
	Sent      EventKind = iota // a message, in order, once
	Began                      // an Operation
	Hole                       // what comes next does not go on from what came before
	Repeated                   // a packet that was seen before
	Asked                      // a request to connect; it and what answers it have From, To and Port
	Refused                    // what was Asked
	Joined                     // the same, granted
	Left                       // an end disconnects, or agrees that the other does
	Forgotten                  // the Pair, because there were too many
)

// Event is something that a packet brought about.
type Event struct {
	Kind   EventKind
	Pair   *Pair      // nil if its transport has no queue pairs
	Dir    int        // the end that sent it
	Bytes  []byte     // of a message, as far as captured; valid until the next packet
	Size   int        // of it on the wire
	Frames []uint32   // that brought it; valid until the next packet
	Op     *Operation // that Began, or a packet of which was Repeated; nil if that was of none
	PSN    uint32     // of the packet that was Repeated, or with which a message ends

	Invalidate    uint32 // key that ends with the message; valid iff HasInvalidate
	HasInvalidate bool

	From, To netip.Addr // who asked whom to connect
	Port     uint16     // and for what; 0 if that is no port of IP
	Reason   string     // why it was Refused

	at uint32 // frame
}

// maxPairs bounds the connections that are followed at once; the oldest is forgotten
// first. maxAsked bounds the requests to connect that nobody has answered.
const (
	maxPairs = 1 << 14
	maxAsked = 1 << 12
)

// Table is the queue pairs of a capture. The zero Table is ready.
type Table struct {
	// Sample, if it is not nil, sees the beginning of an operation's data, as far as
	// captured, and is told how long all of it is.
	Sample func(begin []byte, length uint32) uint32

	ends    map[End]ref
	pairs   []*Pair // those that are followed, oldest first
	asked   map[asking]ib.CM
	recent  [2]ref         // of ends that packets went to last
	ids     map[asking]ref // ends by the ids that they gave themselves
	count   uint32
	events  []Event
	brought []uint32   // the lists of frames in events
	frame   uint32     // at hand
	current *Pair      // of the packet at hand; nil if it is of none
	carrier ib.Carrier // likewise
	evicted int
	queued  int // bytes in the queues of all pairs
}

// ref is one end of a pair.
type ref struct {
	pair *Pair
	end  int
}

// asking names a request to connect: who asked, and the id that it gave its end.
type asking struct {
	addr netip.Addr
	id   uint32
}

// Packet takes the next packet, and returns what it brought about; valid until the next.
func (t *Table) Packet(src, dst netip.Addr, p *ib.Packet, frame uint32, now int64) []Event {
	t.frame, t.current, t.carrier = frame, nil, p.Carrier
	t.reset()
	if p.CM.Attribute != 0 {
		t.connect(src, dst, &p.CM, frame)
		return t.events
	}
	if p.Opcode == ib.CongestionNotification {
		if r := t.ends[End{dst, p.DestQP}]; r.pair != nil {
			r.pair.Notified++
		}
		return nil
	}
	if p.Opcode.Service() != ib.Reliable {
		return nil
	}
	pair, dir := t.of(src, dst, p, frame)
	t.current = pair
	if p.FECN {
		pair.Marked++
	}
	if p.BECN {
		pair.Notified++
	}
	pair.Last = frame
	pair.Packets++
	switch p.CRC {
	case ib.CRCGood:
		pair.GoodCRC[dir]++
	case ib.CRCAbsent:
		pair.NoCRC[dir]++
	case ib.CRCBad:
		pair.BadCRC[dir]++
		if pair.FirstBad == 0 {
			pair.FirstBad = frame
		}
	}
	q := packet{Packet: p, frame: frame, now: now}
	q.body, q.size = p.Body()
	switch p.Opcode {
	case ib.SendFirst, ib.SendMiddle, ib.WriteFirst, ib.WriteMiddle, ib.ReadResponseFirst, ib.ReadResponseMiddle:
		pair.MTU = uint32(q.size) // all but the last packet of a message are full. [IBTA] 9.7.2
	}
	switch {
	case p.Opcode >= ib.ReadResponseFirst && p.Opcode <= ib.AtomicAcknowledge:
		if pair.half {
			t.marry(pair, dir, &q)
			pair, dir = t.of(src, dst, p, frame)
		}
		if t.current = pair; !pair.half {
			t.answer(pair, dir, &q)
		}
	default:
		t.request(pair, dir, &q)
	}
	for i := range pair.side {
		if s := &pair.side[i]; s.ackedAt != 0 && frame-s.ackedAt >= patience {
			t.skip(pair, i)
		}
	}
	return t.events
}

// reset forgets what the packet before brought about.
func (t *Table) reset() {
	if len(t.events)+len(t.brought) > 0 {
		clear(t.events)
		t.events, t.brought = t.events[:0], t.brought[:0]
	}
}

// Flush gives up the holes that are left: nothing more will come. What it returns is valid
// until the next call.
func (t *Table) Flush() []Event {
	t.reset()
	for _, p := range t.pairs {
		for i := range p.side {
			for !p.half && len(p.side[i].held) > 0 {
				t.skip(p, i)
			}
		}
	}
	return t.events
}

// Current returns the pair of the latest packet; nil if that is of none.
func (t *Table) Current() *Pair { return t.current }

// Pairs returns those that are followed, oldest first.
func (t *Table) Pairs() []*Pair { return t.pairs }

// emit hands an event on, or keeps it until the other queue pair is known.
func (t *Table) emit(e Event) {
	e.at = t.frame
	if !e.Pair.half {
		t.events = append(t.events, e)
		return
	}
	if len(e.Pair.queue) == maxQueue || t.queued+len(e.Bytes) > maxQueued {
		t.unqueue(e.Pair)
	}
	if t.queued+len(e.Bytes) > maxQueued {
		return
	}
	e.Bytes, e.Frames = bytes.Clone(e.Bytes), slices.Clone(e.Frames)
	t.queued += len(e.Bytes)
	e.Pair.queue = append(e.Pair.queue, e)
}

// unqueue empties the queue of a pair.
func (t *Table) unqueue(p *Pair) {
	for _, e := range p.queue {
		t.queued -= len(e.Bytes)
	}
	p.queue = nil
}

// of returns the pair of a packet, and which end sent it.
func (t *Table) of(src, dst netip.Addr, p *ib.Packet, frame uint32) (*Pair, int) {
	for i := range t.recent {
		r := &t.recent[i]
		if r.pair == nil {
			continue
		}
		if e := &r.pair.Ends[r.end]; e.QP == p.DestQP && e.Addr == dst && r.pair.Ends[1-r.end].Addr == src {
			return r.pair, 1 - r.end
		}
	}
	to := End{dst, p.DestQP}
	if r := t.ends[to]; r.pair != nil && r.pair.Ends[1-r.end].Addr == src {
		t.recent[1], t.recent[0] = t.recent[0], r
		return r.pair, 1 - r.end
	}
	pair := t.begin(frame)
	pair.By, pair.half = ByAcknowledge, true
	pair.Ends = [2]End{{Addr: src}, to}
	t.lead(to, ref{pair, 1})
	return pair, 0
}

// lead has a queue pair lead to r from here on.
func (t *Table) lead(to End, r ref) { t.ends[to], t.recent = r, [2]ref{} }

func (t *Table) begin(frame uint32) *Pair {
	if t.ends == nil {
		t.ends = make(map[End]ref)
		t.asked = make(map[asking]ib.CM)
		t.ids = make(map[asking]ref)
	}
	if len(t.pairs) == maxPairs {
		t.evicted++
		t.events = append(t.events, Event{Kind: Forgotten, Pair: t.pairs[0]})
		t.forget(t.pairs[0])
	}
	t.count++
	p := &Pair{ID: t.count, First: frame, Last: frame, Carrier: t.carrier}
	t.pairs = append(t.pairs, p)
	return p
}

func (t *Table) forget(p *Pair) {
	t.unqueue(p)
	for i, e := range p.Ends {
		if t.ends[e] == (ref{p, i}) {
			delete(t.ends, e)
			t.recent = [2]ref{}
		}
		if k := (asking{e.Addr, p.ids[i]}); t.ids[k] == (ref{p, i}) {
			delete(t.ids, k)
		}
	}
	if i := slices.Index(t.pairs, p); i >= 0 {
		t.pairs = slices.Delete(t.pairs, i, i+1)
	}
}

// connect takes a message of the communication manager.
func (t *Table) connect(src, dst netip.Addr, m *ib.CM, frame uint32) {
	switch m.Attribute {
	case ib.ConnectRequest:
		if t.asked == nil || len(t.asked) >= maxAsked {
			t.asked = make(map[asking]ib.CM)
		}
		asked := *m
		asked.Private = nil // a part of the packet
		t.asked[asking{src, m.LocalID}] = asked
		t.events = append(t.events, t.attempt(Asked, src, dst, m))
	case ib.ConnectReply:
		if q, ok := t.asked[asking{dst, m.RemoteID}]; ok {
			delete(t.asked, asking{dst, m.RemoteID})
			t.events = append(t.events, t.attempt(Joined, dst, src, &q))
			t.join([2]netip.Addr{dst, src}, [2]*ib.CM{&q, m}, frame)
		}
	case ib.ConnectReject:
		if q, ok := t.asked[asking{dst, m.RemoteID}]; ok {
			delete(t.asked, asking{dst, m.RemoteID})
			e := t.attempt(Refused, dst, src, &q)
			e.Reason = m.Reason.String()
			t.events = append(t.events, e)
		}
	case ib.DisconnectRequest:
		r := t.ends[End{dst, m.QP}]
		if r.pair == nil {
			return
		}
		if p := r.pair; p.Closed == 0 && t.ids != nil {
			p.Closed = frame
			t.call(p, 1-r.end, src, m.LocalID)
			t.call(p, r.end, dst, m.RemoteID)
		}
		t.events = append(t.events, Event{Kind: Left, Pair: r.pair, Dir: 1 - r.end})
	case ib.DisconnectReply:
		if r := t.ids[asking{src, m.LocalID}]; r.pair != nil {
			t.events = append(t.events, Event{Kind: Left, Pair: r.pair, Dir: r.end})
		}
	}
}

// join makes a pair of two ends that have agreed: the one that asked comes first. An answer
// that is sent again changes nothing.
func (t *Table) join(addr [2]netip.Addr, said [2]*ib.CM, frame uint32) {
	ends := [2]End{{addr[0], said[0].QP}, {addr[1], said[1].QP}}
	psn := [2]uint32{said[1].PSN, said[0].PSN} // each says what the other begins with
	if r := t.ends[ends[0]]; r.pair != nil && r.pair.Ends == ends && r.pair.By == ByConnect && r.pair.Closed == 0 &&
		r.pair.side[0].first == psn[0] && r.pair.side[1].first == psn[1] {
		return
	}
	p := t.begin(frame)
	p.Ends, p.By, p.Port, p.SrcPort = ends, ByConnect, said[0].Port, said[0].SrcPort
	if said[0].HasPort {
		p.Names = [2]netip.Addr{said[0].Src, said[0].Dst}
	}
	if mtu := said[0].MTU; mtu >= 1 && mtu <= 5 {
		p.MTU = 128 << mtu
	}
	for i := range ends {
		p.side[i].seen, p.side[i].first, p.side[i].next = true, psn[i], psn[i]
		t.lead(ends[i], ref{p, i})
		t.call(p, i, addr[i], said[i].LocalID)
	}
}

// attempt is what became of a request to connect. Over other carriers than UDP, its ends are
// known by the addresses that it names.
func (t *Table) attempt(kind EventKind, from, to netip.Addr, asked *ib.CM) Event {
	if t.carrier != ib.RoCEv2 && asked.HasPort {
		from, to = asked.Src, asked.Dst
	}
	return Event{Kind: kind, From: from, To: to, Port: asked.Port}
}

// call keeps the id that an end of a pair has given itself.
func (t *Table) call(p *Pair, end int, addr netip.Addr, id uint32) {
	if was := (asking{addr, p.ids[end]}); t.ids[was] == (ref{p, end}) {
		delete(t.ids, was)
	}
	p.ids[end] = id
	t.ids[asking{addr, id}] = ref{p, end}
}

// marry joins the two halves of a connection whose beginning is not in the capture, once
// one acknowledges what the other sent. q is the answer, sent by end dir of p.
func (t *Table) marry(p *Pair, dir int, q *packet) {
	from, to := p.Ends[0].Addr, p.Ends[1].Addr
	var match *Pair // the latest that fits
	rivals := 0
	for _, o := range slices.Backward(t.pairs) {
		if !o.half || o == p || o.Ends[0].Addr != to || o.Ends[1].Addr != from {
			continue
		}
		s := &o.side[0] // what it sent, which q may answer
		back, range_ := diff(q.PSN, s.next), diff(s.next, s.first)
		if !s.seen || back >= int(s.slack) || -back > max(range_, 1) {
			continue
		}
		if match == nil {
			match = o
		} else {
			rivals++
		}
	}
	if o := match; o != nil {
		waiting := p.queue
		t.forget(p)
		o.half, o.Rivals = false, rivals
		o.Ends[0] = p.Ends[1]
		o.side[1] = p.side[0]
		o.Packets += p.Packets
		o.GoodCRC[1], o.BadCRC[1], o.NoCRC[1] = p.GoodCRC[0], p.BadCRC[0], p.NoCRC[0]
		o.Marked, o.Notified = o.Marked+p.Marked, o.Notified+p.Notified
		o.Reads, o.Writes, o.Repeated = o.Reads+p.Reads, o.Writes+p.Writes, o.Repeated+p.Repeated
		o.First = min(o.First, p.First)
		t.lead(o.Ends[0], ref{o, 0})
		for i, e := range waiting {
			e.Pair, e.Dir = o, 1
			if e.Op != nil {
				e.Op.By = 1
			}
			waiting[i] = e
		}
		waiting = append(waiting, o.queue...)
		t.unqueue(o)
		slices.SortStableFunc(waiting, func(a, b Event) int { return int(a.at) - int(b.at) })
		t.events = append(t.events, waiting...)
	}
}

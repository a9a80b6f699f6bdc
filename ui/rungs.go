package ui

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"github.com/odxray/odxray/flows"
)

// rungKind is what a rung of a ladder shows.
type rungKind uint8

const (
	rungRequest rungKind = iota
	rungInterim
	rungRDMA
	rungAnswer
	rungCancel
	rungRepeat // of a request
	rungBreak  // of a lease or an oplock
	rungAck
	rungFrame // that belongs to no exchange
	rungIdle  // nothing for a while
)

// rung is a line of a ladder.
type rung struct {
	time  int64
	frame int32
	x     int32 // Exchange.ID; 0 if it belongs to none
	n     int32 // of rungRDMA and rungBreak: position in the list of them; of rungIdle: requests that wait
	kind  rungKind
	call  int32 // of a copy's story, from 1; 0 if it is none
}

// climb is what a ladder is made of: the exchanges of a copy, a connection or marked
// frames. Its rungs are collected aside.
type climb struct {
	title  string
	copy   *flows.Copy // nil if it is not of one
	conn   int         // Connection.ID; 0 if it is not of one
	marks  []int       // frames, if it is of neither
	of     int         // exchanges that there were
	final  bool        // there will be no more
	breaks []flows.CacheBreak
	from   int // frame that is shown first; 0 for the beginning

	mu      sync.Mutex
	rungs   []rung
	rdma    []flows.RDMAOperation
	looked  int  // exchanges
	dropped bool // there are more than maxRungs
	done    bool
}

const (
	maxRungs = 1 << 20
	idle     = 100_000_000 // ns from which on nothing is folded into a line
)

// collect finds the rungs.
func (l *climb) collect(ctx context.Context, src Source) {
	c := climber{climb: l, src: src, seen: make(map[int32]bool), reached: make(map[int]bool)}
	switch {
	case l.copy != nil:
		for i := range l.copy.Calls {
			c.call(i)
		}
		for _, id := range l.copy.Conns {
			c.moved(id)
		}
	case l.conn != 0:
		for i := range l.of {
			if i%256 == 0 {
				if ctx.Err() != nil || len(c.rungs) > maxRungs {
					break
				}
				l.mu.Lock()
				l.looked = i
				l.mu.Unlock()
			}
			var x flows.Exchange
			if src.Exchange(i, &x); x.Conn == l.conn {
				c.exchange(&x, 0)
			}
		}
		c.moved(l.conn)
	default:
		for _, n := range l.marks {
			c.marked(n)
		}
		for id := range c.conns {
			c.moved(id)
		}
	}
	for i := range l.breaks {
		c.broken(i)
	}
	rungs := fold(c.rungs)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(rungs) > maxRungs {
		rungs, l.dropped = rungs[:maxRungs], true
		if rungs[maxRungs-1].kind == rungIdle { // it needs the one after it
			rungs = rungs[:maxRungs-1]
		}
	}
	l.rungs, l.rdma, l.done = rungs, c.rdma, true
}

// climber collects the rungs of a climb.
type climber struct {
	*climb
	src     Source
	rungs   []rung
	seen    map[int32]bool // exchanges; unused for those of a connection
	reached map[int]bool   // exchanges with RDMA
	conns   map[int]bool   // connections of marked frames
	rdma    []flows.RDMAOperation
}

func (c *climber) add(r rung) { c.rungs = append(c.rungs, r) }

func (c *climber) exchange(x *flows.Exchange, call int32) {
	r := rung{x: int32(x.ID), call: call}
	put := func(kind rungKind, frame int, time int64) {
		if frame > 0 {
			r.kind, r.frame, r.time = kind, int32(frame), time
			c.add(r)
		}
	}
	put(rungRequest, x.RequestFrame, x.RequestTime)
	put(rungInterim, x.InterimFrame, cmp.Or(x.InterimTime, x.RequestTime))
	put(rungAnswer, x.AnswerFrame, x.AnswerTime)
	put(rungCancel, x.CancelFrame, c.timeOf(x.CancelFrame))
	if x.RDMA.Operations > 0 {
		c.reached[x.ID] = true
	}
}

// timeOf returns the time of a frame that is no end of an exchange.
func (c *climber) timeOf(frame int) int64 {
	var row flows.Row
	if frame > 0 && c.src.Row(frame, &row) == nil {
		return row.Time
	}
	return 0
}

// of frame n: the exchanges that were not seen yet.
func (c *climber) exchangesOf(n int, call int32) (found bool) {
	for _, i := range c.src.ExchangesOf(n) {
		found = true
		var x flows.Exchange
		c.src.Exchange(i, &x)
		if !c.seen[int32(x.ID)] {
			c.seen[int32(x.ID)] = true
			c.exchange(&x, call)
			if c.conns != nil {
				c.conns[x.Conn] = true
			}
		}
	}
	return found
}

func (c *climber) call(i int) {
	k := &c.copy.Calls[i]
	if !c.exchangesOf(cmp.Or(k.Frame, k.Answer), int32(i+1)) {
		c.add(rung{time: k.Time, frame: int32(k.Frame), kind: rungFrame, call: int32(i + 1)})
	}
	for _, n := range k.Repeats {
		c.add(rung{time: c.timeOf(n), frame: int32(n), kind: rungRepeat, call: int32(i + 1)})
	}
}

func (c *climber) marked(n int) {
	if c.conns == nil {
		c.conns = make(map[int]bool)
	}
	if !c.exchangesOf(n, 0) {
		c.add(rung{time: c.timeOf(n), frame: int32(n), kind: rungFrame})
	}
}

// moved adds the operations of RDMA on a connection that moved something of exchanges
// that are shown.
func (c *climber) moved(conn int) {
	if len(c.reached) == 0 {
		return
	}
	for _, o := range c.src.RDMAOperations(conn) {
		if c.reached[o.Exchange] {
			c.add(rung{time: o.FirstTime, frame: int32(o.FirstFrame), x: int32(o.Exchange), n: int32(len(c.rdma)), kind: rungRDMA})
			c.rdma = append(c.rdma, o)
		}
	}
}

// broken adds a break of caching, if it is of the connection or if a call of the copy
// waited for it.
func (c *climber) broken(i int) {
	b := &c.breaks[i]
	switch {
	case c.copy != nil:
		if !slices.ContainsFunc(c.copy.Calls, func(k flows.Call) bool { return k.Break == b.Frame }) {
			return
		}
	case c.conn == 0 || b.Conn != c.conn:
		return
	}
	c.add(rung{time: b.Time, frame: int32(b.Frame), n: int32(i), kind: rungBreak})
	if b.Ack > 0 && b.Ack != b.Frame {
		c.rungs = slices.DeleteFunc(c.rungs, func(r rung) bool { return int(r.frame) == b.Ack && r.kind == rungRequest })
		c.add(rung{time: b.AckTime, frame: int32(b.Ack), n: int32(i), kind: rungAck})
	}
}

// fold sorts rungs by time, and puts a line where nothing happens for a while.
func fold(rungs []rung) []rung {
	slices.SortStableFunc(rungs, func(a, b rung) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.frame, b.frame), cmp.Compare(a.kind, b.kind))
	})
	var out []rung
	last, waiting := int64(math.MaxInt64), make(map[int32]bool) // exchanges
	for _, r := range rungs {
		if last < r.time && r.time-last >= idle {
			out = append(out, rung{time: last, frame: r.frame, n: int32(len(waiting)), kind: rungIdle})
		}
		last = r.time
		switch r.kind {
		case rungRequest:
			waiting[r.x] = true
		case rungAnswer:
			delete(waiting, r.x)
		}
		out = append(out, r)
	}
	return out
}

package flows

// What the DCE/RPC calls on a named pipe have in common: which interfaces are bound,
// and which request an answer is to. The two may be in different exchanges, a WRITE
// and a READ, and call ids count within a pipe.

import (
	"slices"

	"github.com/odxray/odxray/dissect/rpc"
)

// pipe is what is said on one open of a named pipe.
type pipe struct {
	offers []rpc.Offer // of the last Bind or AlterContext
	bound  []rpc.Offer // what the server took of them
	calls  []rpc.Call  // in the order of their frames
}

// Limits: past them interfaces and procedures of further calls stay without a name,
// which costs nobody anything but a word.
const (
	maxPipes     = 1 << 14
	maxPipeCalls = 1 << 18 // on all pipes
	maxBound     = 64      // on one

	callWindow = 64 // requests that an answer is looked for among
)

// pipeTable holds pipes by index, from 1. The zero table is ready.
type pipeTable struct {
	list  []pipe
	free  []uint32
	calls int
}

// of returns the pipe of an open, or nil.
func (t *pipeTable) of(o *openState) *pipe {
	if o.pipe == 0 {
		return nil
	}
	return &t.list[o.pipe]
}

// pick returns the pipe of an open, made on sight; nil if there are too many.
func (t *pipeTable) pick(o *openState) *pipe {
	if o.pipe == 0 {
		switch n := len(t.free); {
		case n > 0:
			o.pipe, t.free = t.free[n-1], t.free[:n-1]
		case len(t.list) > maxPipes:
			return nil
		default:
			if t.list == nil {
				t.list = make([]pipe, 1)
			}
			t.list = append(t.list, pipe{})
			o.pipe = uint32(len(t.list) - 1)
		}
	}
	return t.of(o)
}

// hangUp makes the place of an open's pipe free for another.
func (t *pipeTable) hangUp(o *openState) {
	if p := t.of(o); p != nil {
		t.calls -= len(p.calls)
		*p = pipe{p.offers[:0], p.bound[:0], p.calls[:0]}
		t.free = append(t.free, o.pipe)
		o.pipe = 0
	}
}

// spoken keeps what a PDU says that later ones refer to. h is nil if the message of
// exchange e carried none.
func (t *pipeTable) spoken(a *Analyzer, e *exchange, h *rpc.Header) {
	if h == nil || e.open == 0 {
		return
	}
	p := t.pick(&a.opens[e.open])
	if p == nil {
		return
	}
	switch h.Type {
	case rpc.Bind, rpc.AlterContext:
		p.offers = append(p.offers[:0], h.Offers[:min(h.Items, len(h.Offers))]...)
	case rpc.BindAck, rpc.AlterContextResp:
		for i := range min(h.Items, len(h.Answers), len(p.offers)) {
			if h.Answers[i].Result == rpc.Acceptance {
				p.bind(p.offers[i])
			}
		}
	case rpc.Request:
		if h.Flags&rpc.FirstFrag != 0 && t.calls < maxPipeCalls {
			t.calls++
			p.calls = append(p.calls, rpc.Call{ID: h.CallID, Opnum: h.Opnum, Frame: a.frame, Time: a.now})
		}
	}
}

func (p *pipe) bind(o rpc.Offer) {
	i := slices.IndexFunc(p.bound, func(b rpc.Offer) bool { return b.ContextID == o.ContextID })
	switch {
	case i >= 0:
		p.bound[i] = o
	case len(p.bound) < maxBound:
		p.bound = append(p.bound, o)
	}
}

// context fills ctx with what is known of the pipe that e is on, at the time of its
// answer.
func (t *pipeTable) context(a *Analyzer, e *exchange, ctx *rpc.Context) {
	p := t.of(&a.opens[e.open])
	if p == nil {
		return
	}
	frame := a.frame
	if ctx.Time = a.now; e.facts&answered != 0 {
		frame, ctx.Time = e.ansFrame, e.ansTime
	}
	n, _ := slices.BinarySearchFunc(p.calls, frame, func(c rpc.Call, frame uint32) int {
		if c.Frame <= frame {
			return -1
		}
		return 1
	})
	ctx.Bound, ctx.Calls = p.bound, p.calls[max(n-callWindow, 0):n]
}

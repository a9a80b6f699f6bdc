package flows

// Filters after the pass: what the index holds is looked at again.

import (
	"github.com/odxray/odxray/dissect/filter"
)

// ChooseFrames returns a function that tells whether f is true for frame n, as List
// would find it. One goroutine at a time uses f and the function. Only with
// Options.Index.
func (c *Capture) ChooseFrames(f *filter.Filter) func(n int) bool {
	tree := filtered(nil, f)
	v := newView(tree)
	v.only(tree.Want)
	return func(n int) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		tree.Reset()
		return c.draw(v, n, tree) == nil && f.Match(tree)
	}
}

// ChooseExchanges returns a function that tells whether f is true for the exchange at
// position i, as EachExchange would find it once there is its answer. One goroutine at
// a time uses f and the function. Only with Options.Index.
func (c *Capture) ChooseExchanges(f *filter.Filter) func(i int) bool {
	t := newTogether(f)
	tree := t.view.tree
	at := uint32(0)
	t.view.heard = func(d delivered, lower, unit, upper, from int) {
		if d.x == at {
			t.keep(d, lower, unit, upper, from)
		}
	}
	return func(i int) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		at = uint32(i + 1)
		defer t.forget(at)
		e, last := c.a.exchanges.at(at), uint32(0)
		for _, n := range []uint32{e.reqFrame, e.interim, e.ansFrame} {
			if n == last || n == 0 {
				continue
			}
			t.reset()
			if c.draw(t.view, int(n), tree) != nil {
				return false
			}
			last = n
		}
		return t.match(at)
	}
}

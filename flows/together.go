package flows

// Filters of exchanges: what request and answers say is looked at as one.

import (
	"github.com/odxray/odxray/dissect/filter"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
)

// together keeps of every request under way what a filter looks at, until the exchange
// is over. A nil one is for no filter, and all exchanges match it.
type together struct {
	filter *filter.Filter
	view   *frameView
	kept   map[uint32]*wire.Tree // by exchange
	spare  []*wire.Tree
}

func newTogether(f *filter.Filter) *together {
	if f == nil {
		return nil
	}
	t := &together{filter: f, kept: make(map[uint32]*wire.Tree)}
	t.view = newView(&wire.Tree{Want: f.Want()})
	t.view.only(f.Want())
	t.view.shallow, t.view.heard = false, t.keep
	return t
}

// reset makes the view ready for a frame.
func (t *together) reset() {
	if t != nil {
		t.view.tree.Reset()
	}
}

// keep takes a message of the frame at hand, whose nodes are those of its tree from one
// index on. Those that it shares with other messages of the frame lie below lower and,
// from unit on, below upper.
func (t *together) keep(d delivered, lower, unit, upper, from int) {
	if d.x == 0 {
		return
	}
	k := t.kept[d.x]
	if k == nil {
		if len(t.kept) >= maxPending {
			return
		}
		if n := len(t.spare); n > 0 {
			k, t.spare = t.spare[n-1], t.spare[:n-1]
		} else {
			k = new(wire.Tree)
		}
		t.kept[d.x] = k
	} else if !d.response {
		return // a CANCEL of it
	}
	v := t.view.tree
	t.filter.Keep(k, v, 0, lower)
	t.filter.Keep(k, v, unit, upper)
	t.filter.Keep(k, v, from, len(v.Nodes))
}

// match reports whether the filter is true for exchange x.
func (t *together) match(x uint32) bool {
	if t == nil {
		return true
	}
	k := t.kept[x]
	if k == nil { // nothing of it lay in a frame
		return false
	}
	return t.filter.Match(k)
}

// forget makes room: exchange x is over.
func (t *together) forget(x uint32) {
	if t == nil || t.kept[x] == nil {
		return
	}
	k := t.kept[x]
	delete(t.kept, x)
	k.Reset()
	if len(t.spare) < maxSpare {
		t.spare = append(t.spare, k)
	}
}

// maxSpare bounds the trees that wait to be used again.
const maxSpare = 1 << 10

// filtered returns tree with what f looks at.
func filtered(tree *wire.Tree, f *filter.Filter) *wire.Tree {
	switch {
	case tree == nil:
		return &wire.Tree{Want: f.Want()}
	case tree.Want != nil:
		tree.Want = tree.Want.Or(f.Want())
	}
	return tree
}

// newView returns a view that records into tree, if that is not nil. It passes over
// layers that the tree wants nothing of.
func newView(tree *wire.Tree) *frameView {
	v := &frameView{tree: tree}
	if tree != nil && tree.Want != nil {
		v.above = !tree.Want.Any(inet.Fields())
		v.below = !tree.Want.Any(bodyFields()) && !tree.Want.Any(headerFields())
	}
	return v
}

package ui

import (
	"context"
	"sort"
	"sync"

	"github.com/odxray/odxray/dissect/filter"
)

// sieve is what the filter lets through of a list that may grow: positions in it,
// found aside. The zero sieve lets all through.
type sieve struct {
	filter string // "" for none
	sifted
	of    int  // positions that there are
	final bool // the pass was over when they began to be looked at
	work  *sieving
	stop  context.CancelFunc

	anchor, placed int // position that the selection stays near, and its line by that
}

// sifted is what a sieve lets through, as of some time.
type sifted struct {
	all    bool // there is no filter
	shown  []int32
	looked int // positions below it have been looked at
	guest  int // position that is shown too, because somebody went to it; -1 for none
}

// sieving is looking at positions, in a goroutine.
type sieving struct {
	anew bool // what was found before is not what will be found now
	mu   sync.Mutex
	sifted
	done bool
}

// set changes the filter; the selection stays near a position.
func (s *sieve) set(filter string, position int) {
	if s.work != nil {
		s.stop()
	}
	*s = sieve{filter: filter, sifted: sifted{all: filter == "", guest: -1}, of: s.of, anchor: position}
}

// follow takes over what was found, and goes on looking where there is more. of is how
// many positions there are now; final: the pass is over. With again those found before
// that are looked at again after it.
func (s *sieve) follow(u *ui, l *list, of int, final, again bool, choose func(*filter.Filter) func(int) bool) (news bool) {
	s.of = of
	if s.all {
		return false
	}
	if l.order.rows != nil {
		s.anchor = l.at(l.sel)
	} else if l.sel != s.placed { // the user went there
		s.anchor = s.at(l.sel)
	}
	if s.work == nil && (s.looked < of || again && final && !s.final) {
		w := &sieving{anew: again && final && !s.final, sifted: s.sifted}
		if w.anew {
			w.sifted = sifted{guest: s.guest}
		}
		var f *filter.Filter // nil for none: something else chooses
		if s.filter != "" {
			var err error
			if f, err = filter.Compile(s.filter, u.fields); err != nil {
				return false // set was called with what compiles
			}
		}
		s.work, s.final = w, final
		s.stop = u.asides.begin(func(ctx context.Context) { w.look(ctx, of, choose(f)) })
	}
	if w := s.work; w != nil {
		w.mu.Lock()
		found, done := w.sifted, w.done
		w.mu.Unlock()
		if done || !w.anew {
			found.guest = s.guest
			s.sifted = found
		}
		if done {
			s.work = nil
			if w.anew {
				l.forget()
			}
		}
		news = true
	}
	if l.order.rows != nil {
		return news // the selection stays where it is
	}
	if l.sel = max(min(s.find(s.anchor), s.count()-1), 0); l.sel != s.placed {
		s.placed, l.chase = l.sel, true
	}
	return news
}

// look looks at positions below of.
func (w *sieving) look(ctx context.Context, of int, keep func(int) bool) {
	for i := w.looked; i < of && ctx.Err() == nil; i++ {
		ok := keep(i)
		w.mu.Lock()
		if ok {
			w.shown = append(w.shown, int32(i))
		}
		w.looked = i + 1
		w.mu.Unlock()
	}
	w.mu.Lock()
	w.done = true
	w.mu.Unlock()
}

func (s *sieve) count() int {
	n := len(s.shown)
	switch {
	case s.all:
		return s.of
	case s.visits():
		n++
	}
	return n
}

// lower returns how many positions that the filter lets through lie before one.
func (s *sifted) lower(position int) int {
	return sort.Search(len(s.shown), func(k int) bool { return int(s.shown[k]) >= position })
}

// visits tells whether the guest is shown only because it is one.
func (s *sifted) visits() bool {
	if s.all || s.guest < 0 {
		return false
	}
	k := s.lower(s.guest)
	return k == len(s.shown) || int(s.shown[k]) != s.guest
}

// visiting tells whether a position is that of a guest that the filter does not let
// through, as far as that is known.
func (s *sifted) visiting(position int) bool {
	return position == s.guest && position < s.looked && s.visits()
}

// visiting is what is said of such a line.
const visiting = "the filter is not true for this; it is shown because you went to it"

// at returns the position of a line.
func (s *sifted) at(line int) int {
	if s.all {
		return line
	}
	if s.visits() {
		switch k := s.lower(s.guest); {
		case line == k:
			return s.guest
		case line > k:
			line--
		}
	}
	if line >= len(s.shown) {
		return 0
	}
	return int(s.shown[line])
}

// find returns the line of a position, or of the next one that is shown.
func (s *sifted) find(position int) int {
	if s.all {
		return position
	}
	k := s.lower(position)
	if s.visits() && s.guest < position {
		k++
	}
	return k
}

// admit is find, and has the position shown whatever the filter says.
func (s *sieve) admit(position int) int {
	s.guest = position
	s.anchor = position
	s.placed = s.find(position)
	return s.placed
}

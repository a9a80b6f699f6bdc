package server

import "sync/atomic"

// turn lets one request at a time use what connections know. The connections of a session
// share one: when a session gets another connection, the turns of both become one.
type turn struct {
	token  chan struct{} // whoever took it has the turn
	number uint64        // who needs two takes the lower one first
	next   atomic.Pointer[turn]
}

var turns atomic.Uint64

func newTurn() *turn {
	t := &turn{token: make(chan struct{}, 1), number: turns.Add(1)}
	t.token <- struct{}{}
	return t
}

// root is the turn that t has become part of.
func (t *turn) root() *turn {
	for n := t.next.Load(); n != nil; n = t.next.Load() {
		t = n
	}
	return t
}

// take waits for the turn. It returns false if done is closed before.
func (t *turn) take(done <-chan struct{}) bool {
	for {
		t = t.root()
		select {
		case <-t.token:
		case <-done:
			return false
		}
		if t.next.Load() == nil {
			return true
		}
		t.token <- struct{}{} // it became part of another while this waited
	}
}

// give lets others have it.
func (t *turn) give() { t.root().token <- struct{}{} }

// join makes t, which the caller has, and other one turn, which the caller has then.
// Others may have had it meanwhile.
func (t *turn) join(other *turn) {
	if t.root() == other.root() {
		return
	}
	t.give()
	for {
		low, high := t.root(), other.root()
		if low.number > high.number {
			low, high = high, low
		}
		<-low.token
		if low.next.Load() != nil { // it became part of another while this waited
			low.token <- struct{}{}
			continue
		}
		if low == high {
			return
		}
		<-high.token
		if high.next.Load() == nil {
			high.next.Store(low)
			high.token <- struct{}{} // who waits for it learns that it is another now
			return
		}
		high.token <- struct{}{}
		low.token <- struct{}{}
	}
}

// within does f in the turn other; the caller gives t away for that long.
func (t *turn) within(other *turn, f func()) {
	if t.root() == other.root() {
		f()
		return
	}
	t.give()
	other.take(nil)
	f()
	other.give()
	t.take(nil)
}

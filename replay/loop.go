package replay

// The loop of a run: it starts groups as the schedule lets it, and gives up what is
// answered by nobody.

import (
	"context"
	"errors"
	"time"

	"github.com/odxray/odxray/replay/client"
)

// event is what a group's goroutine reports.
type event struct {
	group int
	stage stage
	broke bool // a break came that the group acknowledges; stage says nothing
}

// loop runs all groups.
func (r *run) loop(ctx context.Context) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s := newSchedule(r.plan, r.o.Order == Captured)
	clock := newPace(r.plan, r.o)
	defer close(r.finished)
	cancelled := false // what is pending, since anything last happened
	watchdog := time.NewTimer(r.patience(s))
	defer watchdog.Stop()
	for s.left > 0 {
		wake := time.Duration(-1)
		due := func(g int) bool {
			d := r.hurried(g, clock.until(g))
			if d > 0 && (wake < 0 || d < wake) {
				wake = d
			}
			return d <= 0
		}
		for ctx.Err() == nil {
			g := s.next(r.o.Order == Serial, due)
			if g < 0 {
				break
			}
			clock.started(g)
			go func() {
				r.perform(ctx, g, func() { r.events <- event{group: g, stage: sent} })
				r.events <- event{group: g, stage: done}
			}()
		}
		if s.active == 0 && wake < 0 {
			if ctx.Err() == nil && s.unbroken() {
				continue // a break that does not come is not waited for for ever
			}
			return // interrupted, or all that is left waits for itself
		}
		var timer <-chan time.Time
		if wake >= 0 {
			timer = time.After(wake)
		}
		select {
		case e := <-r.events:
			if e.broke {
				s.broken(e.group)
			} else {
				s.reached(e.group, e.stage)
				r.progress(e)
			}
			cancelled = false
			watchdog.Reset(r.patience(s))
		case <-timer:
		case <-watchdog.C:
			if cancelled {
				stop(errNoAnswer) // not even that is answered
			}
			r.giveUp(s) // nothing moves: what is pending is cancelled
			cancelled = true
			watchdog.Reset(r.o.timeOut() + time.Second)
		}
		if s.left == s.held && !s.expects() {
			r.giveUp(s)                                 // only what the captured client never got an answer to
			watchdog.Reset(min(r.o.timeOut(), maxLate)) // a server may overlook a CANCEL that comes at once
		}
	}
}

// patience is how long nothing at all may happen: an answer's time-out, and on top of it
// as long as the captured server took for what it answered late.
func (r *run) patience(s *schedule) time.Duration {
	longest := time.Duration(0)
	if s.held > 0 {
		for g := range s.onWay {
			if k := &r.plan.Groups[g]; k.Done != 0 {
				longest = max(longest, time.Duration(k.Done-k.Sent))
			}
		}
	}
	return r.o.timeOut() + time.Second + min(longest, time.Minute)
}

// errNoAnswer ends a run in which nothing is answered any more, not even a CANCEL.
var errNoAnswer = errors.New("no answer came, nor one to the CANCEL of it")

// giveUp cancels what was sent and is not answered.
func (r *run) giveUp(s *schedule) {
	r.mu.Lock()
	var calls []*client.Call
	for g := range s.onWay {
		for _, id := range r.plan.Groups[g].Steps {
			if k := r.calls[id]; k != nil {
				calls = append(calls, k)
			}
		}
	}
	r.mu.Unlock()
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	for _, k := range calls {
		select {
		case <-k.Done():
		default:
			_ = k.Cancel(ctx)
		}
	}
}

// progress notes what became of a group, for those that wait to see it.
func (r *run) progress(e event) {
	if e.stage == done {
		r.mu.Lock()
		r.ended[e.group] = true
		r.happened()
		r.mu.Unlock()
	}
}

// happened wakes those that wait for something to happen. mu is held.
func (r *run) happened() {
	close(r.changed)
	r.changed = make(chan struct{})
}

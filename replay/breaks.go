package replay

// Oplock and lease breaks. Where the capture shows what the client did about one, the
// replay does the same when its turn comes; where it shows nothing, or the turn does not
// come in time, the break is acknowledged as the server asks. [MS-SMB2] 3.2.5.19

import (
	"context"
	"time"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/replay/client"
)

// breaks is what is known of the target's breaks. run.mu guards it.
type breaks struct {
	slots map[string]int          // by FileId or lease key
	came  map[int][]*client.Break // by slot, in their order
	taken map[*client.Break]bool  // acknowledged, or about to be
}

func newBreaks() breaks {
	return breaks{slots: make(map[string]int), came: make(map[int][]*client.Break), taken: make(map[*client.Break]bool)}
}

// turn returns the n-th break of a slot, nil if it has not come. run.mu is held.
func (b *breaks) turn(slot, n int) *client.Break {
	if list := b.came[slot]; n <= len(list) {
		return list[n-1]
	}
	return nil
}

const (
	maxPatience = 10 * time.Second // of servers with a break: Windows and Samba wait for 35 s
	maxLate     = time.Second      // that a break comes after all that can have caused it
)

// broke takes a break that has come.
func (r *run) broke(b *client.Break) {
	key := string(b.Open.File[:])
	if b.Lease {
		key = string(b.Key.Key[:])
	}
	r.mu.Lock()
	slot, known := r.breaks.slots[key]
	o := r.opens[key]
	needed := b.Acknowledge()
	if !b.Lease {
		needed = o.oplock == smb2.OplockExclusive || o.oplock == smb2.OplockBatch
		o.oplock = b.Open.OplockLevel
		if o.session != nil {
			r.opens[key] = o
		}
	}
	var captured *Break
	if known {
		r.breaks.came[slot] = append(r.breaks.came[slot], b)
		captured = r.plan.breakOf(slot, len(r.breaks.came[slot]))
	}
	r.happened()
	r.mu.Unlock()
	switch {
	case captured != nil && captured.Ack != 0:
		select {
		case r.events <- event{group: r.plan.Step(captured.Ack).Group, broke: true}:
		case <-r.finished:
		}
	case captured != nil && r.plan.Slots[slot].Dies != 0: // it answered by closing the file
	case needed:
		r.acknowledge(b)
		return
	}
	if needed {
		time.AfterFunc(min(maxPatience, r.o.timeOut()/2), func() { r.acknowledge(b) })
	}
}

// breakOf returns the n-th captured break of a slot, nil if there is none.
func (p *Plan) breakOf(slot, n int) *Break {
	for i := range p.Breaks {
		if b := &p.Breaks[i]; b.Slot == slot && b.Turn == n {
			return b
		}
	}
	return nil
}

// take says that somebody acknowledges a break; false if somebody else does.
func (r *run) take(b *client.Break) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.breaks.taken[b] {
		return false
	}
	r.breaks.taken[b] = true
	return true
}

// acknowledge acknowledges a break on the replay's own account: what the server offers is
// taken. What was closed since needs none.
func (r *run) acknowledge(b *client.Break) {
	r.mu.Lock()
	o, open := r.opens[string(b.Open.File[:])]
	session := o.session
	for _, s := range r.sessions {
		if b.Lease && s.Conn == b.Conn {
			session = s
		}
	}
	r.mu.Unlock()
	if session == nil || !b.Lease && !open || !r.take(b) {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), r.o.timeOut())
	defer stop()
	if err := session.AcknowledgeBreak(ctx, b, o.tree, b.Open.OplockLevel, b.Key.New); err != nil {
		if _, refused := client.StatusOf(err); refused { // it was closed meanwhile
			return
		}
		r.note("a break was not acknowledged: %v", err)
	}
}

// acknowledges says whether a captured acknowledgment is to be sent: the break that it is
// for has come, or the capture has none either.
func (r *run) acknowledges(ctx context.Context, s *Step) bool {
	if s.Break == 0 {
		return true
	}
	captured := &r.plan.Breaks[s.Break-1]
	ctx, stop := context.WithTimeout(ctx, maxLate)
	defer stop()
	for {
		r.mu.Lock()
		b, changed := r.breaks.turn(captured.Slot, captured.Turn), r.changed
		r.mu.Unlock()
		if b != nil {
			if r.take(b) {
				return true
			}
			r.set(s, Outcome{Verdict: Same, Reason: "the break came, and was acknowledged before its turn: the server would not have waited"})
			return false
		}
		select {
		case <-changed:
		case <-ctx.Done():
			r.skip(s, "no break came", "")
			return false
		}
	}
}

// granted has an acknowledgment keep what the target leaves, where the captured one kept
// what the captured server left. [MS-SMB2] 2.2.24
func (r *run) granted(s *Step, b []byte) []byte {
	if s.Break == 0 {
		return b
	}
	captured := &r.plan.Breaks[s.Break-1]
	r.mu.Lock()
	came := r.breaks.turn(captured.Slot, captured.Turn)
	r.mu.Unlock()
	const level, state = headerSize + 2, headerSize + 24
	switch {
	case came == nil:
	case captured.Lease && len(b) >= state+4 && le.Uint32(b[state:]) == captured.Level:
		le.PutUint32(b[state:], uint32(came.Key.New))
	case !captured.Lease && len(b) > level && uint32(b[level]) == captured.Level:
		b[level] = byte(came.Open.OplockLevel)
	}
	return b
}

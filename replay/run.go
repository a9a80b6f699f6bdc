package replay

// A run: its state, its beginning and its end.

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/replay/client"
)

// run is the state of Run. The loop owns the schedule; what steps share is guarded by mu.
type run struct {
	plan *Plan
	o    Options
	dirs map[string]string // prefixes
	t0   time.Time

	mu       sync.Mutex
	values   [][]byte    // of slots; nil as long as nobody brought one
	outcomes []Outcome   // of steps
	live     []*liveConn // of connections
	sessions map[sessionOn]*client.Session
	keyed    map[int]*client.Session // by slot, the first of a session's, also after its connection's end
	late     map[int]*sync.Mutex     // slots that are made on first use
	calls    map[int]*client.Call    // of steps
	opens    map[string]open         // what is open at the target, by FileId
	tainted  map[string][]flows.Range
	listings map[int]*listing
	notices  map[int]*notices
	breaks   breaks
	again    reconnecting
	events   chan event
	finished chan struct{} // closed when nobody takes events any more
	offload  offload
	env      []Difference
	notes    []string
	guids    map[wire.GUID]wire.GUID
	spoiled  map[string]int  // paths that are not what they were: the step that is the cause
	over     map[uint64]bool // ids of sessions that were logged off
	made     []string        // paths at the target, in order
	ended    []bool          // groups that are done
	changed  chan struct{}   // closed when a group is done, or a break has come
}

type sessionOn struct{ slot, conn int }

// open is an open at the target that has not been closed.
type open struct {
	session *client.Session
	tree    uint32
	oplock  smb2.OplockLevel
}

// Run does what the plan says at the target. It returns the result also where it was
// interrupted; what it opened is closed then.
func Run(ctx context.Context, p *Plan, o Options) *Result {
	r := newRun(p, o)
	r.madeUp(p.Manifest())
	r.loop(ctx)
	return r.finish(ctx)
}

func newRun(p *Plan, o Options) *run {
	r := &run{
		plan: p, o: o, dirs: p.prefixes(o.Target.Dir), t0: time.Now(),
		values: make([][]byte, len(p.Slots)), outcomes: make([]Outcome, len(p.Steps)), live: make([]*liveConn, len(p.Conns)),
		sessions: make(map[sessionOn]*client.Session), keyed: make(map[int]*client.Session), late: make(map[int]*sync.Mutex), calls: make(map[int]*client.Call),
		opens: make(map[string]open), tainted: make(map[string][]flows.Range), listings: make(map[int]*listing), notices: make(map[int]*notices), breaks: newBreaks(), again: p.reconnecting(), events: make(chan event, 16), finished: make(chan struct{}), over: make(map[uint64]bool), spoiled: make(map[string]int),
		ended: make([]bool, len(p.Groups)), changed: make(chan struct{}),
	}
	for i := range r.live {
		r.live[i] = &liveConn{index: i}
	}
	for i := range p.Slots {
		s := &p.Slots[i]
		if s.Kind.ours() {
			r.values[i] = newKey()
			r.breaks.slots[string(r.values[i])] = i
		}
		switch {
		case s.Defined != 0:
		case s.Bogus:
			r.values[i] = s.Old
		default:
			r.late[i] = new(sync.Mutex)
		}
	}
	return r
}

// finish closes what is open and makes the result.
func (r *run) finish(ctx context.Context) *Result {
	r.tidy()
	r.lateVerdicts(ctx)
	r.lateNotices()
	r.copiedLess()
	res := &Result{
		Plan: r.plan, Target: r.o.Target, Level: r.o.Level, Outcomes: r.outcomes, Environment: r.env, Notes: r.notes, Made: r.made,
		Interrupted: ctx.Err() != nil, Took: time.Since(r.t0), rules: r.o.Rules,
	}
	if n := r.offload.extra; n > 0 {
		res.Notes = append(res.Notes, fmt.Sprintf("the ranges copied by offload took %d calls that the captured client did not make", n))
	}
	for _, c := range r.live {
		if c.err != nil && !c.reached {
			res.Unreachable = c.err
		}
	}
	for _, c := range r.live {
		if c.reached {
			res.Unreachable = nil
		}
	}
	return res
}

// tidy closes files, sessions and connections, within a few seconds.
func (r *run) tidy() {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	r.mu.Lock()
	opens, sessions := r.opens, r.sessions
	r.opens, r.sessions = nil, nil
	r.mu.Unlock()
	for file, o := range opens {
		m := smb2.CloseRequest{File: smb2.FileID([]byte(file))}
		if _, err := o.session.Do(ctx, &client.Request{Command: smb2.Close, TreeID: o.tree, Body: m.Append(nil)}); err != nil && ctx.Err() != nil {
			break
		}
	}
	off := make(map[uint64]bool)
	for _, s := range sessions {
		if !off[s.ID] && !r.over[s.ID] {
			off[s.ID] = true
			_ = s.Logoff(ctx)
		}
	}
	for _, c := range r.live {
		if c.conn != nil {
			c.conn.Close()
		}
	}
}

// lateVerdicts says of steps without an outcome why they have none.
func (r *run) lateVerdicts(ctx context.Context) {
	for i := range r.plan.Steps {
		s, o := &r.plan.Steps[i], &r.outcomes[i]
		if o.Verdict != Unsent {
			continue
		}
		switch {
		case s.Skip != "":
			o.Verdict, o.Reason = Skipped, s.Skip
		case ctx.Err() != nil:
			o.Reason = "the run was interrupted"
		default:
			o.Reason = "what it waits for did not end"
		}
	}
}

// value returns what fills a slot, nil if nothing does yet.
func (r *run) value(slot int) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.values[slot]
}

func (r *run) setValue(slot int, v []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.values[slot] = append([]byte(nil), v...)
	if k := r.plan.Slots[slot].Kind; k == SlotFile || k == SlotLease {
		r.breaks.slots[string(v)] = slot
	}
}

func (r *run) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text := fmt.Sprintf(format, args...); len(r.notes) < 1000 && !contains(r.notes, text) {
		r.notes = append(r.notes, text)
	}
}

// environment notes a difference of the servers that no request of the capture makes.
func (r *run) environment(field, captured, replayed string) {
	d := Difference{Field: field, Captured: captured, Replayed: replayed}
	r.mu.Lock()
	defer r.mu.Unlock()
	if captured == replayed {
		return
	}
	for _, old := range r.env { // the first of a field is enough
		if old.Field == field {
			return
		}
	}
	r.env = append(r.env, d)
}

// liveConn is a connection at the target.
type liveConn struct {
	index   int
	mu      sync.Mutex // held while it is made
	conn    *client.Conn
	err     error
	reached bool         // the target answered
	heard   atomic.Int64 // when it last did, in nanoseconds since 1970 UTC
	ended   atomic.Bool  // where the captured one did
}

// silent gives a connection up on which nothing has been heard since a request was sent
// that timed out: all that follows would wait as long.
func (c *liveConn) silent(since time.Time) bool {
	if c.heard.Load() >= since.UnixNano() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn.Close()
	return true
}

package replay

// One group: its requests made, sent, waited for, and its answers compared.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay/client"
)

// perform does group g and calls whenSent once all of it has been sent.
func (r *run) perform(ctx context.Context, g int, whenSent func()) {
	group := &r.plan.Groups[g]
	if group.Ends {
		r.end(ctx, group)
		return
	}
	steps := make([]*Step, len(group.Steps))
	for i, id := range group.Steps {
		steps[i] = r.plan.Step(id)
	}
	for _, s := range steps { // compounds stay whole, or are left out
		if s.Skip != "" {
			for _, s := range steps {
				r.skip(s, s.Skip, "another part of the compound is left out")
			}
			return
		}
	}
	first := steps[0]
	switch first.Header.Command {
	case smb2.Negotiate:
		r.negotiate(ctx, first, group.Conn)
	case smb2.SessionSetup:
		r.setUp(ctx, first, group.Conn)
	case smb2.Cancel:
		r.cancel(ctx, first)
	case smb2.OplockBreak:
		if r.acknowledges(ctx, first) {
			r.exchange(ctx, group, steps, whenSent)
		}
	default:
		r.exchange(ctx, group, steps, whenSent)
	}
}

func (r *run) set(s *Step, o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes[s.ID-1] = o
	r.spoil(s, &o)
}

// spoil notes the files that a step should have changed and did not: what is different
// about them from there on is its doing. mu is held.
func (r *run) spoil(s *Step, o *Outcome) {
	cause := s.ID
	switch {
	case s.Skip == notSelected || !r.plan.changes(s):
		return
	case o.Verdict == Blocked && o.Cause != 0:
		cause = o.Cause
	case o.Verdict == Blocked, o.Verdict == Failed, o.Verdict == Skipped:
	case o.Verdict == Differs && slices.ContainsFunc(o.Differences, func(d Difference) bool { return d.Field == "smb2.nt_status" }):
	default:
		return
	}
	for _, path := range []string{s.Exchange.File, strings.TrimPrefix(renamed(s.Request), `\`)} {
		if k := strings.ToLower(path); k != "" && r.spoiled[k] == 0 {
			r.spoiled[k] = cause
		}
	}
}

func (r *run) skip(s *Step, why, otherwise string) {
	if why == "" {
		why = otherwise
	}
	r.set(s, Outcome{Verdict: Skipped, Reason: why})
}

// fail gives all steps that have no outcome the one of an error.
func (r *run) fail(ctx context.Context, steps []*Step, sentAt time.Time, err error) {
	o := Outcome{Verdict: Failed, Reason: err.Error(), Sent: sentAt}
	var missing needs
	switch {
	case errors.As(err, &missing):
		o.Verdict, o.Cause = Blocked, r.rootCause(missing.slot)
		o.Reason = fmt.Sprintf("%s is unknown", &r.plan.Slots[missing.slot])
	case errors.Is(context.Cause(ctx), errNoAnswer):
		o.Reason = errNoAnswer.Error()
	case ctx.Err() != nil:
		o.Verdict, o.Reason = Unsent, "the run was interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		o.Reason = "no answer within " + report.Took(r.o.timeOut())
	case errors.Is(err, client.ErrClosed) && !sentAt.IsZero() && !steps[0].Answered() && r.live[r.plan.Groups[steps[0].Group].Conn].ended.Load():
		o.Verdict, o.Reason = Same, "the capture shows no answer until the connection ends"
	case errors.Is(err, client.ErrClosed) && sentAt.IsZero():
		o.Verdict, o.Cause = Blocked, r.brokenBy(steps[0])
	}
	for _, s := range steps {
		r.mu.Lock()
		if r.outcomes[s.ID-1].Verdict == Unsent && r.outcomes[s.ID-1].Reason == "" {
			r.outcomes[s.ID-1] = o
			r.spoil(s, &o)
		}
		r.mu.Unlock()
	}
}

// rootCause returns the step for which a slot is empty: the first of the chain.
func (r *run) rootCause(slot int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.plan.Slots[slot].Defined
	if d == 0 {
		return 0
	}
	if login := r.plan.Step(d).Login; login != 0 {
		d = login
	}
	switch o := &r.outcomes[d-1]; {
	case o.Verdict == Blocked && o.Cause != 0:
		return o.Cause
	case o.Verdict == Skipped && r.plan.Slots[slot].Kind == SlotToken && r.offload.refused != 0:
		return r.offload.refused
	}
	return d
}

// brokenBy returns the step during which a connection ended; 0 if that is unknown.
func (r *run) brokenBy(s *Step) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	conn := r.plan.Groups[s.Group].Conn
	for i := range r.outcomes {
		if o := &r.outcomes[i]; o.Verdict == Failed && r.plan.Groups[r.plan.Steps[i].Group].Conn == conn {
			return i + 1
		}
	}
	return 0
}

// negotiate makes the connection. What it says is the client's own affair; the dialect is
// what has to agree.
func (r *run) negotiate(ctx context.Context, s *Step, index int) {
	ctx, stop := context.WithTimeout(ctx, r.o.timeOut())
	defer stop()
	o := Outcome{Sent: time.Now()}
	c, err := r.connect(ctx, index)
	o.Received = time.Now()
	status := ntstatus.Success
	if refused, ok := client.StatusOf(err); ok {
		status, err = refused, nil
	}
	if err != nil {
		r.fail(ctx, []*Step{s}, o.Sent, err)
		return
	}
	if s.Answered() {
		o.add("smb2.nt_status", report.StatusName(statusOf(s.Answer)), report.StatusName(status))
		if c != nil {
			if old := r.plan.Conns[index].Dialect; old != 0 {
				o.add("smb2.dialect", old.String(), c.Dialect.String())
			}
			r.negotiated(s, c)
		}
	}
	r.judge(s, &o)
}

// negotiated notes what else two servers differ in.
func (r *run) negotiated(s *Step, c *client.Conn) {
	var d decoder
	m, ok := d.decode(s.Answer, s.AnsSize, nil, slotWant).Body.(*smb2.NegotiateResponse)
	if !ok {
		return
	}
	number := func(v uint32) string { return fmt.Sprint(v) }
	r.environment("smb2.max_trans_size", number(m.MaxTransactSize), number(c.MaxTransact))
	r.environment("smb2.max_read_size", number(m.MaxReadSize), number(c.MaxRead))
	r.environment("smb2.max_write_size", number(m.MaxWriteSize), number(c.MaxWrite))
	r.environment("smb2.capabilities", fmt.Sprintf("0x%08x", uint32(m.Capabilities)), fmt.Sprintf("0x%08x", uint32(c.Capabilities)))
	if m.Ciphers.Len() > 0 {
		r.environment("smb2.negotiate_context.cipher_id", smb2.Cipher(m.Ciphers.At(0)).String(), c.Cipher.String())
	}
	if m.Signings.Len() > 0 {
		r.environment("signing algorithm", smb2.Signing(m.Signings.At(0)).String(), c.Signing.String())
	}
}

// cancel ends another request, if that still waits.
func (r *run) cancel(ctx context.Context, s *Step) {
	r.mu.Lock()
	k := r.calls[s.Cancel]
	r.mu.Unlock()
	if k == nil {
		r.set(s, Outcome{Verdict: Blocked, Cause: s.Cancel, Reason: "what it cancels was not sent"})
		return
	}
	of := r.plan.Step(s.Cancel)
	if of.Answered() && statusOf(of.Answer) != ntstatus.Cancelled { // it came too late
		select {
		case <-k.Done():
		case <-time.After(maxLate):
		case <-ctx.Done():
		}
	}
	o := Outcome{Verdict: Same, Sent: time.Now()}
	select {
	case <-k.Done():
		o.Reason = fmt.Sprintf("step %d is answered already", s.Cancel)
		if of.Answered() && statusOf(of.Answer) == ntstatus.Cancelled {
			o.Verdict = Skipped
		}
	default:
		if err := k.Cancel(ctx); err != nil {
			r.fail(ctx, []*Step{s}, o.Sent, err)
			return
		}
	}
	r.set(s, o)
}

// exchange sends a group and waits for its answers.
func (r *run) exchange(ctx context.Context, group *Group, steps []*Step, whenSent func()) {
	limited, stop := context.WithTimeout(ctx, r.o.timeOut())
	defer stop()
	waiting := limited
	if r.plan.pends(group) {
		waiting = ctx // until the loop gives it up
	}
	k, err := r.session(limited, steps[0])
	if err != nil {
		r.fail(ctx, steps, time.Time{}, err)
		return
	}
	if len(steps) == 1 && k != nil && r.byOffload(limited, steps[0], k) {
		return
	}
	requests := make([]*client.Request, len(steps))
	for i, s := range steps {
		if err := r.prepareSlots(limited, s, k); err != nil {
			r.fail(ctx, steps, time.Time{}, fmt.Errorf("what was there before the capture cannot be had: %w", err))
			return
		}
		requests[i], err = r.request(s)
		var missing needs
		switch {
		case errors.As(err, &missing):
			r.fail(ctx, steps, time.Time{}, err)
			return
		case err != nil:
			for _, s := range steps {
				r.skip(s, err.Error(), "")
			}
			return
		}
	}
	sentAt := time.Now()
	calls, err := r.start(limited, group.Conn, k, requests)
	if err != nil {
		r.fail(ctx, steps, sentAt, err)
		return
	}
	r.mu.Lock()
	for i, s := range steps {
		r.calls[s.ID] = calls[i]
	}
	r.mu.Unlock()
	r.underWay(limited, steps, calls)
	whenSent()
	for i, s := range steps {
		a, err := calls[i].Wait(waiting)
		if err != nil {
			if ctx.Err() != nil { // interrupted: do not leave it behind
				brief, stop := context.WithTimeout(context.Background(), time.Second)
				_ = calls[i].Cancel(brief)
				stop()
			}
			r.fail(ctx, steps[i:], calls[i].Sent, err)
			if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) && r.live[group.Conn].silent(calls[i].Sent) {
				r.note("connection %d was given up after step %d: nothing was heard on it any more", r.plan.Conns[group.Conn].ID, s.ID)
			}
			r.openedLate(steps[i:], calls[i:], k)
			return
		}
		r.answered(limited, s, k, a, calls[i])
	}
}

// start sends requests in a session, or in none.
func (r *run) start(ctx context.Context, conn int, k *client.Session, requests []*client.Request) ([]*client.Call, error) {
	if k != nil {
		return k.Start(ctx, requests...)
	}
	c, err := r.connect(ctx, conn)
	if err != nil {
		return nil, err
	}
	return c.Start(ctx, requests...)
}

// underWay waits until the server has begun with what the captured one answered with an
// interim response: only then is what follows on another connection sure to come after it.
func (r *run) underWay(ctx context.Context, steps []*Step, calls []*client.Call) {
	ctx, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	for i, s := range steps {
		if s.Exchange.InterimFrame == 0 {
			continue
		}
		select {
		case <-calls[i].Pended():
		case <-calls[i].Done():
		case <-ctx.Done():
		}
	}
}

// openedLate takes care of opens that come after their time.
func (r *run) openedLate(steps []*Step, calls []*client.Call, k *client.Session) {
	for i, s := range steps {
		if s.Header.Command != smb2.Create {
			continue
		}
		ctx, stop := context.WithTimeout(context.Background(), time.Second)
		if a, err := calls[i].Wait(ctx); err == nil {
			r.learn(s, k, a)
		}
		stop()
	}
}

// answered takes the answer to a step.
func (r *run) answered(ctx context.Context, s *Step, k *client.Session, a *client.Answer, call *client.Call) {
	o := Outcome{Sent: call.Sent, Received: a.Received, Answer: a.Message}
	r.learn(s, k, a)
	if a.Status == ntstatus.Success {
		r.passOn(s)
	}
	if !s.Answered() {
		o.Verdict, o.Reason = Same, "the capture shows no answer"
		r.set(s, o)
		return
	}
	r.minted(s, a, &o)
	if r.o.Level == Semantic && statusOf(s.Answer) == ntstatus.Success {
		r.wrote(s, lengthWritten(s, a.Message))
	}
	r.compare(ctx, s, k, &o)
	r.judge(s, &o)
}

// learn fills slots from an answer, and follows what is open.
func (r *run) learn(s *Step, k *client.Session, a *client.Answer) {
	var d decoder
	list, m := d.locate(a.Message, len(a.Message), &s.Context)
	if a.Status == ntstatus.Success || a.Status == ntstatus.BufferOverflow {
		taken := make(map[SlotKind]int)
		for _, u := range s.Defines {
			kind := r.plan.Slots[u.Slot].Kind
			if kind == SlotSID {
				r.learnOwners(s, a.Message)
				continue
			}
			if kind == SlotHandle {
				if u.Off+u.Len <= len(a.Message) {
					r.setValue(u.Slot, a.Message[u.Off:u.Off+u.Len])
				}
				continue
			}
			n := 0
			for _, f := range list {
				if f.kind != kind {
					continue
				}
				if n == taken[kind] {
					r.setValue(u.Slot, f.value)
					break
				}
				n++
			}
			taken[kind]++
		}
	}
	switch body := m.Body.(type) {
	case *smb2.SetInfoResponse:
		if to := strings.TrimPrefix(renamed(s.Request), `\`); to != "" && a.Status == ntstatus.Success {
			r.makes(r.path(s, to))
		}
	case *smb2.CreateResponse:
		if k == nil {
			return
		}
		if body.Action == smb2.ActionCreated && !r.onPipe(s) {
			r.makes(r.path(s, s.Exchange.File))
		}
		r.kept(s, a.Message)
		tree := a.TreeID
		if a.Flags&smb2.FlagAsync != 0 {
			tree = treeID(r.value(s.Tree))
		}
		r.opened(body.File[:], open{k, tree, body.OplockLevel})
	case *smb2.CloseResponse:
		for _, u := range s.Uses {
			if v := r.value(u.Slot); v != nil && r.plan.Slots[u.Slot].Kind == SlotFile {
				r.closed(v)
			}
		}
		if len(s.Uses) == 0 { // related: what the compound opened
			r.closedInGroup(s)
		}
	case *smb2.TreeConnectResponse:
		if s.Tree >= 0 && r.plan.Slots[s.Tree].Defined == s.ID {
			var id [4]byte
			le.PutUint32(id[:], a.TreeID)
			r.setValue(s.Tree, id[:])
		}
	case *smb2.LogoffResponse:
		if k == nil {
			return
		}
		r.mu.Lock()
		r.over[k.ID] = true
		for f, o := range r.opens {
			if o.session.ID == k.ID {
				delete(r.opens, f)
			}
		}
		r.mu.Unlock()
	case *smb2.TreeDisconnectResponse:
		if k == nil {
			return
		}
		r.mu.Lock()
		for f, o := range r.opens {
			if o.session.ID == k.ID && o.tree == treeID(r.values[s.Tree]) {
				delete(r.opens, f)
			}
		}
		r.mu.Unlock()
	}
}

func treeID(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return le.Uint32(b)
}

// makes notes a path that a request made.
func (r *run) makes(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, path)
}

// closedInGroup forgets the open of a compound that a related CLOSE ended.
func (r *run) closedInGroup(s *Step) {
	for _, id := range r.plan.Groups[s.Group].Steps {
		for _, u := range r.plan.Step(id).Defines {
			if v := r.value(u.Slot); v != nil && r.plan.Slots[u.Slot].Kind == SlotFile {
				r.closed(v)
			}
		}
	}
}

// add notes a difference if there is one.
func (o *Outcome) add(field, captured, replayed string) {
	if captured != replayed {
		o.Differences = append(o.Differences, Difference{Field: field, Captured: captured, Replayed: replayed})
	}
}

// judge gives a step its verdict.
func (r *run) judge(s *Step, o *Outcome) {
	o.Verdict = Same
	r.o.Rules.apply(s, o, r.environment)
	if len(o.Differences) > 0 {
		o.Verdict = KnownDifference
		for i := range o.Differences {
			d := &o.Differences[i]
			if d.Why = r.o.Known.explain(s, d); d.Why == "" {
				o.Verdict = Differs
			}
		}
	}
	r.mu.Lock()
	cause := r.spoiled[strings.ToLower(s.Exchange.File)]
	r.mu.Unlock()
	if o.Verdict == Differs && cause != 0 && cause < s.ID {
		o.Verdict, o.Cause, o.Reason = Blocked, cause, fmt.Sprintf("the file is not what it was: step %d did not do what it did", cause)
	}
	r.set(s, *o)
}

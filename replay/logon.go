package replay

// Log-ons: new ones, those that bind a session to another connection, and those that
// authenticate a session anew; also where the captured server refused them.

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay/client"
)

// ofUser are the statuses of log-ons that failed because of who it was, or for which
// password: they are played as a user whom nobody knows, and who cannot be locked out.
var ofUser = map[smb2.Status]bool{
	0xc000006d: true, // LOGON_FAILURE
	0xc0000064: true, // NO_SUCH_USER
	0xc000006a: true, // WRONG_PASSWORD
}

// ofAccount are those that only an account in that condition gets.
var ofAccount = map[smb2.Status]bool{
	0xc000006e: true, // ACCOUNT_RESTRICTION
	0xc000006f: true, // INVALID_LOGON_HOURS
	0xc0000070: true, // INVALID_WORKSTATION
	0xc0000071: true, // PASSWORD_EXPIRED
	0xc0000072: true, // ACCOUNT_DISABLED
	0xc000015b: true, // LOGON_TYPE_NOT_GRANTED
	0xc0000193: true, // ACCOUNT_EXPIRED
	0xc0000224: true, // PASSWORD_MUST_CHANGE
	0xc0000234: true, // ACCOUNT_LOCKED_OUT
}

// setUp logs on. The first request of a log-on stands for all of its round trips.
func (r *run) setUp(ctx context.Context, s *Step, index int) {
	if s.Login != s.ID {
		r.mu.Lock()
		first := r.outcomes[s.Login-1]
		r.mu.Unlock()
		if first.Verdict == Blocked || first.Verdict == Failed || first.Verdict == Skipped || first.Verdict == Unsent {
			r.set(s, Outcome{Verdict: Blocked, Cause: s.Login})
			return
		}
		first.Differences, first.Reason = nil, fmt.Sprintf("part of the log-on of step %d", s.Login)
		first.Verdict, first.Answer = Same, nil
		first.Sent, first.Received = time.Time{}, time.Time{}
		r.set(s, first)
		return
	}
	last := r.plan.lastRound(s.ID)
	want := ntstatus.Success
	if last.Answered() {
		want = statusOf(last.Answer)
	}
	if want == ntstatus.MoreProcessingRequired {
		want = ntstatus.Success // the rest is not in the capture
	}
	if ofAccount[want] {
		r.skip(s, fmt.Sprintf("the captured log-on failed with %s, which is a condition of that account", report.StatusName(want)), "")
		return
	}
	ctx, stop := context.WithTimeout(ctx, r.o.timeOut())
	defer stop()
	o := Outcome{Sent: time.Now()}
	k, err := r.logOn(ctx, s, index, want)
	o.Received = time.Now()
	status := ntstatus.Success
	if refused, ok := client.StatusOf(err); ok {
		status, err = refused, nil
	}
	if err != nil {
		r.fail(ctx, []*Step{s}, o.Sent, err)
		return
	}
	o.add("smb2.nt_status", report.StatusName(want), report.StatusName(status))
	if k != nil && err == nil && want == ntstatus.Success && last.Answered() && len(last.Answer) >= headerSize+4 {
		r.environment("smb2.session_flags", fmt.Sprintf("0x%04x", le.Uint16(last.Answer[headerSize+2:])&3), fmt.Sprintf("0x%04x", uint16(k.Flags)&3))
	}
	r.judge(s, &o)
}

func bindsSession(s *Step) bool {
	return len(s.Request) > headerSize+3 && s.Request[headerSize+2]&1 != 0
}

// logOn does what a captured log-on did. The session is nil where there is none of its own.
func (r *run) logOn(ctx context.Context, s *Step, index int, want smb2.Status) (*client.Session, error) {
	c, err := r.connect(ctx, index)
	if err != nil {
		return nil, err
	}
	slot := s.Session
	known := slot >= 0 && (r.plan.Slots[slot].Defined == 0 || r.plan.Step(r.plan.Slots[slot].Defined).Login != s.ID)
	stranger := ofUser[want] || known && want != ntstatus.Success && r.plan.stranger(s.ID, slot)
	if !known && !stranger && slot >= 0 {
		return r.newSession(ctx, slot, index, s)
	}
	who := r.credentials(slot, s)
	if stranger {
		who = &client.Credentials{User: "odxray-" + hex.EncodeToString(newKey()[:4]), Password: hex.EncodeToString(newKey())}
	}
	if !known {
		k, err := c.Login(ctx, who)
		if err == nil { // nothing of the capture is done in it
			_ = k.Logoff(ctx)
		}
		return k, err
	}
	r.mu.Lock()
	here, any := r.sessions[sessionOn{slot, index}], r.keyed[slot]
	r.mu.Unlock()
	if any == nil {
		v := r.value(slot)
		if v == nil {
			return nil, needs{slot}
		}
		any = c.Orphan(le.Uint64(v))
	}
	if bindsSession(s) {
		who.Anyhow = want != ntstatus.Success
		k, err := any.Bind(ctx, c, who)
		if err == nil {
			r.addSession(sessionOn{slot, index}, k)
		}
		return k, err
	}
	if here == nil {
		here = c.Orphan(any.ID)
	}
	return here, here.Reauthenticate(ctx, who)
}

// stranger reports whether a log-on is of another user than the session.
func (p *Plan) stranger(login, slot int) bool {
	first := p.Slots[slot].Defined
	if first == 0 {
		return false
	}
	user, named := p.users[login]
	owner, known := p.users[p.Step(first).Login]
	return named && known && user != "" && user != owner
}

// newSession logs on, for a step of the capture or because that begins later.
func (r *run) newSession(ctx context.Context, slot, index int, first *Step) (*client.Session, error) {
	c, err := r.connect(ctx, index)
	if err != nil {
		return nil, err
	}
	s, err := c.Login(ctx, r.credentials(slot, first))
	if err != nil {
		return nil, err
	}
	var id [8]byte
	le.PutUint64(id[:], s.ID)
	r.addSession(sessionOn{slot, index}, s)
	r.setValue(slot, id[:])
	return s, nil
}

package server

import (
	"fmt"
	"sync"
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// chain is the messages of one frame, and their answers. [MS-SMB2] 3.3.5.2.7
type chain struct {
	c      *conn
	sealed *session // they came encrypted, and so go the answers
	dec    *smb2.Decoder

	out     []byte
	answers []answer // in out

	// What a related request goes on with.
	sid    uint64
	tid    uint32
	open   *open
	failed status // of the request before

	headless bool // it began with a related request
	memo     any  // of the connection's Player
}

// answer is one answer of a chain.
type answer struct {
	off    int
	signer *seal.Signer
	hash   *seal.Preauth // takes the answer as it is sent
	wrong  bool          // its signature is
}

var decoders = sync.Pool{New: func() any { return new(smb2.Decoder) }}

func newChain(c *conn, sealed *session) *chain { return &chain{c: c, sealed: sealed} }

// request is one message of a chain. It belongs to who has the connection's turn.
type request struct {
	*chain
	h         smb2.Header
	raw       []byte // from its header to the next one
	sess      *session
	tree      *tree
	file      *open    // the open that its FileId means, once a handler asked for it
	pending   *pending // not nil once the client was told to wait
	asyncID   uint64   // of the interim answer, if the client got one
	pendingID uint64
	began     time.Time
	detail    string // for the log
	related   bool
	middle    bool // others come after it

	body []byte        // the body of the answer, once there is one
	hash *seal.Preauth // takes the answer
	sign *seal.Signer  // signs the answer, though the request was not signed
	last func()        // is done once the answer has gone

	// unsigned has an answer that nothing signs say that it is signed, as Windows does
	// where the session is not one of the connection: clients look no further.
	unsigned bool

	// Faults.
	starved        *int64 // the most credits that the answer grants; nil for no limit
	wrongSignature bool
}

// run handles the chain. An error ends the connection.
func (ch *chain) run(b []byte) error {
	ch.dec = decoders.Get().(*smb2.Decoder)
	defer decoders.Put(ch.dec)
	cursor := wire.New(b, nil)
	var after []func()
	for first := true; cursor.Len() > 0; first = false {
		at := len(b) - cursor.Len()
		m := ch.dec.Decode(&cursor, nil)
		if cursor.Failed() {
			ch.flush()
			return fmt.Errorf("%w: %w", errProtocol, cursor.Cause())
		}
		if at > 0 && at%8 != 0 || m.Flags&smb2.FlagResponse != 0 {
			ch.flush()
			return errProtocol
		}
		r := &request{chain: ch, h: m.Header, raw: b[at : len(b)-cursor.Len()], began: time.Now(), middle: cursor.Len() > 0}
		r.h.Signature = nil
		if m.Command == smb2.Cancel {
			if ch.allowed(r) == ntstatus.Success {
				ch.c.cancelRequest(&r.h)
			}
			continue
		}
		if err := ch.credit(r); err != nil {
			ch.flush()
			return err
		}
		if ch.c.dialect == 0 && m.Command != smb2.Negotiate {
			return fmt.Errorf("%v before NEGOTIATE: %w", m.Command, errProtocol)
		}
		r.related = m.Flags&smb2.FlagRelated != 0
		st := ch.prepare(r, first)
		if st == ntstatus.Success {
			if st = ch.serve(r, m); st == errHangUp {
				ch.flush()
				return errProtocol
			}
			if st == errSilent {
				if r.pending != nil {
					r.finish()
				}
				continue
			}
		}
		ch.answer(r, st)
		if r.last != nil {
			after = append(after, r.last)
		}
	}
	ch.flush()
	for _, f := range after {
		f()
	}
	return nil
}

// errHangUp is no status: the connection ends without an answer.
const errHangUp status = 0xffffffff

// credit takes the MessageIds that r uses. [MS-SMB2] 3.3.5.2.3
func (ch *chain) credit(r *request) error {
	n := 1
	if ch.c.dialect >= smb2.Dialect210 && ch.c.dialect != smb2.DialectWildcard && ch.c.caps&smb2.CapLargeMTU != 0 {
		n = max(int(r.h.CreditCharge), 1)
	}
	if !ch.c.window.take(r.h.MessageID, n) {
		return fmt.Errorf("MessageId %d with a charge of %d was not granted: %w", r.h.MessageID, n, errProtocol)
	}
	return nil
}

// prepare finds the session and the tree of r, and checks its signature.
func (ch *chain) prepare(r *request, first bool) status {
	if r.related {
		if first || ch.headless {
			ch.headless = true
			return ntstatus.InvalidParameter
		}
		r.h.SessionID, r.h.TreeID = ch.sid, ch.tid
	} else {
		ch.failed, ch.open, ch.headless = ntstatus.Success, nil, false
	}
	ch.sid, ch.tid = r.h.SessionID, r.h.TreeID
	if st := ch.allowed(r); st != ntstatus.Success {
		return st
	}
	switch r.h.Command {
	case smb2.Negotiate, smb2.SessionSetup:
		return ntstatus.Success
	case smb2.Notification:
		return ntstatus.InvalidParameter
	case smb2.Echo:
		if r.h.SessionID == 0 {
			return ntstatus.Success
		}
	}
	if r.sess == nil || !r.sess.established {
		r.unsigned = r.sess == nil && r.h.Flags&smb2.FlagSigned != 0
		return ntstatus.UserSessionDeleted
	}
	switch r.h.Command {
	case smb2.Logoff, smb2.TreeConnect, smb2.Echo, smb2.OplockBreak:
		return ntstatus.Success
	}
	if r.tree = r.sess.trees[r.h.TreeID]; r.tree == nil {
		return ntstatus.NetworkNameDeleted
	}
	return ntstatus.Success
}

// allowed finds the session and checks that r is protected as it has to be.
// [MS-SMB2] 3.3.5.2.4, 3.3.5.2.5, 3.3.5.2.9
func (ch *chain) allowed(r *request) status {
	r.sess = ch.c.sessions[r.h.SessionID]
	x := r.sess
	if x == nil {
		return ntstatus.Success
	}
	if ch.sealed != nil {
		if ch.sealed != x {
			return ntstatus.AccessDenied
		}
		return ntstatus.Success
	}
	signed := r.h.Flags&smb2.FlagSigned != 0
	switch signer := x.signer(ch.c); {
	case x.encrypt && r.h.Command != smb2.SessionSetup:
		return ntstatus.AccessDenied
	case signed && signer != nil:
		if !signer.Verify(r.raw) {
			ch.c.logf("%v with a wrong signature", r.h.Command)
			return ntstatus.AccessDenied
		}
	case x.signed && !signed:
		return ntstatus.AccessDenied
	}
	return ntstatus.Success
}

// answer appends the answer to r.
func (ch *chain) answer(r *request, st status) {
	ch.failed = st
	if r.pending != nil {
		r.finish()
	}
	h := smb2.Header{
		CreditCharge: r.h.CreditCharge, Status: st, Command: r.h.Command,
		Flags:     smb2.FlagResponse | r.h.Flags&(smb2.FlagRelated|priorityMask),
		MessageID: r.h.MessageID, TreeID: r.h.TreeID, SessionID: r.h.SessionID,
	}
	if r.asyncID != 0 {
		h.Flags |= smb2.FlagAsync
		h.AsyncID = r.asyncID
	} else {
		h.Credits = r.grant()
	}
	ch.append(r, &h, r.body)
	if st.IsError() && st != ntstatus.MoreProcessingRequired {
		ch.c.s.stats.failed(r.h.Command)
	}
	ch.c.s.stats.done(r.h.Command, time.Since(r.began))
	r.trace(st)
}

// priorityMask is where dialect 3.1.1 has a priority in the flags.
const priorityMask smb2.Flags = 0x70

// append appends a message with a body, or without one the body of an error.
func (ch *chain) append(r *request, h *smb2.Header, body []byte) {
	a := answer{hash: r.hash, wrong: r.wrongSignature}
	if ch.sealed == nil {
		if a.signer = r.signer(h.Status); a.signer != nil || r.unsigned && h.Status.IsError() {
			h.Flags |= smb2.FlagSigned
		}
	}
	if n := len(ch.answers); n > 0 {
		ch.out = wire.Align(ch.out, 0, 8)
		last := ch.answers[n-1].off
		wire.PutU32(ch.out[last+20:], uint32(len(ch.out)-last)) // NextCommand
	}
	a.off = len(ch.out)
	ch.out = h.Append(ch.out)
	if body == nil {
		body = (&smb2.ErrorResponse{}).Append(nil)
	}
	ch.out = append(ch.out, body...)
	ch.answers = append(ch.answers, a)
}

// signer returns what signs the answer to r, or nil.
func (r *request) signer(st status) *seal.Signer {
	if r.sign != nil {
		return r.sign
	}
	x := r.sess
	if x == nil || r.h.Command == smb2.Negotiate {
		return nil
	}
	signer := x.signer(r.c)
	if signer == nil {
		return nil
	}
	if r.h.Command == smb2.SessionSetup && st != ntstatus.Success && !x.established {
		return nil
	}
	if st == ntstatus.Pending && r.c.signing == smb2.AESGMAC {
		return nil // the nonce is the MessageId, and the answer proper will need it
	}
	if x.signed || r.h.Flags&smb2.FlagSigned != 0 {
		return signer
	}
	return nil
}

// flush sends what is ready.
func (ch *chain) flush() {
	if len(ch.answers) == 0 {
		return
	}
	if len(ch.answers) > 1 {
		ch.out = wire.Align(ch.out, 0, 8) // as Windows does: the last of several, too
	}
	for i, a := range ch.answers {
		end := len(ch.out)
		if i+1 < len(ch.answers) {
			end = ch.answers[i+1].off
		}
		b := ch.out[a.off:end]
		if a.signer != nil {
			sig := a.signer.Sign(b)
			if a.wrong {
				sig[0] ^= 1
			}
			copy(b[48:], sig[:])
		}
		if a.hash != nil {
			a.hash.Add(b)
		}
	}
	ch.c.send(ch.out, ch.sealed)
	ch.out, ch.answers = ch.out[:0], ch.answers[:0]
}

// begin tells the client to wait: STATUS_PENDING, unless others of the chain come after
// this request. It returns false if too many requests wait already. [MS-SMB2] 3.3.4.2
func (r *request) begin() bool {
	if r.pending != nil {
		return true
	}
	c := r.c
	if len(c.pending) >= c.s.cfg.Limits.Pending || c.waiting+len(r.raw) > maxWaiting {
		return false
	}
	c.nextID++
	r.pendingID = c.nextID
	r.pending = &pending{messageID: r.h.MessageID, session: r.sess, open: r.file, cancel: make(chan struct{})}
	c.pending[r.pendingID] = r.pending
	c.waiting += len(r.raw)
	if r.middle {
		return true // those after it could not tell an interim answer from theirs
	}
	r.flush()
	r.asyncID = r.pendingID
	h := smb2.Header{
		CreditCharge: r.h.CreditCharge, Status: ntstatus.Pending, Command: r.h.Command, Credits: r.grant(),
		Flags: smb2.FlagResponse | smb2.FlagAsync, MessageID: r.h.MessageID, AsyncID: r.asyncID, SessionID: r.h.SessionID,
	}
	r.append(r, &h, nil)
	r.flush()
	return true
}

// finish forgets that r waited.
func (r *request) finish() {
	delete(r.c.pending, r.pendingID)
	r.c.waiting -= len(r.raw)
}

// wait gives the connection's turn away until one of the channels is ready. It returns
// false if the request was cancelled, or the connection ended. begin comes first.
func (r *request) wait(ready <-chan struct{}, timeout time.Duration) (ok, late bool) {
	r.c.turn.give()
	var timer <-chan time.Time
	if timeout > 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ready:
		ok = true
	case <-timer:
		ok, late = true, true
	case <-r.pending.cancel:
	case <-r.c.done:
	}
	r.c.turn.take(nil)
	return ok, late
}

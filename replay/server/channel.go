package server

import (
	"strings"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
)

// channel is a connection that carries a session. Each has its own key to sign with;
// encryption keys are those of the session. [MS-SMB2] 3.3.1.14
type channel struct {
	c      *conn
	signer *seal.Signer // nil for guests
}

// maxChannels is how many connections a session has at most, as Windows has it.
const maxChannels = 32

// terms are what a session was set up with, for connections that want to carry it too.
// They do not change.
type terms struct {
	dialect smb2.Dialect
	cipher  smb2.Cipher
	signing smb2.Signing
	key     []byte // to sign with; nil for guests
	user    string
}

// signer signs what a connection says in the session; nil if nothing does.
func (x *session) signer(c *conn) *seal.Signer {
	for _, ch := range x.channels {
		if ch.c == c {
			return ch.signer
		}
	}
	return nil
}

// reach returns a connection of the session that goes on, or nil. Server.mu is held.
func (x *session) reach() *conn {
	for _, ch := range x.channels {
		if !ch.c.ended() {
			return ch.c
		}
	}
	return nil
}

// stop ends the waiting of requests.
func (x *session) stop(meant func(*pending) bool) {
	for _, ch := range x.channels {
		for _, p := range ch.c.pending {
			if meant(p) {
				p.stop()
			}
		}
	}
}

// lose takes a connection from the session, which ends with its last one.
// [MS-SMB2] 3.3.7.1
func (x *session) lose(c *conn) {
	x.s.mu.Lock()
	left := x.channels[:0:0]
	for _, ch := range x.channels {
		if ch.c != c {
			left = append(left, ch)
		}
	}
	if len(left) > 0 {
		x.channels = left
	}
	x.s.mu.Unlock()
	if len(left) == 0 {
		x.finish(true)
	}
}

// binding is a session set-up that gives a session another connection.
type binding struct {
	x       *session
	terms   *terms
	signer  *seal.Signer // of the session: it proves that the client knows it
	login   login
	preauth seal.Preauth
}

// bind serves SESSION_SETUP with SMB2_SESSION_FLAG_BINDING. Nothing of the session is
// touched before the client has proved that it has its key. [MS-SMB2] 3.3.5.5
func (r *request) bind(m *smb2.SessionSetupRequest) status {
	c, s := r.c, r.c.s
	if r.sess != nil {
		return ntstatus.RequestNotAccepted
	}
	r.unsigned = true
	b, st := r.binding()
	if st != ntstatus.Success {
		return st
	}
	if len(c.binding) >= maxSessions && c.binding[r.h.SessionID] == nil {
		return ntstatus.InsufficientResources
	}
	c.binding[r.h.SessionID] = b
	if c.dialect == smb2.Dialect311 {
		b.preauth.Add(r.raw)
	}
	token, st := b.login.step(s, m)
	if st == ntstatus.MoreProcessingRequired {
		r.hash = &b.preauth
		r.body = (&smb2.SessionSetupResponse{SecurityBlob: token}).Append(nil)
		return st
	}
	delete(c.binding, r.h.SessionID)
	switch {
	case st != ntstatus.Success:
	case b.login.guest:
		st = ntstatus.NotSupported
	case !strings.EqualFold(b.login.user, b.terms.user):
		st = ntstatus.AccessDenied
	}
	if st != ntstatus.Success {
		s.stats.logonFailures.Add(1)
		c.logf("binding of session %#x by %q failed: %v", r.h.SessionID, b.login.user, st)
		return st
	}
	return r.bound(b, token)
}

// binding finds the set-up that a request belongs to, or begins one.
func (r *request) binding() (*binding, status) {
	c, s := r.c, r.c.s
	s.mu.Lock()
	x := s.sessions[r.h.SessionID]
	var t *terms
	if x != nil {
		t = x.terms
	}
	s.mu.Unlock()
	switch {
	case x == nil:
		return nil, ntstatus.UserSessionDeleted
	case t == nil:
		return nil, ntstatus.RequestNotAccepted
	case t.key == nil:
		return nil, ntstatus.NotSupported
	case r.h.Flags&smb2.FlagSigned == 0:
		return nil, ntstatus.InvalidParameter
	}
	b := c.binding[r.h.SessionID]
	if b == nil || b.x != x {
		b = &binding{x: x, terms: t, signer: seal.NewSigner(t.signing, t.key), preauth: c.preauth}
	}
	known := b.signer.Verify(r.raw)
	if known {
		r.sign = b.signer
	}
	switch {
	// AES-GMAC goes with no other algorithm; Windows says so in two ways.
	case c.signing == smb2.AESGMAC && t.signing != smb2.AESGMAC:
		return nil, ntstatus.NotSupported
	case c.signing != smb2.AESGMAC && t.signing == smb2.AESGMAC:
		return nil, statusOutOfSequence
	case c.caps&smb2.CapMultiChannel == 0:
		return nil, ntstatus.RequestNotAccepted
	case t.dialect != c.dialect || t.cipher != c.cipher:
		return nil, ntstatus.InvalidParameter
	case !known:
		c.logf("binding of session %#x with a wrong signature", r.h.SessionID)
		return nil, ntstatus.AccessDenied
	}
	return b, ntstatus.Success
}

// bound gives the session its connection.
func (r *request) bound(b *binding, token []byte) status {
	c, s, x := r.c, r.c.s, b.x
	c.turn.join(x.turn)
	if !x.established {
		return ntstatus.UserSessionDeleted
	}
	if len(c.sessions) >= maxSessions || len(x.channels) >= maxChannels {
		return ntstatus.InsufficientResources
	}
	keys := seal.Derive(c.dialect, c.cipher, b.login.key, &b.preauth)
	ch := &channel{c: c, signer: seal.NewSigner(c.signing, keys.Signing)}
	s.mu.Lock()
	x.channels = append(x.channels, ch)
	s.mu.Unlock()
	c.sessions[x.id] = x
	c.loggedOn.Store(true)
	r.sess, r.sign = x, ch.signer
	c.logf("session %#x: another connection of %s", x.id, x.user)
	flags := smb2.SessionFlags(0)
	if x.encrypt {
		flags = smb2.SessionEncrypt
	}
	r.body = (&smb2.SessionSetupResponse{Flags: flags, SecurityBlob: token}).Append(nil)
	return ntstatus.Success
}

package client

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// Session is a session on one connection; Bind gives it another, as a Session of the
// same ID.
type Session struct {
	ID    uint64
	Flags smb2.SessionFlags
	Conn  *Conn

	keys   *keys        // shared by the connections of the session
	sign   *seal.Signer // guarded by Conn.sending; nil for guests and nobody
	verify *seal.Signer // the reader's
	signs  bool         // all that is not encrypted

	trees map[uint32]bool // whether a tree encrypts; guarded by Conn.mu
}

// keys are those that all connections of a session share.
type keys struct {
	signing  []byte // of the first connection
	toServer cipher.AEAD
	toClient cipher.AEAD
	encrypt  bool // everything
	nonce    atomic.Uint64
	prefix   [4]byte // of nonces, to fill them up
}

// Start sends requests as one compound, or one request alone, and returns a Call for
// each. It waits for credits as long as ctx lasts. The error is an ErrNoCredits, an
// ErrClosed or that of ctx; nothing was sent unless it is an ErrClosed.
func (s *Session) Start(ctx context.Context, requests ...*Request) ([]*Call, error) {
	return s.Conn.start(ctx, s, requests...)
}

// Do is Start and Wait for one request.
func (s *Session) Do(ctx context.Context, r *Request) (*Answer, error) {
	calls, err := s.Start(ctx, r)
	if err != nil {
		return nil, err
	}
	return calls[0].Wait(ctx)
}

// Encrypts tells whether everything in the session is encrypted.
func (s *Session) Encrypts() bool { return s.keys.encrypt }

// Signs tells whether everything in the session that is not encrypted is signed.
func (s *Session) Signs() bool { return s.signs }

// encrypts tells whether a request is: that session, or its tree, demands it.
func (s *Session) encrypts(r *Request) bool {
	if s == nil || s.keys.toServer == nil || r.Command == smb2.SessionSetup {
		return false
	}
	s.Conn.mu.Lock()
	defer s.Conn.mu.Unlock()
	return s.keys.encrypt || s.trees[r.TreeID]
}

// mustSign tells whether a request is signed in a session that does not sign all:
// "If Connection.Dialect is 3.1.1, TREE_CONNECT", and what guards the negotiation.
// [MS-SMB2] 3.2.4.1.1
func (s *Session) mustSign(requests []*Request, i int) bool {
	r := requests[i]
	switch r.Command {
	case smb2.TreeConnect:
		return s.Conn.Dialect == smb2.Dialect311
	case smb2.Ioctl:
		return len(r.Body) >= 8 && fscc.Code(wire.GetU32(r.Body[4:])) == fscc.ValidateNegotiate
	}
	return r.Flags&smb2.FlagSigned != 0
}

// seal encrypts a unit.
func (s *Session) seal(plain []byte) []byte {
	nonce := make([]byte, s.keys.toServer.NonceSize())
	wire.PutU64(nonce, s.keys.nonce.Add(1))
	copy(nonce[8:], s.keys.prefix[:])
	return seal.Seal(nil, s.keys.toServer, nonce, s.ID, plain)
}

const shareEncrypts = 0x00008000 // SMB2_SHAREFLAG_ENCRYPT_DATA

// learnTree takes note of a tree that the server has just granted.
func (s *Session) learnTree(h *smb2.Header, b []byte) {
	if s == nil || h.Flags&smb2.FlagAsync != 0 {
		return
	}
	var d smb2.Decoder
	if r, ok := decode(&d, b).Body.(*smb2.TreeConnectResponse); ok {
		s.Conn.mu.Lock()
		s.trees[h.TreeID] = r.ShareFlags&shareEncrypts != 0
		s.Conn.mu.Unlock()
	}
}

// Logoff ends the session on all its connections.
func (s *Session) Logoff(ctx context.Context) error {
	return s.ask(ctx, "", &Request{Command: smb2.Logoff, Body: (*smb2.LogoffRequest).Append(nil, nil)})
}

// ask sends a request the answer of which says nothing but its status.
func (s *Session) ask(ctx context.Context, what string, r *Request) error {
	_, err := s.must(ctx, what, r)
	return err
}

// must is Do with a StatusError for all but success.
func (s *Session) must(ctx context.Context, what string, r *Request) (*Answer, error) {
	ctx, cancel := s.Conn.o.bound(ctx, r.Command.Name())
	defer cancel()
	a, err := s.Do(ctx, r)
	if err == nil && a.Status != ntstatus.Success {
		err = &StatusError{Command: r.Command, Status: a.Status, What: what}
	}
	return a, err
}

// bound is a context that ends with the Timeout too, and then says for what.
func (o *Options) bound(ctx context.Context, what string) (context.Context, context.CancelFunc) {
	if o.Timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, o.Timeout, fmt.Errorf("no answer to %s within %v: %w", what, o.Timeout, context.DeadlineExceeded))
}

// AcknowledgeBreak answers a break with what the client goes on with: an oplock level,
// or the state of a lease. tree is that of the open that the break is about.
// [MS-SMB2] 3.2.5.19
func (s *Session) AcknowledgeBreak(ctx context.Context, b *Break, tree uint32, level smb2.OplockLevel, state smb2.LeaseState) error {
	r := &Request{Command: smb2.OplockBreak, TreeID: tree}
	if b.Lease {
		r.Body = (&smb2.LeaseBreakAcknowledgment{Key: b.Key.Key, State: state}).Append(nil)
	} else {
		r.Body = (&smb2.OplockBreakAcknowledgment{OplockLevel: level, File: b.Open.File}).Append(nil)
	}
	return s.ask(ctx, "", r)
}

var errNoKeys = errors.New("the session has no key")

package server

import (
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// Script answers requests in the place of the server's own handlers: the captured server
// is one. Connections, sessions, credits, signatures and encryption stay the server's.
type Script interface {
	Connect(c Caller) Player
}

// Caller is the connection that a Player plays on. Its methods may be called from any
// goroutine.
type Caller interface {
	Logf(format string, args ...any)
	// Break sends an oplock or lease break notification: its body.
	Break(session uint64, body []byte)
}

// Player answers the requests of one connection. Its methods are called by one goroutine
// at a time.
type Player interface {
	// Negotiate says how the server negotiates; nil leaves that to it.
	Negotiate(m *smb2.NegotiateRequest) *Manner
	// Encrypts reports whether a session that somebody has logged on to must encrypt.
	Encrypts(user string) bool
	// Answer returns the answer to a request; nil leaves that to the server. It is not asked
	// about NEGOTIATE, SESSION_SETUP, CANCEL and ECHO.
	Answer(a *Asked) *Reply
	// File returns the path of a file that the player opened, relative to its share; "" for
	// others. It is for faults, which are told about files by name.
	File(id smb2.FileID) string
	Close()
}

// Manner is what a server says in NEGOTIATE, as far as the client offers it.
type Manner struct {
	Dialect                     smb2.Dialect
	Mode                        smb2.SecurityMode
	Capabilities                smb2.Capabilities
	Transact, MaxRead, MaxWrite uint32 // bytes
	Cipher                      smb2.Cipher
	Signing                     smb2.Signing
	Ciphers, Signings           bool // the contexts were there
}

// Asked is a request.
type Asked struct {
	*smb2.Message
	Raw     []byte // from its header on
	Session uint64
	Tree    uint32
	Related bool
	Chain   *any // of the player's own: one for each compound
}

// Reply is the answer to one.
type Reply struct {
	// Wait, if not nil, has the client told to wait until it is closed, or Patience is over;
	// 0 is no end. Whatever waits can be cancelled.
	Wait     <-chan struct{}
	Patience time.Duration

	// Make makes the answer once it is due. The body begins with its StructureSize; nil is
	// that of an error.
	Make func() (st smb2.Status, body []byte)

	// Connected, if not nil, hears which tree a TREE_CONNECT made.
	Connected func(tree uint32)

	// Lab, if not nil, has the server's own handlers answer instead of Make: on an open of
	// this file, which they make first, as a CREATE request asks for it.
	Lab *LabOpen
}

// LabOpen is the server's own open behind one of a Player's.
type LabOpen struct {
	Create []byte // the request, from its header on
	id     smb2.FileID
	made   bool
}

// play has the player answer a request. It returns false if the server itself has to.
func (ch *chain) play(r *request, m *smb2.Message) (status, bool) {
	p := ch.c.player
	switch m.Command {
	case smb2.Negotiate, smb2.SessionSetup, smb2.Echo:
		return 0, false
	}
	if p == nil || m.Err != nil {
		return 0, false
	}
	a := p.Answer(&Asked{Message: m, Raw: r.raw, Session: r.h.SessionID, Tree: r.h.TreeID, Related: r.related, Chain: &ch.memo})
	if a == nil {
		return 0, false
	}
	if a.Lab != nil {
		return r.byLab(m, a.Lab)
	}
	if a.Wait != nil {
		if !r.begin() {
			return ntstatus.InsufficientResources, true
		}
		if ok, _ := r.wait(a.Wait, a.Patience); !ok {
			return ntstatus.Cancelled, true
		}
		if r.sess != nil && !r.sess.established {
			return ntstatus.UserSessionDeleted, true
		}
	}
	st, body := a.Make()
	if r.body = body; m.Command == smb2.TreeConnect && st == ntstatus.Success {
		if len(r.sess.trees) >= ch.c.s.cfg.Limits.Trees {
			r.body = nil
			return ntstatus.InsufficientResources, true
		}
		r.sess.nextTree++
		t := &tree{id: r.sess.nextTree, pipe: len(body) > 2 && smb2.ShareType(body[2]) == smb2.SharePipe}
		r.sess.trees[t.id] = t
		if r.h.TreeID, ch.tid = t.id, t.id; a.Connected != nil {
			a.Connected(t.id)
		}
	}
	return st, true
}

// byLab answers a request on an open of the server's own, which it makes at first.
func (r *request) byLab(m *smb2.Message, o *LabOpen) (status, bool) {
	if !o.made {
		dec := new(smb2.Decoder)
		cursor := wire.New(o.Create, nil)
		first := &request{chain: r.chain, h: r.h, raw: o.Create, sess: r.sess, tree: r.tree, began: r.began, middle: true}
		create := dec.Decode(&cursor, nil)
		body, ok := create.Body.(*smb2.CreateRequest)
		if !ok || create.Err != nil {
			return ntstatus.InvalidParameter, true
		}
		body.Disposition, body.OplockLevel, body.Contexts = smb2.Open, smb2.OplockNone, 0
		st := r.chain.handle(first, create)
		if first.pending != nil {
			first.finish()
		}
		if st != ntstatus.Success {
			return st, true
		}
		o.id, o.made = fileOf(first.body), true
	}
	if id := fileID(m); id != nil {
		*id = o.id
	}
	return r.chain.handle(r, m), true
}

// fileID is where a request has its FileId, nil if it has none.
func fileID(m *smb2.Message) *smb2.FileID {
	switch b := m.Body.(type) {
	case *smb2.ReadRequest:
		return &b.File
	case *smb2.WriteRequest:
		return &b.File
	case *smb2.IoctlRequest:
		return &b.File
	case *smb2.CloseRequest:
		return &b.File
	case *smb2.FlushRequest:
		return &b.File
	case *smb2.LockRequest:
		return &b.File
	case *smb2.QueryInfoRequest:
		return &b.File
	case *smb2.SetInfoRequest:
		return &b.File
	case *smb2.QueryDirectoryRequest:
		return &b.File
	case *smb2.ChangeNotifyRequest:
		return &b.File
	}
	return nil
}

// caller is a connection as a Player sees it.
type caller struct{ c *conn }

func (k caller) Logf(format string, args ...any) { k.c.logf(format, args...) }

func (k caller) Break(session uint64, body []byte) {
	h := smb2.Header{Command: smb2.OplockBreak, Flags: smb2.FlagResponse, MessageID: ^uint64(0)}
	message := append(h.Append(nil), body...)
	go func() { // its session is known to who has the turn
		if !k.c.turn.take(k.c.done) {
			return
		}
		x := k.c.sessions[session]
		if x == nil || !x.encrypt {
			x = nil
		}
		k.c.turn.give()
		k.c.post(message, x)
	}()
}

// fileOf is the FileId in the body of a CREATE response. [MS-SMB2] 2.2.14
func fileOf(body []byte) (id smb2.FileID) {
	const at = 64
	if len(body) >= at+len(id) {
		copy(id[:], body[at:])
	}
	return id
}

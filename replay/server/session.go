package server

import (
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// session is somebody who logged on, or is about to. [MS-SMB2] 3.3.1.8
type session struct {
	s        *Server
	id       uint64
	turn     *turn      // of its first connection, and so of all
	channels []*channel // guarded by Server.mu, too
	terms    *terms     // under Server.mu; nil until it is established

	// Under the turn.
	established bool
	user        string // DOMAIN\user, or guest
	guest       bool
	login       *login // under way
	preauth     seal.Preauth
	signed      bool // every message has to be
	encrypt     bool // every message has to be
	opener      cipher.AEAD
	sealer      cipher.AEAD
	nonce       atomic.Uint64
	trees       map[uint32]*tree
	nextTree    uint32
	opens       map[smb2.FileID]*open
}

// sessionSetup serves SESSION_SETUP. [MS-SMB2] 3.3.5.5
func (r *request) sessionSetup(m *smb2.SessionSetupRequest) status {
	c, s := r.c, r.c.s
	if m.Flags&smb2.SessionBinding != 0 {
		return r.bind(m)
	}
	x := r.sess
	if r.h.SessionID != 0 && x == nil {
		r.unsigned = true
		return ntstatus.UserSessionDeleted
	}
	if x == nil {
		s.mu.Lock()
		if len(s.sessions) >= s.cfg.Limits.Sessions || len(c.sessions) >= maxSessions {
			s.mu.Unlock()
			return ntstatus.InsufficientResources
		}
		x = &session{
			s: s, turn: c.turn, channels: []*channel{{c: c}}, id: s.id()<<8 | 0x0400_0000_0000_0001,
			trees: map[uint32]*tree{}, opens: map[smb2.FileID]*open{},
		}
		s.sessions[x.id] = x
		s.mu.Unlock()
		c.sessions[x.id] = x
		x.preauth = c.preauth
		r.sess, r.h.SessionID = x, x.id
	}
	if c.dialect == smb2.Dialect311 && !x.established {
		x.preauth.Add(r.raw)
	}
	if x.login == nil {
		x.login = new(login)
	}
	token, st := x.login.step(s, m)
	switch st {
	case ntstatus.MoreProcessingRequired:
		if !x.established {
			r.hash = &x.preauth
		}
	case ntstatus.Success:
		r.loggedOn(x, m)
	default:
		s.stats.logonFailures.Add(1)
		c.logf("logon of %q failed: %v", x.login.user, st)
		x.login = nil
		r.last = x.end // also of a session that was there: nobody knows who goes on with it
		return st
	}
	flags := smb2.SessionFlags(0)
	if st == ntstatus.Success {
		if x.guest {
			flags |= smb2.SessionGuest
		}
		if x.encrypt {
			flags |= smb2.SessionEncrypt
		}
	}
	r.body = (&smb2.SessionSetupResponse{Flags: flags, SecurityBlob: token}).Append(nil)
	return st
}

// loggedOn makes the session's keys. Whoever logs on again keeps them.
func (r *request) loggedOn(x *session, m *smb2.SessionSetupRequest) {
	c, l := r.c, x.login
	x.login = nil
	if x.established {
		return
	}
	x.established, x.guest, x.user = true, l.guest, l.user
	c.loggedOn.Store(true)
	c.s.stats.logons.Add(1)
	defer func() { c.logf("session %#x: %s%s", x.id, x.user, x.protection(c)) }()
	if id := m.PreviousSessionID; id != 0 && id != x.id {
		r.dropSession(id, x.user)
	}
	terms := &terms{dialect: c.dialect, cipher: c.cipher, signing: c.signing, user: x.user}
	defer func() {
		c.s.mu.Lock()
		x.terms = terms
		c.s.mu.Unlock()
	}()
	if l.key == nil { // guests have no key
		return
	}
	keys := seal.Derive(c.dialect, c.cipher, l.key, &x.preauth)
	terms.key = keys.Signing
	x.channels[0].signer = seal.NewSigner(c.signing, keys.Signing)
	x.signed = c.mode&smb2.SigningRequired != 0 || m.SecurityMode&smb2.SigningRequired != 0
	r.sign = x.channels[0].signer // "the final response MUST be signed", whether the request was or not
	if c.cipher != 0 && keys.ClientToServer != nil {
		x.opener, _ = seal.NewCipher(c.cipher, keys.ClientToServer)
		x.sealer, _ = seal.NewCipher(c.cipher, keys.ServerToClient)
		x.encrypt = c.s.cfg.Encrypt || c.player != nil && c.player.Encrypts(x.user)
	}
}

func (x *session) protection(c *conn) string {
	switch {
	case x.guest:
		return ", neither signed nor encrypted"
	case x.encrypt:
		return ", encrypted with " + c.cipher.String()
	case x.signed:
		return ", signed with " + c.signing.String()
	}
	return ""
}

// seal appends the encrypted messages to b. The nonce counts: no key sees one twice.
func (x *session) seal(b, messages []byte) []byte {
	nonce := wire.AppendU64(nil, x.nonce.Add(1))
	nonce = wire.AppendZeros(nonce, x.sealer.NonceSize()-len(nonce))
	return seal.Seal(b, x.sealer, nonce, x.id, messages)
}

// dropSession ends the session that a client has lost, if it was the same user's: durable
// opens wait as if the connection were lost. [MS-SMB2] 3.3.5.5.3
func (r *request) dropSession(id uint64, user string) {
	s := r.c.s
	s.mu.Lock()
	x := s.sessions[id]
	ours := x != nil && x.terms != nil && strings.EqualFold(x.terms.user, user)
	s.mu.Unlock()
	if ours {
		r.c.turn.within(x.turn, func() { x.finish(true) })
	}
}

// logoff serves LOGOFF. [MS-SMB2] 3.3.5.6
func (r *request) logoff() status {
	r.body = new(smb2.LogoffResponse).Append(nil)
	x := r.sess
	r.last = func() { x.finish(true) } // what is durable waits for the client's next session
	return ntstatus.Success
}

// end forgets a session and closes what it opened.
func (x *session) end() { x.finish(false) }

// finish is end. Where the connection was lost, durable opens wait for the client.
func (x *session) finish(lost bool) {
	x.stop(func(p *pending) bool { return p.session == x })
	for _, o := range x.opens {
		if !lost || !o.detach() {
			o.close()
		}
	}
	x.trees = map[uint32]*tree{}
	x.established = false
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	delete(x.s.sessions, x.id)
	for _, ch := range x.channels {
		delete(ch.c.sessions, x.id)
	}
	// What waited is still signed as it has to be: the channels stay.
}

// login is an authentication under way. [MS-NLMP] 3.2.5
type login struct {
	mechs     []byte // the list that the client's MIC protects
	challenge [8]byte
	negotiate []byte // NTLM messages, as they went over the wire
	answer    []byte
	bare      bool // NTLMSSP without SPNEGO

	user  string
	guest bool
	key   []byte // the session key; nil for guests
}

// step takes the client's next token and returns the server's.
func (l *login) step(s *Server, m *smb2.SessionSetupRequest) (token []byte, st status) {
	a := &m.Auth
	if a.SPNEGO.Kind == auth.Init {
		l.mechs = append([]byte{}, a.SPNEGO.MechList...)
	}
	wrap := func(state auth.NegState, token, mic []byte) []byte {
		if l.bare {
			return token
		}
		return auth.Answer(state, token, mic)
	}
	if a.Mechanism != auth.NTLM {
		if a.SPNEGO.Kind == auth.Init && len(l.answer) == 0 { // a ticket, perhaps: ask for NTLMSSP instead
			return wrap(auth.Incomplete, nil, nil), ntstatus.MoreProcessingRequired
		}
		return nil, ntstatus.LogonFailure
	}
	n := &a.NTLM
	switch {
	case n.Type == auth.NTLMNegotiate && l.answer == nil:
		l.bare = a.SPNEGO.Kind == auth.None
		l.negotiate = append([]byte{}, n.Raw...)
		rand.Read(l.challenge[:])
		l.answer = auth.Challenge(auth.ChallengeFlags(n.Flags), l.challenge, s.cfg.Name, now())
		return wrap(auth.Incomplete, l.answer, nil), ntstatus.MoreProcessingRequired
	case n.Type == auth.NTLMAuthenticate && l.answer != nil:
		st = l.verify(s, n)
		if st != ntstatus.Success {
			return nil, st
		}
		var mic []byte
		if a.SPNEGO.MIC != nil && l.key != nil && l.mechs != nil {
			if string(seal.NTLMSign(l.key, n.Flags, false, 0, l.mechs)) != string(a.SPNEGO.MIC) {
				return nil, ntstatus.InvalidParameter
			}
			mic = seal.NTLMSign(l.key, n.Flags, true, 0, l.mechs)
		}
		if l.bare {
			return nil, st
		}
		return auth.Answer(auth.Completed, nil, mic), st
	}
	return nil, ntstatus.InvalidParameter
}

// verify checks an Authenticate. [MS-NLMP] 3.2.5.1.2
func (l *login) verify(s *Server, n *auth.NTLMMessage) status {
	name := n.User.String()
	l.user = name
	if domain := n.Domain.String(); domain != "" {
		l.user = domain + `\` + name
	}
	hash, known := s.cfg.Users[strings.ToLower(name)]
	if name == "" || !known {
		if s.cfg.Guest {
			l.guest = true
			l.user = fmt.Sprintf("guest (%s)", l.user)
			return ntstatus.Success
		}
		return ntstatus.LogonFailure
	}
	if len(n.NTResponse) <= 24 {
		return ntstatus.LogonFailure // NTLMv1
	}
	key, ok := seal.NTLMKey(hash, l.challenge[:], n)
	if !ok {
		return ntstatus.LogonFailure
	}
	if n.Info.Flags&2 != 0 && !seal.NTLMIntact(key, l.negotiate, l.answer, n) {
		return ntstatus.InvalidParameter // somebody changed a message on its way
	}
	l.key = key
	return ntstatus.Success
}

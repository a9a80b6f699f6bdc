package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// Login sets up a session with NTLMv2 or Kerberos in SPNEGO. A refusal is a *StatusError.
// [MS-SMB2] 3.2.4.2.3, 3.2.5.3.1
func (c *Conn) Login(ctx context.Context, who *Credentials) (*Session, error) {
	return c.login(ctx, who, nil)
}

// Bind has another connection of the same client carry the session too. It speaks the
// same dialect, unless who is to ask Anyhow. [MS-SMB2] 3.2.4.2.3, 3.2.5.3.3
func (s *Session) Bind(ctx context.Context, c *Conn, who *Credentials) (*Session, error) {
	switch {
	case who.Anyhow:
	case s.sign == nil:
		return nil, errNoKeys
	case c.Dialect != s.Conn.Dialect || c.Dialect < smb2.Dialect300 || c.ClientGUID != s.Conn.ClientGUID:
		return nil, errors.New("a session spans connections of one client and one dialect from 3.0 on only")
	}
	return c.login(ctx, who, s)
}

// Reauthenticate proves once more who the session's user is, or that it is another one.
// The session goes on with its keys; a server ends it where the proof fails.
// [MS-SMB2] 3.2.4.2.3, 3.3.5.5.3
func (s *Session) Reauthenticate(ctx context.Context, who *Credentials) error {
	p := newSetup(s.Conn, who)
	p.again, p.id = s, s.ID
	if s.signs {
		p.signer = s.sign
	}
	_, err := p.run(ctx)
	return err
}

// Orphan is a session of which there is nothing but an id that somebody names: requests in
// it are neither signed nor encrypted, and the server most likely does not know it.
func (c *Conn) Orphan(id uint64) *Session {
	return &Session{ID: id, Conn: c, keys: new(keys), trees: make(map[uint32]bool)}
}

// setup is a session while it is set up.
type setup struct {
	c       *Conn
	who     *Credentials
	bound   *Session // the session to bind to, or nil
	again   *Session // the session to authenticate anew, or nil
	signer  *seal.Signer
	id      uint64
	preauth seal.Preauth

	mechs     []byte // the list of mechanisms that was offered
	negotiate []byte // of NTLMSSP
	key       []byte
	flags     auth.NTLMFlags
	gss       GSS // of Kerberos; nil with NTLM
}

func (c *Conn) login(ctx context.Context, who *Credentials, bound *Session) (*Session, error) {
	p := newSetup(c, who)
	if bound != nil {
		p.bound, p.id = bound, bound.ID
		if bound.keys.signing != nil {
			p.signer = seal.NewSigner(bound.Conn.Signing, bound.keys.signing) // as the session's first connection does
		}
	}
	return p.run(ctx)
}

func newSetup(c *Conn, who *Credentials) *setup {
	return &setup{c: c, who: who, preauth: c.preauth, negotiate: auth.Negotiate(auth.ClientFlags), mechs: auth.MechTypes(auth.NTLM)}
}

// run does the round trips.
func (p *setup) run(ctx context.Context) (*Session, error) {
	who := p.who
	if who.Kerberos != nil {
		return p.byTicket(ctx)
	}
	first, err := p.round(ctx, auth.InitToken(p.mechs, p.negotiate))
	if err != nil {
		return nil, err
	}
	if first.Status != ntstatus.MoreProcessingRequired {
		return nil, p.refused(first)
	}
	p.id = first.SessionID
	token, err := p.authenticate(first)
	if err != nil {
		return nil, err
	}
	last, err := p.round(ctx, token)
	if err != nil {
		return nil, err
	}
	if last.Status != ntstatus.Success {
		return nil, p.refused(last)
	}
	return p.finish(last)
}

// refused is the error of a login that ended too early.
func (p *setup) refused(a *Answer) error {
	if a.Status == ntstatus.Success {
		return protocolError("a session without an authentication")
	}
	return &StatusError{Command: smb2.SessionSetup, Status: a.Status, What: p.who.name()}
}

// round sends a token and waits for the answer, both of which become part of the hash;
// but the answer that ends it does not. [MS-SMB2] 3.2.5.3.1
func (p *setup) round(ctx context.Context, token []byte) (*Answer, error) {
	m := smb2.SessionSetupRequest{
		SecurityMode: p.c.offered.SecurityMode, Capabilities: p.c.offered.Capabilities & smb2.CapDFS, SecurityBlob: token,
	}
	if p.who.Sign {
		m.SecurityMode |= smb2.SigningRequired
	}
	if p.bound != nil {
		m.Flags = smb2.SessionBinding
	} else {
		m.PreviousSessionID = p.who.Previous
	}
	calls, err := p.c.startWith(ctx, nil, p.signer, &Request{Command: smb2.SessionSetup, SessionID: p.id, Body: m.Append(nil)})
	if err != nil {
		return nil, err
	}
	a, err := calls[0].Wait(ctx)
	if err != nil {
		return nil, err
	}
	p.preauth.Add(calls[0].request)
	if a.Status != ntstatus.Success {
		p.preauth.Add(a.Message)
	}
	return a, nil
}

// token is what the server says of its mechanism; it is valid as long as d.
func sessionToken(d *smb2.Decoder, a *Answer) (*smb2.SessionSetupResponse, error) {
	m := decode(d, a.Message)
	r, ok := m.Body.(*smb2.SessionSetupResponse)
	if !ok || m.Err != nil {
		return nil, protocolError("a SESSION_SETUP response that cannot be read: %v", m.Err)
	}
	return r, nil
}

// authenticate answers the challenge.
func (p *setup) authenticate(a *Answer) ([]byte, error) {
	var d smb2.Decoder
	r, err := sessionToken(&d, a)
	if err != nil {
		return nil, err
	}
	if r.Auth.Mechanism != auth.NTLM || r.Auth.NTLM.Type != auth.NTLMChallenge {
		return nil, protocolError("no challenge of NTLMSSP")
	}
	user := seal.NTLMUser{User: p.who.User, Domain: p.who.Domain, Workstation: p.who.Workstation}
	if p.who.NTHash != nil {
		user.Hash = *p.who.NTHash
	} else {
		user.Hash = seal.NTHash(p.who.Password)
	}
	fresh := seal.NTLMFresh{Time: filetime(time.Now())}
	fill(fresh.Challenge[:])
	fill(fresh.SessionKey[:])
	message, key, err := seal.NTLMAuthenticate(&user, &fresh, p.negotiate, bytes.Clone(r.Auth.NTLM.Raw), "cifs/"+p.c.o.ServerName)
	if err != nil {
		return nil, protocolError("%v", err)
	}
	var sent auth.NTLMMessage
	at := wire.New(message, nil)
	sent.Decode(&at)
	p.key, p.flags = key, sent.Flags
	var mic []byte
	if user.User != "" {
		mic = seal.NTLMSign(key, p.flags, false, 0, p.mechs)
	}
	return auth.RespToken(message, mic), nil
}

// filetime is a time in units of 100 ns since 1601.
func filetime(t time.Time) uint64 {
	const unixEpoch = 116444736000000000
	return uint64(t.UnixNano()/100) + unixEpoch
}

// finish makes a session of a login that succeeded.
func (p *setup) finish(a *Answer) (*Session, error) {
	c := p.c
	if p.again != nil {
		return p.again, nil // its keys stay
	}
	var d smb2.Decoder
	r, err := sessionToken(&d, a)
	if err != nil {
		return nil, err
	}
	s := &Session{ID: p.id, Flags: r.Flags, Conn: c, keys: new(keys), trees: make(map[uint32]bool)}
	if p.bound != nil {
		s.keys, s.Flags = p.bound.keys, p.bound.Flags
	}
	if nobody := r.Flags&(smb2.SessionGuest|smb2.SessionNull) != 0 || p.who.anonymous(); nobody {
		return p.unsigned(s, r)
	}
	if mic := r.Auth.SPNEGO.MIC; mic != nil && !p.verified(mic) {
		return nil, protocolError("the server's mechListMIC does not fit")
	}
	k := seal.Derive(c.Dialect, c.Cipher, p.key, &p.preauth)
	s.sign, s.verify = seal.NewSigner(c.Signing, k.Signing), seal.NewSigner(c.Signing, k.Signing)
	if s.sign == nil {
		return nil, protocolError("no signing algorithm %v", c.Signing)
	}
	if must := c.Dialect == smb2.Dialect311 || p.bound != nil; (must || a.Flags&smb2.FlagSigned != 0) && !s.verify.Verify(a.Message) {
		return nil, fmt.Errorf("SESSION_SETUP: %w", ErrSignature)
	}
	s.signs = p.who.Sign || (c.Mode|c.offered.SecurityMode)&smb2.SigningRequired != 0
	if p.bound == nil {
		if err := s.keys.set(c.Cipher, &k); err != nil {
			return nil, err
		}
		s.keys.encrypt = p.who.Encrypt || r.Flags&smb2.SessionEncrypt != 0
		if s.keys.encrypt && s.keys.toServer == nil {
			return nil, errors.New("the session is to be encrypted, and the connection has no cipher")
		}
	} else {
		p.bound.Conn.mu.Lock()
		for id, encrypts := range p.bound.trees {
			s.trees[id] = encrypts
		}
		p.bound.Conn.mu.Unlock()
	}
	return s, c.enter(s)
}

// unsigned is finish for guests and nobody, who have no keys.
func (p *setup) unsigned(s *Session, r *smb2.SessionSetupResponse) (*Session, error) {
	if !p.who.anonymous() && !p.who.Guest {
		return nil, fmt.Errorf("%s: %w", p.who.name(), ErrGuest)
	}
	if p.who.Encrypt || p.who.Sign || r.Flags&smb2.SessionEncrypt != 0 {
		return nil, errors.New("guests and anonymous users have no key to sign or encrypt with")
	}
	return s, p.c.enter(s)
}

// set makes ciphers of keys.
func (k *keys) set(c smb2.Cipher, from *seal.Keys) (err error) {
	k.signing = from.Signing
	fill(k.prefix[:])
	if c == 0 {
		return nil
	}
	if k.toServer, err = seal.NewCipher(c, from.ClientToServer); err != nil {
		return err
	}
	k.toClient, err = seal.NewCipher(c, from.ServerToClient)
	return err
}

// enter makes a session known to the reader.
func (c *Conn) enter(s *Session) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	c.sessions[s.ID] = s
	return nil
}

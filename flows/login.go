package flows

// Session set-ups: what is said before keys are known, and the keys that follow from
// it and from a password.

import (
	"fmt"
	"slices"

	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// login is one authentication on a connection, of a session or of a channel of one.
type login struct {
	session   uint64 // 0 until the server names it
	message   uint64 // MessageId of the last request
	binding   bool
	preauth   seal.Preauth
	whole     bool // nothing of preauth is missing
	challenge [8]byte
	keys      [][]byte // that the authentication yields
	origin    string   // of keys
	ticketKey types.EncryptionKey
	user      string // that the ticket is for, with its realm; "" if it was not opened
	realm     string
	why       string // there are none; "" if there are, or nothing was given that could make them
}

// maxLogins bounds the authentications that a connection has going on at once.
const maxLogins = 64

// listen hears a message of a set-up, from its header to its end; b is nil if some of
// it is missing.
func (a *Analyzer) listen(c *conn, b []byte, m *smb2.Message) {
	whole := b != nil
	switch {
	case m.Command == smb2.Negotiate && m.Flags&smb2.FlagResponse == 0:
		c.preauth, c.heard = seal.Preauth{}, whole
		c.preauth.Add(b)
	case m.Command == smb2.Negotiate:
		c.preauth.Add(b)
		c.heard = c.heard && whole
	case m.Command == smb2.SessionSetup && m.Flags&smb2.FlagResponse == 0:
		a.logIn(c, b, m, whole)
	case m.Command == smb2.SessionSetup:
		a.loginAnswer(c, b, m, whole)
	}
}

// logIn hears a SESSION_SETUP request.
func (a *Analyzer) logIn(c *conn, b []byte, m *smb2.Message, whole bool) {
	i := slices.IndexFunc(c.logins, func(l *login) bool { return l.session != 0 && l.session == m.SessionID })
	if i < 0 {
		if len(c.logins) >= maxLogins {
			c.logins = c.logins[1:]
		}
		c.logins = append(c.logins, &login{session: m.SessionID, preauth: c.preauth, whole: c.heard})
		i = len(c.logins) - 1
	}
	l := c.logins[i]
	l.message = m.MessageID
	l.whole = l.whole && whole
	l.preauth.Add(b)
	r, ok := m.Body.(*smb2.SessionSetupRequest)
	if !ok {
		return
	}
	l.binding = l.binding || r.Flags&smb2.SessionBinding != 0
	cur := wire.New(r.SecurityBlob, nil)
	auth.Decode(&cur, &a.login)
	if n := &a.login.NTLM; a.login.Mechanism == auth.NTLM && n.Type == auth.NTLMAuthenticate && len(n.User.Raw) > 0 {
		a.ntlm(l, n)
	}
	if k := &a.login.Kerberos; k.Type == auth.APReq {
		a.apRequest(l, k)
	}
}

// ntlm makes the session key of an NTLM authentication.
func (a *Analyzer) ntlm(l *login, n *auth.NTLMMessage) {
	l.keys, l.why = nil, ""
	for _, hash := range a.keys.hashes {
		if key, ok := seal.NTLMKey(hash, l.challenge[:], n); ok {
			l.keys, l.origin = [][]byte{key}, "password"
			return
		}
	}
	l.why = fmt.Sprintf(`the password is not that of %v\%v`, n.Domain, n.User)
	if len(a.keys.hashes) == 0 {
		l.why = fmt.Sprintf(`%v\%v logged in with NTLM, and no password was given`, n.Domain, n.User)
	}
}

// loginAnswer hears a SESSION_SETUP response.
func (a *Analyzer) loginAnswer(c *conn, b []byte, m *smb2.Message, whole bool) {
	i := slices.IndexFunc(c.logins, func(l *login) bool { return l.message == m.MessageID })
	if i < 0 {
		return
	}
	l := c.logins[i]
	l.session = m.SessionID
	if r, ok := m.Body.(*smb2.SessionSetupResponse); ok {
		cur := wire.New(r.SecurityBlob, nil)
		auth.Decode(&cur, &a.login)
		if n := &a.login.NTLM; a.login.Mechanism == auth.NTLM && n.Type == auth.NTLMChallenge {
			copy(l.challenge[:], n.ServerChallenge)
		}
		if k := &a.login.Kerberos; k.Type == auth.APRep {
			a.apReply(l, k)
		}
	}
	if m.Status != ntstatus.MoreProcessingRequired {
		c.logins = slices.Delete(c.logins, i, i+1)
		if m.Status == ntstatus.Success {
			a.established(c, l)
		}
		return
	}
	l.whole = l.whole && whole
	l.preauth.Add(b)
}

// established offers the keys of an authentication that has succeeded to its session:
// a channel has its own key to sign with, encryption goes on with the session's.
// [MS-SMB2] 3.2.5.3.1, 3.2.5.3.3
func (a *Analyzer) established(c *conn, l *login) {
	s := a.sessionOf(c, l.session)
	if s == 0 {
		return
	}
	if a.sessions[s].user == "" {
		a.sessions[s].user, a.sessions[s].domain = l.user, l.realm
	}
	x := a.sealingOf(c, s)
	var p *seal.Preauth
	if l.whole {
		p = &l.preauth
	}
	ch := x.channel(c)
	for _, key := range l.keys {
		k := sessionKeys{session: key}
		ch.offer(c, k, p)
		if !l.binding {
			x.offer(c, k, p, l.origin)
		}
	}
	for _, k := range x.given {
		ch.offer(c, k, p)
		if !l.binding {
			x.offer(c, k, p, "session key")
		}
	}
	if !l.binding {
		x.setUp = x.setUp || p != nil || c.dialect < smb2.Dialect311
		x.login = l.why
	}
}

// logsIn reports whether there is something to log in with.
func (k *Keys) logsIn() bool { return len(k.hashes)+len(k.services) > 0 }

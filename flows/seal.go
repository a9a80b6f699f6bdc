package flows

// What is encrypted, and the keys that open it.

import (
	"bytes"
	"cmp"
	"crypto/cipher"
	"errors"
	"fmt"
	"slices"

	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// sealing is what is known of a session's keys, once a message needs them.
type sealing struct {
	given      []sessionKeys // by somebody, for this session
	candidates []candidate   // for decryption
	openers    []*opener     // that have opened a message, the latest last
	channels   []*channel
	home       *channel // on which the session was set up; nil if the capture does not show it
	proved     int      // signatures of messages that set it up again, or a further channel
	setUp      bool     // its SESSION_SETUP is in the capture, and keys were made of it
	needsSetUp bool     // a session key was given that opens nothing without it
	login      string   // why a password or keytab yielded no key; "" if it did, or if there was none

	opened int    // messages
	failed [2]int // messages that no key opened, of the client and of the server
	cut    int    // messages that were not captured whole
	tries  int    // messages that were tried in vain since the last new candidate
	work   int    // bytes decrypted in those trials
}

// Bounds of the work on a session that no key fits, and of what is kept of one.
const (
	maxTries      = 64
	maxWork       = 64 << 20
	maxCandidates = 64
	maxOpeners    = 256
	maxChannels   = 1 << 10
)

// candidate is a pair of keys that may open messages.
type candidate struct {
	keys   seal.Keys
	cipher smb2.Cipher // 0: any that the size of the keys fits
	origin string
	guess  bool // that the dialect is not 3.1.1
}

// opener is a pair of keys that did.
type opener struct {
	server, client cipher.AEAD // that opens what the server, what the client encrypted; nil if unknown
	origin         string
	swapped        bool // the keys were given in the other order
}

// sealingOf returns what is known of the keys of session s, and begins to.
func (a *Analyzer) sealingOf(c *conn, s uint32) *sealing {
	x := a.sessions[s].sealing
	if x == nil {
		x = &sealing{given: a.keys.of(a.sessions[s].id)}
		a.sessions[s].sealing = x
		for _, k := range x.given {
			x.offer(c, k, nil, "session key")
		}
	}
	return x
}

// offer takes keys that may be those of the session. p is nil if not all of the
// session's set-up was seen.
func (x *sealing) offer(c *conn, k sessionKeys, p *seal.Preauth, origin string) {
	if k.ClientToServer != nil || k.ServerToClient != nil {
		x.try(candidate{keys: k.Keys, origin: "direction keys"})
	}
	if k.session == nil {
		return
	}
	switch {
	case c.dialect >= smb2.Dialect311 && p == nil:
		x.needsSetUp = true
	case c.dialect >= smb2.Dialect311:
		x.try(candidate{seal.Derive(c.dialect, c.cipher, k.session, p), c.cipher, origin, false})
	case c.dialect == 0 || c.dialect >= smb2.Dialect300:
		x.try(candidate{seal.Derive(smb2.Dialect300, smb2.AES128CCM, k.session, nil), smb2.AES128CCM, origin, c.dialect == 0})
	}
}

// try adds a candidate.
func (x *sealing) try(d candidate) {
	for i := range x.candidates {
		if o := &x.candidates[i]; o.cipher == d.cipher && bytes.Equal(o.keys.ClientToServer, d.keys.ClientToServer) &&
			bytes.Equal(o.keys.ServerToClient, d.keys.ServerToClient) {
			return
		}
	}
	if len(x.candidates) == maxCandidates { // the id has been used again and again
		x.candidates = slices.Delete(x.candidates, 0, 1)
	}
	x.candidates = append(x.candidates, d)
	x.tries, x.work = 0, 0
}

// sealed takes an encrypted unit: what it holds once opened is as good as a plain
// one's. [MS-SMB2] 2.2.41
func (a *Analyzer) sealed(c *conn, dir int, u *unit) {
	var cur wire.Cursor
	u.cursor(&cur, u.lead(), nil)
	h := a.smb.Transform(&cur, nil)
	s := a.sessionOf(c, h.SessionID)
	if s != 0 {
		a.sessions[s].sealed++
		if c.cipher != 0 {
			a.sessions[s].cipher = c.cipher
		}
		if a.keys != nil && a.unseal(c, dir, s, h, u) {
			plain := wire.New(u.plain, nil)
			a.content(c, dir, u, &plain)
			return
		}
		if a.sessions[s].closed == 0 {
			a.sessions[s].closed = a.frame
		}
	}
	if s == 0 {
		c.nameless++
	}
	c.encrypted++
	a.marks |= MarkEncrypted
}

// unseal opens a message of session s into u.
func (a *Analyzer) unseal(c *conn, dir int, s uint32, h *smb2.TransformHeader, u *unit) bool {
	x := a.sealingOf(c, s)
	b, err := x.open(a.scratch[:0], h, dir == c.server)
	if errors.Is(err, seal.ErrTag) && x.tries < maxTries && x.work < maxWork {
		b, err = x.choose(a.scratch[:0], h, dir == c.server)
	}
	switch {
	case err == nil:
		x.opened++
		a.scratch, u.plain = b, b
	case errors.Is(err, seal.ErrCut) && !u.head: // else nothing was there to gather it for
		x.cut++
	case dir == c.server:
		x.failed[1]++
	default:
		x.failed[0]++
	}
	return err == nil
}

// oneWay returns how many messages stay closed because only the key of the other
// direction is known.
func (x *sealing) oneWay() int {
	if len(x.openers) == 0 {
		return 0
	}
	switch o := x.openers[len(x.openers)-1]; {
	case o.client == nil:
		return x.failed[0]
	case o.server == nil:
		return x.failed[1]
	}
	return 0
}

// open decrypts a message with a key that opened one before.
func (x *sealing) open(dst []byte, h *smb2.TransformHeader, fromServer bool) ([]byte, error) {
	for _, o := range slices.Backward(x.openers) {
		first, second := o.client, o.server
		if fromServer {
			first, second = second, first
		}
		// The second is for connections of which it is not known who serves.
		for _, aead := range []cipher.AEAD{first, second} {
			if aead == nil {
				continue
			}
			if b, err := seal.Open(dst, aead, h); !errors.Is(err, seal.ErrTag) {
				return b, err
			}
		}
	}
	if len(h.Data) < int(h.OriginalSize) {
		return nil, seal.ErrCut
	}
	return nil, seal.ErrTag
}

// choose decrypts a message with the first candidate that can.
func (x *sealing) choose(dst []byte, h *smb2.TransformHeader, fromServer bool) ([]byte, error) {
	for i := range x.candidates {
		d := &x.candidates[i]
		for _, swapped := range []bool{false, true} {
			client, server := d.keys.ClientToServer, d.keys.ServerToClient
			if swapped {
				client, server = server, client
			}
			key := client
			if fromServer {
				key = server
			}
			for _, kind := range ciphers {
				if d.cipher != 0 && kind != d.cipher || seal.KeySize(kind) != len(key) {
					continue
				}
				aead, err := seal.NewCipher(kind, key)
				if err != nil {
					continue
				}
				b, err := seal.Open(dst, aead, h)
				if err != nil {
					x.work += len(h.Data)
					continue
				}
				o := &opener{origin: d.origin, swapped: swapped}
				o.client, _ = newCipher(kind, client)
				o.server, _ = newCipher(kind, server)
				if len(x.openers) == maxOpeners {
					x.openers = slices.Delete(x.openers, 0, 1)
				}
				x.openers = append(x.openers, o)
				return b, nil
			}
		}
	}
	x.tries++
	return nil, seal.ErrTag
}

// ciphers lists them, the frequent ones first.
var ciphers = []smb2.Cipher{smb2.AES128GCM, smb2.AES128CCM, smb2.AES256GCM, smb2.AES256CCM}

// newCipher is seal.NewCipher that returns no interface around nothing.
func newCipher(kind smb2.Cipher, key []byte) (cipher.AEAD, error) {
	if key == nil {
		return nil, nil
	}
	return seal.NewCipher(kind, key)
}

// wanted reports whether a message of more than bulkLen bytes, given its first ones,
// has to be gathered whole because a key is known for it.
func (a *Analyzer) wanted(c *conn, m []byte) bool {
	if a.keys == nil {
		return false
	}
	id := m[44:52] // of the transform header
	if m[0] == 0xfe {
		if smb2.Flags(m[16])&smb2.FlagSigned == 0 {
			return false
		}
		id = m[40:48]
	}
	s := a.sessionByKey[sessionKey{a.serverOf(c), littleEndian(id)}]
	if s == 0 {
		return m[0] == 0xfd && len(a.keys.sessions) > 0
	}
	x := a.sealingOf(c, s)
	if m[0] == 0xfe {
		return len(x.channels) > 0
	}
	return len(x.candidates) > 0
}

func littleEndian(b []byte) (v uint64) {
	for i, x := range b {
		v |= uint64(x) << (8 * i)
	}
	return v
}

// reopen opens a message again, for a second look at its frame.
func (a *Analyzer) reopen(conn uint32, id uint64, h *smb2.TransformHeader, fromServer bool) []byte {
	for i := range a.sessions {
		s := &a.sessions[i]
		if s.id != id || s.sealing == nil || !slices.Contains(s.conns, conn) {
			continue
		}
		if b, err := s.sealing.open(nil, h, fromServer); err == nil {
			return b
		}
	}
	return nil
}

// keyOrigin says where the key that opens a session's messages comes from; "" if none
// does.
func (x *sealing) keyOrigin() string {
	if x == nil || len(x.openers) == 0 {
		return ""
	}
	o := x.openers[len(x.openers)-1]
	if o.swapped {
		return o.origin + ", given in the other order"
	}
	return o.origin
}

// trouble says why encrypted messages of a session stay closed; "" if none does.
func (a *Analyzer) trouble(s *sessionState) string {
	x := s.sealing
	switch {
	case s.sealed == 0:
		return ""
	case a.keys == nil:
		return "no key was given"
	case x == nil || x.opened == s.sealed:
		return ""
	case s.cipher != 0 && seal.KeySize(s.cipher) == 0:
		return fmt.Sprintf("its cipher 0x%04x is unknown", uint16(s.cipher))
	case x.oneWay() > 0:
		return fmt.Sprintf("the key of one direction was given, and %d messages went the other way", x.oneWay())
	case x.failed == [2]int{} && x.cut > 0:
		return fmt.Sprintf("%d of its encrypted messages were not captured whole", x.cut)
	case len(x.candidates) > 0 && x.opened > 0:
		return fmt.Sprintf("%d of its messages have a wrong tag although the key opens others: they are damaged", x.failed[0]+x.failed[1])
	case len(x.candidates) > 0 && !slices.ContainsFunc(x.candidates, func(d candidate) bool { return !d.guess }):
		return "its set-up is not in the capture: the session key is wrong, or of dialect 3.1.1, where it opens nothing without that: give the keys of the two directions"
	case len(x.candidates) > 0:
		return "a key was given, but the tags say that it is wrong"
	case x.needsSetUp:
		return "its set-up is not in the capture, and without that a session key opens nothing: give the keys of the two directions"
	case x.login != "" && a.keys.logsIn():
		return x.login
	case !x.setUp && a.keys.logsIn():
		return "its set-up is not in the capture, and without that a password or keytab opens nothing"
	}
	return "no key for this session was given, only for others"
}

// signingOf returns what signs on c.
func (c *conn) signingOf() smb2.Signing {
	switch {
	case c.dialect < smb2.Dialect300:
		return smb2.HMACSHA256
	case c.dialect >= smb2.Dialect311 && c.choseSigning:
		return c.signing
	}
	return smb2.AESCMAC
}

// negotiated keeps what a server chose.
func (c *conn) negotiated(b *smb2.NegotiateResponse) {
	c.cipher, c.choseSigning = 0, false
	if b.Ciphers.Len() > 0 {
		c.cipher = smb2.Cipher(b.Ciphers.At(0))
	}
	if b.Signings.Len() > 0 {
		c.signing, c.choseSigning = smb2.Signing(b.Signings.At(0)), true
	}
	c.maxMessage = cmp.Or(max(b.MaxReadSize, b.MaxWriteSize, b.MaxTransactSize), c.maxMessage)
}

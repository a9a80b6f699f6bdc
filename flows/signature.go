package flows

// Signatures, where a key is known to verify them with.

import (
	"slices"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
)

// channel is a session on one connection, which has a signing key of its own.
type channel struct {
	conn     uint32
	signers  []*seal.Signer // of keys that may be its
	good     *seal.Signer   // that verified a message; nil if none has
	verified int            // messages
	again    bool           // the session had been set up before what is set up here
	bad      []uint32       // frames of messages that no key fits
	badCount int            // of those messages

	asked [32]asked // the latest requests, by MessageId
}

// asked is the signature of a request.
type asked struct {
	id        uint64
	signature [16]byte
}

// maxBad bounds the frames that are kept of a channel's wrong signatures.
const maxBad = 1000

// channel returns the session's channel on c.
func (x *sealing) channel(c *conn) *channel {
	for _, ch := range x.channels {
		if ch.conn == c.id {
			return ch
		}
	}
	ch := &channel{conn: c.id}
	for _, k := range x.given {
		ch.offer(c, k, nil)
	}
	if len(x.channels) < maxChannels {
		x.channels = append(x.channels, ch)
	}
	return ch
}

// offer takes keys that may be those of the channel.
func (ch *channel) offer(c *conn, k sessionKeys, p *seal.Preauth) {
	add := func(s smb2.Signing, key []byte) {
		if g := seal.NewSigner(s, key); g != nil && len(ch.signers) < maxCandidates {
			ch.signers = append(ch.signers, g)
		}
	}
	if k.Signing != nil { // what was negotiated may not be in the capture
		for _, s := range []smb2.Signing{smb2.AESCMAC, smb2.AESGMAC, smb2.HMACSHA256} {
			add(s, k.Signing)
		}
	}
	switch {
	case k.session == nil:
	case c.dialect == 0: // the connection began before the capture
		add(smb2.HMACSHA256, seal.Derive(smb2.Dialect210, 0, k.session, nil).Signing)
		add(smb2.AESCMAC, seal.Derive(smb2.Dialect300, 0, k.session, nil).Signing)
	case c.dialect < smb2.Dialect311:
		add(c.signingOf(), seal.Derive(c.dialect, 0, k.session, nil).Signing)
	case p != nil:
		add(c.signingOf(), seal.Derive(c.dialect, c.cipher, k.session, p).Signing)
	}
}

// verify checks the signature of a message of session s that was not encrypted, if it
// must fit, and if a key is known. b is nil if some of it is missing. [MS-SMB2] 3.2.5.1.3, 3.3.5.2.4
func (a *Analyzer) verify(c *conn, s uint32, b []byte, h *smb2.Header) {
	if s == 0 || len(h.Signature) != 16 || h.Flags&smb2.FlagSigned == 0 || h.MessageID == ^uint64(0) || h.Command == smb2.Negotiate ||
		h.Status == ntstatus.Pending && h.Flags&smb2.FlagResponse != 0 {
		return
	}
	x := a.sealingOf(c, s)
	ch := x.channel(c)
	if ask := &ch.asked[h.MessageID%uint64(len(ch.asked))]; h.Flags&smb2.FlagResponse == 0 {
		*ask = asked{h.MessageID, [16]byte(h.Signature)}
	} else if h.Status == ntstatus.UserSessionDeleted || failed(h.Status) && ask.id == h.MessageID && ask.signature == [16]byte(h.Signature) {
		// Who does not know the session has no key to sign with, and servers send such
		// a request's own signature back.
		return
	}
	if h.Command == smb2.SessionSetup {
		// What sets up a session is answered with a signature; its requests have none.
		ch.again = ch.again || h.Flags&smb2.FlagResponse == 0
		if ch.again || x.home != nil && x.home != ch {
			ch.again = true
			ch.binds(x, b)
			return
		}
		x.home = ch
	}
	if b == nil {
		return
	}
	if ch.good != nil && ch.good.Verify(b) {
		ch.verified++
		return
	}
	for _, g := range ch.signers {
		if g.Verify(b) {
			ch.good = g
			ch.verified++
			return
		}
	}
	// Before a channel is bound, clients sign with the key of another.
	for _, other := range x.channels {
		if other != ch && other.good != nil && other.good.Verify(b) {
			other.verified++
			return
		}
	}
	if len(ch.signers) == 0 {
		return
	}
	if ch.badCount++; len(ch.bad) < maxBad {
		ch.bad = append(ch.bad, a.frame)
	}
}

// binds verifies a message that sets up a session again, or a further channel of it. That is
// signed with the session's key, which is that of its first channel, and says nothing about
// the key of the channel at hand; nor does what came before. [MS-SMB2] 3.2.5.3.3
func (ch *channel) binds(x *sealing, b []byte) {
	count := &ch.verified
	if ch != x.home {
		x.proved += ch.verified
		ch.good, ch.verified, count = nil, 0, &x.proved
	}
	proves := func(g *seal.Signer) bool { return g != nil && b != nil && g.Verify(b) }
	if slices.ContainsFunc(x.channels, func(o *channel) bool { return proves(o.good) || slices.ContainsFunc(o.signers, proves) }) {
		*count++
	}
}

// authenticate looks at a message for what keys have to do with it. b is nil if some
// of it is missing.
func (a *Analyzer) authenticate(c *conn, x uint32, u *unit, b []byte, m *smb2.Message) {
	if m.Command <= smb2.SessionSetup {
		a.listen(c, b, m)
	}
	if b == nil && m.Command != smb2.SessionSetup || u.plain != nil || m.Flags&smb2.FlagSigned == 0 {
		return
	}
	s := a.exchanges.at(x).session
	if x == 0 {
		s = a.sessionByKey[sessionKey{a.serverOf(c), m.SessionID}]
	}
	a.verify(c, s, b, &m.Header)
}

// publish fills what the outside may know of signatures and encryption.
func (x *sealing) publish(s *Session) {
	if x == nil {
		return
	}
	s.Decrypted = x.opened
	s.Verified += x.proved
	for _, ch := range x.channels {
		s.Verified += ch.verified
		if ch.verified == 0 {
			s.Unverified += ch.badCount
			continue
		}
		for _, frame := range ch.bad {
			s.BadSignatures = append(s.BadSignatures, int(frame))
		}
	}
}

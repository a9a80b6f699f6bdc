package client

import (
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// reader hands what comes in to who waits for it, until the connection ends.
func (c *Conn) reader() {
	defer close(c.read)
	for {
		b, err := c.t.Receive(int(c.limit.Load()))
		if err == nil {
			err = c.receive(b, time.Now())
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
}

// receive takes a unit, which is not used again.
func (c *Conn) receive(unit []byte, now time.Time) error {
	plain := unit
	var key *Session // whose key opened it
	at := wire.New(unit, nil)
	switch smb2.ProtocolOf(&at) {
	case smb2.ProtocolSMB2:
	case smb2.ProtocolTransform:
		var err error
		if plain, key, err = c.open(&at); err != nil {
			c.tap(false, now, unit, nil)
			return err
		}
	default:
		c.tap(false, now, unit, nil)
		return protocolError("a message that is no SMB2")
	}
	c.tap(false, now, unit, plain)
	if len(plain) == 0 {
		return protocolError("an empty message")
	}
	for rest := plain; len(rest) > 0; {
		var message []byte
		var err error
		if message, rest, err = smb2.Split(rest); err != nil {
			return protocolError("%v", err)
		}
		if err := c.message(message, key, now); err != nil {
			return err
		}
	}
	return nil
}

// open decrypts a unit.
func (c *Conn) open(at *wire.Cursor) ([]byte, *Session, error) {
	var d smb2.Decoder
	h := d.Transform(at, nil)
	if at.Failed() || at.Len() > 0 {
		return nil, nil, protocolError("an encrypted message that is not as long as it says")
	}
	s := c.session(h.SessionID)
	if s == nil || s.keys.toClient == nil {
		return nil, nil, ErrNotEncrypted
	}
	b, err := seal.Open(nil, s.keys.toClient, h)
	if err != nil {
		return nil, nil, protocolError("an encrypted message that does not open: %v", err)
	}
	return b, s, nil
}

// message takes one message; key is the session that encrypted it, nil if it came in
// the clear.
func (c *Conn) message(b []byte, key *Session, now time.Time) error {
	var h smb2.Header
	at := wire.New(b, nil)
	ok := h.Peek(&at)
	switch {
	case !ok || h.Flags&smb2.FlagResponse == 0:
		return protocolError("a message that is no answer")
	case h.MessageID == unsolicited:
		return c.unasked(b, &h, now)
	}
	c.mu.Lock()
	k := c.pending[h.MessageID]
	c.mu.Unlock()
	switch {
	case k == nil:
		return protocolError("an answer to request %d, which is not waiting", h.MessageID)
	case k.Command != h.Command:
		return protocolError("an answer of %v to a request of %v", h.Command, k.Command)
	}
	interim := h.Status == ntstatus.Pending && h.Flags&smb2.FlagAsync != 0
	if err := k.trust(b, &h, key, interim); err != nil {
		return err
	}
	if interim {
		return c.interim(k, &h, b, now)
	}
	c.mu.Lock()
	delete(c.pending, h.MessageID)
	first := k.interim == nil
	c.mu.Unlock()
	if k.Command == smb2.TreeConnect && h.Status == ntstatus.Success {
		k.session.learnTree(&h, b)
	}
	c.credits.grant(int(h.Credits), first)
	k.finish(&Answer{Header: h, Message: b, Received: now, Encrypted: key != nil, Interim: k.interim}, nil)
	return nil
}

// unsolicited is the MessageId of what nobody asked for.
const unsolicited = 1<<64 - 1

// unasked takes what a server says of itself. Only breaks have somebody who listens.
func (c *Conn) unasked(b []byte, h *smb2.Header, now time.Time) error {
	if h.Command != smb2.OplockBreak {
		return nil
	}
	var d smb2.Decoder
	at := wire.New(b, nil)
	m := d.Decode(&at, nil)
	if m.Err != nil {
		return protocolError("a break: %v", m.Err)
	}
	out := &Break{Conn: c, Message: b, Received: now}
	switch body := m.Body.(type) {
	case *smb2.OplockBreakNotification:
		out.Open = *body
	case *smb2.LeaseBreakNotification:
		out.Lease, out.Key = true, *body
	default:
		return protocolError("a break of an unknown form")
	}
	return c.enqueue(out)
}

func (c *Conn) interim(k *Call, h *smb2.Header, b []byte, now time.Time) error {
	c.mu.Lock()
	first := k.interim == nil
	if first {
		k.interim = &Interim{AsyncID: h.AsyncID, Message: b, Received: now}
	}
	c.mu.Unlock()
	if !first {
		return protocolError("a second interim answer to request %d", k.MessageID)
	}
	c.credits.grant(int(h.Credits), true)
	close(k.pended)
	return nil
}

// trust reports an answer that is not encrypted or signed as the session demands.
// [MS-SMB2] 3.2.5.1.1, 3.2.5.1.3
func (k *Call) trust(b []byte, h *smb2.Header, key *Session, interim bool) error {
	s := k.session
	switch {
	case s == nil || k.Command == smb2.SessionSetup:
		return nil // whoever sets up the session looks at it: the key comes with it
	case key != nil:
		if key.ID != s.ID {
			return ErrNotEncrypted
		}
		return nil
	case gone(h.Status):
		return nil // who has no session has no key; some say that they sign, though
	case k.encrypted && k.plain:
		return nil
	case k.encrypted:
		return ErrNotEncrypted
	case s.verify == nil, interim:
		return nil
	case (k.signed || h.Flags&smb2.FlagSigned != 0) && !s.verify.Verify(b):
		return ErrSignature
	}
	return nil
}

// gone tells the statuses of servers that do not know the session any more.
func gone(status smb2.Status) bool {
	return status == ntstatus.UserSessionDeleted || status == ntstatus.NetworkSessionExpired
}

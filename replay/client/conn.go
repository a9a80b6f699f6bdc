package client

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// Conn is a connection to a server, as NEGOTIATE left it. The exported fields are not
// to be changed.
type Conn struct {
	Dialect      smb2.Dialect
	ServerGUID   wire.GUID
	ClientGUID   wire.GUID
	Mode         smb2.SecurityMode // of the server
	Capabilities smb2.Capabilities // of the server
	MaxTransact  uint32            // bytes
	MaxRead      uint32            // bytes
	MaxWrite     uint32            // bytes
	Cipher       smb2.Cipher       // 0 if there is no encryption
	Signing      smb2.Signing
	MultiCredit  bool // requests of more than 64 KiB take more credits, as Charge says

	t       Transport
	o       Options
	offered smb2.NegotiateRequest
	preauth seal.Preauth // of NEGOTIATE
	window  int          // credits to hold
	limit   atomic.Int64 // bytes of a unit

	credits credits
	sending sync.Mutex // a unit goes out whole, signed by a Signer that is not shared

	mu       sync.Mutex
	pending  map[uint64]*Call
	sessions map[uint64]*Session
	err      error
	done     chan struct{}
	read     chan struct{} // closed when the reader has ended
	breaks   chan *Break
}

const (
	beforeNegotiate = 1 << 18 // bytes of a unit
	defaultWindow   = 512
	maxBreaks       = 1024 // that OnBreak has not taken yet
)

// newConn starts a connection before its NEGOTIATE.
func newConn(t Transport, o *Options) *Conn {
	c := &Conn{
		ClientGUID: o.ClientGUID, t: t, o: *o, window: defaultWindow,
		pending: make(map[uint64]*Call), sessions: make(map[uint64]*Session),
		done: make(chan struct{}), read: make(chan struct{}), breaks: make(chan *Break, maxBreaks),
	}
	if o.Credits != 0 {
		c.window = int(o.Credits)
	}
	c.credits.init()
	c.limit.Store(beforeNegotiate)
	go c.reader()
	if o.OnBreak != nil {
		go c.breaker()
	}
	return c
}

// RemoteAddr and LocalAddr are those of the transport.
func (c *Conn) RemoteAddr() net.Addr { return c.t.RemoteAddr() }
func (c *Conn) LocalAddr() net.Addr  { return c.t.LocalAddr() }

// Done is closed when the connection has ended; Err then says why.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns an ErrClosed with the reason for which the connection ended, nil while it
// goes on.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the connection without a word to the server, and waits until nothing
// reads from it any more. Calls that wait get an ErrClosed.
func (c *Conn) Close() error {
	c.fail(ErrClosed)
	<-c.read
	return nil
}

// fail ends the connection for a reason. The first one counts.
func (c *Conn) fail(reason error) {
	err := closed(reason)
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	calls := c.pending
	c.pending = nil
	close(c.done)
	c.mu.Unlock()
	_ = c.t.Close()
	c.credits.fail(err)
	for _, k := range calls {
		k.finish(nil, err)
	}
}

// Start is Session.Start for requests that are of no session: nothing is signed or
// encrypted, and the headers say what Request.SessionID does.
func (c *Conn) Start(ctx context.Context, requests ...*Request) ([]*Call, error) {
	return c.start(ctx, nil, requests...)
}

// start sends requests as one compound for a session, nil before there is one.
func (c *Conn) start(ctx context.Context, s *Session, requests ...*Request) ([]*Call, error) {
	return c.startWith(ctx, s, nil, requests...)
}

// startWith is start with a Signer in place of the session's own: for SESSION_SETUP.
func (c *Conn) startWith(ctx context.Context, s *Session, signer *seal.Signer, requests ...*Request) ([]*Call, error) {
	if len(requests) == 0 {
		return nil, nil
	}
	total := 0
	charges := make([]uint16, len(requests))
	for i, r := range requests {
		charges[i] = c.charge(r)
		total += consumed(charges[i])
	}
	id, have, err := c.credits.take(ctx, total, len(requests))
	if err != nil {
		return nil, err
	}
	var chain smb2.Chain
	encrypt := false
	calls := make([]*Call, len(requests))
	for i, r := range requests {
		h := smb2.Header{
			CreditCharge: charges[i], ChannelSequence: r.ChannelSequence, Command: r.Command,
			Credits: max(r.Credits, uint16(consumed(charges[i]))), Flags: r.Flags &^ (smb2.FlagResponse | smb2.FlagAsync | smb2.FlagSigned),
			MessageID: id, TreeID: r.TreeID, SessionID: r.SessionID,
		}
		if s != nil && h.SessionID == 0 {
			h.SessionID = s.ID
		}
		if last := i == len(requests)-1; last && !c.o.ExactCredits {
			h.Credits = max(h.Credits, uint16(min(max(c.window-have, 0), 0xffff)))
		}
		chain.Add(&h, r.Body)
		id += uint64(consumed(charges[i]))
		calls[i] = &Call{
			Command: r.Command, MessageID: h.MessageID, TreeID: r.TreeID, conn: c, session: s, plain: r.PlainAnswer,
			pended: make(chan struct{}), done: make(chan struct{}),
		}
		encrypt = encrypt || !r.Plain && s.encrypts(r)
	}
	if s == nil && requests[0].Command <= smb2.SessionSetup {
		calls[0].request = chain.Bytes
	}
	if err := c.send(ctx, s, signer, chain.Bytes, encrypt, requests, calls); err != nil {
		return nil, err
	}
	return calls, nil
}

// charge is what the header of a request says.
func (c *Conn) charge(r *Request) uint16 {
	switch {
	case r.Charge != 0:
		return r.Charge
	case !c.MultiCredit:
		return 0
	}
	return Charge(r.Command, r.Body)
}

// send signs or encrypts a chain and sends it. Who waits for its answers is known
// before they can come.
func (c *Conn) send(ctx context.Context, s *Session, signer *seal.Signer, plain []byte, encrypt bool, requests []*Request, calls []*Call) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	unit := plain
	switch {
	case encrypt:
		unit = s.seal(plain)
	case signer != nil:
		signChain(signer, plain, func(int) bool { return true })
	case s != nil && s.sign != nil:
		signChain(s.sign, plain, func(i int) bool { return s.signs || s.mustSign(requests, i) })
	}
	now := time.Now()
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return c.err
	}
	for _, k := range calls {
		k.Sent, k.encrypted = now, encrypt
		k.signed = !encrypt && s != nil && s.sign != nil && s.signs
		c.pending[k.MessageID] = k
	}
	c.mu.Unlock()
	c.tap(true, now, unit, plain)
	if err := c.t.Send(ctx, unit); err != nil {
		// Part of it may be out: what follows would be taken for its rest.
		c.fail(err)
		return c.Err()
	}
	return nil
}

// signChain signs the messages of a chain that which picks.
func signChain(signer *seal.Signer, chain []byte, which func(i int) bool) {
	for i := 0; len(chain) > 0; i++ {
		message, rest, err := smb2.Split(chain)
		if err != nil { // it was made here
			return
		}
		if which(i) {
			signer.Put(message)
		}
		chain = rest
	}
}

func (c *Conn) tap(sent bool, at time.Time, unit, plain []byte) {
	if c.o.Tap != nil {
		c.o.Tap(&Unit{Sent: sent, Time: at, Wire: unit, Plain: plain})
	}
}

// cancel sends a CANCEL, which takes no MessageId of its own and no credit, and has no
// answer. [MS-SMB2] 3.2.4.24
func (c *Conn) cancel(ctx context.Context, k *Call) error {
	c.mu.Lock()
	_, pending := c.pending[k.MessageID]
	h := smb2.Header{Command: smb2.Cancel, MessageID: k.MessageID, TreeID: k.TreeID}
	if k.session != nil {
		h.SessionID = k.session.ID
	}
	if k.interim != nil {
		h.Flags, h.AsyncID = smb2.FlagAsync, k.interim.AsyncID
	}
	c.mu.Unlock()
	if !pending {
		return c.Err()
	}
	plain := (*smb2.CancelRequest).Append(nil, h.Append(nil))
	return c.send(ctx, k.session, nil, plain, k.encrypted, []*Request{{Command: smb2.Cancel}}, nil)
}

// breaker hands breaks to who wants them.
func (c *Conn) breaker() {
	for {
		select {
		case b := <-c.breaks:
			c.o.OnBreak(b)
		case <-c.done:
			return
		}
	}
}

// enqueue keeps a break for breaker.
func (c *Conn) enqueue(b *Break) error {
	if c.o.OnBreak == nil {
		return nil
	}
	select {
	case c.breaks <- b:
		return nil
	default:
		return fmt.Errorf("%w: %d breaks wait to be taken", ErrProtocol, maxBreaks)
	}
}

// session returns the session of an id on this connection, nil if there is none.
func (c *Conn) session(id uint64) *Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sessions[id]
}

// offers returns a list that is not empty: all, unless some are wanted.
func offers[T any](wanted []T, all ...T) []T {
	if len(wanted) == 0 {
		return all
	}
	return slices.Clone(wanted)
}

package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/odxray/odxray/dissect/netbios"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/replay/tape"
)

// conn is one connection of a client. [MS-SMB2] 3.3.1.7
type conn struct {
	s      *Server
	nc     net.Conn
	number int
	wire   *tape.Conn // nil without a capture
	done   chan struct{}
	gone   chan struct{} // closed once nothing is left of the connection
	end    sync.Once

	loggedOn atomic.Bool // large messages may come

	// Whoever has the turn may use what follows.
	turn     *turn
	working  sync.WaitGroup
	agreed   // what NEGOTIATE left; the zero dialect before it
	sessions map[uint64]*session
	binding  map[uint64]*binding // of sessions that are about to get this connection, too
	window   window
	pending  map[uint64]*pending // by AsyncId
	nextID   uint64              // of those
	waiting  int                 // bytes of messages that wait
	player   Player              // nil without a Script

	sending sync.Mutex
	frame   []byte // for send
	outbox  outbox
}

// agreed is what NEGOTIATE settles.
type agreed struct {
	dialect    smb2.Dialect
	clientGUID wire.GUID
	clientMode smb2.SecurityMode
	clientCaps smb2.Capabilities
	caps       smb2.Capabilities
	mode       smb2.SecurityMode
	cipher     smb2.Cipher // 0: none
	signing    smb2.Signing
	preauth    seal.Preauth
	maxSize    uint32  // bytes of what one message reads, writes or transacts
	offered    []byte  // dialects, as the client listed them
	manner     *Manner // nil: the server's own
}

const (
	smallMessage = 1 << 16 // bytes before a session is set up, and at most in dialect 2.0.2
	largeMessage = 8 << 20
	maxWaiting   = 32 << 20
	sendTimeout  = 30 * time.Second
	logonTimeout = time.Minute
	maxSessions  = 64 // of one connection
)

func newConn(s *Server, nc net.Conn, number int) *conn {
	c := &conn{
		s: s, nc: nc, number: number, done: make(chan struct{}), gone: make(chan struct{}), turn: newTurn(),
		sessions: map[uint64]*session{}, binding: map[uint64]*binding{}, pending: map[uint64]*pending{}, window: newWindow(),
	}
	if s.tape != nil {
		c.wire = s.tape.Conn(nc.RemoteAddr(), nc.LocalAddr(), s.tape.now())
	}
	if s.cfg.Script != nil {
		c.player = s.cfg.Script.Connect(caller{c})
	}
	return c
}

func (c *conn) logf(format string, args ...any) {
	c.s.logf("#%d %s", c.number, fmt.Sprintf(format, args...))
}

// hangUp ends the connection: reads, writes and waits fail from here on.
func (c *conn) hangUp() {
	c.end.Do(func() {
		close(c.done)
		c.nc.Close()
	})
}

// run serves the connection to its end.
func (c *conn) run() {
	c.s.stats.connections.Add(1)
	c.logf("connected from %s", c.nc.RemoteAddr())
	err := c.read()
	c.hangUp()
	c.working.Wait()
	c.turn.take(nil)
	for _, x := range c.sessions {
		x.lose(c)
	}
	if c.player != nil {
		c.player.Close()
	}
	c.turn.give()
	c.s.mu.Lock()
	delete(c.s.conns, c)
	c.s.mu.Unlock()
	c.wire.Close(c.s.tape.now())
	close(c.gone)
	switch {
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed):
		c.logf("closed")
	default:
		c.logf("closed: %v", err)
	}
}

// errProtocol is the answer to what no client sends: the connection ends.
var errProtocol = errors.New("not SMB2")

// read takes messages in until the connection ends.
func (c *conn) read() error {
	var head [netbios.HeaderLen]byte
	for {
		deadline := time.Time{}
		if !c.loggedOn.Load() { // strangers do not keep a connection for long
			deadline = time.Now().Add(logonTimeout)
		}
		c.nc.SetReadDeadline(deadline)
		if _, err := io.ReadFull(c.nc, head[:]); err != nil {
			return err
		}
		var h netbios.Header
		if head[0] != netbios.Message && head[0] != netbios.KeepAlive {
			return fmt.Errorf("session service packet of type %#x: %w", head[0], errProtocol)
		}
		cursor := wire.New(append(head[:], "\xfeSMB"...), nil) // direct TCP: all 24 bits are the length
		netbios.Decode(&cursor, &h, true)
		if head[0] == netbios.KeepAlive {
			if h.Length > 0 {
				return fmt.Errorf("keep-alive of %d bytes: %w", h.Length, errProtocol)
			}
			continue
		}
		message, err := c.body(int(h.Length))
		if err != nil {
			return err
		}
		if !c.turn.take(c.done) {
			return net.ErrClosed
		}
		c.wire.Record(tape.Client, c.s.tape.now(), head[:], message)
		c.working.Add(1)
		go func() {
			defer c.working.Done()
			if err := c.message(message); err != nil {
				c.logf("%v", err)
				c.hangUp()
			}
			c.turn.give()
		}()
	}
}

// body reads a message of n bytes. It grows with what comes, not with what was said.
func (c *conn) body(n int) ([]byte, error) {
	most := smallMessage
	if c.loggedOn.Load() {
		most = largeMessage + smallMessage
	}
	if n > most {
		return nil, fmt.Errorf("message of %d bytes, and %d is the most here: %w", n, most, errProtocol)
	}
	b := make([]byte, 0, min(n, 4096))
	for len(b) < n {
		room := min(n-len(b), max(len(b), 4096))
		b = append(b, make([]byte, room)...)
		if _, err := io.ReadFull(c.nc, b[len(b)-room:]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// message handles what came in one frame. An error ends the connection.
func (c *conn) message(b []byte) (err error) {
	c.s.stats.messages.Add(1)
	cursor := wire.New(b, nil)
	switch smb2.ProtocolOf(&cursor) {
	case smb2.ProtocolSMB1:
		return c.multiProtocol(b)
	case smb2.ProtocolSMB2:
		return newChain(c, nil).run(b)
	case smb2.ProtocolTransform:
		x, plain, err := c.unseal(b)
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(plain, []byte("\xfeSMB")) {
			return fmt.Errorf("encrypted: %w", errProtocol)
		}
		return newChain(c, x).run(plain)
	}
	return errProtocol
}

// unseal decrypts a message.
func (c *conn) unseal(b []byte) (*session, []byte, error) {
	var d smb2.Decoder
	cursor := wire.New(b, nil)
	h := d.Transform(&cursor, nil)
	if cursor.Err() != nil {
		return nil, nil, cursor.Err()
	}
	x := c.sessions[h.SessionID]
	if x == nil || x.opener == nil {
		return nil, nil, fmt.Errorf("encrypted in session %#x, which has no key: %w", h.SessionID, errProtocol)
	}
	plain, err := seal.Open(nil, x.opener, h)
	if err != nil {
		return nil, nil, fmt.Errorf("encrypted in session %#x: %w", h.SessionID, err)
	}
	return x, plain, nil
}

// send sends messages of one frame, encrypted if x is not nil. Failure ends the
// connection.
func (c *conn) send(messages []byte, x *session) {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.drain()
	c.frameOut(messages, x)
}

// frameOut is send for who holds c.sending.
func (c *conn) frameOut(messages []byte, x *session) {
	if c.ended() {
		return // the client will not see it, and nor does the capture
	}
	c.frame = append(c.frame[:0], 0, 0, 0, 0)
	if x != nil {
		c.frame = x.seal(c.frame, messages)
	} else {
		c.frame = append(c.frame, messages...)
	}
	n := len(c.frame) - netbios.HeaderLen
	c.frame[1], c.frame[2], c.frame[3] = byte(n>>16), byte(n>>8), byte(n)
	c.wire.Record(tape.Server, c.s.tape.now(), c.frame)
	c.nc.SetWriteDeadline(time.Now().Add(sendTimeout))
	if _, err := c.nc.Write(c.frame); err != nil {
		c.hangUp()
	}
	if cap(c.frame) > 1<<20 {
		c.frame = nil
	}
}

// pending is a request that waits. [MS-SMB2] 3.3.1.9, Open.AsyncCommandList
type pending struct {
	messageID uint64
	session   *session
	open      *open
	cancel    chan struct{}
	once      sync.Once
}

func (p *pending) stop() { p.once.Do(func() { close(p.cancel) }) }

// cancelRequest serves a CANCEL, which nobody answers.
func (c *conn) cancelRequest(h *smb2.Header) {
	if h.Flags&smb2.FlagAsync != 0 {
		if p := c.pending[h.AsyncID]; p != nil {
			p.stop()
		}
		return
	}
	for _, p := range c.pending {
		if p.messageID == h.MessageID {
			p.stop()
		}
	}
}

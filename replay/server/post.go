package server

import "sync"

// outbox holds messages that nobody asked for until they are sent, in order. Who posts one
// does not wait for a slow client.
type outbox struct {
	mu      sync.Mutex
	list    []posted
	sending bool
}

type posted struct {
	message []byte
	sealed  *session // nil: in the clear
}

// maxPosted is how many messages may wait for a client that does not read them.
const maxPosted = 8192

// post sends a message once those before it are sent.
func (c *conn) post(message []byte, sealed *session) {
	b := &c.outbox
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.list) >= maxPosted {
		c.hangUp()
		return
	}
	b.list = append(b.list, posted{message, sealed})
	if !b.sending {
		b.sending = true
		go c.deliver()
	}
}

func (c *conn) deliver() {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.drain()
}

// drain sends what was posted. Whatever is said after it on this connection comes after
// it. c.sending is held.
func (c *conn) drain() {
	b := &c.outbox
	for {
		b.mu.Lock()
		if len(b.list) == 0 || c.ended() {
			b.list, b.sending = nil, false
			b.mu.Unlock()
			return
		}
		p := b.list[0]
		b.list = b.list[1:]
		b.mu.Unlock()
		c.frameOut(p.message, p.sealed)
	}
}

// ended tells whether the connection is over.
func (c *conn) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// maxWindow bounds what a server can make the client believe that it may send.
const maxWindow = 1 << 16

// credits is the window of a connection, and the MessageIds that go with it.
// [MS-SMB2] 3.2.4.1.2, 3.2.4.1.3
type credits struct {
	mu      sync.Mutex
	have    int
	next    uint64 // MessageId
	hopes   int    // requests without any answer yet, which may bring credits
	err     error  // of the connection
	changed chan struct{}
}

// init gives the one credit that a connection begins with.
func (c *credits) init() { c.have, c.changed = 1, make(chan struct{}) }

// wake has those that wait look again. The lock is held.
func (c *credits) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// take waits for n credits and returns the first of as many MessageIds. requests is
// how many answers they will bring.
func (c *credits) take(ctx context.Context, n, requests int) (first uint64, have int, err error) {
	if ctx.Err() != nil {
		return 0, 0, context.Cause(ctx)
	}
	for {
		c.mu.Lock()
		switch {
		case c.err != nil:
			err = c.err
		case c.have >= n:
			first = c.next
			c.have -= n
			c.next += uint64(n)
			c.hopes += requests
			have = c.have
		case c.hopes == 0:
			err = fmt.Errorf("%w: a request needs %d, there are %d, and no answer is due", ErrNoCredits, n, c.have)
		default:
			changed := c.changed
			c.mu.Unlock()
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				c.mu.Lock()
				err = fmt.Errorf("%w: a request waits for %d, there are %d: %w", ErrNoCredits, n, c.have, context.Cause(ctx))
				c.mu.Unlock()
				return 0, 0, err
			}
		}
		c.mu.Unlock()
		return first, have, err
	}
}

// grant adds what an answer brings; first says that it is the first to its request.
func (c *credits) grant(n int, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.have = min(c.have+n, maxWindow)
	if first {
		c.hopes--
	}
	c.wake()
}

// fail ends the window with its connection.
func (c *credits) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		c.wake()
	}
}

// closed makes an error say that it ended the connection.
func closed(err error) error {
	if errors.Is(err, ErrClosed) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrClosed, err)
}

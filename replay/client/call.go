package client

import (
	"context"
	"time"

	"github.com/odxray/odxray/dissect/smb2"
)

// Call is a request under way.
type Call struct {
	Command   smb2.Command
	MessageID uint64
	TreeID    uint32
	Sent      time.Time

	conn      *Conn
	session   *Session
	encrypted bool   // sent so
	plain     bool   // an answer in the clear will do all the same
	signed    bool   // the session signs everything, and this went out in the clear
	request   []byte // as sent; of NEGOTIATE and SESSION_SETUP only

	interim *Interim      // guarded by conn.mu
	pended  chan struct{} // closed when interim is set
	done    chan struct{} // closed when the two below are
	answer  *Answer
	err     error
}

// Wait waits for the final answer. Where ctx ends before, the request goes on: Cancel
// gives it up. The error is that of ctx, or an ErrClosed; a status is none.
func (k *Call) Wait(ctx context.Context) (*Answer, error) {
	select {
	case <-k.done:
		return k.answer, k.err
	default:
	}
	select {
	case <-k.done:
		return k.answer, k.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Done is closed when Wait would not wait; Pended when there is an Interim.
func (k *Call) Done() <-chan struct{}   { return k.done }
func (k *Call) Pended() <-chan struct{} { return k.pended }

// Interim returns the interim answer, nil as long as there is none.
func (k *Call) Interim() *Interim {
	k.conn.mu.Lock()
	defer k.conn.mu.Unlock()
	return k.interim
}

// Cancel asks the server to give the request up. Its answer, STATUS_CANCELLED most
// likely, comes to Wait.
func (k *Call) Cancel(ctx context.Context) error { return k.conn.cancel(ctx, k) }

func (k *Call) finish(a *Answer, err error) {
	k.answer, k.err = a, err
	close(k.done)
}

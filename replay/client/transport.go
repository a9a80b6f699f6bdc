package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/odxray/odxray/dissect/wire"
)

// Transport carries units: what one session-service header frames on TCP, one message
// of SMB Direct. Send is called by one goroutine at a time, Receive by another.
type Transport interface {
	// Send sends a unit. After an error part of it may have been sent.
	Send(ctx context.Context, unit []byte) error
	// Receive returns the next unit, of at most limit bytes; it is the caller's.
	Receive(limit int) ([]byte, error)
	// Close ends both, also while they wait.
	Close() error
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
}

// tcp is direct TCP. [MS-SMB2] 2.1
type tcp struct {
	net.Conn
	head [4]byte
}

// DialTCP connects to an address of host and port.
func DialTCP(ctx context.Context, address string) (Transport, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return NewTCP(c), nil
}

// NewTCP is the transport of a connection that is there.
func NewTCP(c net.Conn) Transport { return &tcp{Conn: c} }

// grace is what a unit that is on its way gets to go out after its context has ended: one
// that went out by half would end the connection, over which there may be something to
// clean up.
const grace = 500 * time.Millisecond

// maxFrame is what the 24 bits of a length can say.
const maxFrame = 1<<24 - 1

func (t *tcp) Send(ctx context.Context, unit []byte) error {
	if len(unit) > maxFrame {
		return fmt.Errorf("a message of %d bytes does not fit into a frame", len(unit))
	}
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = t.SetWriteDeadline(time.Now().Add(grace))
		close(fired)
	})
	defer func() {
		if !stop() {
			<-fired // the next unit has a context of its own
		}
		_ = t.SetWriteDeadline(time.Time{})
	}()
	frame := append(wire.AppendBE32(make([]byte, 0, 4+len(unit)), uint32(len(unit))), unit...)
	_, err := t.Write(frame)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// Session service types. RFC 1002 4.3.1
const (
	sessionMessage   = 0x00
	sessionKeepAlive = 0x85
)

func (t *tcp) Receive(limit int) ([]byte, error) {
	for {
		if _, err := io.ReadFull(t.Conn, t.head[:]); err != nil {
			return nil, err
		}
		n := int(t.head[1])<<16 | int(t.head[2])<<8 | int(t.head[3])
		switch {
		case t.head[0] == sessionKeepAlive && n == 0:
			continue
		case t.head[0] != sessionMessage:
			return nil, protocolError("a frame of type %#02x", t.head[0])
		case n > limit:
			return nil, protocolError("a frame of %d bytes, where at most %d are expected", n, limit)
		}
		// The buffer grows as bytes come, not as the server claims that they will.
		const first = 65536
		var b bytes.Buffer
		b.Grow(min(n, first))
		if _, err := io.CopyN(&b, t.Conn, int64(n)); err != nil {
			return nil, err
		}
		return b.Bytes(), nil
	}
}

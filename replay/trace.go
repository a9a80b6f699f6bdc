package replay

// The run as a capture: what was sent and received. Messages that travelled encrypted are
// written as they were before, so that the capture can be read without a key.

import (
	"encoding/binary"
	"io"
	"net"
	"sync"

	"github.com/odxray/odxray/replay/client"
	"github.com/odxray/odxray/replay/tape"
)

// Trace writes a pcapng of a run.
type Trace struct {
	t     *tape.Tape
	mu    sync.Mutex
	conns map[traced]*tape.Conn
}

// traced is a connection of the run; one that was made anew has another address.
type traced struct {
	conn  int
	local string
}

// NewTrace begins a capture.
func NewTrace(w io.Writer) (*Trace, error) {
	t, err := tape.New(w, "odxray replay", "made by odxray replay: the headers below SMB are made up, and what was encrypted on its way is not")
	return &Trace{t: t, conns: make(map[traced]*tape.Conn)}, err
}

// Err returns the first error of writing.
func (t *Trace) Err() error { return t.t.Err() }

// Tap is an Options.Tap.
func (t *Trace) Tap(conn int, local, remote net.Addr, u *client.Unit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := traced{conn, local.String()}
	c := t.conns[k]
	if c == nil {
		c = t.t.Conn(local, remote, u.Time)
		t.conns[k] = c
	}
	side := tape.Server
	if u.Sent {
		side = tape.Client
	}
	unit := u.Plain
	if unit == nil {
		unit = u.Wire
	}
	var head [4]byte // of the session service
	binary.BigEndian.PutUint32(head[:], uint32(len(unit)))
	c.Record(side, u.Time, head[:], unit)
}

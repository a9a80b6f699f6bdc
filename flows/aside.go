package flows

// What few exchanges have, kept beside them.

import (
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/rdma"
)

// aside is what an exchange has that most have not. The zero aside says nothing.
type aside struct {
	asyncID     uint64
	interimTime int64
	cancel      uint32 // frame of the CANCEL
	sequence    uint16 // ChannelSequence
	replay      bool
	binding     bool              // a SESSION_SETUP that binds a channel
	durable     wire.GUID         // a CREATE: CreateGuid of the open that it asks to be durable
	reconnects  bool              // a CREATE that asks for an open that outlived its connection
	reconnect   smb2.Reconnect    // valid iff reconnects
	operations  []*rdma.Operation // that reached the memory it gave
	offered     uint64            // bytes of that
	base        uint64            // where it begins, valid iff offered is not 0
	key         uint32            // of that place
	promised    uint64            // bytes that the answer says went by RDMA
}

// aside returns what is kept beside an exchange, to be changed.
func (t *exchangeTable) aside(x uint32) *aside {
	b := t.asides[x]
	if b == nil {
		if n := len(t.spare); n > 0 {
			b, t.spare = t.spare[n-1], t.spare[:n-1]
			*b = aside{}
		} else {
			b = new(aside)
		}
		t.asides[x] = b
	}
	return b
}

// forget drops what is kept beside an exchange; its place is used again.
func (t *exchangeTable) forget(x uint32) {
	if b := t.asides[x]; b != nil {
		delete(t.asides, x)
		t.spare = append(t.spare, b)
	}
}

var nothingAside aside

// beside returns what is kept beside an exchange, for a look at it.
func (t *exchangeTable) beside(x uint32) *aside {
	if b := t.asides[x]; b != nil {
		return b
	}
	return &nothingAside
}

// cancelled finds the exchange that a CANCEL means, and keeps that it was: by AsyncId
// once the server has given one, by MessageId before. [MS-SMB2] 3.2.4.24
func (t *exchangeTable) cancelled(c *conn, m *smb2.Message, frame uint32) uint32 {
	x := uint32(0)
	if m.Flags&smb2.FlagAsync != 0 {
		x = t.async[pendingKey{c.id, m.AsyncID}]
	}
	if x == 0 {
		x = t.find(c.id, m.MessageID)
	}
	if x != 0 {
		t.aside(x).cancel = frame
	}
	return x
}

// pended keeps that the server has said it needs time.
func (t *exchangeTable) pended(c *conn, x uint32, asyncID uint64, frame uint32, now int64) {
	b := t.aside(x)
	b.asyncID, b.interimTime = asyncID, now
	t.at(x).interim = frame
	t.async[pendingKey{c.id, asyncID}] = x
}

// ended forgets what only a waiting exchange needs.
func (t *exchangeTable) ended(c *conn, x uint32) {
	if t.at(x).interim == 0 {
		return
	}
	if k := (pendingKey{c.id, t.beside(x).asyncID}); t.async[k] == x {
		delete(t.async, k)
	}
}

package flows

// Session-service frames in, SMB messages out: chains are taken apart, each message
// is decoded with what its request said, and paired.

import (
	"errors"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// unit is a session-service frame, or what there is of one.
type unit struct {
	b     []byte // gathered, header included; shorter than size if head, cut or lost
	size  int    // on the wire, header included
	first uint32 // the first of its frames; it ends in the one at hand
	off   uint64 // stream offset
	head  bool   // the rest of b was captured, but is file data and not gathered
	lost  bool   // bytes in it are in no frame
	bare  bool   // it has no session-service header: it came by RDMA
	plain []byte // what it holds decrypted; nil if it is not encrypted, or stays so
	grown []byte // what that, or it, holds decompressed; nil if it is not compressed, or stays so
	shut  error  // why it stays compressed; nil if nobody tried
}

// cursor makes c a cursor over u, from a number of bytes on, that records into tree.
func (u *unit) cursor(c *wire.Cursor, from int, tree *wire.Tree) {
	if c.Reset(u.b[min(from, len(u.b)):], u.size-from, tree); u.head {
		c.HeadOnly()
	}
}

// lead returns how many bytes stand before its messages.
func (u *unit) lead() int {
	if u.bare {
		return 0
	}
	return pduHeaderLen
}

// pdu takes a session-service frame.
func (a *Analyzer) pdu(c *conn, dir int, u *unit) {
	if !u.bare && u.b[0] != 0 || len(u.b) < u.lead()+4 {
		a.batch = a.batch[:0]
		a.show(c, dir, u)
		return
	}
	if c.pub == 0 {
		a.publish(c)
	}
	a.marks |= MarkSMB
	c.lastMessage, c.messageTime = a.frame, a.now
	if u.lost {
		a.marks |= MarkLost
	}
	a.batch = a.batch[:0]
	switch u.b[u.lead()] {
	case 0xfd:
		a.sealed(c, dir, u)
	case 0xfe, 0xfc:
		var body wire.Cursor
		u.cursor(&body, u.lead(), nil)
		a.content(c, dir, u, &body)
	}
	a.show(c, dir, u)
	if c.direct != nil {
		c.direct.delays.says(a)
	}
	a.exchanges.settle(a)
}

// show hands a unit to who looks at frames, and to who will. One that is given up
// because its connection is over ends in no frame.
func (a *Analyzer) show(c *conn, dir int, u *unit) {
	if c != a.at {
		return
	}
	if a.index != nil {
		a.index.unit(a.frame, dir, u, a.batch)
	}
	if a.view != nil {
		a.view.conn = c.id
		a.view.unit(a, u, a.batch)
	}
}

// publish makes a connection one of those that the outside sees, if there is room.
func (a *Analyzer) publish(c *conn) {
	a.byID[c.id] = c
	if len(a.conns) >= maxListed {
		c.pub = -1
		a.unlisted++
		return
	}
	a.conns = append(a.conns, Connection{})
	c.pub = len(a.conns)
}

// delivered is a message of the unit at hand, and the exchange it belongs to.
type delivered struct {
	x        uint32 // index of the exchange; 0 if none
	response bool
	interim  bool
}

// content takes what a unit holds, once it is not encrypted.
func (a *Analyzer) content(c *conn, dir int, u *unit, body *wire.Cursor) {
	switch smb2.ProtocolOf(body) {
	case smb2.ProtocolSMB2:
		a.chain(c, dir, u, body)
	case smb2.ProtocolCompressed:
		a.compressed(c, dir, u, body)
	}
}

// chain takes the messages of a unit: body. Where nobody asks what they mean, only those
// are decoded that say how others are to be read.
func (a *Analyzer) chain(c *conn, dir int, u *unit, body *wire.Cursor) {
	var peek smb2.Header
	var message wire.Cursor // over the one at hand, for an answer that may have come before its request
	prev := uint32(0)       // the exchange before, for related requests
	for body.Len() > 0 && peek.Peek(body) {
		response := peek.Flags&smb2.FlagResponse != 0
		if (c.server < 0 || c.messages == 0) && peek.MessageID != ^uint64(0) {
			c.server = dir
			if !response {
				c.server = 1 - dir
			}
		}
		c.messages++
		a.messages++
		size := body.Len()
		if peek.NextCommand != 0 {
			size = min(size, int(peek.NextCommand))
		}
		if a.light && peek.Command != smb2.Negotiate {
			if size < 64 {
				break
			}
			body.Skip(fSession, size)
			a.batch = append(a.batch, delivered{})
			continue
		}
		whole := body.Peek(size) // nil if some of it is missing
		x := uint32(0)
		if response {
			x = a.exchanges.find(c.id, peek.MessageID)
			a.exchanges.context(a, x, &a.ctx)
		} else {
			a.ctx = smb2.Context{Dialect: c.dialect}
			a.ctx.Pipe = a.onPipe(c, &peek)
		}
		if response && x == 0 {
			message = body.Ahead()
			message.Narrow(size)
		}
		m := a.smb.Decode(body, &a.ctx)
		if m.Err != nil && !errors.Is(m.Err, wire.ErrTruncated) {
			c.malformed++
			a.marks |= MarkMalformed
		}
		var d delivered
		waits, came := false, uint32(0)
		if response {
			if m.MessageID != ^uint64(0) {
				c.credits.grant(c, m, a.now)
				a.remember(&c.credits)
			}
			d = a.response(c, m, x, u)
			waits = x == 0 && a.mayBeEarly(c, dir, &m.Header)
		} else {
			came = a.exchanges.early.before(c, &m.Header)
			d = a.request(c, m, prev, came, u)
		}
		if a.keys != nil {
			a.authenticate(c, d.x, u, whole, m)
		}
		switch {
		case came != 0:
			a.join(c, came)
		case d.response && d.x != 0 && !d.interim && !(waits && a.exchanges.keep(a, c, d.x, &message, u)):
			a.exchanges.done = append(a.exchanges.done, d.x)
		}
		prev = d.x
		a.batch = append(a.batch, d)
	}
	if body.Cause() != nil && body.Cause() != wire.ErrTruncated {
		c.malformed++
		a.marks |= MarkMalformed
	}
}

// onPipe reports whether a request is on a tree of named pipes.
func (a *Analyzer) onPipe(c *conn, h *smb2.Header) bool {
	t := a.treeOf(a.sessionOf(c, h.SessionID), h.TreeID)
	return t != 0 && a.trees[t].kind == 2
}

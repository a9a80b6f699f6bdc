package flows

// The messages themselves, once more: what was sent, without what carried it. Replay
// makes its requests of them.

import (
	"github.com/odxray/odxray/dissect/smb2"
)

// Message is an SMB2 message as its sender made it: decrypted and decompressed.
type Message struct {
	Place      int   // for Capture.MessageAt
	Exchange   int   // position for Capture.Exchange; -1 if it belongs to none, as a break does
	Conn       int   // Connection.ID
	Frame      int   // in which it ends
	Time       int64 // of that frame
	Position   int   // in its chain; 0 begins one
	FromServer bool
	Interim    bool   // a STATUS_PENDING
	Encrypted  bool   // it was
	Closed     bool   // it stays encrypted or compressed: nothing else of it is known
	Bytes      []byte // from its header up to the next message of its chain; valid until yield returns
	Size       int    // of Bytes on the wire: more than there are if the capture lost or cut some
}

// EachMessage yields the messages of the capture in the order of the frames that they end
// in, until yield returns false. It reads their frames again. Only with Options.Index,
// after the pass; yield calls no methods of c.
func (c *Capture) EachMessage(yield func(*Message) bool) error {
	c.enter()
	defer c.mu.Unlock()
	return c.messagesFrom(c.a.index.messages.gone, yield)
}

// MessageAt yields one message again, by its Message.Place: nothing of it was kept but
// where its frames are. It yields none if those were forgotten (Options.MaxMemory).
func (c *Capture) MessageAt(place int, yield func(*Message)) error {
	c.enter()
	defer c.mu.Unlock()
	list := &c.a.index.messages
	if place < list.gone || place >= list.n {
		return nil
	}
	from := place // the first that ends in its frame: what carries messages is told apart by counting
	for from > list.gone && list.at(from-1).last == list.at(place).last {
		from--
	}
	return c.messagesFrom(from, func(m *Message) bool {
		if m.Place == place {
			yield(m)
		}
		return m.Place < place
	})
}

// messagesFrom is EachMessage from the message at i on, which begins a chain.
func (c *Capture) messagesFrom(i int, yield func(*Message) bool) error {
	ix := c.a.index
	send, last := 0, uint32(0)
	for i < ix.messages.n {
		m := *ix.messages.at(i)
		from := i
		for i++; i < ix.messages.n && ix.messages.at(i).chain > 0 && ix.messages.at(i).last == m.last; i++ {
		}
		if int(m.last) <= ix.frames.gone {
			continue
		}
		f := ix.frames.at(int(m.last) - 1)
		conn := f.conn
		u := &c.again
		*u = unit{size: int(m.size), first: m.first, off: m.off, lost: m.facts&hasLoss != 0}
		framed := false
		if conn != 0 {
			x := ix.conns.at(int(conn) - 1)
			framed = x.framed(m.last) && from >= int(x.plain)
		}
		if conn != 0 && !framed {
			start := ix.conns.at(int(conn) - 1).start[m.dir] + uint32(m.off)
			if err := ix.regather(c.source, u, conn, start, &m, u.size); err != nil {
				return err
			}
		} else {
			if m.last != last {
				send = ix.sendsIn(m.last)
			}
			for ; send < ix.sends.n && ix.sends.at(send).frame == m.last && ix.sends.at(send).nAll == 0; send++ {
			}
			if send == ix.sends.n || ix.sends.at(send).frame != m.last {
				continue
			}
			var err error
			s := ix.sends.at(send)
			send++
			*u = unit{bare: true, lost: u.lost}
			if framed {
				u.b, u.size, err = ix.resendMPA(c.source, s, chunkList{&ix.brought, s.all, int(s.nAll)}, true)
			} else {
				u.b, u.size, err = ix.resend(c.source, s.all, s.nAll, true)
			}
			if err != nil {
				return err
			}
			conn = s.conn
		}
		last = m.last
		if m.facts&isMade != 0 {
			c.remake(&c.look, conn, int(m.dir))
		}
		if !c.yieldUnit(u, from, i, conn, f.time, yield) {
			return nil
		}
	}
	return nil
}

// yieldUnit yields the messages of c.again, which have positions from up to to.
func (c *Capture) yieldUnit(u *unit, from, to int, conn uint32, at int64, yield func(*Message) bool) bool {
	ix := c.a.index
	b, size := u.b[min(u.lead(), len(u.b)):], u.size-u.lead()
	out := Message{Conn: int(conn), Frame: int(ix.messages.at(from).last), Time: at, Encrypted: len(b) > 0 && b[0] == 0xfd}
	if u.plain != nil {
		b, size = u.plain, len(u.plain)
	}
	if u.grown != nil {
		b, size = u.grown, len(u.grown)
	}
	for i := from; i < to; i++ {
		m := ix.messages.at(i)
		out.Place = i
		out.Exchange, out.Position = int(m.x)-1, int(m.chain)
		out.FromServer = m.facts&isResponse != 0
		if on := c.a.byID[conn]; on != nil {
			out.FromServer = on.server == int(m.dir)
		}
		out.Interim = m.facts&isInterim != 0
		out.Closed = len(b) < 4 || b[0] != 0xfe
		out.Bytes, out.Size = b, size
		if next := nextCommand(b); next > 0 && next <= size {
			out.Bytes, out.Size = b[:min(next, len(b))], next
			b, size = b[min(next, len(b)):], size-next
		}
		if !yield(&out) {
			return false
		}
	}
	return true
}

// nextCommand returns where the next message of a chain begins; 0 if there is none.
func nextCommand(b []byte) int {
	if len(b) < 24 || b[0] != 0xfe {
		return 0
	}
	return int(littleEndian(b[20:24]))
}

// MessageContext fills ctx with what a decoder of messages of exchange i, counted from 0,
// needs beside their bytes. Only with Options.Index.
func (c *Capture) MessageContext(i int, ctx *smb2.Context) {
	c.enter()
	defer c.mu.Unlock()
	c.a.exchanges.context(c.a, uint32(i+1), ctx)
}

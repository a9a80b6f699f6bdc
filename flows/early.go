package flows

// Answers that were captured before their requests. Where packets of the two directions are
// captured apart, by several cores or at two ports of a switch, two that follow each other closely
// may change places. An answer that acknowledges bytes of its client which the capture has not
// shown yet is kept until its request comes.

import (
	"bytes"
	"slices"

	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

const (
	maxEarly    = 128      // answers that are kept
	earlyFrames = 4096     // for which one is
	earlyBytes  = 16 << 10 // of one
)

// earlyAnswer is one. It is an exchange without a request until that comes.
type earlyAnswer struct {
	key     pendingKey
	command smb2.Command
	x       uint32
	open    uint32 // of x, without a name if x made it
	frame   uint32
	b       []byte // of the message, as far as it was gathered
	size    int    // on the wire
	head    bool   // the rest is file data
	lost    bool
}

// earlyTable is those that are kept, oldest first.
type earlyTable struct {
	list []earlyAnswer
	open map[uint32]uint32 // of those that have been joined, what open was, for who looks at them again
}

// mayBeEarly reports whether the request of an answer may still come: h is the answer's
// header, without a request. Log-ons, trees and what named pipes carry are not waited for.
func (a *Analyzer) mayBeEarly(c *conn, dir int, h *smb2.Header) bool {
	switch h.Command {
	case smb2.Create, smb2.Read, smb2.Write, smb2.Ioctl, smb2.Close, smb2.Flush, smb2.Lock, smb2.QueryInfo, smb2.SetInfo:
	default:
		return false
	}
	s := &c.streams[1-dir]
	return c == a.at && c.direct == nil && h.MessageID != ^uint64(0) && h.Flags&smb2.FlagAsync == 0 &&
		a.headers.Flags&inet.ACK != 0 && s.seen && before(s.next, a.headers.Ack) && !a.onPipe(c, h)
}

// keep keeps the answer that is exchange x; message is what was gathered of it. It reports
// false if that is too much.
func (t *exchangeTable) keep(a *Analyzer, c *conn, x uint32, message *wire.Cursor, u *unit) bool {
	size := message.Len()
	b := message.Rest(fSession)
	if len(b) > earlyBytes {
		return false
	}
	if len(t.early.list) == maxEarly {
		t.giveUp(1)
	}
	e := t.at(x)
	t.early.list = append(t.early.list, earlyAnswer{pendingKey{c.id, e.messageID}, e.command, x, e.open, a.frame, bytes.Clone(b), size, u.head, u.lost})
	return true
}

// giveUp ends the wait of the oldest n: they have no requests.
func (t *exchangeTable) giveUp(n int) {
	for _, e := range t.early.list[:n] {
		t.done = append(t.done, e.x)
	}
	t.early.list = slices.Delete(t.early.list, 0, n)
}

// expire gives up those that have waited for long.
func (t *exchangeTable) expire(frame uint32) {
	n := 0
	for n < len(t.early.list) && frame-t.early.list[n].frame > earlyFrames {
		n++
	}
	if n > 0 {
		t.giveUp(n)
	}
}

// before returns the exchange that the answer to a request has begun, because it came before; 0
// if it has not.
func (t *earlyTable) before(c *conn, h *smb2.Header) uint32 {
	for i := range t.list {
		if e := &t.list[i]; e.key == (pendingKey{c.id, h.MessageID}) && e.command == h.Command {
			return e.x
		}
	}
	return 0
}

// join takes the answer that has begun exchange x, now that its request has come.
func (a *Analyzer) join(c *conn, x uint32) {
	t := &a.exchanges.early
	i := slices.IndexFunc(t.list, func(e earlyAnswer) bool { return e.x == x })
	was := t.list[i]
	t.list = slices.Delete(t.list, i, i+1)
	if a.index != nil && was.open != 0 {
		if t.open == nil {
			t.open = make(map[uint32]uint32)
		}
		t.open[x] = was.open
	}
	if was.command == smb2.Create && was.open != 0 {
		a.unopen(was.open)
	}
	// What it counted when it came is counted.
	frame, marks, opens, durables, counts := a.frame, a.marks, a.openCount, a.durables, a.caching.CacheCounts
	a.frame = was.frame
	var cur wire.Cursor
	if cur.Reset(was.b, was.size, nil); was.head {
		cur.HeadOnly()
	}
	a.exchanges.context(a, x, &a.ctx)
	a.response(c, a.smb.Decode(&cur, &a.ctx), x, &unit{lost: was.lost})
	a.exchanges.done = append(a.exchanges.done, x)
	a.frame, a.marks, a.openCount, a.durables, a.caching.CacheCounts = frame, marks, opens, durables, counts
}

// unopen forgets an open that an answer began without its request, which begins another.
func (a *Analyzer) unopen(i uint32) {
	o := &a.opens[i]
	if k := (openKey{o.session, o.fid}); a.openByKey[k] == i {
		delete(a.openByKey, k)
	}
	a.notDurable(i)
	a.letGo(o)
	a.sessions[o.session].unlink(a, i)
}

// alone returns what exchange x was before its request came, as far as messages are shown by it.
func (t *exchangeTable) alone(x uint32) exchange {
	e := t.at(x)
	lone := exchange{conn: e.conn, session: e.session, tree: e.tree, treeID: e.treeID, messageID: e.messageID, command: e.command, open: t.early.open[x]}
	if e.command == smb2.Ioctl { // whose answer says that, too
		lone.function = e.function
	}
	return lone
}

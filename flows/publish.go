package flows

// What the outside sees: values made of the state.

import (
	"fmt"
	"slices"
	"time"
)

func durationOf(ns int64) time.Duration { return time.Duration(ns) }

// exchange fills x with exchange i.
func (a *Analyzer) exchange(i uint32, x *Exchange) {
	e := a.exchanges.at(i)
	*x = Exchange{
		ID: int(e.number), Conn: int(e.conn), Command: e.command, Function: e.function,
		InfoType: e.infoType, InfoClass: e.infoClass, MessageID: e.messageID, TreeID: e.treeID,
		Offset: e.offset, Length: e.length, HasRange: e.facts&hasRange != 0, Moved: e.moved, Status: e.status,
		RequestFrame: int(e.reqFrame), AnswerFrame: int(e.ansFrame), InterimFrame: int(e.interim),
		RequestTime: e.reqTime, AnswerTime: e.ansTime, CreditWait: time.Duration(e.waited) * time.Microsecond,
	}
	if b := a.exchanges.asides[i]; b != nil {
		x.InterimTime, x.CancelFrame = b.interimTime, int(b.cancel)
		x.Replay, x.ChannelSequence = b.replay, b.sequence
		x.RDMA = b.transfer()
	}
	if s := e.session; s != 0 {
		x.SessionID, x.User = a.sessions[s].id, a.sessions[s].accountAt(max(e.reqFrame, e.ansFrame))
	}
	if t := e.tree; t != 0 {
		x.Share = a.trees[t].share
	}
	if c := a.byID[e.conn]; c != nil {
		x.Client, x.Network, x.Transport = c.clientName(), time.Duration(c.synAck), c.transport()
	}
	x.File = a.fileName(e)
	switch {
	case e.facts&damaged != 0:
		x.Uncertain = "a message of it was lost or cut in part"
	case e.reqFrame == 0:
		x.Uncertain = "the request is not in the capture"
	case x.RDMA.Incomplete > 0:
		x.Uncertain = a.incomplete(i)
	}
}

// incomplete says of an exchange whose RDMA operations are not all complete how many are
// not, and why the first is not.
func (a *Analyzer) incomplete(i uint32) string {
	c, list := a.byID[a.exchanges.at(i).conn], a.exchanges.beside(i).operations
	n, why := 0, ""
	for _, o := range list {
		if o.Complete() {
			continue
		}
		if n++; why == "" && c != nil {
			why = ": " + c.lacks(o)
		}
	}
	return fmt.Sprintf("%d of %d RDMA operations are incomplete%s", n, len(list), why)
}

// Results returns what is known so far.
func (a *Analyzer) Results() *Results {
	r := &Results{
		Frames: int(a.frame), Messages: a.messages, Exchanges: a.exchanges.count, Opens: a.openCount, First: a.first, Last: a.last,
		Protocols: make(map[string]int),
	}
	for _, c := range a.byID {
		if c.pub > 0 {
			a.serverOf(c)
			a.conns[c.pub-1] = c.published()
		}
	}
	r.Connections = append(r.Connections, a.conns...)
	r.RDMA, r.Attempts = a.rdma(false), slices.Clone(a.direct.attempts)
	for i := range a.sessions[1:] {
		s := &a.sessions[i+1]
		if len(s.conns) == 0 {
			continue // joined with another
		}
		out := Session{ID: s.id, Server: a.servers[s.server].name, User: s.account(), Host: s.host, First: int(s.frame), Guest: s.guest, Signed: s.signed, Sealed: s.sealed > 0, Encrypted: s.sealed, KeyOrigin: s.sealing.keyOrigin(), Trouble: a.trouble(s), TroubleFrame: int(s.closed)}
		s.sealing.publish(&out)
		out.Ended, out.Previous = int(s.ended), s.previous
		for _, who := range s.earlier {
			out.Earlier = append(out.Earlier, who.account)
		}
		for i := s.opens; i != 0; i = a.opens[i].next {
			out.Opens++
		}
		for _, c := range s.conns {
			out.Conns = append(out.Conns, int(c))
		}
		for _, t := range s.trees {
			tree := &a.trees[t]
			out.Trees = append(out.Trees, Tree{ID: tree.id, Share: tree.share, Type: tree.kind, Frame: int(tree.frame)})
		}
		r.Sessions = append(r.Sessions, out)
	}
	for _, y := range a.copies.list {
		r.Copies = append(r.Copies, y.result(a, a.ended))
		r.unsure(&r.Copies[len(r.Copies)-1])
	}
	for _, m := range a.copies.tokens.list {
		r.Mints = append(r.Mints, m.result(a))
	}
	r.Loose = a.copies.looseCalls()
	for i := range r.Loose {
		a.volume(&r.Loose[i])
	}
	r.Caching = Caches{a.caching.CacheCounts, a.caching.breaksShown()}
	r.Durables, r.Resumptions = a.durables, a.resumptions
	a.problemsOf(r)
	return r
}

// maxProblems bounds the problems of connections that are told one by one.
const maxProblems = 1 << 10

// problemsOf says what could not be read, and whether that leaves doubts.
func (a *Analyzer) problemsOf(r *Results) {
	say := func(format string, args ...any) { r.Problems = append(r.Problems, fmt.Sprintf(format, args...)) }
	for i := range r.Connections {
		c := &r.Connections[i]
		if len(r.Problems) >= maxProblems {
			say("%d further connections may have had problems, too", len(r.Connections)-i)
			r.Incomplete = true
			break
		}
		name := fmt.Sprintf("connection %d (%v to %v)", c.ID, c.Client, c.Server)
		if c.LateStart {
			say("%s began before the capture", name)
		}
		if c.LostBytes > 0 {
			say("%s: %s are missing from the capture", name, c.Missing())
			r.Incomplete = true
		}
		if c.CutFrames > 0 {
			say("%s: %d frames were cut by the snap length", name, c.CutFrames)
			r.Incomplete = true
		}
		if c.Encrypted > 0 {
			say("%s: %d messages are encrypted", name, c.Encrypted)
			r.Incomplete = true
		}
		if c.Nameless > 0 && a.keys != nil {
			say("%s: %d encrypted messages name no session, so no key can be theirs", name, c.Nameless)
		}
		if c.Compressed > 0 {
			say("%s: %d messages could not be decompressed: %v", name, c.Compressed, c.CompressedWhy)
			r.Incomplete = true
		}
		if c.Malformed > 0 {
			say("%s: %d messages are malformed", name, c.Malformed)
		}
	}
	for i := range r.Sessions {
		if s := &r.Sessions[i]; s.Trouble != "" && a.keys != nil {
			say("session 0x%016x, from frame %d on: %s", s.ID, s.TroubleFrame, s.Trouble)
		}
	}
	a.limit.problems(a.index, say)
	if l := &a.limit; l.stories > 0 || l.tokens > 0 || a.index != nil && a.index.frames.gone > 0 {
		r.Incomplete = true
	}
	a.aged.problems(say)
	if n := a.recent.evicted; n > 0 {
		say("%d idle connections were forgotten: more than %d at once", n, maxConns)
		r.Incomplete = true
	}
	if n := a.direct.dismissed; n > 0 {
		say("%d connections of RDMA were forgotten: too many at once", n)
		r.Incomplete = true
	}
	if n := a.unlisted; n > 0 {
		say("%d connections are not listed: more than %d carry SMB", n, maxListed)
		r.Incomplete = true
	}
	if n := a.relieved; n > 0 {
		say("%d streams gave up what they waited for: all together held more than %d MB", n, maxWaiting>>20)
		r.Incomplete = true
	}
	if n := a.fragments.dropped; n > 0 {
		say("%d IP datagrams were given up: not all of their fragments came", n)
		r.Incomplete = true
	}
	if n := a.exchanges.evicted; n > 0 {
		say("%d requests were forgotten: more than %d waited for an answer", n, maxPending)
		r.Incomplete = true
	}
}

// unsure says why what a copy lacks may have been on the wire.
func (r *Results) unsure(c *Copy) {
	if c.Verdict == Complete || c.Uncertain != "" {
		return
	}
	for i := range r.Connections {
		n := &r.Connections[i]
		if (n.LostBytes > 0 || n.CutFrames > 0 || n.Encrypted > 0) && slices.Contains(c.Conns, n.ID) {
			c.Uncertain = fmt.Sprintf("not all of connection %d can be seen", n.ID)
			return
		}
	}
}

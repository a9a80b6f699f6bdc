package flows

// Sessions: how they begin, go on as somebody else, take each other's place, and end.

import (
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/smb2"
)

// outlives keeps that a CREATE asks for a durable open, or for one that it had.
func (a *Analyzer) outlives(x uint32, b *smb2.CreateRequest) {
	const reconnect = smb2.ContextReconnect | smb2.ContextReconnectV2
	switch {
	case b.Contexts&reconnect != 0:
		k := a.exchanges.aside(x)
		k.reconnects, k.reconnect = true, b.Reconnect
		k.durable = b.Reconnect.CreateGUID
	case b.Contexts.Has(smb2.ContextDurableV2):
		a.exchanges.aside(x).durable = b.Durable.CreateGUID
	}
}

// begins takes the id that a server gives to a new session. If the capture knows a
// session of that id, that one is over: ids come again when a server has restarted.
func (a *Analyzer) begins(c *conn, id uint64) {
	k := sessionKey{a.serverOf(c), id}
	if i, ok := a.sessionByKey[k]; ok && a.sessions[i].frame != 0 {
		a.sessionOver(i, true)
		delete(a.sessionByKey, k)
	}
}

// sessionOver ends a session, which keeps its id until another gets it: messages that
// come too late are still its own. Those of its opens that are durable wait for their
// client if spare is true.
func (a *Analyzer) sessionOver(i uint32, spare bool) {
	a.abandoned(i, spare)
	if s := &a.sessions[i]; s.ended == 0 {
		s.ended = a.frame
	}
}

// succeeds ends the session that a client says it has lost. [MS-SMB2] 3.3.5.5.3
func (a *Analyzer) succeeds(session uint32, previous uint64) {
	s := &a.sessions[session]
	if previous == 0 || previous == s.id {
		return
	}
	s.previous = previous
	if i, ok := a.sessionByKey[sessionKey{s.server, previous}]; ok {
		if a.root(i) != session {
			s.after = i
		}
		a.sessionOver(i, true)
	}
}

// reauthenticated keeps whose a session was until now, if it is somebody else's.
func (a *Analyzer) reauthenticated(s *sessionState, account string) {
	const most = 64
	if old := s.account(); old != "" && account != "" && old != account && len(s.earlier) < most {
		s.earlier = append(s.earlier, identity{old, a.frame})
	}
}

// ending takes the flags of a segment that one side sends.
func (a *Analyzer) ending(c *conn, dir int, flags inet.TCPFlags) {
	was := c.fins
	if flags&inet.FIN != 0 {
		c.fins |= 1 << dir
	}
	if flags&inet.RST != 0 {
		c.fins = bothSides
	}
	if c.fins == bothSides && was != bothSides {
		a.hungUp(c)
		if c.direct != nil {
			c.direct.rest(a.frame, a.now)
		}
	}
}

// hungUp ends what a connection's end ends: sessions that have no other channel lose
// their opens, but for durable ones.
func (a *Analyzer) hungUp(c *conn) {
	if len(c.streams[0].held)+len(c.streams[1].held) > 0 {
		return // more is to come
	}
	for _, i := range c.sessions {
		alone := true
		for _, id := range a.sessions[i].conns {
			other := a.byID[id]
			alone = alone && (other == c || other == nil || other.fins == bothSides)
		}
		if alone {
			a.abandoned(i, true)
		}
	}
}

const bothSides = 3

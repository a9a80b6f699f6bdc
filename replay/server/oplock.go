package server

import (
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// grant is what a client may cache of a file: a lease, which several of its opens may
// share, or an oplock, which is written as the lease that it amounts to. Server.mu
// guards it. [MS-SMB2] 3.3.1.12, 3.3.4.6, 3.3.4.7
type grant struct {
	c     *conn
	sess  *session // of its first open
	key   leaseKey
	lease bool
	v2    bool
	epoch uint16
	state smb2.LeaseState
	opens int
	of    *open // of an oplock

	breaking bool
	to       smb2.LeaseState // what the client may keep
	done     chan struct{}   // closed when the break is over
}

// leaseKey names a lease. The zero value is none.
type leaseKey struct{ client, key wire.GUID }

const (
	stateNone  smb2.LeaseState = 0
	stateRW                    = smb2.LeaseRead | smb2.LeaseWrite
	stateRWH                   = stateRW | smb2.LeaseHandle
	leaseBreak                 = 2 // SMB2_LEASE_FLAG_BREAK_IN_PROGRESS
)

// is tells whether g is the lease of that key: then its holder stands in nobody's way.
func (g *grant) is(key leaseKey) bool { return g.lease && g.key == key }

// oplockWrite is what an oplock loses beside the handle: it cannot keep writing then.
func oplockWrite(g *grant) smb2.LeaseState {
	if g.lease {
		return 0
	}
	return smb2.LeaseWrite
}

func oplockState(l smb2.OplockLevel) smb2.LeaseState {
	switch l {
	case smb2.OplockBatch:
		return stateRWH
	case smb2.OplockExclusive:
		return stateRW
	case smb2.OplockII:
		return smb2.LeaseRead
	}
	return stateNone
}

func oplockLevel(s smb2.LeaseState) smb2.OplockLevel {
	switch {
	case s == stateRWH:
		return smb2.OplockBatch
	case s&smb2.LeaseWrite != 0:
		return smb2.OplockExclusive
	case s&smb2.LeaseRead != 0:
		return smb2.OplockII
	}
	return smb2.OplockNone
}

// leaseKey is the key of the lease that a CREATE asks for.
func (r *request) leaseKey(m *smb2.CreateRequest) leaseKey {
	if m.OplockLevel != smb2.OplockLease || !m.Contexts.Has(smb2.ContextLease) || r.c.dialect < smb2.Dialect210 {
		return leaseKey{}
	}
	return leaseKey{r.c.clientGUID, m.Lease.Key}
}

// grantCaching gives o what the client asks for and others leave. Server.mu is held.
func (s *Server) grantCaching(c *conn, m *smb2.CreateRequest, o *open, out *smb2.CreateResponse) {
	f := o.file
	if f.directory {
		return
	}
	lease := m.OplockLevel == smb2.OplockLease && m.Contexts.Has(smb2.ContextLease) && c.dialect >= smb2.Dialect210
	var key leaseKey
	want := oplockState(m.OplockLevel)
	if lease {
		key = leaseKey{c.clientGUID, m.Lease.Key}
		want = m.Lease.State & stateRWH
	}
	if want&smb2.LeaseRead == 0 {
		want = stateNone
	}
	for _, other := range f.opens {
		if other == o || other.grant != nil && lease && other.grant.is(key) {
			continue
		}
		want &^= smb2.LeaseWrite
		if !lease {
			want &= smb2.LeaseRead
		}
	}
	if len(f.locks) > 0 && !lease {
		want = stateNone
	}
	if !lease {
		if want != stateNone {
			o.grant = &grant{c: c, sess: o.sess, state: want, opens: 1, of: o}
		}
		out.OplockLevel = oplockLevel(want)
		return
	}
	g := s.leases[key]
	if g == nil {
		g = &grant{c: c, sess: o.sess, key: key, lease: true, v2: m.Lease.Version2, epoch: m.Lease.Epoch}
		s.leases[key] = g
	}
	o.grant = g
	g.opens++
	if !g.breaking && want&^g.state != 0 && g.state&^want == 0 {
		g.state = want
		g.epoch++
	}
	out.OplockLevel = smb2.OplockLease
	out.Contexts |= smb2.ContextLease
	out.Lease = smb2.Lease{Key: m.Lease.Key, State: g.state, Version2: m.Lease.Version2, Epoch: g.epoch}
	if g.v2 {
		out.Lease.ParentKey = m.Lease.ParentKey
		out.Lease.Flags = m.Lease.Flags & 4
	}
	if g.breaking {
		out.Lease.Flags |= leaseBreak
	}
}

// demand has the holder of g go down to state to. Whoever has to wait for that waits for
// what it returns, which is nil if nobody has to. Server.mu is held.
func (s *Server) demand(g *grant, to smb2.LeaseState) <-chan struct{} {
	if g.breaking {
		return g.done
	}
	to &= g.state
	if to == g.state {
		return nil
	}
	before := g.state
	acknowledged := before&(smb2.LeaseWrite|smb2.LeaseHandle) != 0
	if g.epoch++; acknowledged {
		g.breaking, g.to, g.done = true, to, make(chan struct{})
		done := g.done
		time.AfterFunc(s.cfg.BreakTimeout, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if g.breaking && g.done == done {
				s.logf("#%d did not answer an oplock break", g.c.number)
				g.over(stateNone)
			}
		})
	} else {
		g.state = to
	}
	s.stats.breaks.Add(1)
	if g.away() {
		s.abandon(g)
	} else {
		go g.c.notifyBreak(s.breakMessage(g, before, to, acknowledged), g.sess)
	}
	if acknowledged {
		return g.done
	}
	return nil
}

// over ends a break. Server.mu is held.
func (g *grant) over(state smb2.LeaseState) {
	g.state, g.breaking = state, false
	close(g.done)
}

// breakMessage is a notification with its header. [MS-SMB2] 2.2.23
func (s *Server) breakMessage(g *grant, before, to smb2.LeaseState, acknowledged bool) []byte {
	h := smb2.Header{Command: smb2.OplockBreak, Flags: smb2.FlagResponse, MessageID: ^uint64(0)}
	b := h.Append(nil)
	if !g.lease {
		return (&smb2.OplockBreakNotification{OplockLevel: oplockLevel(to), File: g.of.id}).Append(b)
	}
	m := smb2.LeaseBreakNotification{Key: g.key.key, Current: before, New: to}
	if acknowledged {
		m.Flags = 1
	}
	if g.v2 {
		m.Epoch = g.epoch
	}
	return m.Append(b)
}

// notifyBreak sends what nobody asked for: encrypted if the session has to be.
func (c *conn) notifyBreak(message []byte, x *session) {
	if x == nil || !x.encrypt {
		x = nil
	}
	c.send(message, x)
}

// breakReaders ends read caching of f for all but the lease of key: what they have
// cached is about to change. Nobody waits for that. Server.mu is held.
func (s *Server) breakReaders(f *file, key leaseKey) {
	for _, o := range f.opens {
		if g := o.grant; g != nil && !g.is(key) && g.state != stateNone {
			s.demand(g, stateNone)
		}
	}
}

// writing begins a change of n bytes at off through o: what others cache and tokens of it
// end. wrote ends it. Server.mu is not held.
func (o *open) writing(off, n int64) {
	o.file.io.Lock()
	o.changes(off, n)
}

// wrote ends what writing began.
func (o *open) wrote() {
	o.file.restamp()
	o.file.io.Unlock()
}

// changes is writing for who holds what guards the data.
func (o *open) changes(off, n int64) {
	s := o.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range o.file.opens {
		if g := other.grant; g != nil && g != o.grant && g.state != stateNone {
			s.demand(g, stateNone)
		}
	}
	o.file.written(off, n)
}

// releaseGrant takes back what o had. Server.mu is held.
func (s *Server) releaseGrant(o *open) {
	g := o.grant
	if g == nil {
		return
	}
	o.grant = nil
	if g.opens--; g.opens > 0 {
		return
	}
	if g.lease && s.leases[g.key] == g {
		delete(s.leases, g.key)
	}
	if g.breaking {
		g.over(stateNone)
	}
	g.state = stateNone
}

// oplockAcknowledge serves an OPLOCK_BREAK acknowledgment. [MS-SMB2] 3.3.5.22.1
func (r *request) oplockAcknowledge(m *smb2.OplockBreakAcknowledgment) status {
	o := r.sess.opens[m.File]
	if o == nil {
		return ntstatus.FileClosed
	}
	s := r.c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	g := o.grant
	switch {
	case g == nil || g.lease || m.OplockLevel == smb2.OplockLease:
		return ntstatus.InvalidParameter
	case !g.breaking:
		return ntstatus.InvalidOplockProtocol
	}
	state := oplockState(m.OplockLevel)
	if state&^g.to != 0 {
		g.over(stateNone)
		return ntstatus.InvalidOplockProtocol
	}
	g.over(state)
	r.body = (&smb2.OplockBreakResponse{OplockLevel: m.OplockLevel, File: m.File}).Append(nil)
	return ntstatus.Success
}

// leaseAcknowledge serves a lease break acknowledgment. [MS-SMB2] 3.3.5.22.2
func (r *request) leaseAcknowledge(m *smb2.LeaseBreakAcknowledgment) status {
	s := r.c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.leases[leaseKey{r.c.clientGUID, m.Key}]
	switch {
	case g == nil:
		return ntstatus.ObjectNameNotFound
	case !g.breaking:
		return ntstatus.Unsuccessful
	case m.State&^g.to != 0:
		return ntstatus.RequestNotAccepted
	}
	g.over(m.State)
	r.body = (&smb2.LeaseBreakResponse{Key: m.Key, State: m.State}).Append(nil)
	return ntstatus.Success
}

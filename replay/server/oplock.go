package server

import (
	"time"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// grant is what a client may cache of a file: a lease, which several of its opens may
// share, or an oplock, which is written as the lease that it amounts to. Server.mu
// guards it. [MS-SMB2] 3.3.1.12, 3.3.4.6, 3.3.4.7
type grant struct {
	key   leaseKey
	lease bool
	file  *file // of a lease: it is about one
	v2    bool
	epoch uint16
	state smb2.LeaseState
	opens int
	of    *open // of an oplock

	breaking bool
	to       smb2.LeaseState // what the client was told that it may keep
	need     smb2.LeaseState // what it may keep in the end
	done     chan struct{}   // closed when the break is over
	timer    *time.Timer     // ends it
}

// leaseKey names a lease. The zero value is none.
type leaseKey struct{ client, key wire.GUID }

const (
	stateNone   smb2.LeaseState = 0
	stateRW                     = smb2.LeaseRead | smb2.LeaseWrite
	stateRWH                    = stateRW | smb2.LeaseHandle
	leaseBreak                  = 2 // SMB2_LEASE_FLAG_BREAK_IN_PROGRESS
	leaseParent                 = 4 // SMB2_LEASE_FLAG_PARENT_LEASE_KEY_SET

	// cacheRights are those of an open that only looks.
	cacheRights = dtyp.ReadAttributes | dtyp.WriteAttributes | dtyp.Synchronize
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
// [MS-FSA] 2.1.5.17
func (s *Server) grantCaching(m *smb2.CreateRequest, key leaseKey, o *open, out *smb2.CreateResponse) {
	f := o.file
	if f.directory {
		return
	}
	lease := key != leaseKey{}
	asked := oplockState(m.OplockLevel)
	if lease {
		asked = m.Lease.State & stateRWH
	}
	want := f.shareable(o, key, asked)
	if !lease {
		if want != stateNone {
			o.grant = &grant{state: want, opens: 1, of: o}
		}
		out.OplockLevel = oplockLevel(want)
		return
	}
	g := s.leases[key]
	switch {
	case g == nil:
		g = &grant{key: key, lease: true, file: f, v2: m.Lease.Version2, epoch: m.Lease.Epoch, state: want}
		s.leases[key] = g
		if g.epoch++; want == stateNone {
			g.epoch = m.Lease.Epoch
		}
	case !g.breaking && want == asked && want&^g.state != 0 && g.state&^want == 0: // more, and all of it
		g.state = want
		g.epoch++
	}
	o.grant = g
	g.opens++
	out.OplockLevel = smb2.OplockLease
	out.Contexts |= smb2.ContextLease
	out.Lease = g.response()
	if g.v2 && m.Lease.Version2 {
		out.Lease.ParentKey = m.Lease.ParentKey
		out.Lease.Flags |= m.Lease.Flags & leaseParent
	}
}

// shareable is what of asked can be granted beside what others have. Server.mu is held.
func (f *file) shareable(o *open, key leaseKey, asked smb2.LeaseState) smb2.LeaseState {
	lease := key != leaseKey{}
	if asked&smb2.LeaseRead == 0 || len(f.locks) > 0 && !lease {
		return stateNone
	}
	for _, other := range f.opens {
		g := other.grant
		switch {
		case other == o || g != nil && g.is(key):
		case g == nil || g.state == stateNone:
			if !other.looks(lease) {
				asked &^= smb2.LeaseWrite
			}
		case g.state&smb2.LeaseWrite != 0:
			return stateNone // o itself is one that looks only: g was not broken
		case !lease && g.state&smb2.LeaseHandle != 0:
			return stateNone
		case lease && !g.lease:
			asked &= smb2.LeaseRead
		default:
			asked &^= smb2.LeaseWrite
		}
	}
	if !lease && asked&smb2.LeaseWrite == 0 {
		asked &= smb2.LeaseRead
	}
	return asked
}

// looks tells whether o only looks at a file, which disturbs nobody's caching: leases are
// disturbed less than oplocks. [MS-FSA] 2.1.4.12
func (o *open) looks(lease bool) bool {
	if lease {
		return o.access&^(cacheRights|dtyp.ReadControl) == 0
	}
	return o.access&^cacheRights == 0
}

// response is what a CREATE tells of a lease.
func (g *grant) response() smb2.Lease {
	l := smb2.Lease{Key: g.key.key, State: g.state, Version2: g.v2}
	if g.v2 {
		l.Epoch = g.epoch
	}
	if g.breaking {
		l.Flags = leaseBreak
	}
	return l
}

// demand has the holder of g go down to state to. Whoever has to wait for that waits for
// what it returns, which is nil if nobody has to. Server.mu is held.
func (s *Server) demand(g *grant, to smb2.LeaseState) <-chan struct{} {
	to &= g.state
	if g.breaking {
		g.need &= to
		return g.done
	}
	if to == g.state {
		return nil
	}
	s.stats.breaks.Add(1)
	g.epoch++                         // once, however many steps it takes
	if g.state&^smb2.LeaseRead == 0 { // nobody has to confirm
		s.announce(g, to, false)
		g.state = to
		return nil
	}
	g.breaking, g.need, g.done = true, to, make(chan struct{})
	s.ask(g, to)
	return g.done
}

// ask tells the holder of g to go down to state to, and to confirm it. Server.mu is held.
func (s *Server) ask(g *grant, to smb2.LeaseState) {
	g.to = to
	done := g.done
	g.timer = time.AfterFunc(s.cfg.BreakTimeout, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if g.breaking && g.done == done {
			s.logf("%s: a client did not answer an oplock break", windowsPath(g.on().path, g.on().stream))
			g.over(stateNone)
		}
	})
	s.announce(g, to, true)
}

// confirm goes on with a break once the client has the answer to its acknowledgment.
// Server.mu is held.
func (r *request) confirm(g *grant, state smb2.LeaseState) {
	s, done := r.c.s, g.done
	r.last = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if g.breaking && g.done == done {
			s.confirmed(g, state)
		}
	}
}

// confirmed goes on with a break once the client went down to state. What came up
// meanwhile goes in steps: reading is the last to end. Server.mu is held.
func (s *Server) confirmed(g *grant, state smb2.LeaseState) {
	g.timer.Stop()
	g.state = state
	to := g.need & state
	switch {
	case to == state:
		g.over(state)
	case state&^smb2.LeaseRead == 0:
		s.announce(g, to, false)
		g.over(to)
	default:
		s.ask(g, to|state&smb2.LeaseRead)
	}
}

// over ends a break. Server.mu is held.
func (g *grant) over(state smb2.LeaseState) {
	g.timer.Stop()
	g.state, g.breaking = state, false
	close(g.done)
}

// announce sends a notification, on the first connection of the client that there is.
// [MS-SMB2] 3.3.4.6, 3.3.4.7. Server.mu is held.
func (s *Server) announce(g *grant, to smb2.LeaseState, acknowledged bool) {
	c, x := s.reach(g)
	if c == nil {
		s.abandon(g)
		return
	}
	if !x.encrypt {
		x = nil
	}
	c.post(g.notification(to, acknowledged), x)
}

// reach returns a connection to the holder of g and the session in which it is told, or
// nothing. Server.mu is held.
func (s *Server) reach(g *grant) (*conn, *session) {
	x := g.session()
	if x == nil {
		return nil, nil
	}
	first := x.reach()
	if first == nil || !g.lease || x.encrypt { // who encrypts has to be told in a session of its own
		return first, x
	}
	for c := range s.conns {
		if c.clientGUID == g.key.client && c.number < first.number && !c.ended() {
			first = c
		}
	}
	return first, x
}

// on is the file that g is about.
func (g *grant) on() *file {
	if g.lease {
		return g.file
	}
	return g.of.file
}

// session is that of an open whose client is there, or nil. Server.mu is held.
func (g *grant) session() *session {
	if !g.lease {
		return g.of.sess
	}
	for _, o := range g.file.opens {
		if o.grant == g && o.sess != nil {
			return o.sess
		}
	}
	return nil
}

// notification is a break with its header. [MS-SMB2] 2.2.23
func (g *grant) notification(to smb2.LeaseState, acknowledged bool) []byte {
	h := smb2.Header{Command: smb2.OplockBreak, Flags: smb2.FlagResponse, MessageID: ^uint64(0)}
	b := h.Append(nil)
	if !g.lease {
		return (&smb2.OplockBreakNotification{OplockLevel: oplockLevel(to), File: g.of.id}).Append(b)
	}
	m := smb2.LeaseBreakNotification{Key: g.key.key, Current: g.state, New: to}
	if acknowledged {
		m.Flags = 1
	}
	if g.v2 {
		m.Epoch = g.epoch
	}
	return m.Append(b)
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

// breakCaching ends what the opens of a file cache because o is about to change it, or to
// lock a part. An oplock of level II ends even if it is o's own. Nobody waits for that.
// Server.mu is held.
func (s *Server) breakCaching(o *open) {
	for _, other := range o.file.opens {
		g := other.grant
		if g == nil || g.state == stateNone || g == o.grant && (g.lease || g.state&smb2.LeaseWrite != 0) {
			continue
		}
		s.demand(g, stateNone)
	}
}

// breakHandle has the holder of g close what it keeps open for later. Server.mu is held.
func (s *Server) breakHandle(g *grant) <-chan struct{} {
	if g == nil || g.state&smb2.LeaseHandle == 0 {
		return nil
	}
	return s.demand(g, g.state&^(smb2.LeaseHandle|oplockWrite(g)))
}

// releaseHandles has clients close what they keep open for later of the files that are
// meant, but for what shares o's grant, and waits for that.
func (r *request) releaseHandles(o *open, meant func(*file) bool) status {
	s := r.c.s
	var all []<-chan struct{}
	s.mu.Lock()
	for _, f := range s.files {
		if !meant(f) {
			continue
		}
		for _, other := range f.opens {
			if other.grant == o.grant {
				continue
			}
			if busy := s.breakHandle(other.grant); busy != nil {
				all = append(all, busy)
			}
		}
	}
	s.mu.Unlock()
	for _, busy := range all {
		if st := r.await(busy); st != ntstatus.Success {
			return st
		}
	}
	if o.closed {
		return ntstatus.FileClosed
	}
	return ntstatus.Success
}

// await waits until a break is over.
func (r *request) await(busy <-chan struct{}) status {
	if !r.begin() {
		return ntstatus.InsufficientResources
	}
	if ok, _ := r.wait(busy, 0); !ok {
		return ntstatus.Cancelled
	}
	if !r.sess.established {
		return ntstatus.UserSessionDeleted
	}
	return ntstatus.Success
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
	s.breakCaching(o)
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
	r.confirm(g, state)
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
	r.confirm(g, m.State)
	r.body = (&smb2.LeaseBreakResponse{Key: m.Key, State: m.State}).Append(nil)
	return ntstatus.Success
}

package server

import (
	"strings"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

const (
	durableTimeout    = time.Minute     // how long an open waits for its client to come back, if that does not say
	maxDurableTimeout = 5 * time.Minute // if it does
)

// createKey names an open as its client does. [MS-SMB2] 2.2.13.2.11
type createKey struct{ client, guid wire.GUID }

const durableContexts = smb2.ContextDurable | smb2.ContextReconnect | smb2.ContextDurableV2 | smb2.ContextReconnectV2

// durableAsked rejects contexts that do not go together. [MS-SMB2] 3.3.5.9.6, 3.3.5.9.7,
// 3.3.5.9.10, 3.3.5.9.12
func durableAsked(c smb2.Contexts) status {
	c &= durableContexts
	if c == smb2.ContextDurable|smb2.ContextReconnect { // the first is ignored
		return ntstatus.Success
	}
	if c&(c-1) != 0 {
		return ntstatus.InvalidParameter
	}
	return ntstatus.Success
}

// makeDurable lets o outlive its connection, if the client asks for that and caches enough
// to be told when it ends: [MS-SMB2] 3.3.5.9.6, 3.3.5.9.10. Server.mu is held.
func (o *open) makeDurable(m *smb2.CreateRequest, client wire.GUID, out *smb2.CreateResponse) {
	asked := m.Contexts & (smb2.ContextDurable | smb2.ContextDurableV2)
	if asked&smb2.ContextDurableV2 != 0 {
		o.created = createKey{client, m.Durable.CreateGUID}
		o.s.created[o.created] = o
	}
	if asked == 0 || o.grant == nil || o.grant.state&smb2.LeaseHandle == 0 {
		return
	}
	o.durable, o.timeout = true, durableTimeout
	if asked&smb2.ContextDurableV2 != 0 && m.Durable.Timeout != 0 {
		o.timeout = min(time.Duration(m.Durable.Timeout)*time.Millisecond, maxDurableTimeout)
	}
	out.Contexts |= asked
	out.Durable = smb2.Durable{Timeout: uint32(o.timeout.Milliseconds())}
}

// requestResiliency serves FSCTL_LMR_REQUEST_RESILIENCY: the open outlives its connection
// whatever the client caches. [MS-SMB2] 3.3.5.15.9
func (r *request) requestResiliency(o *open, m *fscc.ResiliencyRequest) status {
	timeout := time.Duration(m.Timeout) * time.Millisecond
	switch {
	case r.c.dialect < smb2.Dialect210:
		return ntstatus.InvalidDeviceRequest
	case timeout > maxDurableTimeout:
		return ntstatus.InvalidParameter
	case timeout == 0:
		timeout = durableTimeout
	}
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	o.durable, o.resilient, o.timeout = false, true, timeout
	return ntstatus.Success
}

// detach keeps o for a client that lost its connection. It returns false if o does not
// last. Nothing is held.
func (o *open) detach() bool {
	s := o.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.closed || s.closed {
		return false
	}
	g := o.grant
	if !o.resilient && (!o.durable || g == nil || g.state&smb2.LeaseHandle == 0 || g.breaking) {
		return false
	}
	o.user = o.sess.user
	o.sess, o.tree = nil, nil
	s.durable[o.id] = o
	o.waits = time.AfterFunc(o.timeout, o.close)
	return true
}

// waiting finds the open that a reconnect means: the volatile part of its FileId says
// nothing any more. Server.mu is held.
func (s *Server) waiting(m *smb2.CreateRequest) *open {
	v2 := m.Contexts.Has(smb2.ContextReconnectV2)
	for id, o := range s.durable {
		if string(id[:persistentID]) == string(m.Reconnect.File[:persistentID]) && (!v2 || o.created.guid == m.Reconnect.CreateGUID) {
			return o
		}
	}
	return nil
}

// noticeTimeout is how long a reconnect waits for the server to notice that the old
// connection has ended: the new one may be served first.
const noticeTimeout = time.Second

// leaving returns what is closed once the connection is gone that the open of a reconnect
// still has; nil if it has none, or the client's own session has it.
func (r *request) leaving(m *smb2.CreateRequest) <-chan struct{} {
	s := r.c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		for _, o := range f.opens {
			x := o.sess
			if x == nil || x == r.sess || string(o.id[:persistentID]) != string(m.Reconnect.File[:persistentID]) {
				continue
			}
			if !o.durable && !o.resilient || o.client != r.c.clientGUID || len(x.channels) != 1 || x.channels[0].c == r.c {
				return nil
			}
			return x.channels[0].c.gone
		}
	}
	return nil
}

// persistentID is how many bytes of a FileId outlive a connection.
const persistentID = 8

// reconnect serves a CREATE that asks for an open that was detached.
// [MS-SMB2] 3.3.5.9.7, 3.3.5.9.12
func (r *request) reconnect(m *smb2.CreateRequest) status {
	if st := durableAsked(m.Contexts); st != ntstatus.Success {
		return st
	}
	var key leaseKey
	if m.Contexts.Has(smb2.ContextLease) {
		key = leaseKey{r.c.clientGUID, m.Lease.Key}
	}
	path, stream, _ := parsePath(m.Name.String())
	s := r.c.s
	if gone := r.leaving(m); gone != nil {
		if !r.begin() {
			return ntstatus.InsufficientResources
		}
		if ok, _ := r.wait(gone, noticeTimeout); !ok {
			return ntstatus.Cancelled
		}
		if !r.sess.established {
			return ntstatus.UserSessionDeleted
		}
	}
	s.mu.Lock()
	o := s.waiting(m)
	st := ntstatus.Success
	switch {
	case o == nil:
		st = ntstatus.ObjectNameNotFound
	case !strings.EqualFold(o.user, r.sess.user):
		st = ntstatus.AccessDenied
	case o.grant != nil && o.grant.lease != (key != leaseKey{}), o.grant != nil && o.grant.lease && !o.grant.is(key):
		st = ntstatus.ObjectNameNotFound
	case key != leaseKey{} && (fold(path) != fold(o.file.path) || fold(stream) != fold(o.file.stream)):
		st = ntstatus.InvalidParameter
	}
	if st != ntstatus.Success {
		s.mu.Unlock()
		return st
	}
	delete(s.durable, o.id)
	o.waits.Stop()
	o.sess, o.tree = r.sess, r.tree
	r.sess.opens[o.id] = o
	s.mu.Unlock()
	return r.again(o, smb2.ActionOpened, 0)
}

// again answers a CREATE with an open that is there already.
func (r *request) again(o *open, action smb2.CreateAction, with smb2.Contexts) status {
	r.chain.open, r.file = o, o
	a, err := o.file.attr()
	if err != nil {
		return statusOf(err)
	}
	out := smb2.CreateResponse{
		Action: action, Times: messageTimes(&a.Times), AllocationSize: uint64(a.Allocation), EndOfFile: uint64(a.Size),
		Attributes: attributes(&a), File: o.id,
	}
	out.Contexts |= with
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	out.Durable.Timeout = uint32(o.timeout.Milliseconds())
	switch g := o.grant; {
	case g == nil:
	case g.lease:
		out.OplockLevel = smb2.OplockLease
		out.Contexts |= smb2.ContextLease
		out.Lease = g.response()
	default:
		out.OplockLevel = oplockLevel(g.state)
	}
	r.body = out.Append(nil)
	return ntstatus.Success
}

// replayed serves a CREATE whose CreateGuid is that of an open: one that the client sends
// again, because it got no answer on another channel, gets that open. known is false where
// there is none. [MS-SMB2] 3.3.5.9.10
func (r *request) replayed(m *smb2.CreateRequest) (known bool, _ status) {
	name := r.createKey(m)
	if name == (createKey{}) {
		return false, ntstatus.Success
	}
	s := r.c.s
	s.mu.Lock()
	if s.creating[name] { // the first still waits for somebody's break
		s.mu.Unlock()
		return true, ntstatus.FileNotAvailable
	}
	o := s.created[name]
	var with smb2.Contexts
	st := ntstatus.Success
	switch key := r.leaseKey(m); {
	case o == nil:
		s.mu.Unlock()
		return false, st
	case r.h.Flags&smb2.FlagReplay == 0:
		st = statusDuplicateObjectID
	case o.sess == nil:
		st = ntstatus.FileNotAvailable
	case o.sess != r.sess, key != leaseKey{} && (o.grant == nil || !o.grant.is(key)):
		st = ntstatus.AccessDenied
	case o.durable:
		with = smb2.ContextDurableV2
	}
	action := smb2.CreateAction(0)
	if o != nil {
		action = o.action
	}
	s.mu.Unlock()
	if st != ntstatus.Success {
		return true, st
	}
	return true, r.again(o, action, with)
}

// createKey is what the client calls the open that a CREATE makes; zero if nothing.
func (r *request) createKey(m *smb2.CreateRequest) createKey {
	if !m.Contexts.Has(smb2.ContextDurableV2) || r.c.dialect < smb2.Dialect300 {
		return createKey{}
	}
	return createKey{r.c.clientGUID, m.Durable.CreateGUID}
}

// creates takes note of a CREATE under way until what it returns is called.
func (r *request) creates(m *smb2.CreateRequest) (done func()) {
	name, s := r.createKey(m), r.c.s
	if name == (createKey{}) {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.creating[name] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.creating, name)
	}
}

// supersede closes the opens that another node of a clustered application left: it is
// about to open the file itself. [MS-SMB2] 3.3.5.9.13
func (r *request) supersede(m *smb2.CreateRequest, path string) status {
	if !m.Contexts.Has(smb2.ContextAppInstanceID) || r.c.dialect < smb2.Dialect300 || m.AppInstanceID == (wire.GUID{}) {
		return ntstatus.Success
	}
	s := r.c.s
	type left struct {
		o *open
		x *session
	}
	var all []left
	s.mu.Lock()
	for _, f := range s.files {
		if fold(f.path) != fold(path) {
			continue
		}
		for _, o := range f.opens {
			if o.app != m.AppInstanceID || o.client == r.c.clientGUID {
				continue
			}
			if o.newer(m) {
				s.mu.Unlock()
				return statusForcedClosed
			}
			all = append(all, left{o, o.sess})
		}
	}
	s.mu.Unlock()
	for _, l := range all {
		if l.x == nil {
			l.o.close()
		} else {
			r.c.turn.within(l.x.turn, l.o.close)
		}
	}
	return ntstatus.Success
}

// newer tells whether o is of a version of the application that is not to be replaced.
func (o *open) newer(m *smb2.CreateRequest) bool {
	if !m.Contexts.Has(smb2.ContextAppInstanceVersion) || o.appVersion == [2]uint64{} {
		return false
	}
	have, want := o.appVersion, m.AppVersion
	return have[0] > want[0] || have[0] == want[0] && have[1] >= want[1]
}

// abandon closes the opens of a grant whose client is away: it cannot be told. Server.mu
// is held.
func (s *Server) abandon(g *grant) {
	for _, o := range s.durable {
		if o.grant == g {
			go o.close()
		}
	}
}

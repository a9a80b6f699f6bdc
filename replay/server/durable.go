package server

import (
	"strings"
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// durableTimeout is how long an open waits for its client to come back.
const durableTimeout = time.Minute

// makeDurable lets o outlive its connection, if the client asks for that and caches enough
// to be told when it ends: [MS-SMB2] 3.3.5.9.6, 3.3.5.9.10. Server.mu is held.
func (o *open) makeDurable(m *smb2.CreateRequest, out *smb2.CreateResponse) {
	asked := m.Contexts & (smb2.ContextDurable | smb2.ContextDurableV2)
	if asked == 0 || o.grant == nil || o.grant.state&smb2.LeaseHandle == 0 {
		return
	}
	o.durable = true
	out.Contexts |= asked
	out.Durable = smb2.Durable{Timeout: uint32(durableTimeout.Milliseconds())}
	o.createGUID = m.Durable.CreateGUID
}

// detach keeps o for a client that lost its connection. It returns false if o is not
// durable. Nothing is held.
func (o *open) detach() bool {
	s := o.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if !o.durable || o.closed || s.closed || o.grant == nil || o.grant.state&smb2.LeaseHandle == 0 || o.grant.breaking {
		return false
	}
	o.user = o.sess.user
	o.sess, o.tree = nil, nil
	s.durable[o.id] = o
	o.waits = time.AfterFunc(durableTimeout, o.close)
	return true
}

// reconnect serves a CREATE that asks for an open that was detached.
// [MS-SMB2] 3.3.5.9.7, 3.3.5.9.12
func (r *request) reconnect(m *smb2.CreateRequest) status {
	s := r.c.s
	s.mu.Lock()
	o := s.durable[m.Reconnect.File]
	if o == nil || !strings.EqualFold(o.user, r.sess.user) || o.grant.lease && !o.grant.is(r.leaseKey(m)) ||
		m.Contexts.Has(smb2.ContextReconnectV2) && m.Reconnect.CreateGUID != o.createGUID {
		s.mu.Unlock()
		return ntstatus.ObjectNameNotFound
	}
	delete(s.durable, o.id)
	o.waits.Stop()
	o.sess, o.tree = r.sess, r.tree
	r.sess.opens[o.id] = o
	g := o.grant
	s.mu.Unlock()
	r.chain.open, r.file = o, o
	a, err := o.file.attr()
	if err != nil {
		return statusOf(err)
	}
	out := smb2.CreateResponse{
		Action: smb2.ActionOpened, Times: messageTimes(&a.Times), AllocationSize: uint64(a.Allocation), EndOfFile: uint64(a.Size),
		Attributes: attributes(&a), File: o.id, OplockLevel: oplockLevel(g.state),
	}
	if g.lease {
		out.OplockLevel = smb2.OplockLease
		out.Contexts = smb2.ContextLease
		out.Lease = g.response()
	}
	r.body = out.Append(nil)
	return ntstatus.Success
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

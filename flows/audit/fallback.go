package audit

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
)

var connRules = []Rule{
	{ID: "conn/rdma-to-tcp", Level: flows.Note, check: connRDMAToTCP,
		Meaning: "A client could not connect to a server by RDMA, or lost such a connection, and went on over TCP.",
		Advice:  "Look at why: what the refusal says, whether the server listens on that address and port, and what the connection died of.",
		Spec:    "[MS-SMB2] 3.2.4.2.1"},
}

const (
	regained = 5 * time.Second // in which RDMA may come back before going on over TCP counts
	noReply  = 3 * time.Second // after which a request to connect will get no answer
)

// connRDMAToTCP looks for connections of TCP that carry messages after RDMA failed between
// the same two, with no other RDMA between them.
func connRDMAToTCP(j *judge) {
	if len(j.Attempts)+len(j.RDMA) == 0 {
		return
	}
	known := j.addresses()
	for i := range j.Attempts {
		if t := &j.Attempts[i]; !t.Accepted && isSMB(t.Port) && !j.asksAgain(i) {
			j.refused(t, known)
		}
	}
	for i := range j.RDMA {
		if r := &j.RDMA[i]; (r.Closed != 0 || r.Unanswered > 0) && !j.loggedOff(r.Conn) {
			j.lost(r, known)
		}
	}
}

func isSMB(port uint16) bool { return port == 445 || port == 5445 }

// asksAgain reports whether the client of an attempt tried that server later, maybe on
// another port.
func (j *judge) asksAgain(i int) bool {
	t := &j.Attempts[i]
	return slices.ContainsFunc(j.Attempts, func(o flows.Attempt) bool {
		return o.Client == t.Client && o.Server == t.Server && isSMB(o.Port) && o.Last > t.Last
	})
}

func (j *judge) refused(t *flows.Attempt, known *addresses) {
	why, after := "got no answer", t.Last
	if t.Answer != 0 {
		why, after = "was refused: "+t.Reason, t.Answer
	}
	c := j.overTCP(after, t.Time, 0, func(c *flows.Connection) bool {
		return known.same(c, t.Client, t.Server)
	})
	if c == nil || t.Answer == 0 && time.Duration(c.LastTime-t.Time) < noReply {
		return
	}
	times := ""
	if t.Asked > 1 {
		times = fmt.Sprintf("%d times, the last time ", t.Asked)
	}
	j.report(flows.Note, []int{t.First, t.Last, t.Answer, c.LastMessage}, "%s asked %s for RDMA on port %d %sin frame %d, %s; they went on over TCP, connection %d",
		t.Client, t.Server, t.Port, times, t.Last, why, c.ID)
}

func (j *judge) lost(r *flows.RDMAConnection, known *addresses) {
	last := max(r.Last, r.Closed)
	c := j.overTCP(last, r.LastTime, r.Conn, func(c *flows.Connection) bool {
		return c.First > last && known.same(c, r.Client.Addr, r.Server.Addr)
	})
	if c == nil {
		return
	}
	why := "ended before its sessions did"
	if r.Closed == 0 {
		why = fmt.Sprintf("fell silent with %d requests unanswered", r.Unanswered)
	}
	f := j.report(flows.Note, []int{last, c.First}, "connection %d by RDMA %s, and %s went on over TCP, connection %d", r.Conn, why, r.Client.Addr, c.ID)
	doubt(f, j.missing(r.Conn))
}

// loggedOff reports whether every session on a connection was over before it was.
func (j *judge) loggedOff(conn int) bool {
	any := false
	for i := range j.Sessions {
		if s := &j.Sessions[i]; slices.Contains(s.Conns, conn) {
			if any = true; s.Ended == 0 || s.Ended > j.conns[conn].Last {
				return false
			}
		}
	}
	return any
}

// overTCP returns a connection of TCP with messages after a frame between two that fits
// tells, or nil: also if by then they have another by RDMA than the one not to count.
func (j *judge) overTCP(after int, at int64, except int, fits func(*flows.Connection) bool) (tcp *flows.Connection) {
	for i := range j.Connections {
		c := &j.Connections[i]
		if c.ID == except || c.LastMessage <= after || !fits(c) {
			continue
		}
		switch {
		case c.Transport == flows.TCP && tcp == nil:
			tcp = c
		case c.Transport != flows.TCP && time.Duration(c.FirstTime-at) < regained:
			return nil
		}
	}
	return tcp
}

// addresses is what is known to have an address: the hosts of servers, the ids of clients.
type addresses struct {
	hosts   map[address]bool
	clients map[caller]bool
}

type address struct {
	netip.Addr
	host int
}

type caller struct {
	netip.Addr
	id wire.GUID
}

func (j *judge) addresses() *addresses {
	known := &addresses{make(map[address]bool), make(map[caller]bool)}
	for i := range j.Connections {
		c := &j.Connections[i]
		known.hosts[address{c.Server.Addr(), c.Host}] = true
		if c.ClientGUID != (wire.GUID{}) {
			known.clients[caller{c.Client.Addr(), c.ClientGUID}] = true
		}
	}
	return known
}

// same reports whether a connection is between a client and a server: known by the addresses
// of their other connections, too.
func (k *addresses) same(c *flows.Connection, client, server netip.Addr) bool {
	return k.hosts[address{server, c.Host}] && (c.Client.Addr() == client || k.clients[caller{client, c.ClientGUID}])
}

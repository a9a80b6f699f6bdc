package flows

// Attempts to connect by RDMA: who asked whom, and what came of it.

import "net/netip"

// Attempt is a request to connect by RDMA, asked as often as its answer was the same.
type Attempt struct {
	Transport      Transport
	Client, Server netip.Addr
	Port           uint16 // 0 if what was asked for is no port of IP
	Asked          int    // times
	First, Last    int    // frames of the first request and of the last
	Time           int64  // of the last
	Answer         int    // frame of the last answer; 0 if there is none to the last request
	Accepted       bool
	Reason         string // of a refusal
}

// maxAttempts bounds those that are kept: later ones are forgotten.
const maxAttempts = 1 << 12

// asked takes a request to connect.
func (t *directTable) asked(by Transport, client, server netip.Addr, port uint16, frame uint32, now int64) {
	p := t.attempt(client, server, port)
	if p == nil || p.Accepted {
		if len(t.attempts) == maxAttempts {
			return
		}
		t.attempts = append(t.attempts, Attempt{Transport: by, Client: client, Server: server, Port: port, First: int(frame)})
		p = &t.attempts[len(t.attempts)-1]
		if t.latest == nil {
			t.latest = make(map[approach]int)
		}
		t.latest[approach{client, server, port}] = len(t.attempts) - 1
	}
	p.Asked++
	p.Last, p.Time, p.Answer = int(frame), now, 0
}

// answered takes the answer to one.
func (t *directTable) answered(client, server netip.Addr, port uint16, frame uint32, accepted bool, reason string) {
	if p := t.attempt(client, server, port); p != nil && !p.Accepted {
		p.Answer, p.Accepted, p.Reason = int(frame), accepted, reason
	}
}

// approach is what attempts are told apart by.
type approach struct {
	client, server netip.Addr
	port           uint16
}

// attempt returns the latest of a kind, or nil.
func (t *directTable) attempt(client, server netip.Addr, port uint16) *Attempt {
	i, ok := t.latest[approach{client, server, port}]
	if !ok {
		return nil
	}
	return &t.attempts[i]
}

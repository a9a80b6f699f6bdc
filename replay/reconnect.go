package replay

// Durable opens are kept for a while after their connection has ended: the answer to the
// request for one says how long. Where a replay keeps the captured times, a client that
// takes one up again does not wait longer than the target does. [MS-SMB2] 2.2.14.2.12

import (
	"time"

	"github.com/odxray/odxray/dissect/smb2"
)

// reconnecting is what is known of opens that are taken up again. run.mu guards the maps.
type reconnecting struct {
	wanted map[int][]int         // by group, slots of files that its connection takes up in it or later
	kept   map[int]time.Duration // by slot, how long the target keeps it
	lost   map[int]time.Time     // by slot, when its connection ended
}

func (p *Plan) reconnecting() reconnecting {
	c := reconnecting{wanted: make(map[int][]int), kept: make(map[int]time.Duration), lost: make(map[int]time.Time)}
	of := make(map[int][]int) // by connection
	for g := len(p.Groups) - 1; g >= 0; g-- {
		conn := p.Groups[g].Conn
		for _, id := range p.Groups[g].Steps {
			s := p.Step(id)
			for _, u := range s.Uses {
				if s.Header.Command == smb2.Create && p.Slots[u.Slot].Kind == SlotFile {
					of[conn] = append(of[conn], u.Slot)
				}
			}
		}
		if list := of[conn]; len(list) > 0 {
			c.wanted[g] = list[:len(list):len(list)]
		}
	}
	return c
}

// kept notes how long the target keeps the open that a CREATE made.
func (r *run) kept(s *Step, answer []byte) {
	for _, u := range s.Defines {
		if r.plan.Slots[u.Slot].Kind != SlotFile || len(r.again.wanted) == 0 {
			continue
		}
		var d decoder
		d.decode(answer, len(answer), &s.Context, nil)
		for i := range d.tree.Nodes {
			if n := &d.tree.Nodes[i]; n.Field.Name == "smb2.dh2x.timeout" && n.Val > 0 {
				r.mu.Lock()
				r.again.kept[u.Slot] = time.Duration(n.Val) * time.Millisecond
				r.mu.Unlock()
			}
		}
	}
}

// hurried shortens the time that a group has yet, so that what its connection takes up
// again is still there: three quarters of the time that the target keeps it.
func (r *run) hurried(g int, left time.Duration) time.Duration {
	if left <= 0 {
		return left
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, slot := range r.again.wanted[g] {
		if at, ok := r.again.lost[slot]; ok && r.again.kept[slot] > 0 {
			left = min(left, time.Until(at.Add(r.again.kept[slot]*3/4)))
		}
	}
	return left
}

package replay

// What has to wait for what. A group waits for another only where the capture shows that
// the one came first and that it mattered: a slot, a file, a session. What was on its way
// at the same time in the capture may be so again.

import (
	"net/netip"
	"slices"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// maxBefore bounds those that a group waits for on account of one thing.
const maxBefore = 1 << 12

// order fills the groups' After and Behind, and the connections' Outstanding.
func (p *Plan) order() {
	p.watched()
	w := waits{Plan: p, after: make([]int, len(p.Groups)), behind: make([]int, len(p.Groups))}
	last := make(map[string][]toucher) // by thing, who touched it
	inSlot := make(map[int][]int)      // by slot, the groups that used it
	ofConn := make([][]int, len(p.Conns))
	same := make(map[wire.GUID]int)     // by ClientGuid, the last connection of it
	ended := make(map[netip.Addr][]int) // by client, the groups that ended its connections
	since := make(map[int][]int)        // by slot of a session, the groups that bound it, authenticated it anew or took its place
	for g := range p.Groups {
		w.begin(g)
		group := &p.Groups[g]
		client := p.Conns[group.Conn].Client.Addr()
		for _, id := range group.Steps {
			for _, slot := range p.slotsOf(p.Step(id)) {
				if d := p.Slots[slot].Defined; d != 0 && d != id {
					w.wait(p.Step(d).Group)
				}
				for _, o := range since[slot] {
					w.wait(o)
				}
			}
		}
		for _, t := range p.groupTouches(g) {
			last[t.thing] = w.touched(last[t.thing], t)
		}
		for _, id := range group.Steps {
			s := p.Step(id)
			if ends := p.ends(s); ends >= 0 {
				for _, o := range inSlot[ends] {
					w.wait(o)
				}
			}
			for _, slot := range p.slotsOf(s) {
				if list := inSlot[slot]; len(list) == 0 || list[len(list)-1] != g {
					inSlot[slot] = append(list, g)
				}
			}
			if s.Cancel != 0 {
				w.sent(p.Step(s.Cancel).Group)
			}
			if s.Login != 0 && s.Login != id {
				w.wait(p.Step(s.Login).Group)
			}
			if s.Login != id {
				continue
			}
			for _, slot := range []int{s.Session, s.Previous} {
				if slot < 0 || p.Slots[slot].Defined != 0 && p.Step(p.Slots[slot].Defined).Login == id {
					continue // it sets the session up
				}
				if d := p.Slots[slot].Defined; d != 0 {
					w.wait(p.lastRound(p.Step(d).Login).Group)
				}
				for _, o := range inSlot[slot] { // what was done in the session is over
					w.wait(o)
				}
				since[slot] = lastOf(append(since[slot], p.lastRound(id).Group))
			}
		}
		if c := &p.Conns[group.Conn]; c.Negotiate != 0 && p.Step(c.Negotiate).Group != g {
			w.wait(p.Step(c.Negotiate).Group)
		} else if c.Negotiate != 0 && len(group.Steps) > 0 { // a client may connect anew because it was cut off
			for _, o := range ended[client] {
				w.wait(o)
			}
			if guid := p.clientGUID(group.Conn); guid != (wire.GUID{}) { // servers bring a client's connections together
				if other, ok := same[guid]; ok {
					for _, o := range ofConn[other] {
						w.wait(o)
					}
				}
				same[guid] = group.Conn
			}
		}
		if group.Ends {
			for _, o := range ofConn[group.Conn] {
				w.wait(o)
			}
			ended[client] = lastOf(append(ended[client], g))
		}
		ofConn[group.Conn] = append(ofConn[group.Conn], g)
	}
	p.keepSources()
	p.reduce()
	p.outstanding()
}

// lastOf bounds a list of groups to wait for.
func lastOf(list []int) []int {
	const enough = 64
	return list[max(len(list)-enough, 0):]
}

// toucher is a group that has touched a thing.
type toucher struct {
	group int
	touch touch
}

// groupTouches lists what a group has to do with. The end of a connection ends what is
// open on it.
func (p *Plan) groupTouches(g int) (list []touch) {
	for _, id := range p.Groups[g].Steps {
		list = append(list, p.touches(p.Step(id))...)
	}
	for _, slot := range p.Groups[g].Closes {
		f := &p.Slots[slot]
		share := ""
		if f.Parent >= 0 {
			share = p.Slots[f.Parent].Path
		}
		list = append(list, p.changed(share, f.Path)...)
	}
	return list
}

// waits is what order knows of the group at hand.
type waits struct {
	*Plan
	g             int
	after, behind []int // by group, g+1 if g waits for it already
}

func (w *waits) begin(g int) { w.g = g }

// touched has the group at hand wait for those that touched a thing before in a way that
// does not agree with its own, and returns who has to be waited for from here on.
func (w *waits) touched(list []toucher, t touch) []toucher {
	var front *toucher // that the group is to be sent after: what that one was sent after comes with it
	for i := len(list) - 1; i >= 0; i-- {
		if o := &list[i]; o.group != w.g && !o.touch.agrees(t) && !w.over(o.group) && (front == nil || o.touch.agrees(front.touch)) {
			w.sent(o.group)
			front = o
		}
	}
	kept := list[:0]
	for _, o := range list {
		if o.group != w.g && !o.touch.agrees(t) && w.over(o.group) {
			w.wait(o.group)
			if t.access == writes && t.upto == 0 {
				continue // who comes later waits for this group, and so for that one
			}
		}
		kept = append(kept, o)
	}
	if len(kept) < maxBefore {
		kept = append(kept, toucher{w.g, t})
	}
	return kept
}

// over reports whether the capture shows that a group was answered before the one at hand
// was sent.
func (w *waits) over(o int) bool {
	a := &w.Groups[o]
	return a.Done != 0 && a.Done <= w.Groups[w.g].Sent
}

// wait has the group at hand wait for o: for its answer if the capture shows that it did,
// else only until it has been sent.
func (w *waits) wait(o int) {
	switch {
	case o == w.g || w.after[o] == w.g+1:
	case w.over(o):
		w.after[o] = w.g + 1
		w.Groups[w.g].After = append(w.Groups[w.g].After, o)
	default:
		w.sent(o)
	}
}

// sent has the group at hand wait until o has been sent.
func (w *waits) sent(o int) {
	if o != w.g && w.behind[o] != w.g+1 {
		w.behind[o] = w.g + 1
		w.Groups[w.g].Behind = append(w.Groups[w.g].Behind, o)
	}
}

// slotsOf lists the slots that a step needs.
func (p *Plan) slotsOf(s *Step) []int {
	var list []int
	for _, u := range s.Uses {
		list = append(list, u.Slot)
	}
	if s.Header.Command != smb2.SessionSetup && s.Session >= 0 {
		list = append(list, s.Session)
	}
	if s.Header.Command != smb2.TreeConnect && s.Tree >= 0 {
		list = append(list, s.Tree)
	}
	return list
}

// ends returns the slot that a step is the end of; -1 if there is none.
func (p *Plan) ends(s *Step) int {
	switch s.Header.Command {
	case smb2.Close:
		for _, u := range s.Uses {
			return u.Slot
		}
	case smb2.TreeDisconnect:
		return s.Tree
	case smb2.Logoff:
		return s.Session
	}
	return -1
}

// keepSources has whatever ends a token's source (its open, tree, session) wait for the
// token's last use: some servers let a token die with them.
func (p *Plan) keepSources() {
	for i := range p.Slots {
		t := &p.Slots[i]
		if t.Kind != SlotToken || t.LastUse == 0 {
			continue
		}
		use := p.Step(t.LastUse).Group
		for owner := t.Parent; owner >= 0; owner = p.Slots[owner].Parent {
			dies := p.Slots[owner].Dies
			if dies == 0 || dies > t.LastUse {
				continue
			}
			if end := p.Step(dies).Group; end != use && !p.waitsFor(use, end) {
				p.Groups[end].After = append(p.Groups[end].After, use)
			}
		}
	}
}

// waitsFor reports whether group g comes after o, directly or not.
func (p *Plan) waitsFor(g, o int) bool {
	seen := make(map[int]bool)
	var look func(g int) bool
	look = func(g int) bool {
		if g == o {
			return true
		}
		if seen[g] {
			return false
		}
		seen[g] = true
		return slices.ContainsFunc(p.Groups[g].After, look) || slices.ContainsFunc(p.Groups[g].Behind, look)
	}
	return look(g)
}

// outstanding counts how many groups of a connection were on their way at once.
func (p *Plan) outstanding() {
	type event struct {
		at   int64
		more int
	}
	events := make(map[int][]event)
	for i := range p.Groups {
		g := &p.Groups[i]
		events[g.Conn] = append(events[g.Conn], event{g.Sent, 1})
		if g.Done != 0 {
			events[g.Conn] = append(events[g.Conn], event{g.Done, -1})
		}
	}
	for conn, list := range events {
		slices.SortStableFunc(list, func(a, b event) int {
			if a.at != b.at {
				return int(min(max(a.at-b.at, -1), 1))
			}
			return a.more - b.more
		})
		n := 0
		for _, e := range list {
			n += e.more
			p.Conns[conn].Outstanding = max(p.Conns[conn].Outstanding, n)
		}
	}
}

// reduce leaves out of After what is implied: a group that another of them waits for.
func (p *Plan) reduce() {
	implied := make([]int, len(p.Groups)) // by group, g+1 if something that g waits for waits for it
	var todo []int
	for g := range p.Groups {
		list := p.Groups[g].After
		slices.Sort(list)
		for i := len(list) - 1; i >= 0; i-- {
			todo = append(todo[:0], list[i])
			for n := 0; len(todo) > 0 && n < maxReduced; n++ {
				o := todo[len(todo)-1]
				todo = todo[:len(todo)-1]
				for _, far := range p.Groups[o].After {
					if implied[far] != g+1 {
						implied[far] = g + 1
						todo = append(todo, far)
					}
				}
			}
		}
		kept := list[:0]
		for _, o := range list {
			if implied[o] != g+1 {
				kept = append(kept, o)
			}
		}
		p.Groups[g].After = slices.Clip(kept)
		slices.Sort(p.Groups[g].Behind)
	}
}

// maxReduced bounds how far reduce looks back from each group that one waits for: past it,
// what is implied may stay.
const maxReduced = 1 << 6

package replay

// What has to wait for what. A group waits for another only where the capture shows that
// the one came first and that it mattered: a slot, a file, a session. What was on its way
// at the same time in the capture may be so again.

import (
	"slices"

	"github.com/odxray/odxray/dissect/smb2"
)

// maxBefore bounds those that a group waits for on account of one thing.
const maxBefore = 1 << 12

// order fills the groups' After and Behind, and the connections' Outstanding.
func (p *Plan) order() {
	type toucher struct {
		group int
		touch touch
	}
	last := make(map[string][]toucher) // by thing, who touched it
	inSlot := make(map[int][]int)      // by slot, the groups that used it
	for g := range p.Groups {
		group := &p.Groups[g]
		for _, id := range group.Steps {
			s := p.Step(id)
			for _, slot := range p.slotsOf(s) {
				if d := p.Slots[slot].Defined; d != 0 && d != id {
					p.wait(g, p.Step(d).Group)
				}
			}
			for _, t := range p.touches(s) {
				kept := last[t.thing][:0:0]
				for _, o := range last[t.thing] {
					if o.group == g || o.touch.agrees(t) {
						kept = append(kept, o)
						continue
					}
					if p.wait(g, o.group) || t.access != writes || t.upto != 0 {
						kept = append(kept, o) // it is not over, or others have to do with it still
					}
				}
				if len(kept) < maxBefore {
					kept = append(kept, toucher{g, t})
				}
				last[t.thing] = kept
			}
		}
		for _, id := range group.Steps {
			s := p.Step(id)
			if ends := p.ends(s); ends >= 0 {
				for _, o := range inSlot[ends] {
					p.wait(g, o)
				}
			}
			for _, slot := range p.slotsOf(s) {
				if list := inSlot[slot]; len(list) == 0 || list[len(list)-1] != g {
					inSlot[slot] = append(list, g)
				}
			}
			if s.Cancel != 0 {
				p.behind(g, p.Step(s.Cancel).Group)
			}
			if s.Login != 0 && s.Login != id {
				p.wait(g, p.Step(s.Login).Group)
			}
			if s.Login == id && s.Session >= 0 { // binding a session needs the one that set it up
				if d := p.Slots[s.Session].Defined; d != 0 && p.Step(d).Login != id {
					p.wait(g, p.lastRound(p.Step(d).Login).Group)
				}
			}
		}
		if c := &p.Conns[group.Conn]; c.Negotiate != 0 && p.Step(c.Negotiate).Group != g {
			p.wait(g, p.Step(c.Negotiate).Group)
		}
	}
	p.keepSources()
	p.reduce()
	p.outstanding()
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

// wait has group g wait for o: for its answer if the capture shows that g did, else only
// until it has been sent, which it reports.
func (p *Plan) wait(g, o int) (sent bool) {
	if g == o {
		return false
	}
	a, b := &p.Groups[o], &p.Groups[g]
	if a.Done != 0 && a.Done <= b.Sent {
		if !slices.Contains(b.After, o) {
			b.After = append(b.After, o)
		}
		return false
	}
	p.behind(g, o)
	return true
}

func (p *Plan) behind(g, o int) {
	if b := &p.Groups[g]; g != o && !slices.Contains(b.Behind, o) {
		b.Behind = append(b.Behind, o)
	}
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
	before := make([]map[int]bool, len(p.Groups)) // of the reduced ones
	for g := range p.Groups {
		list := p.Groups[g].After
		slices.Sort(list)
		before[g] = make(map[int]bool, len(list))
		kept := list[:0:0]
		for i, o := range list {
			implied := false
			for _, later := range list[i+1:] {
				implied = implied || before[later][o]
			}
			if !implied {
				kept = append(kept, o)
			}
		}
		for _, o := range list {
			before[g][o] = true
			for far := range before[o] {
				if len(before[g]) < maxReduced {
					before[g][far] = true
				}
			}
		}
		p.Groups[g].After = kept
		slices.Sort(p.Groups[g].Behind)
	}
}

// maxReduced bounds what reduce remembers of a group: past it, what is implied may stay.
const maxReduced = 1 << 8

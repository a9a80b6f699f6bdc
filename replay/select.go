package replay

// A part of a plan: what was chosen, and what that needs.

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
)

// notSelected is the Skip of steps outside a selection: reports leave them out.
const notSelected = "not selected"

// Selection says which steps to replay; a step has to meet all that is not empty.
type Selection struct {
	Conns    []int    // Connection.ID
	Sessions []uint64 // as captured
	Shares   []string // names, without server
	Copies   []int    // Copy.ID
	Steps    [][2]int // Step.ID, the first and the last
	Choose   func(exchange int) bool
}

// ParseSelect reads the value of --select, such as connection=1 or session=0x40000000001,
// into s.
func (s *Selection) ParseSelect(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(word, "=")
		if name == "step" {
			first, last, ok := strings.Cut(value, "-")
			a, err := strconv.Atoi(first)
			b := a
			if ok && err == nil {
				b, err = strconv.Atoi(last)
			}
			if err != nil || a < 1 || b < a {
				return fmt.Errorf("%q is no step=N or step=N-M", word)
			}
			s.Steps = append(s.Steps, [2]int{a, b})
			continue
		}
		n, err := strconv.ParseUint(value, 0, 64)
		switch name {
		case "connection", "conn":
			s.Conns = append(s.Conns, int(n))
		case "session":
			s.Sessions = append(s.Sessions, n)
		case "copy":
			s.Copies = append(s.Copies, int(n))
		case "share":
			s.Shares, err = append(s.Shares, value), nil
		default:
			return fmt.Errorf("%q is none of connection=N, session=0x…, share=NAME, copy=N, step=N-M", word)
		}
		if err != nil {
			return fmt.Errorf("%q is no number", value)
		}
	}
	return nil
}

func (s *Selection) empty() bool {
	return s.Choose == nil && len(s.Conns)+len(s.Sessions)+len(s.Shares)+len(s.Copies)+len(s.Steps) == 0
}

// Select drops the steps that are not chosen and that no chosen one needs. Compounds stay
// whole, and what a chosen step opened is closed.
func (p *Plan) Select(sel Selection, r *flows.Results) error {
	if sel.empty() {
		return nil
	}
	frames, err := copyFrames(sel.Copies, r)
	if err != nil {
		return err
	}
	want := make([]bool, len(p.Groups))
	for i := range p.Steps {
		if p.chosen(&p.Steps[i], &sel, frames) {
			want[p.Steps[i].Group] = true
		}
	}
	p.closeOver(want)
	chosen := 0
	for i := range p.Steps {
		if s := &p.Steps[i]; !want[s.Group] {
			s.Skip = notSelected
		} else {
			chosen++
		}
	}
	if chosen == 0 {
		return fmt.Errorf("nothing in the capture is what was selected")
	}
	return nil
}

// closeOver adds to groups what they need: where what they present comes from, the whole
// of a log-on, and the end of what they open.
func (p *Plan) closeOver(want []bool) {
	for changed := true; changed; {
		changed = false
		need := func(step int) {
			if g := p.Step(step).Group; !want[g] {
				want[g], changed = true, true
			}
		}
		for g := range p.Groups {
			if !want[g] {
				continue
			}
			if n := p.Conns[p.Groups[g].Conn].Negotiate; n != 0 {
				need(n)
			}
			for _, id := range p.Groups[g].Steps {
				s := p.Step(id)
				for _, slot := range p.slotsOf(s) {
					if d := p.Slots[slot].Defined; d != 0 {
						need(d)
					}
				}
				for _, d := range s.Defines {
					if p.Slots[d.Slot].Dies != 0 {
						need(p.Slots[d.Slot].Dies)
					}
				}
				if s.Login != 0 {
					need(s.Login)
				}
			}
		}
		for i := range p.Steps { // the round trips of a log-on belong together
			if s := &p.Steps[i]; s.Login != 0 && want[p.Step(s.Login).Group] {
				need(s.ID)
			}
		}
	}
}

func (p *Plan) chosen(s *Step, sel *Selection, frames map[int]bool) bool {
	if len(sel.Conns) > 0 && !contains(sel.Conns, p.Conns[p.Groups[s.Group].Conn].ID) {
		return false
	}
	if len(sel.Sessions) > 0 && (s.Session < 0 || !contains(sel.Sessions, le.Uint64(p.Slots[s.Session].Old))) {
		return false
	}
	if len(sel.Shares) > 0 && (s.Tree < 0 || !containsFold(sel.Shares, shareOf(p.Slots[s.Tree].Path))) {
		return false
	}
	if len(sel.Steps) > 0 && !slices.ContainsFunc(sel.Steps, func(r [2]int) bool { return r[0] <= s.ID && s.ID <= r[1] }) {
		return false
	}
	if frames != nil && !frames[s.Exchange.RequestFrame] {
		return false
	}
	return sel.Choose == nil || s.Header.Command != smb2.Cancel && s.Exchange.ID != 0 && sel.Choose(s.exchangeIndex)
}

// copyFrames lists the frames of the requests of copies; nil if none is asked for.
func copyFrames(copies []int, r *flows.Results) (map[int]bool, error) {
	if len(copies) == 0 {
		return nil, nil
	}
	frames := make(map[int]bool)
	for _, id := range copies {
		found := false
		for i := range r.Copies {
			c := &r.Copies[i]
			if c.ID != id {
				continue
			}
			found = true
			for _, k := range c.Calls {
				frames[k.Frame] = true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no copy %d: the capture has %d", id, len(r.Copies))
		}
	}
	return frames, nil
}

func contains[T comparable](list []T, v T) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}

func containsFold(list []string, v string) bool {
	for _, x := range list {
		if strings.EqualFold(x, v) {
			return true
		}
	}
	return false
}

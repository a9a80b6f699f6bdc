package replay

// Which group may be sent next: one that waits for nothing any more, on a connection that
// has not as many on their way as it had in the capture.

import (
	"container/heap"
	"slices"

	"github.com/odxray/odxray/dissect/smb2"
)

// stage is how far a group has come.
type stage uint8

const (
	waiting stage = iota
	started
	sent // all of it
	done
)

// schedule is the state of all groups. It belongs to the loop.
type schedule struct {
	plan   *Plan
	stages []stage
	lacks  []int        // by group, how many it waits for yet
	after  [][]int      // by group, those that wait until it is done
	behind [][]int      // by group, those that wait until it is sent
	ready  []queue      // by connection, those that wait for nothing
	busy   []int        // by connection, how many are on their way
	active int          // all of those
	left   int          // groups that are not done
	held   int          // groups that are sent, and whose answer takes something else to happen
	acks   []int        // groups that acknowledge a break that has not come, in their order
	first  int          // all groups before it are done
	onWay  map[int]bool // groups that are sent, and not answered
}

// queue is groups, the first of the capture on top.
type queue []int

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i] < q[j] }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(int)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	g := (*q)[last]
	*q = (*q)[:last]
	return g
}

// newSchedule makes a schedule of a plan. With seen, a group waits for all that its client
// had seen answered in the capture, and for what it had sent.
func newSchedule(p *Plan, seen bool) *schedule {
	n := len(p.Groups)
	s := &schedule{
		plan: p, stages: make([]stage, n), lacks: make([]int, n), after: make([][]int, n), behind: make([][]int, n),
		ready: make([]queue, len(p.Conns)), busy: make([]int, len(p.Conns)), left: n, onWay: make(map[int]bool),
	}
	for g := range p.Groups {
		for _, o := range p.Groups[g].After {
			s.after[o] = append(s.after[o], g)
		}
		for _, o := range p.Groups[g].Behind {
			s.behind[o] = append(s.behind[o], g)
		}
		s.lacks[g] = len(p.Groups[g].After) + len(p.Groups[g].Behind)
	}
	if seen {
		s.happensBefore()
	}
	for g := range p.Groups {
		if steps := p.Groups[g].Steps; len(steps) > 0 && p.Step(steps[0]).Break > 0 {
			s.acks = append(s.acks, g)
			s.lacks[g]++
		}
	}
	for g, lacks := range s.lacks {
		if lacks == 0 {
			s.push(g)
		}
	}
	return s
}

// happensBefore has each group wait for what its client had seen when it sent it, and for
// what it had sent on the same connection.
func (s *schedule) happensBefore() {
	p := s.plan
	type history struct {
		open  []int // sent, in their order, and not known to be answered
		front []int // answered: those that no later one of these waited for
	}
	clients := make(map[string]*history)
	last := make([]int, len(p.Conns))
	for i := range last {
		last[i] = -1
	}
	for g := range p.Groups {
		group := &p.Groups[g]
		name := p.Conns[group.Conn].Client.Addr().String()
		h := clients[name]
		if h == nil {
			h = new(history)
			clients[name] = h
		}
		still := h.open[:0]
		var over []int
		for _, o := range h.open {
			if d := p.Groups[o].Done; d != 0 && d <= group.Sent {
				over = append(over, o)
			} else {
				still = append(still, o)
			}
		}
		h.open = append(still, g)
		for _, o := range over {
			h.front = slices.DeleteFunc(h.front, func(f int) bool { return p.Groups[f].Done <= p.Groups[o].Sent })
			h.front = append(h.front, o)
		}
		for _, o := range h.front {
			s.after[o] = append(s.after[o], g)
		}
		s.lacks[g] += len(h.front)
		if o := last[group.Conn]; o >= 0 {
			s.behind[o] = append(s.behind[o], g)
			s.lacks[g]++
		}
		last[group.Conn] = g
	}
}

func (s *schedule) push(g int) { heap.Push(&s.ready[s.plan.Groups[g].Conn], g) }

// next returns a group that may start, and starts it; -1 if there is none. With serial,
// nothing but what is held is on its way beside it. due says whether its time has come.
func (s *schedule) next(serial bool, due func(g int) bool) int {
	if serial && s.active > s.held {
		return -1
	}
	first := -1
	for c := range s.ready {
		if len(s.ready[c]) == 0 {
			continue
		}
		g := s.ready[c][0]
		if s.busy[c] >= max(s.plan.Conns[c].Outstanding, 1) && !s.plan.Groups[g].Ends {
			continue
		}
		if (first < 0 || g < first) && due(g) {
			first = g
		}
	}
	if first >= 0 {
		c := s.plan.Groups[first].Conn
		heap.Pop(&s.ready[c])
		s.stages[first] = started
		s.busy[c]++
		s.active++
	}
	return first
}

// reached notes how far a group has come.
func (s *schedule) reached(g int, at stage) {
	if s.stages[g] >= at {
		return
	}
	pends := s.plan.pends(&s.plan.Groups[g])
	if s.stages[g] < sent {
		s.onWay[g] = true
		s.release(s.behind[g])
		if pends {
			s.held++
		}
	}
	if at == done {
		delete(s.onWay, g)
		s.release(s.after[g])
		s.busy[s.plan.Groups[g].Conn]--
		s.active--
		s.left--
		if pends {
			s.held--
		}
	}
	s.stages[g] = at
	for s.first < len(s.stages) && s.stages[s.first] == done {
		s.first++
	}
	for len(s.acks) > 0 && s.acks[0] <= s.first { // all that could bring the break is over
		s.broken(s.acks[0])
	}
}

// broken lets a group that acknowledges a break start.
func (s *schedule) broken(g int) {
	if i := slices.Index(s.acks, g); i >= 0 {
		s.acks = slices.Delete(s.acks, i, i+1)
		s.release([]int{g})
	}
}

// unbroken lets the first group start that waits for a break; false if there is none.
func (s *schedule) unbroken() bool {
	if len(s.acks) == 0 {
		return false
	}
	s.broken(s.acks[0])
	return true
}

func (s *schedule) release(list []int) {
	for _, g := range list {
		if s.lacks[g]--; s.lacks[g] == 0 {
			s.push(g)
		}
	}
}

// expects reports whether something is on its way that the captured server answered.
func (s *schedule) expects() bool {
	for g := range s.onWay {
		if s.plan.Groups[g].Done != 0 {
			return true
		}
	}
	return false
}

// pends reports whether a group's answer took something else to happen.
func (p *Plan) pends(g *Group) bool {
	if g.Ends {
		return false
	}
	if g.Done == 0 {
		return true
	}
	for _, id := range g.Steps {
		if s := p.Step(id); s.Exchange.InterimFrame != 0 || s.Header.Command == smb2.ChangeNotify {
			return true
		}
	}
	return false
}

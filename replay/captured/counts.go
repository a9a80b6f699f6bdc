package captured

// What was asked, and what was not.

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxMisses bounds the kinds of requests that are told apart.
const maxMisses = 1000

// counts is what a Server has answered. Server.mu guards it.
type counts struct {
	hits, again, pieced, lab, nearest, failed int
	otherData                                 int // WRITEs whose data differs from the captured
	asked                                     []bool
	misses                                    map[string]int
	order                                     []string
}

func newCounts(steps int) counts {
	return counts{asked: make([]bool, steps), misses: make(map[string]int)}
}

func (c *counts) hit(i int32, s *step, q *question, how how) {
	if c.asked[i] = true; !s.served() {
		return
	}
	c.hits++
	if how == again {
		c.again++
	}
	if s.data != 0 && q.mean.data != s.data && !isPipe(q.about) {
		c.otherData++
	}
}

func (c *counts) miss(q *question, what Unmatched) {
	switch what {
	case Fail:
		c.failed++
	case Nearest:
		c.nearest++
	case Lab:
		c.lab++
	}
	const most = 200
	text := q.String()
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	if _, known := c.misses[text]; !known {
		if len(c.misses) >= maxMisses {
			return
		}
		c.order = append(c.order, text)
	}
	c.misses[text]++
}

// Report writes how many requests were answered from the capture, which were not, and how
// much of the capture nobody asked for. escape makes names fit for a terminal.
func (s *Server) Report(w io.Writer, escape func(string) string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.counts
	asked := 0
	var left []int32
	for i := range s.r.steps {
		switch st := &s.r.steps[i]; {
		case !st.served():
		case c.asked[i]:
			asked++
		default:
			left = append(left, int32(i))
		}
	}
	var b strings.Builder
	missed := c.failed + c.nearest + c.lab
	fmt.Fprintf(&b, "%d requests: %d answered from the capture", c.hits+missed, c.hits)
	switch {
	case c.again > 0 && c.pieced > 0:
		fmt.Fprintf(&b, " (%d of them again, %d of pieces)", c.again, c.pieced)
	case c.again > 0:
		fmt.Fprintf(&b, " (%d of them again)", c.again)
	case c.pieced > 0:
		fmt.Fprintf(&b, " (%d of them of pieces)", c.pieced)
	}
	fmt.Fprintf(&b, ", %d not in it", missed)
	switch {
	case missed == 0:
	case s.unmatched == Fail:
		b.WriteString(" and refused")
	case s.unmatched == Nearest:
		b.WriteString(" and given the nearest answer")
	default:
		b.WriteString(" and left to the lab server")
	}
	b.WriteString("\n")
	for _, text := range c.order {
		fmt.Fprintf(&b, "  %s", escape(text))
		if n := c.misses[text]; n > 1 {
			fmt.Fprintf(&b, " (%d times)", n)
		}
		b.WriteString("\n")
	}
	if len(c.order) >= maxMisses {
		b.WriteString("  and others\n")
	}
	if c.otherData > 0 {
		fmt.Fprintf(&b, "%d writes brought other data than in the capture\n", c.otherData)
	}
	fmt.Fprintf(&b, "%d of the %d requests of the capture were made", asked, asked+len(left))
	if len(left) > 0 && asked > 0 {
		var frames []string
		for _, i := range left[:min(len(left), 10)] {
			frames = append(frames, fmt.Sprint(s.r.steps[i].frame))
		}
		if len(left) > 10 {
			frames = append(frames, "…")
		}
		fmt.Fprintf(&b, "; not those of frames %s", strings.Join(slices.Compact(frames), ", "))
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// Missed returns how many requests were not in the capture.
func (s *Server) Missed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts.failed + s.counts.nearest + s.counts.lab
}

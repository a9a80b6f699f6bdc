package ui

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// copies lists the copies of the capture, and tells the story of the selected one.
type copies struct {
	u     *ui
	list  list
	story list

	reasons bool // are shown where the story was
}

func newCopies(u *ui) *copies {
	p := &copies{u: u}
	p.list = list{
		columns: []column{
			{title: "#", width: 3, right: true}, {title: "Source", path: true, width: 10, grow: 3}, {title: "Destination", path: true, width: 10, grow: 4},
			{title: "Method", width: 10, drop: 2}, {title: "Size", width: 8, right: true}, {title: "Time", width: 8, right: true, drop: 3},
			{title: "Rate", width: 9, right: true, drop: 4}, {title: "Calls", width: 11, right: true, drop: 5},
			{title: "Coverage", width: barWidth + 5}, {title: "Verdict", width: 8},
		},
		count: p.count,
		row:   p.row,
		open:  func(int) { u.down(1) },
		about: func(i int) string { return p.at(i).Uncertain },
		links: p.linksOf,
	}
	p.story = list{
		columns: []column{
			{title: "Frame", width: 7, right: true}, {title: "After", width: 9, right: true}, {title: "Call", width: 14, grow: 2},
			{title: "Offset", width: 7, right: true}, {title: "Asked", width: 7, right: true}, {title: "Moved", width: 7, right: true},
			{title: "Token", width: 8, drop: 2}, {title: "Took", width: 7, right: true, drop: 1}, {title: "Remark", width: 6, grow: 3, drop: 3},
		},
		count: func() int {
			if c := p.selected(); c != nil {
				return len(c.Calls)
			}
			return 0
		},
		row:   p.call,
		open:  func(i int) { u.frame(p.selected().Calls[i].Frame) },
		about: p.aboutCall,
		links: func(i int) []target {
			c := &p.selected().Calls[i]
			l := links{u: u}
			l.frame("the request", c.Frame).frame("the answer", c.Answer).frame("the interim answer", c.Interim).frames("sent again", c.Repeats)
			l.frame("the break that it waited for", c.Break)
			return l.exchangesOf(c.Frame).token(c.Mint).list
		},
	}
	p.list.report = func(rows []int) func(io.Writer) error {
		r := flows.Results{}
		for _, i := range rows {
			r.Copies = append(r.Copies, *p.at(i))
		}
		return func(w io.Writer) error { return report.Copies(w, &r, report.JSON, report.Style{}) }
	}
	for col, num := range map[int]func(c *flows.Copy) int64{
		0: func(c *flows.Copy) int64 { return int64(c.ID) },
		4: func(c *flows.Copy) int64 { return most(c.Bytes) },
		5: func(c *flows.Copy) int64 { return c.LastTime - c.FirstTime },
		6: func(c *flows.Copy) int64 {
			return most(uint64(float64(c.Bytes) * 1e9 / float64(max(c.LastTime-c.FirstTime, 1))))
		},
		7: func(c *flows.Copy) int64 { return int64(c.Reads + c.Writes) },
		8: func(c *flows.Copy) int64 { return most(report.Total(c.Covered)) },
	} {
		p.list.columns[col].num = func(i int) int64 { return num(p.at(i)) }
	}
	for col, num := range map[int]func(c *flows.Call) int64{
		0: func(c *flows.Call) int64 { return int64(c.Frame) },
		1: func(c *flows.Call) int64 { return c.Time },
		3: func(c *flows.Call) int64 { return most(c.Offset) },
		4: func(c *flows.Call) int64 { return most(c.Asked) },
		5: func(c *flows.Call) int64 { return most(c.Moved) },
		7: func(c *flows.Call) int64 { return c.Took },
	} {
		p.story.columns[col].num = func(i int) int64 { return num(&p.selected().Calls[i]) }
	}
	p.story.of = func() any { return p.list.chosen() }
	return p
}

// most is a number of bytes to sort by.
func most(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

const barWidth = 12

func (p *copies) panes() []pane { return []pane{&p.list, &p.story} }

func (p *copies) count() int { return len(p.u.res.Copies) }

func (p *copies) at(i int) *flows.Copy { return &p.u.res.Copies[i] }

func (p *copies) selected() *flows.Copy {
	if i := p.list.chosen(); i >= 0 {
		return p.at(i)
	}
	return nil
}

func (p *copies) crumb() string {
	if c := p.selected(); c != nil {
		return fmt.Sprintf("copy %d", c.ID)
	}
	return "none"
}

func (p *copies) why() string {
	return p.u.empty("copies", "no file was copied by offload, by server-side copy, or by reading and writing it")
}

func (p *copies) row(i int, cells []string) tcell.Style {
	c := p.at(i)
	cells[0] = strconv.Itoa(c.ID)
	cells[1], cells[2] = name(c.Source.Path), name(c.Destination.Path)
	cells[3] = report.Method(c)
	cells[4] = report.Size(c.Bytes)
	cells[5] = report.Took(time.Duration(c.LastTime - c.FirstTime))
	cells[6] = report.Rate(c.Bytes, time.Duration(c.LastTime-c.FirstTime))
	cells[7] = fmt.Sprintf("%dr %dw", c.Reads, c.Writes)
	cells[8] = bar(c.Covered, whole(c), barWidth)
	cells[9] = c.Verdict.String()
	if c.Uncertain != "" {
		cells[9] += "?"
	}
	switch c.Verdict {
	case flows.Failed, flows.Partial:
		return bad
	}
	return plain
}

// linksOf is where a copy leads to.
func (p *copies) linksOf(i int) []target {
	c := p.at(i)
	l := links{u: p.u}
	l.frame("its first", c.FirstFrame).frame("its last", c.LastFrame).frame("opens the source", c.Source.Frame).frame("opens the destination", c.Destination.Frame)
	l.frame("a slower method begins", c.LeftAt)
	for k := range c.Calls { // the first token; those of its calls are in the story
		if id := c.Calls[k].Mint; id != "" {
			l.token(id)
			break
		}
	}
	for _, id := range c.Conns {
		l.connection(id)
	}
	return l.list
}

// name is a path, or a word that says that nobody knows.
func name(path string) string {
	if path == "" {
		return "(unknown)"
	}
	return path
}

// whole returns how many bytes there were to copy, as far as that is known.
func whole(c *flows.Copy) (n uint64) {
	if c.Source.HasSize {
		return c.Source.Size
	}
	if c.Destination.HasSize {
		return c.Destination.Size
	}
	for _, rs := range [][]flows.Range{c.Covered, c.Gaps} {
		for _, r := range rs {
			n = max(n, r.End)
		}
	}
	return n
}

func (p *copies) draw(c canvas) {
	rows := min(p.count()+2, max(c.h/3, 4))
	top, rest := c.split(rows)
	p.u.section(top, &p.list, p.u.crumbs())
	cp := p.selected()
	rest.rule(0, "", false)
	y := 1
	for _, line := range p.facts(cp) {
		if y+len(wrap(line, rest.w-2)) > rest.h/2 {
			break
		}
		y = rest.paragraph(y, plain, line)
	}
	_, rest = rest.split(y)
	if p.reasons {
		p.drawReasons(rest, cp)
		return
	}
	title := fmt.Sprintf("Story of copy %d: %s", cp.ID, report.Plural(len(cp.Calls), "call", "calls"))
	const plotWidth, storyWidth, plotHeight = 34, 72, 8
	if rest.w < plotWidth+storyWidth || rest.h < plotHeight || !slices.ContainsFunc(cp.Calls, func(c flows.Call) bool { return steps(&c) }) {
		p.u.section(rest, &p.story, title)
		return
	}
	w := max(min(rest.w-storyWidth-20, 2*plotWidth), plotWidth)
	const tallest = 20
	left, right := rest.sub(0, 0, w, min(rest.h, tallest)), rest.sub(w+1, 0, rest.w-w-1, rest.h)
	left.rule(0, "Offset written over time", false)
	rest.bar(w)
	_, left = left.split(1)
	drawPlot(left, cp, p.story.at(p.story.sel))
	p.u.section(right, &p.story, title)
}

// drawReasons says why a copy was not offloaded.
func (p *copies) drawReasons(c canvas, cp *flows.Copy) {
	c.rule(0, fmt.Sprintf("Why copy %d went as it did: w and Esc go back to its story", cp.ID), false)
	reasons := report.WhyCopy(p.u.res, cp)
	if reasons == nil {
		c.paragraph(1, plain, "All of it was offloaded, and in calls as large as they can be: there is nothing to explain.")
		return
	}
	const indent = 6
	text := c.sub(indent, 0, c.w-indent, c.h)
	y := 1
	for _, r := range reasons {
		c.text(1, y, bold, r.Label)
		y = text.paragraph(y, plain, r.Text)
	}
}

// why shows the reasons, or the story again.
func (u *ui) why() {
	p := u.pages[copiesPage].(*copies)
	if u.page != copiesPage || u.help != nil || p.count() == 0 {
		u.say("only the page Copies tells why: go there, and to a copy")
		return
	}
	p.reasons = !p.reasons
	u.zoomed, u.focus[copiesPage] = false, 0
}

// facts is what became of a copy, in sentences.
func (p *copies) facts(c *flows.Copy) []string {
	who := fmt.Sprintf("%s → %s, on %s for %s, session 0x%x.", name(c.Source.Path), name(c.Destination.Path), c.Destination.Server, c.Client, c.SessionID)
	if c.Destination.Server != c.Source.Server && c.Source.Server != "" {
		who = fmt.Sprintf("%s on %s → %s on %s, for %s, session 0x%x.", name(c.Source.Path), c.Source.Server,
			name(c.Destination.Path), c.Destination.Server, c.Client, c.SessionID)
	}
	how := fmt.Sprintf("%s moved, %s of it over the wire; %s, %s, %s.", report.Size(c.Bytes), report.Size(c.WireBytes),
		report.Plural(c.Mints, "token", "tokens"), report.Plural(c.Reads, "read", "reads"), report.Plural(c.Writes, "write", "writes"))
	slow := -1
	for i := range c.Calls {
		if slow < 0 || c.Calls[i].Took > c.Calls[slow].Took {
			slow = i
		}
	}
	if slow >= 0 && c.Calls[slow].Took > 0 {
		how += fmt.Sprintf(" Longest wait: %s, for f%d.", report.Took(time.Duration(c.Calls[slow].Took)), c.Calls[slow].Frame)
	}
	facts := []string{who, how}
	if c.Fallback != "" {
		facts = append(facts, fmt.Sprintf("Fell back to %s after %s.", c.Method, c.Fallback))
	}
	if len(c.Gaps) > 0 {
		facts = append(facts, "Not covered: "+report.Spans(c.Gaps)+".")
	}
	if c.Uncertain != "" {
		facts = append(facts, "Uncertain: "+c.Uncertain+".")
	}
	for i := range p.u.res.Findings {
		if f := &p.u.res.Findings[i]; f.Copy == c.ID {
			facts = append(facts, fmt.Sprintf("%s: %s (%s)", f.Level, f.Message, f.Rule))
		}
	}
	return facts
}

func (p *copies) call(i int, cells []string) tcell.Style {
	cp := p.selected()
	c := &cp.Calls[i]
	cells[0] = frameName(c.Frame)
	cells[1] = "+" + fmt.Sprintf("%.3f s", float64(c.Time-cp.FirstTime)/1e9)
	cells[2] = callName(c)
	if c.Asked > 0 || c.Moved > 0 {
		cells[3], cells[4] = offset(c.Offset), offset(c.Asked)
		if c.Answer > 0 && !failed(c) {
			cells[5] = report.ShortSize(c.Moved)
		}
	}
	cells[6] = c.Mint
	if c.Answer > 0 {
		cells[7] = report.Took(time.Duration(c.Took))
	}
	return remark(&cells[8], c.Answer, uint32(c.Status), report.StatusName(c.Status), c.Repeats)
}

// offset prints a number of bytes exactly if it then fits into a column.
func offset(n uint64) string {
	const column = 7
	if s := report.Exact(n); len(s) <= column {
		return s
	}
	return "~" + report.ShortSize(n)
}

// remark says what was not as it should be with a call.
func remark(cell *string, answer int, status uint32, statusName string, repeats []int) tcell.Style {
	var said []string
	style := plain
	switch {
	case answer == 0:
		said = append(said, "no answer")
	case status != 0:
		said = append(said, strings.TrimPrefix(statusName, "STATUS_"))
		if status>>30 == 3 {
			style = bad
		}
	}
	if len(repeats) > 0 {
		said = append(said, "sent again in "+report.FrameList(repeats))
	}
	*cell = strings.Join(said, ", ")
	return style
}

func (p *copies) aboutCall(i int) string {
	c := &p.selected().Calls[i]
	s := fmt.Sprintf("%s at %d, %d bytes asked, %d moved", callName(c), c.Offset, c.Asked, c.Moved)
	if c.Answer > 0 {
		s += fmt.Sprintf("; %s in f%d", report.StatusName(c.Status), c.Answer)
	}
	if len(c.Repeats) > 0 {
		s += "; sent again in " + report.FrameList(c.Repeats)
	}
	return s
}

// failed tells whether a call did not do what it was asked.
func failed(c *flows.Call) bool { return c.Status>>30 == 3 }

func callName(c *flows.Call) string {
	return strings.TrimPrefix(report.CallName(c.Command, c.Function), "FSCTL_")
}

// frameName names a frame in a list; "" if the capture does not hold it.
func frameName(n int) string {
	if n == 0 {
		return ""
	}
	return "f" + strconv.Itoa(n)
}

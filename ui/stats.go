package ui

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/dissect/filter"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// stats shows the response times and sizes of exchanges, grouped. Counting them takes
// a while if there are many, so that is done aside.
type stats struct {
	u     *ui
	list  list
	by    flows.By
	shown *tally // the last one; never nil
	next  *tally // under way; nil if none is
	stop  context.CancelFunc
}

// tally is exchanges counted.
type tally struct {
	by      flows.By
	filter  string
	of      int  // exchanges that there were
	final   bool // there will be no more
	at      atomic.Int64
	made    atomic.Bool // what follows is valid, and will not change
	rows    [][]string
	groups  []*flows.Group // of each row
	errors  []string       // of each row, all of them
	missing int
	gone    int // exchanges that were forgotten before they were counted

	first, last int64 // times that traces lie between
	traces      map[flows.GroupKey]*trace
}

// Positions of columns of report.StatsRow.
const (
	statsName, statsCalls, statsMin, statsSum = 0, 1, 2, 7
	statsBytes, statsErrors                   = 8, 12
)

func newStats(u *ui) *stats {
	p := &stats{u: u, shown: new(tally)}
	p.list = list{
		columns: make([]column, statsErrors+1),
		count:   p.count,
		row: func(i int, cells []string) tcell.Style {
			copy(cells, p.shown.rows[i])
			return plain
		},
		open: func(i int) {
			t := p.shown
			if t.groups[i].Keys > 0 {
				u.say("this line is all groups that have none of their own")
				return
			}
			u.only(group{t.by, t.groups[i].GroupKey, t.rows[i][statsName]})
		},
	}
	for i := range p.list.columns {
		p.list.columns[i] = column{right: true, width: 7}
	}
	c := p.list.columns
	c[statsName] = column{width: 15, grow: 3}
	c[statsErrors] = column{width: 10, grow: 2, drop: 1}
	c[statsSum].drop, c[statsMin].drop = 5, 6
	took := func(q float64) func(i int) int64 {
		return func(i int) int64 { return p.shown.groups[i].Times.Quantile(q) }
	}
	size := func(q float64) func(i int) int64 {
		return func(i int) int64 { return p.shown.groups[i].Sizes.Quantile(q) }
	}
	for col, num := range map[int]func(i int) int64{
		statsCalls: func(i int) int64 { return int64(p.shown.groups[i].Calls) },
		statsMin:   func(i int) int64 { return p.shown.groups[i].Times.Min }, 3: took(0.5), 4: took(0.95), 5: took(0.99),
		6: func(i int) int64 { return p.shown.groups[i].Times.Max }, statsSum: func(i int) int64 { return p.shown.groups[i].Times.Sum },
		statsBytes: func(i int) int64 { return p.shown.groups[i].Sizes.Sum }, 9: size(0.5), 10: size(0.95),
		11: func(i int) int64 { return p.shown.groups[i].Sizes.Max },
	} {
		c[col].num = num
	}
	p.list.of = func() any { return p.shown }
	c[statsBytes+1].drop, c[statsBytes+2].drop, c[statsBytes+3].drop = 8, 9, 7
	return p
}

func (p *stats) panes() []pane { return []pane{&p.list} }

func (p *stats) count() int { return len(p.shown.rows) }

func (p *stats) crumb() string { return "by " + report.StatsBy()[p.by] }

func (p *stats) why() string {
	switch {
	case p.next != nil:
		return p.progress()
	case p.shown.gone > 0:
		return fmt.Sprintf("%s were forgotten, and of the rest there is nothing to count.", report.Plural(p.shown.gone, "exchange", "exchanges"))
	case p.shown.of > 0 && p.shown.filter != "":
		return fmt.Sprintf("The filter %s is true for nothing to count among %s. \\ changes it, Esc removes it, s counts by something else.",
			p.shown.filter, report.Plural(p.shown.of, "exchange", "exchanges"))
	case p.shown.of > 0:
		return fmt.Sprintf("None of %s is an IOCTL. s counts them by something else.", report.Plural(p.shown.of, "exchange", "exchanges"))
	}
	return p.u.empty("exchanges", "there is no request and no answer")
}

func (p *stats) progress() string {
	return fmt.Sprintf("Counting exchanges: %s of %s.", report.Count(int(p.next.at.Load())), report.Count(p.next.of))
}

func (p *stats) follow() bool {
	defer p.title()
	news := p.next != nil
	if news && p.next.made.Load() {
		p.shown, p.next = p.next, nil
	}
	u := p.u
	final := u.ended || u.res.Done
	switch {
	case p.next != nil:
	case p.shown.by != p.by, p.shown.filter != u.filter, p.shown.final != final:
		p.begin(final)
		return true
	// While a capture is read, count again when that pays: exchanges may have been
	// answered meanwhile, so all count anew.
	case u.exchanges > p.shown.of+p.shown.of/8:
		p.begin(final)
		return true
	}
	return news
}

// title names the columns after what is counted.
func (p *stats) title() {
	for i, head := range report.StatsHeads(p.shown.by) {
		c := &p.list.columns[i]
		if c.title = head; i > statsBytes && i < statsErrors {
			c.name = "Bytes " + head
		}
	}
}

// begin counts the exchanges that there are.
func (p *stats) begin(final bool) {
	t := &tally{by: p.by, filter: p.u.filter, of: p.u.exchanges, final: final, first: p.u.res.First, last: p.u.res.Last, traces: make(map[flows.GroupKey]*trace)}
	src, keep := p.u.src, func(int) bool { return true }
	if t.filter != "" {
		f, err := filter.Compile(t.filter, p.u.fields)
		if err != nil {
			return // it was compiled before it became the filter
		}
		keep = src.ChooseExchanges(f)
	}
	p.stop = p.u.asides.begin(func(ctx context.Context) { t.count(ctx, src, keep) })
	p.next = t
	if t.made.Load() {
		p.shown, p.next = t, nil
	}
}

// count fills t with what keep is true for, unless ctx is done before.
func (t *tally) count(ctx context.Context, src Source, keep func(i int) bool) {
	s := flows.NewStats(t.by)
	var x flows.Exchange
	for i := range t.of {
		if i%256 == 0 {
			if ctx.Err() != nil {
				return
			}
			t.at.Store(int64(i))
		}
		if !keep(i) {
			continue
		}
		if src.Exchange(i, &x); x.RequestFrame == 0 && x.AnswerFrame == 0 {
			t.gone++
			continue
		}
		s.Add(&x)
		if k, ok := flows.KeyOf(t.by, &x); ok {
			if t.traces[k] == nil && len(t.traces) < maxTraces {
				t.traces[k] = new(trace)
			}
			if of := t.traces[k]; of != nil {
				of.add(&x, t.first, t.last)
			}
		}
	}
	for _, g := range s.Groups() {
		row := report.StatsRow(g, t.by)
		row[statsErrors] = strings.ReplaceAll(row[statsErrors], "STATUS_", "")
		t.rows, t.groups, t.errors = append(t.rows, row), append(t.groups, g), append(t.errors, report.StatsErrors(g, math.MaxInt))
		t.missing = max(t.missing, g.Missing)
	}
	t.made.Store(true)
}

func (p *stats) narrow(string) { p.cancel() }

func (p *stats) sifting() *sieve { return nil }

func (p *stats) cancel() {
	if p.next != nil {
		p.stop()
		p.next = nil
	}
}

// by groups by what word says, or by what comes next if it is "".
func (u *ui) by(word string) {
	p, words := u.pages[statsPage].(*stats), report.StatsBy()
	i := slices.Index(words, word)
	switch {
	case word == "" && u.page == statsPage:
		i = (int(p.by) + 1) % len(words)
	case word == "":
		i = int(p.by)
	case i < 0:
		u.fail("statistics are by %s", strings.Join(words, ", "))
		return
	}
	if u.page != statsPage {
		u.turn(statsPage)
	}
	p.by = flows.By(i)
	p.cancel()
	p.list.choose(0)
	u.follow()
}

func (p *stats) draw(c canvas) {
	facts := p.facts()
	h := 1
	for _, line := range facts {
		h += len(wrap(line, c.w-2))
	}
	h = min(h, c.h/2)
	title := p.u.crumbs()
	if p.next != nil {
		title += " · " + p.progress()
	}
	rows := min(p.count()+2, c.h-h)
	if room := c.h - h - rows; room < graphs {
		rows = max(min(rows, c.h-h-graphs), 5)
	}
	top, rest := c.split(rows)
	p.u.section(top, &p.list, title)
	rest.rule(0, p.name(), false)
	y := 1
	for _, line := range facts {
		y = rest.paragraph(y, plain, line)
	}
	_, rest = rest.split(y)
	p.drawTrace(rest)
}

// graphs is how many lines the graphs take at least.
const graphs = 7

// drawTrace draws how long the exchanges of the selected group took, and beside it what
// they moved when.
func (p *stats) drawTrace(c canvas) {
	t := p.shown.traces[p.shown.groups[p.selected()].GroupKey]
	if c.h < 3 || p.shown.groups[p.selected()].Keys > 0 {
		return
	}
	if t == nil {
		c.rule(0, "Graphs are not kept of so many groups", false)
		return
	}
	const least = 40
	if c.w < 2*least {
		c.rule(0, "Response times", false)
		_, c = c.split(1)
		t.drawTook(c)
		return
	}
	w := min(max(c.w*2/5, least), 60)
	var conns []*flows.Connection
	for i := range p.u.res.Connections {
		if conn := &p.u.res.Connections[i]; len(conn.Credits.History) > 1 {
			conns = append(conns, conn)
		}
	}
	credits := min(len(conns), max(c.h-14, 1)) // lines
	if credits > 0 && c.h >= graphs {
		below := c.sub(w+1, c.h-credits-1, c.w-w-1, credits+1)
		below.rule(0, "Least credits of the client over time", false)
		for i := range credits {
			drawCredits(below, i+1, fmt.Sprintf("connection %d", conns[i].ID), conns[i].Credits.History)
		}
		credits++
	}
	left, right := c.sub(0, 0, w, c.h), c.sub(w+1, 0, c.w-w-1, min(c.h-credits, 14))
	left.rule(0, "Response times", false)
	right.rule(0, "Bytes moved over time", false)
	c.bar(w)
	_, left = left.split(1)
	t.drawTook(left)
	_, right = right.split(1)
	t.drawMoved(right, time.Duration(p.shown.last-p.shown.first))
}

// selected returns the position of the selected row, of which there is one.
func (p *stats) selected() int { return max(p.list.chosen(), 0) }

func (p *stats) name() string { return p.shown.rows[p.selected()][statsName] }

// facts is all of the selected row, in words: on narrow screens the list drops columns.
func (p *stats) facts() []string {
	row, heads := p.shown.rows[p.selected()], report.StatsHeads(p.shown.by)
	say := func(from, to int) string {
		var said []string
		for i := from; i < to; i++ {
			if row[i] != "" {
				said = append(said, heads[i]+" "+row[i])
			}
		}
		return strings.Join(said, " · ")
	}
	facts := []string{say(statsCalls, statsBytes)}
	if row[statsBytes] != "" {
		facts = append(facts, say(statsBytes, statsErrors))
	}
	if errors := p.shown.errors[p.selected()]; errors != "" {
		facts = append(facts, "Errors "+errors)
	}
	if p.shown.missing > 0 {
		facts = append(facts, report.StatsMissing(p.shown.missing))
	}
	if n := p.shown.gone; n > 0 {
		facts = append(facts, fmt.Sprintf("%s before these are forgotten, and not counted.", report.Plural(n, "exchange", "exchanges")))
	}
	return facts
}

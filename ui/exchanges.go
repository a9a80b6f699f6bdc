package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/dissect/filter"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// exchanges lists requests with their answers.
type exchanges struct {
	u     *ui
	list  list
	sieve sieve
	only  *group // nil for all

	ranks, next *percentiles // those shown, and those being counted; nil if there are none
	bare        bool         // percentiles without bars, for files
}

// Columns that others name.
const (
	tookColumn       = 7
	percentileColumn = 20
)

// group is exchanges that have something in common.
type group struct {
	by   flows.By
	key  flows.GroupKey
	name string
}

// only shows the exchanges of a group, until the user goes back.
func (u *ui) only(g group) {
	p := u.pages[exchangesPage].(*exchanges)
	u.remember()
	u.page, u.focus[exchangesPage] = exchangesPage, 0
	p.only = &g
	p.narrow(u.filter)
	u.follow()
}

// all shows the exchanges of all groups again.
func (p *exchanges) all() {
	if p.only != nil {
		p.only = nil
		p.narrow(p.u.filter)
	}
}

func newExchanges(u *ui) *exchanges {
	p := &exchanges{u: u}
	p.list = list{
		columns: []column{
			{title: "#", width: 6, right: true, drop: 5}, {title: "Time", width: 10, right: true, drop: 4}, {title: "Request", width: 16, grow: 1},
			{title: "File", path: true, width: 18, grow: 3}, {title: "Offset", width: 7, right: true, drop: 2}, {title: "Length", width: 7, right: true, drop: 1},
			{title: "Status", width: 20, grow: 2}, {title: "Took", width: 8, right: true}, {title: "Frames", width: 11, drop: 3},
			{title: "Credit wait", width: 11, right: true, drop: 6, extra: true}, {title: "In server", width: 9, right: true, drop: 7, extra: true},
			{title: "Pending", width: 8, right: true, drop: 8, extra: true}, {title: "Moved", width: 7, right: true, drop: 9, extra: true},
			{title: "RDMA", width: 7, right: true, drop: 10, extra: true}, {title: "Transport", width: 10, drop: 11, extra: true},
			{title: "Connection", width: 10, right: true, drop: 12, extra: true}, {title: "Session", width: 18, drop: 13, extra: true},
			{title: "User", width: 14, drop: 14, extra: true}, {title: "Share", path: true, width: 16, drop: 15, extra: true},
			{title: "Client", width: 15, drop: 16, extra: true}, {title: "Percentile", width: 10, right: true, extra: true},
		},
		count:  p.count,
		row:    p.row,
		search: p.texts,
		sieve:  &p.sieve,
		about:  p.about,
		open: func(i int) {
			x := p.get(i)
			u.frame(cmp.Or(x.RequestFrame, x.AnswerFrame))
		},
		links: func(i int) []target {
			x := p.get(i)
			l := links{u: u}
			l.frame("the request", x.RequestFrame).frame("the interim answer", x.InterimFrame).frame("the answer", x.AnswerFrame).frame("the CANCEL", x.CancelFrame)
			l.frame("RDMA begins", x.RDMA.FirstFrame).frame("RDMA ends", x.RDMA.LastFrame)
			s := u.storyOf(cmp.Or(x.RequestFrame, x.AnswerFrame))
			return l.token(s.token).copy(s.copy).connection(x.Conn).list
		},
	}
	p.list.frozen = func() *list {
		q := newExchanges(u.freeze())
		q.sieve.sifted = p.sieve.sifted
		q.ranks, q.bare = p.ranks, true
		q.list.chosenColumns = slices.Clone(p.list.chosenColumns)
		return &q.list
	}
	for col, num := range map[int]func(x *flows.Exchange) int64{
		0: func(x *flows.Exchange) int64 { return int64(x.ID) },
		1: func(x *flows.Exchange) int64 { return began(*x) },
		4: func(x *flows.Exchange) int64 { return ranged(x, x.Offset) },
		5: func(x *flows.Exchange) int64 { return ranged(x, x.Length) },
		7: func(x *flows.Exchange) int64 {
			if took, ok := x.Took(); ok {
				return int64(took)
			}
			return -1
		},
		9: func(x *flows.Exchange) int64 { return int64(x.CreditWait) },
		10: func(x *flows.Exchange) int64 {
			d, _ := x.InServer()
			return int64(d)
		},
		11: func(x *flows.Exchange) int64 {
			d, _ := x.Pending()
			return int64(d)
		},
		12: func(x *flows.Exchange) int64 { return most(x.Moved) },
		13: func(x *flows.Exchange) int64 { return most(x.RDMA.Bytes) },
		15: func(x *flows.Exchange) int64 { return int64(x.Conn) },
		percentileColumn: func(x *flows.Exchange) int64 {
			if percent, _, ok := p.ranks.rank(x); ok {
				return int64(percent)
			}
			return -1
		},
		8: func(x *flows.Exchange) int64 { return int64(cmp.Or(x.RequestFrame, x.AnswerFrame)) },
	} {
		p.list.columns[col].num = func(i int) int64 {
			x := p.get(i)
			return num(&x)
		}
	}
	p.sieve.set("", 0)
	return p
}

func (p *exchanges) get(i int) (x flows.Exchange) {
	p.u.src.Exchange(i, &x)
	return x
}

func (p *exchanges) panes() []pane { return []pane{&p.list} }

func (p *exchanges) count() int { return p.sieve.count() }

func (p *exchanges) crumb() string {
	if p.only != nil {
		return fmt.Sprintf("exchange %d of %s", p.list.at(p.list.sel)+1, p.only.name)
	}
	return fmt.Sprintf("exchange %d", p.list.at(p.list.sel)+1)
}

func (p *exchanges) sifting() *sieve { return &p.sieve }

func (p *exchanges) narrow(filter string) {
	at := p.list.at(p.list.sel)
	p.list.forget()
	p.sieve.set(filter, at)
	p.sieve.all = filter == "" && p.only == nil
	p.list.choose(p.sieve.find(at))
}

func (p *exchanges) follow() bool {
	news := p.followPercentiles()
	return p.sieve.follow(p.u, &p.list, p.u.exchanges, p.u.ended || p.u.res.Done, true, p.choose) || news
}

// choose returns what tells whether an exchange is shown.
func (p *exchanges) choose(f *filter.Filter) func(i int) bool {
	src, only := p.u.src, p.only
	keep := func(int) bool { return true }
	if f != nil {
		keep = src.ChooseExchanges(f)
	}
	if only == nil {
		return keep
	}
	return func(i int) bool {
		var x flows.Exchange
		src.Exchange(i, &x)
		k, ok := flows.KeyOf(only.by, &x)
		return ok && k == only.key && keep(i)
	}
}

func (p *exchanges) why() string {
	if p.only != nil && p.sieve.work != nil {
		return "Looking for the exchanges of " + p.only.name + "."
	}
	if p.u.filter != "" && p.u.exchanges > 0 {
		return p.u.unmatched(&p.sieve, "exchanges")
	}
	return p.u.empty("exchanges", "there is no request and no answer")
}

// ranged returns a number of bytes to sort by; those without a range come first.
func ranged(x *flows.Exchange, n uint64) int64 {
	if !x.HasRange {
		return -1
	}
	return most(n)
}

// began returns the time of the request, or of the answer where the capture does not
// show it.
func began(x flows.Exchange) int64 {
	if x.RequestFrame > 0 {
		return x.RequestTime
	}
	return x.AnswerTime
}

func (p *exchanges) row(i int, cells []string) tcell.Style {
	x := p.get(i)
	cells[0] = strconv.Itoa(x.ID)
	var before int64
	if line := p.list.find(i); p.u.times == delta && line > 0 {
		before = began(p.get(p.list.at(line - 1)))
	}
	cells[1] = p.u.after(began(x), before)
	cells[2] = strings.TrimPrefix(report.CallName(x.Command, x.Function), "FSCTL_")
	cells[3] = x.File
	if x.HasRange {
		cells[4], cells[5] = offset(x.Offset), report.ShortSize(x.Length)
	}
	cells[8] = frameName(x.RequestFrame) + "→" + frameName(x.AnswerFrame)
	if took, ok := x.Took(); ok {
		cells[7] = report.Took(took)
	}
	style := remark(&cells[6], x.AnswerFrame, uint32(x.Status), report.StatusName(x.Status), nil)
	cells[6] = cmp.Or(cells[6], "SUCCESS")
	if p.list.chosenColumns != nil {
		more(&x, cells[9:])
		switch percent, _, ok := p.ranks.rank(&x); {
		case ok && p.bare:
			cells[percentileColumn] = fmt.Sprintf("%d%%", percent)
		case ok:
			cells[percentileColumn] = percentileBar(percent)
		}
	}
	return style
}

// more fills the cells of the columns that only some ask for.
func more(x *flows.Exchange, cells []string) {
	took := func(d time.Duration, ok bool) string {
		if !ok || d == 0 {
			return ""
		}
		return report.Took(d)
	}
	cells[0] = took(x.CreditWait, true)
	cells[1] = took(x.InServer())
	cells[2] = took(x.Pending())
	if x.Moved > 0 {
		cells[3] = report.ShortSize(x.Moved)
	}
	if x.RDMA.Operations > 0 {
		cells[4] = report.ShortSize(x.RDMA.Bytes)
	}
	cells[5] = report.TransportName(x.Transport)
	cells[6] = strconv.Itoa(x.Conn)
	if x.SessionID != 0 {
		cells[7] = fmt.Sprintf("0x%x", x.SessionID)
	}
	cells[8], cells[9], cells[10] = x.User, x.Share, x.Client
}

// texts is what a search looks at.
func (p *exchanges) texts() func(i int) string {
	src := p.u.src
	return func(i int) string {
		var x flows.Exchange
		src.Exchange(i, &x)
		return report.CallName(x.Command, x.Function) + " " + x.File + " " + report.StatusName(x.Status)
	}
}

func (p *exchanges) about(i int) string {
	if p.sieve.visiting(i) {
		return visiting
	}
	x := p.get(i)
	parts := []string{fmt.Sprintf("message %d, session 0x%x, tree 0x%x", x.MessageID, x.SessionID, x.TreeID)}
	if p.showsPercentiles() {
		if percent, calls, ok := p.ranks.rank(&x); ok {
			parts = append([]string{fmt.Sprintf("%d%% of %s took as long or less", percent, report.Plural(calls, "such call", "such calls"))}, parts...)
		}
	}
	for _, s := range []string{x.User, x.Share, x.Uncertain, p.u.keys(x.SessionID)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if x.InterimFrame > 0 {
		parts = append(parts, "interim answer in "+frameName(x.InterimFrame))
	}
	return strings.Join(parts, " · ")
}

func (p *exchanges) draw(c canvas) {
	p.list.columns[0].width = max(len(strconv.Itoa(p.u.exchanges)), 6)
	p.list.columns[1].width = p.u.clockWidth()
	p.u.section(c, &p.list, p.u.crumbs()+p.percentilesUnderWay())
}

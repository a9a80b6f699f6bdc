package ui

// Where the response time of each exchange stands among those of the same call: a control
// code, or another command. They are counted aside, for that takes a look at all.

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// percentiles are those of the calls among the first exchanges. But for at nothing
// changes once made says so.
type percentiles struct {
	of    int // exchanges
	final bool
	at    atomic.Int64
	made  atomic.Bool
	calls map[flows.GroupKey]*times
	stop  context.CancelFunc
}

// times are response times of a call.
type times struct {
	calls int
	edges [100]int64 // nanoseconds that 1 % to 100 % are not above
}

// callOf returns what the response time of an exchange is compared within.
func callOf(x *flows.Exchange) flows.GroupKey {
	k, ok := flows.KeyOf(flows.ByCode, x)
	if !ok {
		k, _ = flows.KeyOf(flows.ByCommand, x)
	}
	return k
}

// count looks at the exchanges, unless ctx is done before.
func (p *percentiles) count(ctx context.Context, src Source) {
	commands, codes := flows.NewStats(flows.ByCommand), flows.NewStats(flows.ByCode)
	var x flows.Exchange
	for i := range p.of {
		if i%256 == 0 {
			if ctx.Err() != nil {
				return
			}
			p.at.Store(int64(i))
		}
		src.Exchange(i, &x)
		if _, ok := flows.KeyOf(flows.ByCode, &x); ok {
			codes.Add(&x)
		} else {
			commands.Add(&x)
		}
	}
	p.calls = make(map[flows.GroupKey]*times)
	for _, g := range slices.Concat(commands.Groups(), codes.Groups()) {
		if g.Calls == 0 || g.Keys > 0 {
			continue
		}
		t := &times{calls: g.Calls}
		for i := range t.edges {
			t.edges[i] = g.Times.Quantile(float64(i+1) / 100)
		}
		p.calls[g.GroupKey] = t
	}
	p.made.Store(true)
}

// rank returns how many percent of calls like x took as long as it or less, and how many
// calls these are of; false if that is not known.
func (p *percentiles) rank(x *flows.Exchange) (percent, calls int, ok bool) {
	took, answered := x.Took()
	if p == nil || !answered {
		return 0, 0, false
	}
	t := p.calls[callOf(x)]
	if t == nil {
		return 0, 0, false
	}
	const exact = 1000 // quantiles are right to one part in so many
	most := int64(took + took/exact + time.Nanosecond)
	return sort.Search(len(t.edges), func(i int) bool { return t.edges[i] > most }), t.calls, true
}

// percentileBar draws a percentage in the columns of the list, and says it.
func percentileBar(percent int) string {
	const w = 5
	bar := eighths(percent, 100, w)
	return bar + strings.Repeat(" ", w-width(bar)) + fmt.Sprintf("%4d%%", percent)
}

// showsPercentiles tells whether the list has the column of percentiles.
func (p *exchanges) showsPercentiles() bool {
	return slices.Contains(p.list.shownColumns(), percentileColumn)
}

// togglePercentiles shows the column after that of the times, or does not any more.
func (p *exchanges) togglePercentiles() {
	l := &p.list
	shown := slices.Clone(l.shownColumns())
	if i := slices.Index(shown, percentileColumn); i >= 0 {
		shown = slices.Delete(shown, i, i+1)
		l.chosenColumns = nil
		if !slices.Equal(shown, l.shownColumns()) {
			l.chosenColumns = shown
		}
		return
	}
	l.chosenColumns = slices.Insert(shown, slices.Index(shown, tookColumn)+1, percentileColumn)
	p.u.say("bars: how many percent of calls of that kind took as long or less, in the whole capture")
}

// followPercentiles takes over what was counted, and begins what is not under way yet. While
// a capture is read, counting again has to pay.
func (p *exchanges) followPercentiles() bool {
	news := p.next != nil
	if news && p.next.made.Load() {
		p.take(p.next)
	}
	if !p.showsPercentiles() {
		if p.next != nil {
			p.next.stop()
			p.next = nil
		}
		return news
	}
	final := p.u.ended || p.u.res.Done
	if p.next != nil || p.ranks != nil && p.ranks.final == final && p.u.exchanges <= p.ranks.of+p.ranks.of/8 {
		return news
	}
	next, src := &percentiles{of: p.u.exchanges, final: final}, p.u.src
	p.next = next
	next.stop = p.u.asides.begin(func(ctx context.Context) { next.count(ctx, src) })
	if next.made.Load() {
		p.take(next)
	}
	return true
}

// take shows what was counted. What is sorted by it is sorted anew.
func (p *exchanges) take(counted *percentiles) {
	p.ranks, p.next = counted, nil
	if o := p.list.order; o.by == percentileColumn+1 {
		p.list.unsort()
		p.list.order.by, p.list.order.down = o.by, o.down
	}
}

// percentilesUnderWay says how far the counting is; "" if none is to be waited for.
func (p *exchanges) percentilesUnderWay() string {
	if p.next == nil {
		return ""
	}
	return fmt.Sprintf(" · percentiles: %s of %s counted", report.Count(int(p.next.at.Load())), report.Count(p.next.of))
}

// percentiles shows the bars on the page of exchanges, or not any more.
func (u *ui) percentiles() {
	if u.page != exchangesPage {
		u.say("percentiles are of exchanges, on page %d", exchangesPage+1)
		return
	}
	u.pages[exchangesPage].(*exchanges).togglePercentiles()
}

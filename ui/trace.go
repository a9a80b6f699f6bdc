package ui

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
	"time"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// trace is how long the exchanges of a group took, and what they moved when.
type trace struct {
	took  [bins]int
	moved [spans]uint64 // bytes, by the time of the answer
}

const (
	bins  = 20  // of response times: below 10 µs, then 1-2-5 steps up to 10 s, and above
	spans = 120 // stretches of the capture's time

	maxTraces = 1 << 10 // groups that have one
)

// binEdge returns the lower end of a bin in nanoseconds.
func binEdge(bin int) time.Duration {
	if bin <= 0 {
		return 0
	}
	d := 10 * time.Microsecond
	for range (bin - 1) / 3 {
		d *= 10
	}
	return d * [...]time.Duration{1, 2, 5}[(bin-1)%3]
}

func binOf(took time.Duration) int {
	bin := 0
	for bin+1 < bins && took >= binEdge(bin+1) {
		bin++
	}
	return bin
}

func (t *trace) add(x *flows.Exchange, first, last int64) {
	if took, ok := x.Took(); ok {
		t.took[binOf(took)]++
	}
	if at := x.AnswerTime; x.Moved > 0 && at >= first && last > first {
		sum := &t.moved[min(int(float64(at-first)/float64(last-first)*spans), spans-1)]
		if *sum += x.Moved; *sum < x.Moved {
			*sum = math.MaxUint64 // servers may say anything
		}
	}
}

// drawTook draws a histogram of response times, as many bins as there is room for.
func (t *trace) drawTook(c canvas) {
	from, to, most := bins, -1, 1
	for bin, n := range t.took {
		if n > 0 {
			from, to, most = min(from, bin), bin, max(most, n)
		}
	}
	if to < 0 {
		c.text(1, 0, faint, "none has a request and an answer in the capture")
		return
	}
	y := 0
	for bin := from; bin <= to && y < c.h; bin++ {
		label := "≥ " + report.Took(binEdge(bin))
		if bin == 0 {
			label = "< " + report.Took(binEdge(1))
		}
		const labels = 10
		c.cell(0, y, labels, true, faint, label)
		n := t.took[bin]
		count := report.Count(n)
		room := max(c.w-labels-3-width(report.Count(most)), 0)
		x := c.text(labels+1, y, special, eighths(n, most, room))
		if n > 0 {
			c.text(x+1, y, plain, count)
		}
		y++
	}
}

// eighths draws a bar of n of most in w columns, to an eighth of one.
func eighths(n, most, w int) string {
	if n == 0 || most == 0 {
		return ""
	}
	parts := max(n*w*8/most, 1)
	return strings.Repeat("█", parts/8) + string([]rune(" ▏▎▍▌▋▊▉")[parts%8:][:min(parts%8, 1)])
}

var levels = []rune(" ▁▂▃▄▅▆▇█")

// sparkline draws values in w columns of a line: the largest of what falls into each. All
// but 0 shows.
func sparkline(values []uint64, w int) string {
	top := uint64(1)
	for _, v := range values {
		top = max(top, v)
	}
	var b strings.Builder
	for x := range w {
		most := uint64(0)
		for i := x * len(values) / w; i < max((x+1)*len(values)/w, x*len(values)/w+1) && i < len(values); i++ {
			most = max(most, values[i])
		}
		b.WriteRune(levels[level(most, top, len(levels)-1)])
	}
	return b.String()
}

// level returns v as a step of most steps; of those above 0 none is 0.
func level(v, top uint64, most int) int {
	hi, lo := bits.Mul64(v, uint64(most))
	n, _ := bits.Div64(hi, lo, top) // v is not above top
	if n == 0 && v > 0 {
		n = 1
	}
	return int(n)
}

// drawMoved draws bytes over time, as high as there is room for.
func (t *trace) drawMoved(c canvas, length time.Duration) {
	const axis = 8
	w, h := min(c.w-axis-2, spans), c.h-2
	if w < 10 || h < 1 {
		return
	}
	sums, top := make([]uint64, w), uint64(0)
	for i, n := range t.moved {
		at := &sums[i*w/spans]
		if *at += n; *at < n {
			*at = math.MaxUint64
		}
	}
	for _, n := range sums {
		top = max(top, n)
	}
	if top == 0 {
		c.text(1, 0, faint, "nothing was moved")
		return
	}
	per := time.Duration(int64(length) / int64(w))
	for y := range h {
		label, tick := "", "│"
		if y == 0 {
			label, tick = report.ShortSize(top), "┤"
		}
		c.cell(0, y, axis-1, true, faint, label)
		c.text(axis, y, faint, tick)
		for x, n := range sums {
			filled := level(n, top, 8*h) - 8*(h-1-y)
			c.text(axis+1+x, y, special, string(levels[min(max(filled, 0), 8)]))
		}
	}
	c.text(axis, h, faint, "└"+strings.Repeat("─", w))
	c.text(axis+1, h+1, faint, "0 s")
	end := report.Took(length)
	c.text(axis+1+(w-10)/2, h+1, faint, "("+fmt.Sprintf("%s a column", report.Took(per))+")")
	c.cell(axis+1, h+1, w, true, faint, end)
}

// drawCredits draws the credits of a connection over time on a line: the least in each
// stretch, for that is what a client waits for.
func drawCredits(c canvas, y int, label string, points []flows.CreditPoint) {
	if len(points) == 0 {
		return
	}
	least, most := points[0].Low, points[0].High
	for _, p := range points {
		least, most = min(least, p.Low), max(most, p.High)
	}
	said := fmt.Sprintf("%d–%d", least, most)
	x := c.text(1, y, faint, label) + 1
	w := c.w - x - width(said) - 2
	if w < 5 {
		return
	}
	// Each stretch is as wide as its time.
	first, last := points[0].Time, points[len(points)-1].Time
	values := make([]uint64, w)
	at := 0
	for col := range values {
		until := first + int64(float64(last-first)*float64(col+1)/float64(w))
		low := points[at].Low
		for at+1 < len(points) && points[at+1].Time <= until {
			at++
			low = min(low, points[at].Low)
		}
		values[col] = uint64(max(low, 0)) + 1 // none at all shows too
	}
	x = c.text(x, y, special, sparkline(values, w)) + 1
	c.text(x, y, plain, said)
}

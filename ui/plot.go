package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// quadrants draws four points in a character: bits 1 and 2 are the upper left and
// right, 4 and 8 the lower ones.
var quadrants = []rune(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█")

// drawPlot draws how far a copy had come in the destination over time: each call
// that moved bytes there is a step. The time of call sel is marked on the axis.
func drawPlot(c canvas, cp *flows.Copy, sel int) {
	const scale = 8 // columns of the offset's axis
	if c.h < 4 || c.w < scale+10 {
		return
	}
	w, h := c.w-scale-2, c.h-2
	total, from, took := whole(cp), cp.FirstTime, max(cp.LastTime-cp.FirstTime, 1)
	if total == 0 {
		return
	}
	points := make([]bool, 2*w*2*h) // line by line, from the top
	column := func(t int64) int { return min(max(int(float64(t-from)/float64(took)*float64(2*w-1)), 0), 2*w-1) }
	line := func(n uint64) int {
		return 2*h - 1 - min(int(float64(n)/float64(total)*float64(2*h-1)), 2*h-1)
	}
	lastX, lastY := 0, 2*h-1
	for i := range cp.Calls {
		k := &cp.Calls[i]
		if !steps(k) {
			continue
		}
		x, y := column(k.Time+k.Took), line(k.Offset+k.Moved)
		for i := lastX; i <= x; i++ {
			points[lastY*2*w+i] = true
		}
		for i := min(y, lastY); i <= max(y, lastY); i++ {
			points[i*2*w+x] = true
		}
		lastX, lastY = x, y
	}
	for y := range h {
		label, tick := "", "│"
		switch y {
		case 0:
			label, tick = report.ShortSize(total), "┤"
		case h / 2:
			label, tick = report.ShortSize(total/2), "┤"
		case h - 1:
			label, tick = "0", "┤"
		}
		c.cell(0, y, scale-1, true, faint, label)
		c.text(scale, y, faint, tick)
		for x := range w {
			var bits int
			for bit := range 4 {
				if points[(2*y+bit/2)*2*w+2*x+bit%2] {
					bits |= 1 << bit
				}
			}
			c.text(scale+1+x, y, special, string(quadrants[bits]))
		}
	}
	c.text(scale, h, faint, "└"+strings.Repeat("─", w))
	if sel < len(cp.Calls) {
		c.text(scale+1+column(cp.Calls[sel].Time)/2, h, bold, "▲")
	}
	c.text(scale+1, h+1, faint, "0 s")
	middle := fmt.Sprintf("▲ f%d", frameAt(cp, sel))
	c.text(scale+1+(w-width(middle))/2, h+1, faint, middle)
	c.cell(scale+1, h+1, w, true, faint, report.Took(time.Duration(took)))
}

func frameAt(cp *flows.Copy, i int) int {
	if i < len(cp.Calls) {
		return cp.Calls[i].Frame
	}
	return cp.FirstFrame
}

// steps tells whether a call moved something into the destination.
func steps(c *flows.Call) bool {
	name := callName(c)
	return c.Moved > 0 && !failed(c) && name != "OFFLOAD_READ" && name != "READ"
}

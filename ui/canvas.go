package ui

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"
)

// canvas is a rectangle of the screen. What does not fit is not drawn.
type canvas struct {
	screen     tcell.Screen
	x, y, w, h int
	theme      theme
}

// sub returns a part of c, as far as it lies within.
func (c canvas) sub(x, y, w, h int) canvas {
	x, y = min(max(x, 0), c.w), min(max(y, 0), c.h)
	return canvas{c.screen, c.x + x, c.y + y, max(min(w, c.w-x), 0), max(min(h, c.h-y), 0), c.theme}
}

// split cuts c after the first h lines.
func (c canvas) split(h int) (top, rest canvas) { return c.sub(0, 0, c.w, h), c.sub(0, h, c.w, c.h-h) }

func (c canvas) holds(x, y int) bool { return x >= c.x && x < c.x+c.w && y >= c.y && y < c.y+c.h }

// text draws s from column x of line y and returns the column after it.
func (c canvas) text(x, y int, style tcell.Style, s string) int {
	if y < 0 || y >= c.h {
		return x
	}
	style = c.theme.style(style)
	for g, w := range clusters(s) {
		if x+w > c.w {
			break
		}
		if x >= 0 {
			c.screen.Put(c.x+x, c.y+y, g, style)
		}
		x += w
	}
	return x
}

// cell draws s into exactly w columns, cut with an ellipsis if it is longer.
func (c canvas) cell(x, y, w int, right bool, style tcell.Style, s string) {
	n := width(s)
	if n > w {
		s, n = cut(s, w-1)+"…", w
	}
	if right {
		x += w - n
	}
	c.text(x, y, style, s)
}

// path is cell for a name of which the end says more than the beginning.
func (c canvas) path(x, y, w int, style tcell.Style, s string) {
	if width(s) > w {
		s = "…" + cutLeft(s, w-1)
	}
	c.text(x, y, style, s)
}

// fill gives line y a style.
func (c canvas) fill(y int, style tcell.Style) {
	for x := range c.w {
		c.text(x, y, style, " ")
	}
}

// rule draws a line with a title in it: a heavy one if what is below has the focus.
func (c canvas) rule(y int, title string, focused bool) {
	line, style := "─", faint
	if focused {
		line, style = "━", plain
	}
	c.text(0, y, style, strings.Repeat(line, c.w))
	if title != "" {
		if focused {
			style = bold
		}
		c.text(2, y, style, " "+cut(title, c.w-6)+" ")
	}
}

// bar draws a line between panes, in column x.
func (c canvas) bar(x int) {
	c.text(x, 0, faint, "┬")
	for y := 1; y < c.h; y++ {
		c.text(x, y, faint, "│")
	}
}

// paragraph draws s from line y on, broken between words, and returns the line
// after it.
func (c canvas) paragraph(y int, style tcell.Style, s string) int {
	for _, line := range wrap(s, c.w-2) {
		c.text(1, y, style, line)
		y++
	}
	return y
}

// wrap breaks s between words into lines of at most w columns. A line break stays
// one.
func wrap(s string, w int) (lines []string) {
	for part := range strings.SplitSeq(s, "\n") {
		var line strings.Builder
		used := 0 // columns of line
		for word := range strings.FieldsSeq(part) {
			n := width(word)
			if line.Len() > 0 && used+1+n > w {
				lines = append(lines, line.String())
				line.Reset()
				used = 0
			}
			if line.Len() == 0 {
				line.Grow(max(0, min(len(part), w)))
			} else {
				line.WriteByte(' ')
				used++
			}
			line.WriteString(word)
			used += n
		}
		lines = append(lines, line.String())
	}
	return lines
}

// maxMarks bounds what is stacked on one character: more would paint over other
// lines of some terminals.
const maxMarks = 3

// clusters yields what s looks like, character by character as users see them, with
// the columns that each takes. What a terminal could take for a command, or what
// reorders text, becomes U+FFFD.
func clusters(s string) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for i := 0; i < len(s); i++ { // the usual case needs no tables
			if s[i] < ' ' || s[i] > '~' {
				others(clean(s[i:]), yield)
				return
			}
			if i+1 < len(s) && s[i+1] > '~' { // may combine with it
				others(clean(s[i:]), yield)
				return
			}
			if !yield(s[i:i+1], 1) {
				return
			}
		}
	}
}

func others(s string, yield func(string, int) bool) {
	for state := -1; s != ""; {
		var g string
		var w int
		g, s, w, state = uniseg.FirstGraphemeClusterInString(s, state)
		if w == 0 {
			g, w = "◌"+g, 1 // combines with nothing
		}
		for i, n := 0, 0; i < len(g); n++ {
			if n > maxMarks {
				g = g[:i]
				break
			}
			_, size := utf8.DecodeRuneInString(g[i:])
			i += size
		}
		if !yield(g, w) {
			return
		}
	}
}

// clean replaces what is not printable.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// width returns how many columns s takes.
func width(s string) (n int) {
	for _, w := range clusters(s) {
		n += w
	}
	return n
}

// cut returns the beginning of s that fits into w columns.
func cut(s string, w int) string {
	var b strings.Builder
	for g, n := range clusters(s) {
		if w -= n; w < 0 {
			break
		}
		b.WriteString(g)
	}
	return b.String()
}

// cutLeft returns the end of s that fits into w columns.
func cutLeft(s string, w int) string {
	over := width(s) - w
	var b strings.Builder
	for g, n := range clusters(s) {
		if over > 0 {
			over -= n
			continue
		}
		b.WriteString(g)
	}
	return b.String()
}

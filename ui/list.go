package ui

import (
	"strings"

	"github.com/gdamore/tcell/v2"
)

// column is a column of a list.
type column struct {
	title string
	width int  // at least; 0 hides it
	grow  int  // its share of what is left over
	right bool // numbers
	path  bool // the end says more than the beginning
	drop  int  // where there is no room the highest go first; 0 stays
}

// list shows rows that it asks for as they come into view. A row is known by its
// position among all that there are, and stands in a line among those that are shown;
// sel and top are lines.
type list struct {
	view
	columns []column
	count   func() int                              // lines
	row     func(i int, cells []string) tcell.Style // fills a cell a column
	open    func(i int)                             // Enter; may be nil
	about   func(i int) string                      // for the status line; may be nil
	links   func(i int) []target                    // where a row leads to; may be nil

	// search returns a function that returns the text of row i in any goroutine; nil if
	// there are so few rows that row will do.
	search func() func(i int) string

	sieve *sieve // nil if all is shown

	shift  int // columns that the growing cells are moved to the left
	widths []int
	cells  []string
}

// measured is how many rows of a short list decide how wide its columns are.
const measured = 100

// layout fits the columns into w.
func (l *list) layout(w int) {
	wants := l.measure()
	need := 2 // for the mark of the selection
	for _, n := range l.widths {
		if n > 0 {
			need += n + 1
		}
	}
	for need > w {
		worst := -1
		for i, c := range l.columns {
			if l.widths[i] > 0 && c.drop > 0 && (worst < 0 || c.drop > l.columns[worst].drop) {
				worst = i
			}
		}
		if worst < 0 {
			break
		}
		need -= l.widths[worst] + 1
		l.widths[worst] = 0
	}
	// What is left goes first to what needs it, then by shares.
	grow := 0
	for i, c := range l.columns {
		if l.widths[i] > 0 && c.grow > 0 {
			more := max(min(wants[i]-l.widths[i], w-need), 0)
			l.widths[i], need, grow = l.widths[i]+more, need+more, grow+c.grow
		}
	}
	for i, c := range l.columns {
		if l.widths[i] > 0 && c.grow > 0 && need < w {
			more := (w - need) * c.grow / grow
			l.widths[i], need, grow = l.widths[i]+more, need+more, grow-c.grow
		}
	}
}

// measure sets how wide the columns are at least, and returns how wide they would
// like to be. Those of a list that can be long are as they were declared; those of
// others are as wide as what they hold, and vanish where that is nothing.
func (l *list) measure() (wants []int) {
	l.widths = l.widths[:0]
	for _, c := range l.columns {
		l.widths = append(l.widths, c.width)
		wants = append(wants, c.width)
	}
	if l.search != nil {
		return wants
	}
	clear(wants)
	for line := range min(l.count(), measured) {
		l.fill(l.at(line))
		for i, s := range l.cells {
			wants[i] = max(wants[i], width(s))
		}
	}
	for i, c := range l.columns {
		if wants[i] == 0 && c.drop > 0 {
			l.widths[i] = 0
			continue
		}
		wants[i] = max(wants[i], width(c.title))
		if c.grow == 0 {
			l.widths[i] = wants[i]
		}
	}
	return wants
}

// at returns the position of the row in a line.
func (l *list) at(line int) int {
	if l.sieve != nil {
		return l.sieve.at(line)
	}
	return line
}

// find returns the line of a position.
func (l *list) find(i int) int {
	if l.sieve != nil {
		return l.sieve.find(i)
	}
	return i
}

// chosen returns the position of the selected row, or -1 if there is none.
func (l *list) chosen() int {
	if l.sel >= l.count() {
		return -1
	}
	return l.at(l.sel)
}

// fill makes cells those of row i.
func (l *list) fill(i int) tcell.Style {
	l.cells = append(l.cells[:0], make([]string, len(l.columns))...)
	return l.row(i, l.cells)
}

// head returns how many lines the titles take.
func (l *list) head() int {
	for _, c := range l.columns {
		if c.title != "" {
			return 1
		}
	}
	return 0
}

func (l *list) draw(c canvas, focused bool) {
	head, body := c.split(l.head())
	l.layout(c.w)
	l.drawn(l.count(), body.h)
	x := 2
	for i, col := range l.columns {
		if l.widths[i] > 0 {
			head.cell(x, 0, l.widths[i], col.right, bold, col.title)
			x += l.widths[i] + 1
		}
	}
	for y := 0; y < body.h && l.top+y < l.count(); y++ {
		style := l.fill(l.at(l.top + y))
		if l.top+y == l.sel {
			if focused {
				style = marked
			} else {
				style = style.Bold(true)
			}
			body.fill(y, style)
			body.text(0, y, style, "▸")
		}
		x := 2
		for j, col := range l.columns {
			if l.widths[j] == 0 {
				continue
			}
			s := l.cells[j]
			if col.grow > 0 && l.shift > 0 && !col.path {
				s = strings.TrimPrefix(clean(s), cut(s, l.shift))
			}
			if col.path {
				body.path(x, y, l.widths[j], style, s)
			} else {
				body.cell(x, y, l.widths[j], col.right, style, s)
			}
			x += l.widths[j] + 1
		}
	}
}

func (l *list) move(m motion) {
	switch m {
	case left:
		l.shift = max(l.shift-8, 0)
	case right:
		l.shift += 8
	default:
		l.view.move(m, l.count())
	}
}

func (l *list) click(_, y int) bool {
	i := l.top + y - l.head()
	if y < l.head() || i >= l.count() {
		return false
	}
	l.sel = i
	return true
}

func (l *list) enter() {
	if i := l.chosen(); l.open != nil && i >= 0 {
		l.open(i)
	}
}

// text returns row i without its padding.
func (l *list) text(i int) string {
	cells := make([]string, len(l.columns))
	l.row(i, cells)
	return strings.Join(strings.Fields(strings.Join(cells, " ")), " ")
}

func (l *list) yank() string {
	if i := l.chosen(); i >= 0 {
		return l.text(i)
	}
	return ""
}

func (l *list) info() string {
	if i := l.chosen(); l.about != nil && i >= 0 {
		return l.about(i)
	}
	return ""
}

func (l *list) where() (at, of int) {
	n := l.count()
	return min(l.sel+1, n), n
}

func (l *list) lookup(text string) (func(int) bool, int, bool) {
	row, at := l.text, l.at
	if l.search != nil {
		row = l.search()
		if l.sieve != nil {
			shown := l.sieve.sifted // as of now: the search runs aside
			at = shown.at
		}
	}
	return func(line int) bool {
		return strings.Contains(strings.ToLower(row(at(line))), text)
	}, l.count(), l.search != nil
}

// visit chooses the row at a position.
func (l *list) visit(i int) {
	if l.sieve != nil {
		i = l.sieve.admit(i)
	}
	l.choose(i)
}

func (l *list) reach(i int) { l.choose(i) }

package ui

import (
	"io"
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"
)

// column is a column of a list.
type column struct {
	title string
	name  string // for commands and readers; "" if the title says enough
	width int    // at least; 0 hides it
	grow  int    // its share of what is left over
	right bool   // numbers
	path  bool   // the end says more than the beginning
	drop  int    // where there is no room the highest go first; 0 stays
	extra bool   // is shown only to who asks for it

	num func(i int) int64 // what the rows are sorted by; nil for the text
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

	// frozen returns a list of the same rows that can be asked for them in any goroutine;
	// nil if there are so few that nobody has to.
	frozen func() *list

	// report returns what writes rows as JSON as the command line has it, in any
	// goroutine; nil if it has none.
	report func(rows []int) func(w io.Writer) error

	sieve *sieve // nil if all is shown
	order order
	of    func() any // what the rows belong to, of another list; nil if to none

	chosenColumns, allColumns []int       // in their order; chosenColumns is nil until the user chooses
	wider                     map[int]int // columns by which the user made one wider
	addField                  func(name string) int

	shift  int // columns that the growing cells are moved to the left
	widths []int
	cells  []string
}

// measured is how many rows of a short list decide how wide its columns are.
const measured = 100

// layout fits the columns into w.
func (l *list) layout(w int) {
	wants := l.measure()
	shown := l.shownColumns()
	for i := range l.widths {
		switch {
		case !slices.Contains(shown, i):
			l.widths[i] = 0
		case l.widths[i] > 0:
			l.widths[i] = max(l.widths[i]+l.wider[i], 1)
		}
	}
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
			more := max(min(wants[i]+l.wider[i]-l.widths[i], w-need), 0)
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
		if wants[i] == 0 && c.drop > 0 && l.chosenColumns == nil {
			l.widths[i] = 0
			continue
		}
		wants[i] = max(wants[i], width(c.title)+width(l.arrow(i)))
		if c.grow == 0 {
			l.widths[i] = wants[i]
		}
	}
	return wants
}

// at returns the position of the row in a line.
func (l *list) at(line int) int {
	if line < len(l.order.rows) {
		return int(l.order.rows[line])
	}
	if l.sieve != nil {
		return l.sieve.at(line)
	}
	return line
}

// unsorted is at without the order, as of now and for any goroutine.
func (l *list) unsorted() func(line int) int {
	if l.sieve != nil {
		shown := l.sieve.sifted
		return shown.at
	}
	return func(line int) int { return line }
}

// find returns the line of a position; -1 if the list is sorted and does not have it.
func (l *list) find(i int) int {
	if l.order.rows != nil {
		return slices.Index(l.order.rows, int32(i))
	}
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
	for _, i := range l.shownColumns() {
		if col := l.columns[i]; l.widths[i] > 0 {
			title := col.title
			if arrow := l.arrow(i); arrow != "" {
				title = cut(title, l.widths[i]-1) + arrow
			}
			head.cell(x, 0, l.widths[i], col.right, bold, title)
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
		for _, j := range l.shownColumns() {
			if l.widths[j] == 0 {
				continue
			}
			col := l.columns[j]
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

func (l *list) click(x, y int) bool {
	if y < l.head() {
		left := 2
		for _, i := range l.shownColumns() {
			if right := left + l.widths[i]; l.widths[i] > 0 {
				if x >= left && x <= right {
					l.sortBy(i)
				}
				left = right + 1
			}
		}
		return false
	}
	i := l.top + y - l.head()
	if i >= l.count() {
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
	if l.search != nil { // it runs aside, and so looks at what is shown now
		unsorted, rows := l.unsorted(), l.order.rows
		row, at = l.search(), func(line int) int {
			if line < len(rows) {
				return int(rows[line])
			}
			return unsorted(line)
		}
	}
	return func(line int) bool {
		return strings.Contains(strings.ToLower(row(at(line))), text)
	}, l.count(), l.search != nil
}

// visit chooses the row at a position.
func (l *list) visit(i int) {
	if l.order.rows != nil {
		if line := l.find(i); line >= 0 {
			l.choose(line)
			return
		}
		l.unsort() // it is not among what was sorted
	}
	if l.sieve != nil {
		i = l.sieve.admit(i)
	}
	l.choose(i)
}

func (l *list) reach(i int) { l.choose(i) }

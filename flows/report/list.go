package report

import (
	"context"
	"io"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
)

// TimeFormat is how the time column of a list prints; the letters are tshark's.
type TimeFormat string

const (
	Relative     TimeFormat = "r"  // seconds since the first frame
	Absolute     TimeFormat = "a"  // time of day
	AbsoluteDate TimeFormat = "ad" // date and time of day
	Epoch        TimeFormat = "e"  // seconds since 1970
	Delta        TimeFormat = "d"  // seconds since the frame before
)

// ListOptions say how a list of frames prints.
type ListOptions struct {
	Format Format
	Time   TimeFormat
	Digits int // after the point of a second; 0 leaves them away
	Count  int // frames to print; 0 for all

	Columns    []Column // of Fields, and of CSV if there are any
	Raw        bool     // no terminal reads Fields: escape only what would end a line
	Header     bool     // names before the lines of Fields
	BOM        bool     // a byte order mark before Fields
	Separator  byte     // between columns of Fields
	Aggregator byte     // between the values of a column
	Quote      byte     // around each column that has values; 0 for none
	Occurrence byte     // 'f' the first value, 'l' the last, 'a' all
}

// Column is a column of fields: several may share a name.
type Column struct {
	Name   string
	Fields []*wire.Field
}

// Columns finds the fields of names, or returns the first name that is none.
func Columns(all []*wire.Field, names []string) ([]Column, string) {
	columns := make([]Column, len(names))
	for i, name := range names {
		columns[i].Name = name
		for _, f := range all {
			if f.Name == name {
				columns[i].Fields = append(append(columns[i].Fields, f), f.Any...)
			}
		}
		if columns[i].Fields == nil {
			return nil, name
		}
	}
	return columns, ""
}

// List prints a line a frame while it reads the capture, with times as exact as the
// file has them.
func List(ctx context.Context, w io.Writer, c *flows.Capture, o ListOptions) error {
	o.Digits = c.Info().TimeDigits
	l := newLister(w, o)
	if o.Format == JSON && o.Columns == nil {
		l.tree.Want = wire.Only(members()...)
	}
	if err := l.head(); err != nil {
		return err
	}
	var failed error
	err := c.List(ctx, l.tree, nil, func(r *flows.Row) bool {
		if l.lines == 0 {
			l.first, l.last = c.First(), r.Time
		}
		failed = l.row(r)
		return failed == nil && l.lines != o.Count
	})
	if failed != nil {
		return failed
	}
	return err
}

// lister writes the lines of a list. It reuses its buffers: a line of text or of
// fields allocates nothing.
type lister struct {
	ListOptions
	w           io.Writer
	tree        *wire.Tree // nil if no fields are asked for
	column      [][]int16  // by Field.ID, the columns that it is in; one may be asked for twice
	found       []found    // in the tree at hand
	b, raw      []byte
	lines       int
	first, last int64
	json        fieldObject
}

// found is what a tree has for a column.
type found struct {
	first int  // node, plus 1; 0 for none
	more  bool // there are others
}

func newLister(w io.Writer, o ListOptions) *lister {
	l := &lister{ListOptions: o, w: w}
	switch {
	case o.Format == JSON && o.Columns == nil:
		l.tree = new(wire.Tree)
	case o.Format == JSON, o.Format == Fields, o.Format == CSV && o.Columns != nil:
		l.tree = new(wire.Tree)
		var want []*wire.Field
		for i, c := range o.Columns {
			for _, f := range c.Fields {
				if more := f.ID() + 1 - len(l.column); more > 0 {
					l.column = append(l.column, make([][]int16, more)...)
				}
				if of := &l.column[f.ID()]; !slices.Contains(*of, int16(i)) {
					*of = append(*of, int16(i))
				}
				want = append(want, f)
			}
		}
		l.tree.Want = wire.Only(want...)
		l.found = make([]found, len(o.Columns))
	}
	if o.Format == CSV { // has one form only
		l.Header, l.Separator, l.Aggregator, l.Quote, l.Occurrence = true, ',', ',', '"', 'a'
	}
	return l
}

// head writes the line of names.
func (l *lister) head() error {
	if l.BOM && l.Format == Fields {
		if _, err := io.WriteString(l.w, "\ufeff"); err != nil {
			return err
		}
	}
	if !l.Header || l.Format == JSON || l.Format == Text {
		return nil
	}
	l.b = l.b[:0]
	if l.Format == CSV && l.Columns == nil {
		l.b = append(l.b, "\"No.\",\"Time\",\"Source\",\"Destination\",\"Protocol\",\"Length\",\"Info\"\n"...)
	} else {
		for i, c := range l.Columns {
			if i > 0 {
				l.b = append(l.b, l.Separator)
			}
			l.b = append(l.b, c.Name...)
		}
		l.b = append(l.b, '\n')
	}
	_, err := l.w.Write(l.b)
	return err
}

// row writes the line of a frame.
func (l *lister) row(r *flows.Row) error {
	l.lines++
	l.b = l.b[:0]
	switch {
	case l.Format == Text:
		l.text(r)
	case l.Format == JSON:
		l.object(r)
	case l.Columns != nil:
		l.fields()
	default:
		l.csv(r)
	}
	l.last = r.Time
	l.b = append(l.b, '\n')
	_, err := l.w.Write(l.b)
	return err
}

// text is the packet list as tshark prints it: numbers and sources to the right,
// at least as wide as these usually are.
func (l *lister) text(r *flows.Row) {
	start := len(l.b)
	l.b = strconv.AppendInt(l.b, int64(r.Frame), 10)
	l.right(start, 5)
	l.b = append(l.b, ' ')
	start = len(l.b)
	l.time(r.Time)
	l.right(start, 10)
	l.b = append(l.b, ' ')
	start = len(l.b)
	l.b = AppendEscaped(l.b, r.Source)
	l.right(start, 12)
	l.b = append(l.b, " → "...)
	start = len(l.b)
	l.b = AppendEscaped(l.b, r.Dest)
	for utf8.RuneCount(l.b[start:]) < 12 {
		l.b = append(l.b, ' ')
	}
	l.b = append(l.b, ' ')
	l.b = AppendEscaped(l.b, r.Protocol)
	l.b = append(l.b, ' ')
	l.b = strconv.AppendInt(l.b, int64(r.Length), 10)
	l.b = append(l.b, ' ')
	l.b = AppendEscaped(l.b, r.Info)
}

// right moves what was appended from start to the right end of a column.
func (l *lister) right(start, width int) {
	for n := utf8.RuneCount(l.b[start:]); n < width; n++ {
		l.b = slices.Insert(l.b, start, ' ')
	}
}

func (l *lister) time(ns int64) {
	switch l.Time {
	case Absolute:
		l.b = time.Unix(0, ns).AppendFormat(l.b, "15:04:05")
		l.fraction(ns)
	case AbsoluteDate:
		l.b = time.Unix(0, ns).AppendFormat(l.b, "2006-01-02 15:04:05")
		l.fraction(ns)
	case Epoch:
		l.decimal(ns)
	case Delta:
		l.decimal(ns - l.last)
	default:
		l.decimal(ns - l.first)
	}
}

// decimal appends nanoseconds as seconds.
func (l *lister) decimal(ns int64) {
	if ns < 0 {
		l.b, ns = append(l.b, '-'), -ns
	}
	l.b = strconv.AppendInt(l.b, ns/1e9, 10)
	l.fraction(ns)
}

// fraction appends the point and the digits of a time that follow it.
func (l *lister) fraction(ns int64) {
	if l.Digits <= 0 {
		return
	}
	start := len(l.b)
	l.b = strconv.AppendInt(l.b, 1e9+(ns%1e9+1e9)%1e9, 10)
	l.b[start] = '.' // in place of the 1 that kept the zeros
	l.b = l.b[:start+1+min(l.Digits, 9)]
}

// fields appends the columns of a frame, values in the order of the tree.
func (l *lister) fields() {
	clear(l.found)
	for i := range l.tree.Nodes {
		for _, col := range l.columnsOf(i) {
			if c := &l.found[col]; c.first == 0 {
				c.first = i + 1
			} else {
				c.more = true
			}
		}
	}
	for col, c := range l.found {
		if col > 0 {
			l.b = append(l.b, l.Separator)
		}
		switch {
		case c.first == 0:
		case c.more || l.Quote != 0:
			l.values(int16(col), c.first-1)
		default:
			l.value(c.first - 1)
		}
	}
}

// columnsOf returns the columns that node i is in.
func (l *lister) columnsOf(i int) []int16 {
	if id := l.tree.Nodes[i].Field.ID(); id < len(l.column) {
		return l.column[id]
	}
	return nil
}

// values appends what a column has, from a node on.
func (l *lister) values(col int16, from int) {
	start, end := len(l.b), len(l.b)
	for i := from; i < len(l.tree.Nodes); i++ {
		if !slices.Contains(l.columnsOf(i), col) {
			continue
		}
		switch {
		case end == start && l.Quote != 0:
			l.b = append(l.b, l.Quote)
		case end == start:
		case l.Occurrence == 'f':
			continue
		case l.Occurrence == 'l':
			l.b = l.b[:start]
			if l.Quote != 0 {
				l.b = append(l.b, l.Quote)
			}
		default:
			l.b = append(l.b, l.Aggregator)
		}
		l.value(i)
		end = max(len(l.b), start+1)
	}
	if end > start && l.Quote != 0 {
		l.b = append(l.b, l.Quote)
	}
}

// harmless are the kinds of fields whose values have nothing to escape.
const harmless = 1<<wire.KindUint | 1<<wire.KindInt | 1<<wire.KindEnum | 1<<wire.KindBool | 1<<wire.KindDuration | 1<<wire.KindAddress

// value appends node i, escaped, for a line must stay a line; its quotes doubled.
func (l *lister) value(i int) {
	from := len(l.b)
	l.b = l.tree.AppendValue(l.b, i)
	if n := &l.tree.Nodes[i]; n.Text == "" && l.Quote == 0 && 1<<n.Field.Kind&harmless != 0 {
		return
	}
	if raw := l.b[from:]; !clean(raw) {
		l.raw = append(l.raw[:0], raw...)
		if l.Raw {
			l.b = appendLine(l.b[:from], l.raw)
		} else {
			l.b = AppendEscaped(l.b[:from], l.raw)
		}
	}
	l.double(from)
}

// double doubles the quotes in what was appended from there on.
func (l *lister) double(from int) {
	for i := from; l.Quote != 0 && i < len(l.b); i++ {
		if l.b[i] == l.Quote {
			l.b = slices.Insert(l.b, i, l.Quote)
			i++
		}
	}
}

// csv is the packet list as Wireshark exports it.
func (l *lister) csv(r *flows.Row) {
	l.b = append(l.b, '"')
	l.b = strconv.AppendInt(l.b, int64(r.Frame), 10)
	l.b = append(l.b, `","`...)
	l.time(r.Time)
	for _, s := range [...]string{r.Source, r.Dest, r.Protocol} {
		l.b = append(l.b, `","`...)
		from := len(l.b)
		l.b = AppendEscaped(l.b, s)
		l.double(from)
	}
	l.b = append(l.b, `","`...)
	l.b = strconv.AppendInt(l.b, int64(r.Length), 10)
	l.b = append(l.b, `","`...)
	from := len(l.b)
	l.b = AppendEscaped(l.b, r.Info)
	l.double(from)
	l.b = append(l.b, '"')
}

package report

import (
	"cmp"
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
	l.head()
	if l.flush(); l.failed != nil {
		return l.failed
	}
	c.WhenIdle(func() bool { l.flush(); return l.failed == nil })
	err := c.List(ctx, l.tree, nil, func(r *flows.Row) bool {
		if l.lines == 0 {
			l.first, l.last = c.First(), r.Time
		}
		l.row(r)
		return l.failed == nil && l.lines != o.Count
	})
	l.flush()
	return cmp.Or(l.failed, err)
}

// heldBack is how many bytes of lines are held back while there are packets at hand.
const heldBack = 64 << 10

// lister writes the lines of a list. It reuses its buffers: a line of text or of
// fields allocates nothing.
type lister struct {
	ListOptions
	w           io.Writer
	failed      error      // why it could not be written to
	tree        *wire.Tree // nil if no fields are asked for
	columns     columns
	found       []found // in the tree at hand
	b, raw      []byte
	lines       int
	first, last int64
	json        fieldObject
}

// found is what a tree has for a column.
type found struct {
	first int32 // node, plus 1; 0 for none
	more  bool  // there are others
}

// columns tells which columns a field is in: one may be asked for twice. It is looked at
// for every node, and so is small.
type columns struct {
	from []int32 // by Field.ID, where its columns begin in list; they end where the next begin
	list []int32
}

func newColumns(asked []Column) (t columns) {
	var of [][]int32 // by Field.ID
	for i, c := range asked {
		for _, f := range c.Fields {
			if more := f.ID() + 1 - len(of); more > 0 {
				of = append(of, make([][]int32, more)...)
			}
			if list := &of[f.ID()]; !slices.Contains(*list, int32(i)) {
				*list = append(*list, int32(i))
			}
		}
	}
	for _, list := range of {
		t.from = append(t.from, int32(len(t.list)))
		t.list = append(t.list, list...)
	}
	t.from = append(t.from, int32(len(t.list)))
	return t
}

// of returns the columns that f is in.
func (t *columns) of(f *wire.Field) []int32 {
	if id := f.ID(); id+1 < len(t.from) {
		return t.list[t.from[id]:t.from[id+1]]
	}
	return nil
}

func newLister(w io.Writer, o ListOptions) *lister {
	l := &lister{ListOptions: o, w: w}
	switch {
	case o.Format == JSON && o.Columns == nil:
		l.tree = new(wire.Tree)
	case o.Format == JSON, o.Format == Fields, o.Format == CSV && o.Columns != nil:
		l.tree = new(wire.Tree)
		var want []*wire.Field
		for _, c := range o.Columns {
			want = append(want, c.Fields...)
		}
		l.tree.Want = wire.Only(want...)
		l.columns = newColumns(o.Columns)
		l.found = make([]found, len(o.Columns))
	}
	if o.Format == CSV { // has one form only
		l.Header, l.Separator, l.Aggregator, l.Quote, l.Occurrence = true, ',', ',', '"', 'a'
	}
	return l
}

// head appends the line of names.
func (l *lister) head() {
	if l.BOM && l.Format == Fields {
		l.b = append(l.b, "\ufeff"...)
	}
	if !l.Header || l.Format == JSON || l.Format == Text {
		return
	}
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
}

// flush writes the lines that are held back.
func (l *lister) flush() {
	if l.failed == nil && len(l.b) > 0 {
		_, l.failed = l.w.Write(l.b)
	}
	l.b = l.b[:0]
}

// row appends the line of a frame.
func (l *lister) row(r *flows.Row) {
	l.lines++
	switch {
	case l.Format == Text:
		l.text(r)
	case l.Format == JSON:
		l.object(r)
	case l.Columns != nil:
		l.b = l.fields(l.b)
	default:
		l.csv(r)
	}
	l.last = r.Time
	if l.b = append(l.b, '\n'); len(l.b) > heldBack {
		l.flush()
	}
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
func (l *lister) fields(b []byte) []byte {
	clear(l.found)
	for i := range l.tree.Nodes {
		for _, col := range l.columns.of(l.tree.Nodes[i].Field) {
			if c := &l.found[col]; c.first == 0 {
				c.first = int32(i) + 1
			} else {
				c.more = true
			}
		}
	}
	for col := range l.found {
		if col > 0 {
			b = append(b, l.Separator)
		}
		switch c := &l.found[col]; {
		case c.first == 0:
		case c.more || l.Quote != 0:
			b = l.values(b, int32(col), int(c.first)-1)
		default:
			b = l.value(b, int(c.first)-1)
		}
	}
	return b
}

// values appends what a column has, from a node on.
func (l *lister) values(b []byte, col int32, from int) []byte {
	start, end := len(b), len(b)
	for i := from; i < len(l.tree.Nodes); i++ {
		if !slices.Contains(l.columns.of(l.tree.Nodes[i].Field), col) {
			continue
		}
		switch {
		case end == start && l.Quote != 0:
			b = append(b, l.Quote)
		case end == start:
		case l.Occurrence == 'f':
			continue
		case l.Occurrence == 'l':
			b = b[:start]
			if l.Quote != 0 {
				b = append(b, l.Quote)
			}
		default:
			b = append(b, l.Aggregator)
		}
		b = l.value(b, i)
		end = max(len(b), start+1)
	}
	if end > start && l.Quote != 0 {
		b = append(b, l.Quote)
	}
	return b
}

// harmless are the kinds of fields whose values have nothing to escape.
const harmless = 1<<wire.KindUint | 1<<wire.KindInt | 1<<wire.KindEnum | 1<<wire.KindBool | 1<<wire.KindDuration | 1<<wire.KindAddress

// value appends node i, escaped, for a line must stay a line; its quotes doubled.
func (l *lister) value(b []byte, i int) []byte {
	from := len(b)
	b = l.tree.AppendValue(b, i)
	if n := &l.tree.Nodes[i]; n.Text == "" && l.Quote == 0 && 1<<n.Field.Kind&harmless != 0 {
		return b
	}
	if raw := b[from:]; !clean(raw) {
		l.raw = append(l.raw[:0], raw...)
		if l.Raw {
			b = appendLine(b[:from], l.raw)
		} else {
			b = AppendEscaped(b[:from], l.raw)
		}
	}
	return l.double(b, from)
}

// double doubles the quotes in b, from there on.
func (l *lister) double(b []byte, from int) []byte {
	for i := from; l.Quote != 0 && i < len(b); i++ {
		if b[i] == l.Quote {
			b = slices.Insert(b, i, l.Quote)
			i++
		}
	}
	return b
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
		l.b = l.double(l.b, from)
	}
	l.b = append(l.b, `","`...)
	l.b = strconv.AppendInt(l.b, int64(r.Length), 10)
	l.b = append(l.b, `","`...)
	from := len(l.b)
	l.b = AppendEscaped(l.b, r.Info)
	l.b = l.double(l.b, from)
	l.b = append(l.b, '"')
}

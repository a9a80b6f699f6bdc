package ui

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/odxray/odxray/flows"
)

// order is rows sorted by a column. The zero order leaves them as they are.
type order struct {
	by   int  // column, from 1; 0 for none
	down bool // the largest first

	rows  []int32 // positions, as sorted; nil until that is done
	about any     // what the rows were of
	res   *flows.Results
	final bool // the pass was over
	work  *sorting
	stop  context.CancelFunc
}

// sorting is sorting, in a goroutine.
type sorting struct {
	mu     sync.Mutex
	looked int
	of     int
	rows   []int32
	done   bool
}

// maxSorted bounds the rows of a sorted list: a key of each is in memory meanwhile.
const maxSorted = 4 << 20

// sortable is how many rows of a list are sorted at once, without a goroutine.
const sortable = 1 << 10

// sortBy sorts by a column, then the other way round, then not any more.
func (l *list) sortBy(col int) {
	o := &l.order
	switch {
	case o.by != col+1:
		l.unsort()
		o.by = col + 1
	case !o.down:
		l.unsort()
		o.by, o.down = col+1, true
	default:
		l.unsort()
	}
}

// unsort shows rows as they are; the selection stays.
func (l *list) unsort() {
	at := l.chosen()
	l.forget()
	l.order = order{}
	if at >= 0 {
		l.choose(l.find(at))
	}
}

// forget forgets the sorted rows, which are not the right ones any more; arrange sorts
// anew.
func (l *list) forget() {
	if l.order.work != nil {
		l.order.stop()
	}
	l.order.work, l.order.rows = nil, nil
}

// arrange takes over what was sorted and sorts what there is to sort. It returns whether
// there is news.
func (l *list) arrange(u *ui) bool {
	if l.of != nil {
		if about := l.of(); about != l.order.about {
			if l.order.about != nil {
				l.choose(0)
			}
			l.forget()
			l.order.about = about
		}
	}
	o, n := &l.order, l.count()
	if o.by == 0 {
		return false
	}
	final := u.ended || u.res.Done
	switch {
	case o.work != nil:
	case n > maxSorted:
		u.fail("%d rows are too many to sort: filter them first", n)
		l.unsort()
		return true
	case o.rows == nil, n > len(o.rows)+len(o.rows)/8, final && (!o.final || n != len(o.rows)), n <= sortable && o.res != u.res:
		o.res, o.final = u.res, final
		o.work = &sorting{of: n}
		l.sort(u, o.work)
	default:
		return false
	}
	w := o.work
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		at := l.chosen()
		o.rows, o.work = w.rows, nil
		if at >= 0 {
			l.choose(max(l.find(at), 0))
		}
	}
	return true
}

// sort has w sort the rows that are shown.
func (l *list) sort(u *ui, w *sorting) {
	rows, at := make([]int32, 0, w.of), l.unsorted()
	col, down := l.order.by-1, l.order.down
	work := func(ctx context.Context, from *list) {
		nums, texts := make([]int64, w.of), []string(nil)
		c := &from.columns[col]
		if c.num == nil {
			texts = make([]string, w.of)
		}
		same := make(map[string]string) // many rows say the same
		lines := make([]int32, w.of)
		cells := make([]string, len(from.columns))
		for line := range w.of {
			if line%256 == 0 {
				if ctx.Err() != nil {
					return
				}
				w.mu.Lock()
				w.looked = line
				w.mu.Unlock()
			}
			i := at(line)
			rows, lines[line] = append(rows, int32(i)), int32(line)
			if c.num != nil {
				nums[line] = c.num(i)
				continue
			}
			clear(cells)
			from.row(i, cells)
			s := strings.ToLower(cells[col])
			if known, ok := same[s]; ok {
				s = known
			} else {
				same[s] = s
			}
			texts[line] = s
		}
		slices.SortStableFunc(lines, func(a, b int32) int {
			n := cmp.Compare(nums[a], nums[b])
			if texts != nil {
				n = cmp.Compare(texts[a], texts[b])
			}
			if down {
				return -n
			}
			return n
		})
		sorted := make([]int32, len(lines))
		for k, line := range lines {
			sorted[k] = rows[line]
		}
		w.mu.Lock()
		w.rows, w.done = sorted, true
		w.mu.Unlock()
	}
	if l.frozen == nil || w.of <= sortable {
		l.order.stop = func() {}
		work(context.Background(), l)
		return
	}
	from := l.frozen()
	l.order.stop = u.asides.begin(func(ctx context.Context) { work(ctx, from) })
}

// progress says how far sorting is, in percent; -1 if none is under way.
func (o *order) progress() int {
	if o.work == nil {
		return -1
	}
	o.work.mu.Lock()
	defer o.work.mu.Unlock()
	return o.work.looked * 100 / max(o.work.of, 1)
}

// freeze returns a copy of u that nothing changes, for rows that another goroutine asks
// for.
func (u *ui) freeze() *ui {
	marks := make(map[int]bool, len(u.marks))
	for n := range u.marks {
		marks[n] = true
	}
	return &ui{src: u.src, res: u.res, frames: u.frames, exchanges: u.exchanges, marks: marks, times: u.times, since: u.since, fields: u.fields}
}

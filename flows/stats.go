package flows

// Response times and sizes of exchanges, grouped. Distributions are HDR histograms,
// and the groups are bounded, so that memory does not grow with the capture.

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// By is what exchanges are grouped by.
type By uint8

const (
	ByCommand By = iota
	ByCode       // control code; IOCTLs only
	ByFile
	ByShare
	ByClient // address
	ByUser
)

// maxGroups bounds the groups that have a line of their own, and maxStatuses the
// statuses that a group counts apart.
const (
	maxGroups   = 1 << 10
	maxStatuses = 64
)

// GroupKey names a group. Which member is valid depends on By; a zero one is "none"
// or "unknown".
type GroupKey struct {
	Command  smb2.Command
	Function fscc.Code
	Name     string // file, share, client or user
	Share    string // of a file
}

// Group is what exchanges of one key have in common.
type Group struct {
	GroupKey
	Calls      int          // with request and answer in the capture: those that Times are of
	Unanswered int          // without an answer in the capture
	Unasked    int          // answers without a request in the capture
	Times      Distribution // from request to final answer, in nanoseconds
	Sizes      Distribution // bytes moved by calls that moved some
	Errors     map[ntstatus.Status]int
	MoreErrors int // with further statuses

	// Keys is how many times a key without a line of its own was counted here: it is 0
	// in all groups but the one for the rest.
	Keys int
	// Missing is how many earlier exchanges of this key the rest may have counted,
	// because there were too many keys. 0: the line is exact.
	Missing int

	weight int // for choosing which key goes to the rest
	place  int // in Stats.order
}

// exchanges returns how many exchanges the group has.
func (g *Group) exchanges() int { return g.Calls + g.Unanswered + g.Unasked }

// Distribution is numbers, as a histogram: quantiles are right to one part in 1000,
// all else is exact. The zero Distribution is empty.
type Distribution struct {
	N        int
	Min, Max int64 // valid iff N > 0
	Sum      int64
	packed   *hdrhistogram.PackedHistogram // of a group
	dense    *hdrhistogram.Histogram       // of the rest, which may be wide
}

// maxTracked bounds what a histogram tells apart: more is counted as so much.
const (
	maxTracked = int64(7 * 24 * time.Hour)
	precision  = 3 // significant digits
)

func (d *Distribution) add(v int64) {
	v = max(v, 0)
	if d.N == 0 {
		d.Min, d.Max = v, v
	}
	d.N++
	d.Min, d.Max, d.Sum = min(d.Min, v), max(d.Max, v), sum(d.Sum, v)
	if d.packed == nil {
		d.packed = hdrhistogram.NewPacked(1, maxTracked, precision)
	}
	// It fails only for what is not within its range.
	_ = d.packed.RecordValue(min(v, maxTracked))
}

// sum adds two numbers that are not negative. What servers say of sizes may be anything.
func sum(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// absorb adds the numbers of from, which is then empty.
func (d *Distribution) absorb(from *Distribution) {
	if from.N == 0 {
		return
	}
	if d.N == 0 {
		d.Min, d.Max = from.Min, from.Max
		d.dense = hdrhistogram.New(1, maxTracked, precision)
	}
	d.N, d.Sum = d.N+from.N, sum(d.Sum, from.Sum)
	d.Min, d.Max = min(d.Min, from.Min), max(d.Max, from.Max)
	from.packed.MergeInto(d.dense)
	*from = Distribution{}
}

// Quantile returns the number that a fraction q of all are not above.
func (d *Distribution) Quantile(q float64) int64 {
	var v int64
	switch {
	case d.N == 0:
		return 0
	case d.dense != nil:
		v = d.dense.ValueAtPercentile(100 * q)
	default:
		v = d.packed.ValueAtPercentile(100 * q)
	}
	return min(max(v, d.Min), d.Max)
}

// Stats are the groups so far.
type Stats struct {
	by     By
	groups map[GroupKey]*Group
	order  byWeight // the same; the one to give up comes first
	rest   Group
}

// NewStats returns Stats without an exchange.
func NewStats(by By) *Stats { return &Stats{by: by, groups: make(map[GroupKey]*Group)} }

// KeyOf returns the group that an exchange belongs to; false if it belongs to none.
func KeyOf(by By, x *Exchange) (k GroupKey, ok bool) {
	switch by {
	case ByCommand:
		k.Command = x.Command
	case ByCode:
		k.Function = x.Function
		return k, x.Command == smb2.Ioctl
	case ByFile:
		k.Name, k.Share = x.File, x.Share
		if k.Name == "" {
			k.Share = ""
		}
	case ByShare:
		k.Name = x.Share
	case ByClient:
		k.Name = x.Client
	case ByUser:
		k.Name = x.User
	}
	return k, true
}

// Add counts an exchange.
func (s *Stats) Add(x *Exchange) {
	k, ok := KeyOf(s.by, x)
	if !ok {
		return
	}
	g := s.groups[k]
	if g == nil {
		g = &Group{GroupKey: k}
		if len(s.groups) >= maxGroups {
			g.Missing = s.evict()
			g.weight = g.Missing
		}
		s.groups[k] = g
		heap.Push(&s.order, g)
	}
	g.weight++
	heap.Fix(&s.order, g.place)
	took, timed := x.Took()
	switch {
	case timed:
		g.Calls++
		g.Times.add(int64(took))
	case x.RequestFrame != 0:
		g.Unanswered++
	default:
		g.Unasked++
	}
	if x.Moved > 0 {
		g.Sizes.add(int64(min(x.Moved, math.MaxInt64)))
	}
	if x.AnswerFrame != 0 && failed(x.Status) && x.Status != ntstatus.MoreProcessingRequired {
		g.fail(x.Status, 1)
	}
}

func (g *Group) fail(status ntstatus.Status, n int) {
	if g.Errors == nil {
		g.Errors = make(map[ntstatus.Status]int)
	}
	if _, ok := g.Errors[status]; !ok && len(g.Errors) >= maxStatuses {
		g.MoreErrors += n
		return
	}
	g.Errors[status] += n
}

// evict moves the group with the fewest exchanges to the rest, and returns how many
// exchanges a key that comes now may have had before. A newcomer inherits that as its
// weight, so that a key with more than one exchange in maxGroups always has its line
// in the end. Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and
// Top-k Elements in Data Streams, 2005.
func (s *Stats) evict() int {
	least := heap.Pop(&s.order).(*Group)
	delete(s.groups, least.GroupKey)
	r := &s.rest
	r.Keys++
	r.Calls, r.Unanswered, r.Unasked = r.Calls+least.Calls, r.Unanswered+least.Unanswered, r.Unasked+least.Unasked
	r.Times.absorb(&least.Times)
	r.Sizes.absorb(&least.Sizes)
	for _, status := range sortedStatuses(least.Errors) {
		r.fail(status, least.Errors[status])
	}
	r.MoreErrors += least.MoreErrors
	return least.weight
}

// byWeight is groups as container/heap wants them.
type byWeight []*Group

func (h byWeight) Len() int           { return len(h) }
func (h byWeight) Less(i, j int) bool { return h[i].weight < h[j].weight }
func (h byWeight) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].place, h[j].place = i, j }
func (h *byWeight) Push(g any)        { g.(*Group).place = len(*h); *h = append(*h, g.(*Group)) }
func (h *byWeight) Pop() any {
	last := len(*h) - 1
	g := (*h)[last]
	*h = (*h)[:last]
	return g
}

func compareKeys(a, b GroupKey) int {
	return cmp.Or(cmp.Compare(a.Command, b.Command), cmp.Compare(a.Function, b.Function), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Share, b.Share))
}

// Groups returns the groups, those with most exchanges first; the rest, if there is
// one, comes last. Commands come in the order of their numbers.
func (s *Stats) Groups() []*Group {
	list := make([]*Group, 0, len(s.groups)+1)
	for _, g := range s.groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *Group) int {
		if s.by == ByCommand {
			return cmp.Compare(a.Command, b.Command)
		}
		return cmp.Or(cmp.Compare(b.exchanges(), a.exchanges()), compareKeys(a.GroupKey, b.GroupKey))
	})
	if s.rest.Keys > 0 {
		list = append(list, &s.rest)
	}
	return list
}

// sortedStatuses returns the statuses of counts, the most frequent first.
func sortedStatuses(counts map[ntstatus.Status]int) []ntstatus.Status {
	list := make([]ntstatus.Status, 0, len(counts))
	for s := range counts {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b ntstatus.Status) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	return list
}

// Statuses returns the statuses of the group's errors, the most frequent first.
func (g *Group) Statuses() []ntstatus.Status { return sortedStatuses(g.Errors) }

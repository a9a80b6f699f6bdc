package flows

// One copy: its story, what it has covered, and what the audit will ask about it.

import (
	"cmp"
	"slices"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// maxKept bounds each list of facts about a copy.
const maxKept = 64

// copyState is a copy that may go on.
type copyState struct {
	Copy
	client       string
	from, to     uint32 // files
	life         uint32 // of the destination: a file that begins anew is another copy's
	fromLife     uint32
	origin       firstMove
	covered      Ranges // of the destination
	byMethod     [methods]Ranges
	zero         Ranges // of the source, shown as zero by tokens
	asked        Ranges // of the destination
	bytes        [methods]uint64
	used         [methods]bool
	refused      [methods]refusal
	slower       refusal // what ended the first method
	shorts       []short
	refusedWrite int // frame of the latest OFFLOAD_WRITE that was refused; 0 if none was
	failures     []failure
	frozen       bool // the destination is closed: the sizes below stand
	size         [2]uint64
	hasSize      [2]bool
	final        *Copy // nothing can change it any more
}

// firstMove is where the first call that says so copies from and to.
type firstMove struct {
	known    bool
	frame    int
	from, to uint64
}

// refusal is the latest call of a method that was refused.
type refusal struct {
	answer int
	status ntstatus.Status
}

// short is a call that moved less than it was asked for.
type short struct {
	Resume
	answer int
	source uint64 // where it stopped, in the source
}

// failure is a call that was refused and what of it nothing has written since.
type failure struct {
	Failure
	left Ranges
	time int64
}

// over reports whether the copy is done with, so that k begins another: everything
// is copied, the destination was closed, and k begins again at the start.
func (y *copyState) over(a *Analyzer, k *Call) bool {
	return y.frozen && k.Offset == 0 && !y.going(a)
}

// going reports whether there is something left to copy.
func (y *copyState) going(a *Analyzer) bool {
	if y.final != nil || y.life != a.files[y.to].life {
		return false
	}
	size, ok := y.sizeOf(a, 0)
	return !ok || len(y.known(a).Gaps(Range{0, size})) > 0
}

// known is what of the destination is as it should be, for all the capture shows.
func (y *copyState) known(a *Analyzer) Ranges {
	have := y.done(a)
	if f := &a.files[y.to]; f.traffic != nil && f.life == y.life && f.life > 0 {
		for _, z := range f.written {
			have.Add(z)
		}
	}
	return have
}

// done is what was copied, and what needs no copying because it is zero.
func (y *copyState) done(a *Analyzer) Ranges {
	have := slices.Clone(y.covered)
	for _, z := range y.zero {
		have.Add(z)
	}
	if t := a.files[y.from].traffic; t != nil && y.from != 0 && a.files[y.from].life == y.fromLife {
		for _, z := range t.zero {
			have.Add(z)
		}
	}
	return have
}

// sizeOf returns the last known end of file of the source (0) or destination (1).
func (y *copyState) sizeOf(a *Analyzer, end int) (uint64, bool) {
	f, life := &a.files[y.from], y.fromLife
	if end == 1 {
		f, life = &a.files[y.to], y.life
	}
	if y.frozen || f.life != life {
		return y.size[end], y.hasSize[end]
	}
	return f.size, f.hasSize
}

// freeze keeps the sizes as they are now.
func (y *copyState) freeze(a *Analyzer) {
	if y.frozen {
		return
	}
	y.measure(a)
	y.frozen = true
}

func (y *copyState) measure(a *Analyzer) {
	if y.frozen {
		return
	}
	for end, f := range [2]uint32{y.from, y.to} {
		if life := [2]uint32{y.fromLife, y.life}[end]; a.files[f].life == life {
			y.size[end], y.hasSize[end] = a.files[f].size, a.files[f].hasSize
		}
	}
	from, to := &a.files[y.from], &a.files[y.to]
	if size, ok := y.size[0], y.hasSize[0]; ok && y.life == to.life && from.life == y.fromLife {
		y.Sized = y.Sized || to.presized && to.sized == size || to.reserved >= size && to.reserved-size < 1<<16 && size > 0
	}
}

// add takes a call into the copy's story.
func (y *copyState) add(a *Analyzer, k Call) {
	y.measure(a)
	if y.FirstFrame == 0 || k.Frame < y.FirstFrame {
		y.FirstFrame, y.FirstTime = k.Frame, k.Time
	}
	if last := max(k.Frame, k.Answer); last > y.LastFrame {
		y.LastFrame, y.LastTime = last, max(y.LastTime, k.Time+k.Took)
	}
	if !slices.Contains(y.Conns, k.Conn) && len(y.Conns) < maxKept {
		y.Conns = append(y.Conns, k.Conn)
	}
	m := methodOf(&k)
	y.use(m)
	if m == ODX {
		y.Offloads++
	}
	if k.Command == smb2.Ioctl && k.Function == fscc.OffloadRead {
		y.Reads++
	}
	if k.Refused() {
		y.refused[m] = refusal{k.Answer, k.Status}
		y.failed(a, &k)
	}
	if a.copies.calls < allCalls && (len(y.Calls) < maxCalls || !k.ordinary()) {
		a.copies.calls++
		if len(y.Calls) == cap(y.Calls) { // calls are large: less room to spare than append takes
			y.Calls = append(make([]Call, 0, len(y.Calls)+len(y.Calls)/4+4), y.Calls...)
		}
		y.Calls = append(y.Calls, k)
	}
}

// ordinary reports whether nothing could be said about the call.
func (k *Call) ordinary() bool {
	size := uint32(readRequestSize)
	if k.Function == fscc.OffloadWrite {
		size = writeRequestSize
	}
	return k.Answer != 0 && k.Status == ntstatus.Success && !k.Damaged && !k.Replay && len(k.Repeats) == 0 &&
		(k.Size == 0 || k.Size == size) && k.Moved > 0 && k.Moved <= k.Asked && (k.Offset|k.From|k.Asked|k.Moved)%4096 == 0 &&
		k.Took < 1e9 && k.Break == 0
}

// use notes that a method was tried.
func (y *copyState) use(m Method) {
	if !y.used[m] {
		y.used[m] = true
		y.Methods = append(y.Methods, m)
	}
}

// failed keeps what a refused call was asked for.
func (y *copyState) failed(a *Analyzer, k *Call) {
	want := span(k.Offset, k.Asked)
	if k.Function == fscc.OffloadRead && y.origin.known { // its offset is in the source
		want = span(k.Offset-y.origin.from+y.origin.to, k.Asked)
	}
	left := y.covered.Gaps(want)
	if len(left) > 0 && len(y.failures) < maxCalls {
		y.failures = append(y.failures, failure{Failure{Frame: k.Frame, Answer: k.Answer, Function: k.Function, Status: k.Status}, left, k.Time})
	}
}

// tookOver notes that a request wrote bytes of the destination.
func (y *copyState) tookOver(r Range, frame int, at int64) {
	for i := range y.failures {
		if f := &y.failures[i]; at >= f.time {
			f.left.Remove(r)
		}
	}
	y.failures = slices.DeleteFunc(y.failures, func(f failure) bool { return len(f.left) == 0 })
	y.follow(r, frame)
}

// follow compares a call for bytes of the destination with the short ones before it.
func (y *copyState) follow(asked Range, frame int) {
	for i := range y.shorts {
		s := &y.shorts[i]
		if frame <= s.answer {
			continue
		}
		if s.Next == 0 || frame < s.Next {
			s.Next = frame
		}
		left := Ranges{s.Left}
		left.Remove(asked)
		if len(left) == 0 || left[0].Start > s.At {
			s.At = ^uint64(0) // somebody asked for it
		} else {
			s.Left = left[0]
		}
	}
	y.shorts = slices.DeleteFunc(y.shorts, func(s short) bool { return s.At == ^uint64(0) })
}

// minted compares a read of the source with the short calls before it: a new token
// that begins where they stopped goes on from there.
func (y *copyState) minted(k *Call) {
	y.shorts = slices.DeleteFunc(y.shorts, func(s short) bool {
		return k.Frame > s.answer && k.Offset <= s.source && s.source-k.Offset < max(k.Asked, 1)
	})
	for i := range y.shorts {
		if s := &y.shorts[i]; k.Frame > s.answer && (s.Next == 0 || k.Frame < s.Next) {
			s.Next = k.Frame
		}
	}
}

// moved takes n bytes that a call moved from one offset of the source, if that is
// known, to one of the destination.
func (y *copyState) moved(m Method, k *Call, from, to, n uint64, placed bool) {
	y.use(m)
	if placed && (!y.origin.known || k.Frame < y.origin.frame) {
		y.origin = firstMove{true, k.Frame, from, to}
	}
	if n == 0 {
		return
	}
	if m < y.Methods[0] {
		if y.Slower == 0 {
			y.LeftAt = k.Frame
			for f := range y.refused {
				if r := y.refused[f]; Method(f) > m && r.answer != 0 && (y.slower.answer == 0 || r.answer > y.slower.answer) {
					y.slower = r
				}
			}
		}
		y.Slower += n
	}
	y.bytes[m] += n
	y.Bytes += n
	r := span(to, n)
	if again := y.byMethod[m].Cut(r); len(again) > 0 && len(y.Overlaps) < maxKept {
		y.Overlaps = append(y.Overlaps, Overlap{Range: again[0], Method: m, First: y.writer(again[0], m, k.Frame), Again: k.Frame})
	}
	if placed && from != to && len(y.Misplaced) < maxKept && !slices.Contains(y.Misplaced, k.Frame) {
		y.Misplaced = append(y.Misplaced, k.Frame)
	}
	y.byMethod[m].Add(r)
	y.covered.Add(r)
}

// writer returns the frame of the latest call but one that wrote bytes of r; 0 if it
// is not kept.
func (y *copyState) writer(r Range, m Method, but int) int {
	for i := len(y.Calls) - 1; i >= 0; i-- {
		k := &y.Calls[i]
		if k.Frame != but && k.Moved > 0 && methodOf(k) == m && (k.Function != fscc.OffloadRead) && k.Offset < r.End && r.Start < k.Offset+k.Moved {
			return k.Frame
		}
	}
	return 0
}

// result returns what is known of the copy. share: nothing of it will change any more, so
// that its lists need not be copied.
func (y *copyState) result(a *Analyzer, share bool) Copy {
	if y.final != nil {
		r := *y.final
		r.ID, r.Closed = y.ID, true
		return r
	}
	y.measure(a)
	r := y.Copy
	r.Closed = y.frozen
	r.First = ODX
	if len(y.Methods) > 0 {
		r.First = y.Methods[0]
	}
	r.Method = r.mainMethod(y)
	if !share {
		r.Methods, r.Calls = slices.Clone(r.Methods), slices.Clone(r.Calls)
	}
	r.Source, r.Destination = a.end(y, 0), a.end(y, 1)
	slices.SortStableFunc(r.Calls, func(x, y Call) int { return cmp.Compare(x.Frame, y.Frame) })
	for i := range r.Calls {
		a.volume(&r.Calls[i])
	}
	from, to := &a.files[y.from], &a.files[y.to]
	r.OffloadOK = a.copies.accepts[fileKey{from.server, from.volume, 0}]
	if y.from != 0 && y.Slower > 0 && (y.Slower >= 1<<16 || y.Slower == y.Bytes && y.Slower >= 512) {
		r.Fallback = "no status"
		if y.slower.answer != 0 {
			r.Fallback, r.FailedAt = y.slower.status.String(), y.slower.answer
		}
	}
	r.Whole = y.life > 0 && y.origin.known && y.origin.from == 0 && y.origin.to == 0
	r.Sparse = from.sparse || !from.described
	if t := from.traffic; t != nil && from.life == y.fromLife {
		r.Proved = slices.Clone(t.listed)
		for _, w := range t.written {
			for _, z := range t.zero.Gaps(w) {
				(*Ranges)(&r.Proved).Add(z)
			}
		}
	}
	r.Blurred = to.traffic != nil && to.blurred
	r.Overlaps, r.Misplaced, r.Unsized = slices.Clone(r.Overlaps), slices.Clone(r.Misplaced), slices.Clone(r.Unsized)
	r.Conns, r.ShortFrames = slices.Clone(r.Conns), slices.Clone(r.ShortFrames)
	y.judgeRest(a, &r)
	y.judgeCover(a, &r)
	return r
}

// judgeRest fills what became of short and refused calls, and of the source.
func (y *copyState) judgeRest(a *Analyzer, r *Copy) {
	for _, s := range y.shorts {
		if s.Next != 0 && s.Left.Start == s.At && !(r.Source.HasSize && s.source >= r.Source.Size) {
			r.Resumes = append(r.Resumes, s.Resume)
		}
	}
	size := Range{0, ^uint64(0)}
	if r.Source.HasSize {
		size.End = r.Source.Size
	}
	done := y.done(a)
	for _, f := range y.failures {
		out := f.Failure
		for _, l := range f.left.Cut(size) {
			out.Left = append(out.Left, done.Gaps(l)...)
		}
		if len(out.Left) > 0 {
			r.Failures = append(r.Failures, out)
		}
	}
	t := a.files[y.from].traffic
	if t == nil || y.from == y.to {
		return
	}
	for _, ch := range t.changes {
		if ch.begun <= r.FirstTime || ch.begun >= r.LastTime || len(r.Changes) >= maxKept {
			continue
		}
		live := slices.ContainsFunc(t.mints, func(m *mint) bool {
			return m.Time <= ch.begun && ch.begun <= m.lastUse && ch.Start < m.Offset+m.Length && m.Offset < ch.End
		})
		if !live {
			r.Changes = append(r.Changes, ch)
		}
	}
}

// judgeCover fills what was covered, what was not, and the verdict.
func (y *copyState) judgeCover(a *Analyzer, r *Copy) {
	all := Range{0, ^uint64(0)}
	if r.Source.HasSize {
		all.End = r.Source.Size
	}
	r.Covered = y.covered.Cut(all)
	have := y.known(a)
	switch {
	case y.Bytes == 0 && len(y.zero) == 0:
		r.Verdict = Failed
	case !r.Source.HasSize:
		r.Verdict, r.Uncertain = Unknown, "the capture does not show how long the source is"
	case r.Whole && (r.Sized || !r.Destination.HasSize || r.Destination.Size >= all.End) || y.covered.Overlap(all) == all.Len():
		r.Gaps = have.Gaps(all)
	default: // a range of the file
		for _, z := range y.asked.Cut(all) {
			r.Gaps = append(r.Gaps, have.Gaps(z)...)
		}
	}
	if r.Verdict == Unknown && r.Uncertain == "" {
		r.Verdict = Complete
		if len(r.Gaps) > 0 {
			r.Verdict = Partial
		}
	}
	if r.Guessed {
		r.Uncertain = "what was read and written could not be compared"
	}
}

// mainMethod returns the method of most bytes; of none, the last one tried.
func (r *Copy) mainMethod(y *copyState) Method {
	best := Method(0)
	for m := range y.bytes {
		if y.bytes[m] > y.bytes[best] {
			best = Method(m)
		}
	}
	if y.bytes[best] == 0 && len(y.Methods) > 0 {
		return y.Methods[len(y.Methods)-1]
	}
	return best
}

// end describes one end of a copy: 0 the source, 1 the destination.
func (a *Analyzer) end(y *copyState, which int) End {
	i := [2]uint32{y.from, y.to}[which]
	f := &a.files[i]
	size, ok := y.sizeOf(a, which)
	return End{
		File: int(i), Server: a.servers[f.server].name, Share: a.names[f.share], Path: a.names[f.name],
		Size: size, HasSize: ok && i != 0, Frame: int(f.openFrame),
	}
}

// volume fills what is known of the volume that a call is on.
func (a *Analyzer) volume(k *Call) {
	if k.tree != 0 {
		k.Sector, k.Cluster = a.trees[k.tree].sector, a.trees[k.tree].cluster
	}
}

// settle ends the copies into a file, which begins anew or is not heard of any more.
func (a *Analyzer) settle(i uint32) {
	t := a.files[i].traffic
	if t == nil {
		return
	}
	a.settlePairs(i)
	for _, y := range t.into {
		r := y.result(a, true)
		y.final = &r
		y.Calls, y.covered, y.byMethod, y.asked = nil, nil, [methods]Ranges{}, nil
	}
	t.into = nil
	if len(t.outOf) > maxKept {
		t.outOf = slices.DeleteFunc(t.outOf, func(y *copyState) bool { return y.final != nil })
	}
}

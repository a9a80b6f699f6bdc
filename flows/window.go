package flows

import "slices"

// Window is the part of the timeline that is looked at. What lies outside of it is
// analysed, because names and states come from there, but neither listed nor in
// Results. The zero Window is all.
type Window struct{ From, To Moment }

// Moment is a time: nanoseconds since 1970 UTC, or since the first frame if
// Relative is true.
type Moment struct {
	Known    bool // false if there is none
	Relative bool
	At       int64
}

// in returns the moment as a time of a capture that begins at first.
func (m Moment) in(first int64) int64 {
	if m.Relative {
		return first + m.At
	}
	return m.At
}

// meets reports whether something that lasted from one time to another was, at some
// moment, within w, for a capture that begins at first.
func (w *Window) meets(from, to, first int64) bool {
	return !(w.From.Known && to < w.From.in(first)) && !(w.To.Known && from > w.To.in(first))
}

// frames is a run of frames, from 1, or with picks some of those. The zero frames has
// none.
type frames struct {
	first, last int
	picks       []uint64 // a bit a frame; nil if all of the run are meant
}

// see adds frame n, which is later than those before.
func (f *frames) see(n int) {
	if f.first == 0 {
		f.first = n
	}
	f.last = n
}

// pick adds frame n, which is later than those before, but none in between.
func (f *frames) pick(n int) {
	f.see(n)
	for len(f.picks) <= n/64 {
		f.picks = append(f.picks, 0)
	}
	f.picks[n/64] |= 1 << (n % 64)
}

// meets reports whether a run from one frame to another shares a frame with f.
func (f frames) meets(from, to int) bool {
	from, to = max(from, f.first), min(to, f.last)
	if f.first == 0 || from > to {
		return false
	}
	for n := from; f.picks != nil; n++ {
		if n > to {
			return false
		}
		if f.picks[n/64]>>(n%64)&1 != 0 {
			return true
		}
	}
	return true
}

// within drops what has no frame in f. Where frames are picked, those between the
// first and the last one of a copy do not count: others' traffic lies there.
func (r *Results) within(f frames) {
	r.Copies = slices.DeleteFunc(r.Copies, func(c Copy) bool {
		if f.picks == nil {
			return !f.meets(c.FirstFrame, c.LastFrame)
		}
		return !f.meets(c.FirstFrame, c.FirstFrame) && !f.meets(c.LastFrame, c.LastFrame) &&
			!slices.ContainsFunc(c.Calls, func(k Call) bool { return f.meets(k.Frame, k.Frame) || f.meets(k.Answer, k.Answer) })
	})
	r.Mints = slices.DeleteFunc(r.Mints, func(m Mint) bool {
		last := m.Frame
		for i := range m.Uses {
			last = max(last, m.Uses[i].Frame, m.Uses[i].Response)
		}
		if f.picks == nil {
			return !f.meets(m.Frame, last)
		}
		return !f.meets(m.Frame, m.Frame) && !f.meets(m.Request, m.Request) &&
			!slices.ContainsFunc(m.Uses, func(u Use) bool { return f.meets(u.Frame, u.Frame) || f.meets(u.Response, u.Response) })
	})
	r.Findings = slices.DeleteFunc(r.Findings, func(x Finding) bool {
		return !slices.ContainsFunc(x.Frames, func(n int) bool { return f.meets(n, n) })
	})
}

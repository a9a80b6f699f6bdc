package flows

import (
	"slices"
)

// Ranges is a set of bytes: sorted, disjoint, not touching. The zero value is empty.
type Ranges []Range

// Len returns the number of bytes in r.
func (r Range) Len() uint64 {
	if r.End <= r.Start {
		return 0
	}
	return r.End - r.Start
}

// span returns the range of n bytes from start; it ends at the last byte there can be.
func span(start, n uint64) Range {
	if end := start + n; end >= start {
		return Range{start, end}
	}
	return Range{start, ^uint64(0)}
}

// Add puts r into the set and returns how many of its bytes were in it before.
func (s *Ranges) Add(r Range) (again uint64) {
	if r.Len() == 0 {
		return 0
	}
	i, _ := slices.BinarySearchFunc(*s, r.Start, func(x Range, start uint64) int {
		if x.End < start {
			return -1
		}
		return 1
	})
	j, merged := i, r
	for ; j < len(*s) && (*s)[j].Start <= r.End; j++ {
		x := (*s)[j]
		again += Range{max(x.Start, r.Start), min(x.End, r.End)}.Len()
		merged.Start, merged.End = min(merged.Start, x.Start), max(merged.End, x.End)
	}
	*s = slices.Replace(*s, i, j, merged)
	return again
}

// Len returns the number of bytes in the set.
func (s Ranges) Len() (n uint64) {
	for _, r := range s {
		n += r.Len()
	}
	return n
}

// Overlap returns how many bytes of r are in the set.
func (s Ranges) Overlap(r Range) (n uint64) {
	for _, x := range s {
		n += Range{max(x.Start, r.Start), min(x.End, r.End)}.Len()
	}
	return n
}

// Cut returns the part of the set within r.
func (s Ranges) Cut(r Range) Ranges {
	var out Ranges
	for _, x := range s {
		if y := (Range{max(x.Start, r.Start), min(x.End, r.End)}); y.Len() > 0 {
			out = append(out, y)
		}
	}
	return out
}

// Gaps returns the part of r that is not in the set.
func (s Ranges) Gaps(r Range) Ranges {
	var out Ranges
	at := r.Start
	for _, x := range s {
		if x.End <= r.Start {
			continue
		}
		if x.Start >= r.End {
			break
		}
		if x.Start > at {
			out = append(out, Range{at, x.Start})
		}
		at = max(at, x.End)
	}
	if at < r.End {
		out = append(out, Range{at, r.End})
	}
	return out
}

// Remove takes r out of the set.
func (s *Ranges) Remove(r Range) {
	if r.Len() == 0 || s.Overlap(r) == 0 {
		return
	}
	out := make(Ranges, 0, len(*s)+1)
	for _, x := range *s {
		if left := (Range{x.Start, min(x.End, r.Start)}); left.Len() > 0 {
			out = append(out, left)
		}
		if right := (Range{max(x.Start, r.End), x.End}); right.Len() > 0 {
			out = append(out, right)
		}
	}
	*s = out
}

// Has reports whether all of r is in the set.
func (s Ranges) Has(r Range) bool { return s.Overlap(r) == r.Len() }

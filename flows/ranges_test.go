package flows

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRanges compares a set with a picture of it, one bool a byte.
func TestRanges(t *testing.T) {
	const size = 64
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var s Ranges
		var picture [size]bool
		for range r.IntN(8) {
			from := uint64(r.IntN(size))
			to := from + uint64(r.IntN(size-int(from)+1))
			var again uint64
			for i := from; i < to; i++ {
				if picture[i] {
					again++
				}
				picture[i] = true
			}
			if r.IntN(4) == 0 {
				s.Add(Range{from, to})
				s.Remove(Range{from, to})
				for i := from; i < to; i++ {
					picture[i] = false
				}
				continue
			}
			if got := s.Add(Range{from, to}); got != again {
				t.Fatalf("adding [%d,%d) to %v: %d bytes again, want %d", from, to, s, got, again)
			}
		}
		var want, gaps Ranges
		for i := uint64(0); i < size; i++ {
			list := &gaps
			if picture[i] {
				list = &want
			}
			if n := len(*list); n > 0 && (*list)[n-1].End == i {
				(*list)[n-1].End++
			} else {
				*list = append(*list, Range{i, i + 1})
			}
		}
		if !slices.Equal(s, want) || !slices.Equal(s.Gaps(Range{0, size}), gaps) {
			t.Fatalf("set %v with gaps %v, want %v with %v", s, s.Gaps(Range{0, size}), want, gaps)
		}
	}
}

func TestRangeAtTheEnd(t *testing.T) {
	if r := span(^uint64(0)-1, 10); r.Len() != 1 {
		t.Errorf("a range that wraps has %d bytes", r.Len())
	}
}

package replay

import (
	"net/netip"
	"slices"
	"testing"
)

// TestSchedule: groups start when what they wait for is done or sent, no more of a
// connection's at once than it had in the capture, the first of the capture first.
func TestSchedule(t *testing.T) {
	a, b := netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("10.0.0.2:1")
	groups := func() []Group {
		return []Group{
			{Conn: 0, Sent: 1, Done: 4},
			{Conn: 0, Sent: 2, Done: 3},
			{Conn: 1, Sent: 5, Done: 6, After: []int{0}},
			{Conn: 0, Sent: 7, Done: 9, Behind: []int{2}},
			{Conn: 0, Sent: 10, Done: 11},
		}
	}
	all := func(int) bool { return true }
	for _, c := range []struct {
		name         string
		seen, serial bool
		outstanding  int
		want         []int // in the order that they start, if the first on its way is the first to be done
	}{
		{"deps", false, false, 2, []int{0, 1, 2, 4, 3}},
		{"deps, one at a time", false, false, 1, []int{0, 1, 2, 4, 3}},
		{"serial", false, true, 2, []int{0, 1, 2, 3, 4}},
		{"captured", true, false, 2, []int{0, 1, 2, 3, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &Plan{Conns: []Conn{{Client: a, Outstanding: c.outstanding}, {Client: b, Outstanding: 1}}, Groups: groups()}
			s := newSchedule(p, c.seen)
			var got, way []int
			for s.left > 0 {
				for g := s.next(c.serial, all); g >= 0; g = s.next(c.serial, all) {
					got, way = append(got, g), append(way, g)
				}
				if len(way) == 0 || c.serial && len(way) > 1 {
					t.Fatalf("%v are on their way, after %v", way, got)
				}
				s.reached(way[0], done)
				way = way[1:]
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("started %v, want %v", got, c.want)
			}
		})
	}
}

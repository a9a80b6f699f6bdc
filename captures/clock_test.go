package captures

import (
	"math"
	"testing"
)

func TestClock(t *testing.T) {
	for _, c := range []struct {
		resolution byte
		offset     int64
		time       uint64
		want       int64
		digits     int
	}{
		{0, 0, 5, 5e9, 0},
		{3, 0, 1500, 1_500_000_000, 3},
		{6, 0, 1_600_000_000_000_001, 1_600_000_000_000_001_000, 6},
		{9, 0, 1_600_000_000_000_000_001, 1_600_000_000_000_000_001, 9},
		{7, 0, 12_345_678, 1_234_567_800, 7}, // Windows
		{12, 0, 1_999_999_999_999, 1_999_999_999, 9},
		{19, 0, 18_000_000_000_000_000_000, 1_800_000_000, 9},
		{20, 0, 18_000_000_000_000_000_000, 180_000_000, 9},
		{28, 0, 18_000_000_000_000_000_000, 1, 9},
		{29, 0, math.MaxUint64, 0, 9},
		{127, 0, math.MaxUint64, 0, 9},
		{0x80, 0, 7, 7e9, 0},
		{0x80 | 1, 0, 3, 1_500_000_000, 1},
		{0x80 | 10, 0, 1025, 1_000_976_562, 4},
		{0x80 | 20, 0, 1 << 20, 1e9, 7},
		{0x80 | 32, 0, 3 << 31, 1_500_000_000, 9},
		{0x80 | 63, 0, 3 << 62, 1_500_000_000, 9},
		{0x80 | 64, 0, 1 << 63, 500_000_000, 9},
		{0x80 | 65, 0, 1 << 63, 250_000_000, 9},
		{0x80 | 127, 0, math.MaxUint64, 0, 9},
		{6, 10, 1_500_000, 11_500_000_000, 6},
		{6, -2, 1_500_000, -500_000_000, 6},
		{6, 0, math.MaxUint64, math.MaxInt64, 6},
		{0, 0, math.MaxUint64, math.MaxInt64, 0},
		{9, 0, math.MaxUint64, math.MaxInt64, 9},
		{6, math.MaxInt64, 1_000_000, math.MaxInt64, 6},
		{6, math.MinInt64, 1_000_000, math.MinInt64, 6},
	} {
		k := newClock(c.resolution, c.offset)
		if got := k.nanoseconds(c.time); got != c.want {
			t.Errorf("resolution %#x, offset %d: %d is %d, want %d", c.resolution, c.offset, c.time, got, c.want)
		}
		if got := k.digits(); got != c.digits {
			t.Errorf("resolution %#x: %d digits, want %d", c.resolution, got, c.digits)
		}
	}
}

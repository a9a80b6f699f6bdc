package ui

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/odxray/odxray/flows"
)

func TestStatsBy(t *testing.T) {
	u := newUser(t, sample(), 110, 30)
	u.press("7")
	u.sees("Stats › by command")
	u.sees("Calls 30 · Min 10 ms · p50 10 ms")
	for _, step := range [][2]string{{"s", "by code"}, {"s", "by file"}, {"s", "by share"}, {"s", "by client"}, {"s", "by user"}, {"s", "by command"}} {
		u.press(step[0])
		u.sees("Stats › " + step[1])
	}
	u.press("1", ":by file", "Enter")
	u.sees("━━ Stats › by file")
	u.press(":by weather", "Enter")
	u.sees("statistics are by command, code, file, share, client, user")
}

// What is counted while the capture is read is counted again at its end: requests may
// have been answered meanwhile.
func TestStatsCountAgain(t *testing.T) {
	src := &fake{frames: 20, res: &flows.Results{Messages: 20}}
	u := newUser(t, src, 80, 24)
	u.ended = false
	u.press("7")
	u.sees("Calls 10 ")
	src.set(22, &flows.Results{Messages: 22})
	u.refresh()
	u.sees("Calls 10 ") // not worth it
	u.ended = true
	u.refresh()
	u.sees("Calls 11 ")
}

// What memory was too short for is no exchange that took no time.
func TestStatsForgotten(t *testing.T) {
	src := sample()
	src.gone = 12
	u := newUser(t, src, 110, 30)
	u.press("7")
	u.sees("Calls 18 · Min 10 ms")
	u.sees("12 exchanges before these are forgotten, and not counted.")
	u.press("s", "s", "s", "s", "s") // by user
	u.sees("12 exchanges before these")
}

func TestStatsStopCounting(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	n := &tally{of: 1 << 40}
	if n.count(ctx, sample(), func(int) bool { return true }); n.made.Load() {
		t.Error("counted to the end")
	}
}

func TestBins(t *testing.T) {
	for _, test := range []struct {
		took time.Duration
		bin  int
	}{{0, 0}, {9 * time.Microsecond, 0}, {10 * time.Microsecond, 1}, {20 * time.Microsecond, 2}, {50 * time.Microsecond, 3}, {100 * time.Microsecond, 4},
		{time.Millisecond, 7}, {1999 * time.Microsecond, 7}, {time.Second, 16}, {10 * time.Second, 19}, {time.Hour, 19}} {
		if got := binOf(test.took); got != test.bin {
			t.Errorf("%v is in bin %d, want %d", test.took, got, test.bin)
		}
		if e := binEdge(test.bin); e > test.took {
			t.Errorf("bin %d begins at %v, above %v", test.bin, e, test.took)
		}
	}
}

func TestSparkline(t *testing.T) {
	for _, test := range []struct {
		values []uint64
		w      int
		want   string
	}{
		{nil, 3, "   "},
		{[]uint64{0, 0}, 2, "  "},
		{[]uint64{0, 1, 4, 8}, 4, " ▁▄█"},
		{[]uint64{0, 1, 4, 8}, 2, "▁█"},
		{[]uint64{8, 0}, 4, "██  "},
		{[]uint64{math.MaxUint64, 1}, 2, "█▁"},
	} {
		if got := sparkline(test.values, test.w); got != test.want {
			t.Errorf("%v: %q, want %q", test.values, got, test.want)
		}
	}
}

func TestEighths(t *testing.T) {
	for _, test := range []struct {
		n, most, w int
		want       string
	}{{0, 8, 4, ""}, {8, 8, 4, "████"}, {4, 8, 4, "██"}, {1, 1000, 4, "▏"}, {3, 8, 1, "▍"}} {
		if got := eighths(test.n, test.most, test.w); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

// Enter on a line of the statistics shows its exchanges, and Esc all of them again.
func TestSampleStatsEnter(t *testing.T) {
	u := example(t, 140, 45)
	u.press("7", "g", "Enter")
	u.sees("of CREATE")
	u.sees("1/7 (14%)")
	u.press("\\smb2.nt_status != 0", "Enter")
	u.sees("2 of 150")
	u.press("Esc")
	u.sees("[7 Stats]")
	u.press("4", "Esc")
	u.sees("/150 ")
}

package ui

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFold(t *testing.T) {
	const ms = 1_000_000
	at := func(t int64, frame, x int32, kind rungKind) rung {
		return rung{time: t * ms, frame: frame, x: x, kind: kind}
	}
	got := fold([]rung{at(900, 9, 3, rungAnswer), at(0, 1, 1, rungRequest), at(50, 3, 1, rungAnswer), at(50, 2, 2, rungRequest), at(400, 5, 3, rungRequest), at(60, 4, 9, rungAnswer)})
	want := []rung{
		at(0, 1, 1, rungRequest), at(50, 2, 2, rungRequest), at(50, 3, 1, rungAnswer), at(60, 4, 9, rungAnswer),
		{time: 60 * ms, frame: 5, n: 1, kind: rungIdle}, at(400, 5, 3, rungRequest),
		{time: 400 * ms, frame: 9, n: 2, kind: rungIdle}, at(900, 9, 3, rungAnswer),
	}
	if !slices.Equal(got, want) {
		t.Error(cmp.Diff(want, got, cmp.AllowUnexported(rung{})))
	}
	if got := fold(nil); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}

func TestArrow(t *testing.T) {
	for _, test := range []struct {
		w    int
		want string
	}{{20, "│── 16 MB ────────▶│"}, {13, "│── 16 M… ─▶│"}, {3, "│─▶│"}} {
		if got := arrow(test.w, "16 MB", "│─", "▶│", "─"); got != test.want && width(got) != test.w {
			t.Errorf("%d: %q, want %q", test.w, got, test.want)
		}
	}
}

func TestLadder(t *testing.T) {
	u := newUser(t, sample(), 100, 30)
	u.press("L")
	u.sees("Copies › copy 1 › ladder of copy 1")
	u.sees("OFFLOAD_WRITE sparse1")
	u.press("Enter")
	u.sees("[3 Packets]")
	u.press("3", ":12", "Enter", "m", ":47", "Enter", "mL", "m")
	u.sees("ladder of marked frames")
	u.sees("[L Ladder]")
	u.press("q", ":12", "Enter", "L", "n")
	u.sees("▸    0.120000 │")
	u.press(":ladder tea", "Enter")
	u.sees("a ladder is of a copy, a connection or marks")
}

// A lease that is broken while a CREATE waits, and the acknowledgement.
func TestSampleLadderOfBreaks(t *testing.T) {
	u := shared(t, "own/odx-tcp-311-leasebreak-stall.pcap.zst", 100, 30)
	u.press("L", "c")
	u.sees(" BREAK src1m to RH ")
	u.sees(" break acknowledged ")
	u.sees(" CREATE PENDING · 1.93 ms ")
	u.press("q", ":ladder connection", "Enter", "G")
	u.sees(": 3 requests wait ")
}

// RDMA stands between a request and its answer, and points the way of the bytes.
func TestSampleLadderOfRDMA(t *testing.T) {
	u := shared(t, "own/rocev2-311.pcap.zst", 100, 30)
	u.press("4", "/f4096", "Enter", "n", "n", "L")
	u.sees("╌ RDMA READ key 0x00000424 4 KB ╌")
}

func TestTimes(t *testing.T) {
	u := newUser(t, sample(), 100, 30)
	u.press(":12", "Enter", "T")
	u.sees("times are relative to the line before")
	u.sees("12    0.010000 ")
	u.press(":time utc", "Enter")
	u.sees("12 14:47:17.682000 ")
	u.press(":reference", "Enter")
	u.sees("times are relative to frame 12")
	u.sees("11   -0.010000 ")
	u.press(":reference", "Enter")
	u.sees("11    0.110000 ")
	u.press(":time tea", "Enter")
	u.sees("times are relative, delta, clock, utc, epoch")
}

func TestMarks(t *testing.T) {
	u := newUser(t, sample(), 100, 30)
	u.press("'")
	u.sees("no frame is marked")
	u.press("Enter", "j", "m") // a call of the story
	u.sees("frame 48 is marked, 1 in all")
	u.press("3", "m", "'")
	u.sees("▸ *N     48")
	u.press("'")
	u.sees("▸ *O      1")
	u.press("M")
	u.sees("no frame is marked any more")
}

func TestSampleBoth(t *testing.T) {
	u := example(t, 120, 30)
	u.press(":48", "Enter", "B")
	u.sees("━━ Request, frame 48 ")
	u.sees("── Answer, frame 50 ")
	u.sees("[B Both]")
	u.press("Tab", "G")
	u.sees("TransferLength: 16777216")
	u.press("Enter")
	u.sees("frame 50")
	u.press("Esc", "Esc")
	u.sees("frame 48")
	u.press("4", "B", "q")
	u.sees("[4 Exchanges]")
	u.press("1", "B")
	u.sees("this belongs to no exchange")
}

package ui

import (
	"context"
	"testing"

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

func TestStatsStopCounting(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	n := &tally{of: 1 << 40}
	if n.count(ctx, sample(), func(int) bool { return true }); n.made.Load() {
		t.Error("counted to the end")
	}
}

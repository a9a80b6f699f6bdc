package ui

import (
	"testing"

	"github.com/odxray/odxray/flows"
)

// TestLive: while it is captured the status is in the head, the list shows what comes
// last until the user goes elsewhere, and F takes that back.
func TestLive(t *testing.T) {
	src := sample()
	u := newUser(t, src, 120, 30)
	u.ended = false
	status, lost := "50 packets/s · 0 dropped", false
	u.tail.live, u.tail.on = &Live{Status: func() string { return status }, Lost: func() bool { return lost }}, true
	u.press("3")
	grow := func(n int) {
		src.set(n, &flows.Results{Frames: n, Copies: src.res.Copies, Connections: src.res.Connections})
		u.refresh()
	}
	grow(61)
	u.sees(status)
	u.sees("61/61")
	grow(62)
	u.sees("62/62")
	u.press("k")
	u.sees("not following any more: F follows again")
	grow(63)
	u.sees("61/63")
	u.press("F")
	u.sees("63/63")
	status, lost = "2 dropped", true
	if !u.refresh() {
		t.Error("a new status is no news")
	}
	u.sees("2 dropped")
	u.press("F")
	grow(64)
	u.sees("63/64")
	u.ended = true
	grow(65)
	u.press("F")
	u.sees("63/65")
}

package ui

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"github.com/odxray/odxray/flows"
)

// TestMonkey: whatever is pressed and clicked, in whatever order and on a screen of whatever
// size, something is drawn. Files are not written: it knows no key that ends a prompt for one.
func TestMonkey(t *testing.T) {
	const steps = 400
	real := capture(t, "../captures/samples/copy-sparse2.snoop")
	t.Chdir(t.TempDir())
	for _, src := range []Source{direct(), empty(0, flows.Results{}), real} {
		r := rand.New(rand.NewPCG(1, 2))
		u := newUser(t, src, 100, 30)
		keys := "jkhlgGnNp.tceLBmM'STC+-oywzbsxEB?q12345678\\/:0"
		for step := range steps {
			switch r.IntN(12) {
			case 0:
				u.key(tcell.NewEventKey(tcell.KeyEnter, 0, 0))
			case 1:
				u.key(tcell.NewEventKey(tcell.KeyEscape, 0, 0))
			case 2:
				u.key(tcell.NewEventKey(tcell.KeyTab, 0, 0))
			case 3:
				w, h := u.sim.Size()
				actions := []tview.MouseAction{tview.MouseLeftClick, tview.MouseLeftDoubleClick, tview.MouseScrollDown, tview.MouseScrollUp}
				u.mouse(actions[r.IntN(len(actions))], r.IntN(w), r.IntN(h))
			case 4:
				if step%20 == 0 {
					u.sim.SetSize(minWidth+r.IntN(100), minHeight+r.IntN(40))
				}
			default:
				u.key(tcell.NewEventKey(tcell.KeyRune, rune(keys[r.IntN(len(keys))]), 0))
			}
			if u.prompt != nil && (u.prompt.kind == exportPrompt || u.prompt.kind == baselinePrompt) {
				u.prompt = nil
			}
			if got := u.show(); !strings.Contains(got, "odxray") {
				t.Fatalf("step %d:\n%s", step, got)
			}
		}
	}
}

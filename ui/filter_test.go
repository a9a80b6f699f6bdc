package ui

import (
	"testing"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/flows"
)

func TestFilter(t *testing.T) {
	u := newUser(t, sample(), 110, 30)
	u.press("3", "\\frame.number in {7, 20..25}", "Enter")
	u.sees("filter: frame.number in {7, 20..25} · 7 of 60")
	u.sees("1/7 (14%)")
	u.press("jj")
	u.sees("Packets › frame 21 ")
	u.press("/request", "Enter")
	u.sees("frame 23")
	u.press(":48", "Enter") // shown, though the filter is not true for it
	u.sees("frame 48")
	u.sees("8/8")
	u.sees("shown because you went to it")
	u.press("Esc")
	u.sees("frame 23")
	u.press("4")
	u.sees("filter: frame.number in {7, 20..25} · 5 of 30") // a request or its answer
	u.press("G", "Enter")
	u.sees("frame 25")
	u.press("Esc", "7")
	u.sees("Calls 5 ")
	u.press("1")
	u.sees("filter: frame.number in {7, 20..25}")
	u.press("3", "Esc")
	u.sees("25/60") // where the user was
	u.press("q")
}

func TestFilterPrompt(t *testing.T) {
	u := newUser(t, sample(), 110, 30)
	u.press("3", "fframe.numbr")
	u.sees(`! character 1: no field or protocol has this name; did you mean "frame.number"?`)
	u.press("Enter") // does not close
	u.sees("filter: frame.numbr")
	u.press("Esc", "f")
	u.press("frame.numb", "Tab")
	u.sees("filter: frame.number")
	u.press(" > 100", "Enter")
	u.sees("The filter frame.number > 100 is true for none of 60 frames")
	u.press("f")
	u.key(tcell.NewEventKey(tcell.KeyCtrlU, 0, 0))
	u.press("Enter")
	u.sees("1/60")
	u.press("1", ":filter frame.number == 48", "Enter")
	u.sees("[3 Packets]")
	u.sees("1/1")
	u.press(":filter (", "Enter")
	u.sees("! character 2: ")
	u.sees("1/1")
}

// Going through what the filter lets through, while there is ever more of it, keeps
// the selection on its frame.
func TestFilterWhileReading(t *testing.T) {
	src := &fake{frames: 10, res: &flows.Results{Messages: 10}}
	u := newUser(t, src, 80, 24)
	u.ended = false
	u.press("3", "\\frame.number > 4", "Enter", "G")
	u.sees("6/6")
	src.set(20, &flows.Results{Messages: 20})
	u.refresh()
	u.sees("6/16")
	u.sees("frame 10")
	u.press("4")
	u.sees("8 of 10")
	u.ended = true // looks again at what may have been answered
	u.refresh()
	u.sees("8 of 10")
}

func TestSieve(t *testing.T) {
	s := sifted{shown: []int32{3, 5, 9}, guest: -1}
	for _, test := range []struct {
		guest int
		lines []int // positions of lines
	}{{-1, []int{3, 5, 9}}, {5, []int{3, 5, 9}}, {0, []int{0, 3, 5, 9}}, {4, []int{3, 4, 5, 9}}, {12, []int{3, 5, 9, 12}}} {
		s.guest = test.guest
		for line, position := range test.lines {
			if s.at(line) != position || s.find(position) != line {
				t.Errorf("guest %d: line %d is position %d, which is line %d; want %d", test.guest, line, s.at(line), s.find(position), position)
			}
		}
	}
}

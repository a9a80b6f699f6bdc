package ui

import (
	"maps"
	"slices"

	"github.com/odxray/odxray/flows"
)

// maxMarked bounds the frames that can be marked.
const maxMarked = 1 << 16

// frameHere returns the frame that what is selected stands for; 0 if it stands for none.
func (u *ui) frameHere() int {
	if !u.filled() || u.help != nil || u.menu != nil {
		return 0
	}
	if p, ok := u.pages[u.page].(*packets); ok {
		return p.frame()
	}
	if t, ok := u.targetOn(packetsPage); ok {
		return t.at + 1
	}
	return 0
}

func (u *ui) timeOf(n int) int64 {
	var r flows.Row
	if u.src.Row(n, &r) != nil {
		return 0
	}
	return r.Time
}

// mark marks the frame of what is selected, or does not any more.
func (u *ui) mark() {
	n := u.frameHere()
	switch {
	case n == 0:
		u.say("no frame is selected that could be marked")
	case u.marks[n]:
		delete(u.marks, n)
		u.say("frame %d is not marked any more; %d are", n, len(u.marks))
	case len(u.marks) == maxMarked:
		u.fail("no more than %d frames can be marked", maxMarked)
	default:
		if u.marks == nil {
			u.marks = make(map[int]bool)
		}
		u.marks[n] = true
		u.say("frame %d is marked, %d in all; ' goes to the next, L draws them", n, len(u.marks))
	}
}

// marked lists the marked frames.
func (u *ui) marked() []int { return slices.Sorted(maps.Keys(u.marks)) }

// nextMark goes to the marked frame after the selected one, in the packet list.
func (u *ui) nextMark() {
	marked := u.marked()
	if len(marked) == 0 {
		u.say("no frame is marked; m marks one")
		return
	}
	i, found := slices.BinarySearch(marked, u.frameHere())
	if found {
		i++
	}
	u.frame(marked[i%len(marked)])
}

func (u *ui) unmark() {
	u.marks = nil
	u.say("no frame is marked any more")
}

package ui

import (
	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/flows"
)

// What findings say of a frame colours it, and stands in front of it as a letter.

// named is the first finding of the worst level that names each frame.
type named struct {
	res *flows.Results
	by  map[int]*flows.Finding
}

// maxNamed bounds the frames that are coloured.
const maxNamed = 1 << 16

// ruling returns the finding that names a frame, or nil.
func (u *ui) ruling(n int) *flows.Finding {
	if u.named.res != u.res {
		u.named = named{u.res, make(map[int]*flows.Finding)}
		for level := flows.Error; ; level-- {
			u.named.collect(level)
			if level == flows.Note {
				break
			}
		}
	}
	return u.named.by[n]
}

func (m *named) collect(level flows.Level) {
	for i := range m.res.Findings {
		f := &m.res.Findings[i]
		if f.Level != level {
			continue
		}
		for _, n := range f.Frames {
			if m.by[n] == nil && len(m.by) < maxNamed {
				m.by[n] = f
			}
		}
	}
}

// levelSigns are the letters of findings, by their level.
var levelSigns = [...]struct {
	letter, means string
	style         tcell.Style
}{
	{"N", "a note of the audit", special},
	{"W", "a warning of the audit", bad},
	{"E", "an error that the audit found", bad},
}

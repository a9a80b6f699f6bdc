package ui

import (
	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/flows"
)

// The colours are those of the terminal's own palette that can be read on a dark and
// on a light background. Each repeats what a word, a sign or a letter says already.
var (
	plain   = tcell.StyleDefault
	bold    = plain.Bold(true)
	faint   = plain.Dim(true)
	marked  = plain.Reverse(true)
	bad     = plain.Foreground(tcell.ColorMaroon)
	good    = plain.Foreground(tcell.ColorGreen)
	special = plain.Foreground(tcell.ColorTeal)
	link    = plain.Foreground(tcell.ColorTeal).Underline(true)
)

// sign is the letter that says in a list what the colour of a frame says.
func sign(m flows.Mark) (string, tcell.Style) {
	for _, s := range signs {
		if m&s.mark != 0 {
			return s.letter, s.style
		}
	}
	return "", plain
}

// The first that applies is shown.
var signs = []struct {
	mark   flows.Mark
	letter string
	style  tcell.Style
	means  string
}{
	{flows.MarkMalformed, "X", bad, "cannot be decoded as a whole"},
	{flows.MarkError, "!", bad, "an error answer"},
	{flows.MarkLost, "<", bad, "bytes before it are missing"},
	{flows.MarkRetransmit, "R", faint, "bytes seen before"},
	{flows.MarkCut, "/", faint, "cut by the capture"},
	{flows.MarkEncrypted, "?", faint, "encrypted, and no key fits"},
	{flows.MarkOffload, "O", special, "an offload call"},
	{flows.MarkCopy, "c", special, "another call of a copy"},
}

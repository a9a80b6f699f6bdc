package ui

// The styles that everything is drawn in, and the colours that a theme gives them. Each
// repeats what a word, a sign or a letter says already.

import (
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/flows"
)

// What is drawn names these; a theme may put other colours in their place. They are those of
// the terminal's own palette that can be read on a dark and on a light background.
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

// theme is what is drawn in place of a style's colours. tcell.ColorDefault is that of the
// terminal.
type theme struct {
	name               string
	ground, text       tcell.Color
	faint              tcell.Color // in place of dimming; the default dims
	bad, good, special tcell.Color
}

// themes are those that can be chosen, the default first. The others bring a background of
// their own, so that they can be read whatever the terminal's is.
var themes = []theme{
	{name: "default", bad: tcell.ColorMaroon, good: tcell.ColorGreen, special: tcell.ColorTeal},
	{"dark", tcell.Color234, tcell.Color252, tcell.Color246, tcell.Color210, tcell.Color114, tcell.Color80},
	{"light", tcell.Color255, tcell.Color235, tcell.Color240, tcell.Color124, tcell.Color22, tcell.Color24},
}

func themeNames() (names []string) {
	for _, t := range themes {
		names = append(names, t.name)
	}
	return names
}

// within returns what of the theme a screen of so many colours can show: with few, the
// default; with none, as NO_COLOR has it, no colour.
func (t theme) within(colors int) theme {
	switch {
	case colors == 0:
		return theme{name: t.name} // tcell would reverse what is dark
	case colors < 256:
		return themes[0]
	}
	return t
}

// style returns s in the colours of the theme.
func (t theme) style(s tcell.Style) tcell.Style {
	fg, bg, attrs := s.Decompose()
	dim := attrs&tcell.AttrDim != 0
	switch {
	case fg == tcell.ColorMaroon:
		fg = t.bad
	case fg == tcell.ColorGreen:
		fg = t.good
	case fg == tcell.ColorTeal:
		fg = t.special
	case dim && t.faint != tcell.ColorDefault:
		fg, s = t.faint, s.Dim(false)
	default:
		fg = t.text
	}
	if bg == tcell.ColorDefault {
		bg = t.ground
	}
	return s.Foreground(fg).Background(bg)
}

// setTheme chooses the colours; "" takes the next theme.
func (u *ui) setTheme(name string) {
	names := themeNames()
	i := (slices.Index(names, u.theme.name) + 1) % len(names)
	if name != "" {
		if i = slices.Index(names, name); i < 0 {
			u.fail("themes are %s", strings.Join(names, ", "))
			return
		}
	}
	u.theme = themes[i]
	said := ""
	switch n := u.screen.Colors(); {
	case n == 0:
		said = ", once colours are on"
	case n < 256 && i > 0:
		said = ", where a terminal has 256 colours; this one has fewer"
	}
	u.say("the theme is %s%s", u.theme.name, said)
}

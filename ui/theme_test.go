package ui

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/gdamore/tcell/v2"
)

// styleAt returns the style that the first cell showing r is drawn in.
func (u *user) styleAt(r rune) tcell.Style {
	u.t.Helper()
	u.show()
	cells, _, _ := u.sim.GetContents()
	for _, c := range cells {
		if len(c.Runes) > 0 && c.Runes[0] == r {
			return c.Style
		}
	}
	u.t.Fatalf("%q is not on the screen", r)
	return plain
}

// A theme is completed, says what it is, draws at once and comes back.
func TestTheme(t *testing.T) {
	o := Options{Settings: filepath.Join(t.TempDir(), "ui.json")}
	u := newUser(t, sample(), 100, 30)
	before := u.show()
	if got := u.styleAt('✓'); got != good {
		t.Errorf("the default draws ✓ in %v", got)
	}
	u.press(":theme d", "Tab")
	u.sees("default  dark")
	u.press("ark", "Enter")
	u.sees("the theme is dark")
	if fg, bg, _ := u.styleAt('✓').Decompose(); fg != tcell.Color114 || bg != tcell.Color234 {
		t.Errorf("dark draws ✓ in %v on %v", fg, bg)
	}
	cells, _, _ := u.sim.GetContents()
	for i, c := range cells {
		if _, bg, _ := c.Style.Decompose(); bg != tcell.Color234 {
			t.Fatalf("the background of cell %d is %v", i, bg)
		}
	}
	u = reopen(t, u, sample(), o)
	if u.theme.name != "dark" {
		t.Errorf("the theme that came back is %q", u.theme.name)
	}
	u.press(":theme", "Enter")
	u.sees("the theme is light")
	u.press(":theme tea", "Enter")
	u.sees("! themes are default, dark, light")
	u = reopen(t, u.press(":theme default", "Enter"), sample(), o)
	if got := u.show(); got != before || u.theme != themes[0] {
		t.Errorf("back at the default:\n%s", got)
	}
}

// Colours that a screen does not have are not asked for.
func TestThemeWithin(t *testing.T) {
	for _, th := range themes {
		for _, s := range []tcell.Style{plain, bold, faint, marked, bad, good, special, link} {
			if got := th.within(16).style(s); got != s {
				t.Errorf("%s with 16 colours: %v is %v", th.name, s, got)
			}
			fg, bg, attrs := th.within(0).style(s).Decompose()
			if _, _, want := s.Decompose(); fg != tcell.ColorDefault || bg != tcell.ColorDefault || attrs != want {
				t.Errorf("%s without colours: %v is %v on %v, %v", th.name, s, fg, bg, attrs)
			}
		}
	}
}

// What a theme draws can be read on its background: WCAG 2 asks for 4.5.
func TestThemeContrast(t *testing.T) {
	luminance := func(c tcell.Color) float64 {
		linear := func(v int32) float64 {
			if s := float64(v) / 255; s > 0.04045 {
				return math.Pow((s+0.055)/1.055, 2.4)
			} else {
				return s / 12.92
			}
		}
		r, g, b := c.RGB()
		return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
	}
	for _, th := range themes[1:] {
		for i, c := range []tcell.Color{th.text, th.faint, th.bad, th.good, th.special} {
			a, b := luminance(c)+0.05, luminance(th.ground)+0.05
			if ratio := max(a, b) / min(a, b); ratio < 4.5 {
				t.Errorf("%s, colour %d: contrast %.1f", th.name, i, ratio)
			}
		}
	}
}

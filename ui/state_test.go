package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// reopen quits u and opens the same again.
func reopen(t *testing.T, u *user, src Source, o Options) *user {
	t.Helper()
	if err := u.save(o); err != nil {
		t.Fatal(err)
	}
	again := newUser(t, empty(0, *u.res), 100, 30) // with nothing yet
	again.src, again.ended = src, false
	again.frames, again.exchanges = 0, 0
	again.page = packetsPage
	again.restore(o)
	again.refresh()
	again.show()
	return again
}

func TestStateComesBack(t *testing.T) {
	dir := t.TempDir()
	o := Options{State: filepath.Join(dir, "state", "x.json"), Settings: filepath.Join(dir, "config", "ui.json")}
	u := newUser(t, sample(), 100, 30)
	u.restore(o) // there is nothing yet
	u.press(":12", "Enter", "m", ":40", "Enter", ":columns No.,Time,Info", "Enter", ":time epoch", "Enter", "\\frame.number > 30", "Enter")
	u = reopen(t, u, sample(), o)
	u.sees("[3 Packets]")
	u.sees("frame 40")
	u.sees("filter: frame.number > 30")
	if got := u.marked(); !slices.Equal(got, []int{12}) {
		t.Errorf("marked %v", got)
	}
	if got := len(u.packets().list.shownColumns()); got != 3 || u.times != epoch {
		t.Errorf("%d columns, times %s", got, timeForms[u.times])
	}
	other := sample()
	other.size = 1 << 20 // another file in its place
	u = reopen(t, u, other, o)
	u.sees("[1 Copies]")
	if len(u.marks) > 0 {
		t.Errorf("marks of another file: %v", u.marked())
	}
}

// Where the user was is gone to once it is there, unless they did something meanwhile.
func TestStateWaits(t *testing.T) {
	o := Options{State: filepath.Join(t.TempDir(), "x.json")}
	u := newUser(t, sample(), 100, 30)
	u.press(":50", "Enter")
	src := sample()
	full := src.res
	src.set(10, full)
	u = reopen(t, u, src, o)
	u.sees("[1 Copies]")
	src.set(60, full)
	u.refresh()
	u.sees("frame 50")
	src.set(10, full)
	u = reopen(t, u, src, o)
	u.press("7")
	src.set(60, full)
	u.refresh()
	u.sees("[7 Stats]")
}

// Files that make no sense are as good as none, and files of old captures go.
func TestStateIsNothingToFailFor(t *testing.T) {
	dir := t.TempDir()
	for i, text := range []string{"", "{", "null", `{"row":-1,"page":"Packets"}`, `{"filter":"smb2.cmd ==="}`, `{"page":"Tea","marks":[-1,0]}`, `[1]`, strings.Repeat(" ", maxSavedBytes+1)} {
		file := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		u := newUser(t, sample(), 100, 30)
		u.restore(Options{State: file, Settings: file})
		u.refresh()
		u.sees("[1 Copies]")
		if len(u.marks) > 0 || u.filter != "" {
			t.Errorf("%q: marks %v, filter %q", text, u.marked(), u.filter)
		}
	}
	u := newUser(t, sample(), 100, 30)
	if err := u.save(Options{State: filepath.Join(dir, "0", "x.json")}); err == nil {
		t.Error("saved below a file")
	}
	many := filepath.Join(dir, "many")
	for i := range maxSavedFiles + 3 {
		if err := store(filepath.Join(many, fmt.Sprintf("%04d.json", i)), &saved{}); err != nil {
			t.Fatal(err)
		}
	}
	forgetOldest(many)
	if left, _ := os.ReadDir(many); len(left) != maxSavedFiles {
		t.Errorf("%d files are left", len(left))
	}
}

package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odxray/odxray/flows/audit"
	"github.com/odxray/odxray/flows/report"
)

// b adds findings to a file that the audit leaves out what is in.
func TestBaseline(t *testing.T) {
	t.Chdir(t.TempDir())
	u := newUser(t, sample(), 100, 30)
	left := func(file string) int {
		t.Helper()
		b, err := report.ReadBaseline(strings.NewReader(read(t, file)))
		if err != nil {
			t.Fatal(err)
		}
		r, _ := report.Filter(u.res, audit.Rules(), b)
		return len(r.Findings)
	}
	u.press(":baseline", "Enter")
	u.sees("findings, on page 6, can be added")
	u.press("6", "b")
	u.sees("baseline: odxray-baseline.json")
	u.press("Enter")
	u.sees("made odxray-baseline.json")
	if n := left(baselineFile); n != 1 {
		t.Errorf("%d findings are left", n)
	}
	u.press("b", "Enter")
	u.sees("has this finding already")
	u.press("j", "b", "Enter")
	u.sees("added this finding to odxray-baseline.json")
	if n := left(baselineFile); n != 0 {
		t.Errorf("%d findings are left", n)
	}
	for name, text := range map[string]string{"notes.txt": "dear diary", "copies.json": `{"schema":"odxray.copies/1"}`, "nothing.json": ""} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		u.press(":baseline "+name, "Enter")
		u.sees("no baseline, and not changed")
		if got := read(t, name); got != text {
			t.Errorf("%s is now %q", name, got)
		}
	}
	u.press(":baseline .", "Enter")
	u.sees("! .: not a file")
	u.press(":baseline "+filepath.Join("no", "such", "folder"), "Enter")
	u.sees("no such file or directory")
}

// b is also the next buffer of a frame, where there are several: a key may be for different
// things on different pages.
func TestKeysShared(t *testing.T) {
	u := newUser(t, sample(), 100, 30)
	for page, want := range map[string]string{"3": "next-buffer", "6": "baseline"} {
		u.press(page)
		if got := u.keymap.bound(u.ui, "b").name; got != want {
			t.Errorf("b on page %s is %s", page, got)
		}
	}
}

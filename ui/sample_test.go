package ui

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
)

// example opens the embedded sample, read to its end.
func example(t testing.TB, w, h int) *user {
	t.Helper()
	return newUser(t, capture(t, "../captures/samples/copy-sparse2.snoop"), w, h)
}

// shared opens a capture of $ODXRAY_CAPTURES, or skips the test.
func shared(t testing.TB, file string, w, h int) *user {
	t.Helper()
	dir := cmp.Or(os.Getenv("ODXRAY_CAPTURES"), "../../shared/captures")
	path := filepath.Join(dir, file)
	if _, err := os.Stat(path); err != nil {
		t.Skip("ODXRAY_CAPTURES names no folder of shared captures: ", err)
	}
	return newUser(t, capture(t, path), w, h)
}

// capture reads a file to its end.
func capture(t testing.TB, path string) *flows.Capture {
	t.Helper()
	c, err := flows.Open([]string{path}, flows.Options{Index: true, Judge: audit.Judge})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSampleFrames(t *testing.T) {
	for _, test := range []struct {
		name string
		keys []string
	}{
		{"copies", nil},
		{"tokens", []string{"2", "Enter"}},
		{"packets", []string{":50", "Enter", "Enter", "G"}},
		{"exchanges", []string{"4", "/offload", "Enter"}},
		{"sessions", []string{"5"}},
		{"findings", []string{"6"}},
		{"why", []string{"w"}},
		{"ladder", []string{"L", "n", "G"}},
		{"filter", []string{"3", "\\smb2.cmd == CREATE", "Enter", "jj"}},
		{"filter-error", []string{"4", "\\smb2.cmd == CREAT"}},
		{"filter-names", []string{"4", "\\smb2.cmd == IOCTL", "Enter", "\\ && smb2.fsctl", "Tab"}},
		{"stats", []string{"7", "G"}},
		{"stats-by-file", []string{"7", "ss"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			golden(t, "sample-"+test.name+"-80x24", example(t, 80, 24).press(test.keys...).show())
			golden(t, "sample-"+test.name+"-140x45", example(t, 140, 45).press(test.keys...).show())
		})
	}
}

// The path that the interface was drawn for: from the first screen to the byte.
func TestSampleTransferLength(t *testing.T) {
	u := example(t, 110, 36)
	u.sees("[1 Copies]")
	u.press(":50", "Enter", "Enter", "G")
	u.sees("TransferLength: 16777216")
	u.sees("[00 00 00 01 00 00 00 00]")
	u.press("yy")
	if got := string(u.sim.GetClipboardData()); got != "TransferLength: 16777216" {
		t.Errorf("yanked %q", got)
	}
}

// From a call of the story to its frames, and from the answer to its request.
func TestSampleLinks(t *testing.T) {
	u := example(t, 140, 45)
	u.press("Enter", "/sent again", "Enter", "Enter")
	u.sees("▸ N      76 ")
	u.press("o")
	u.sees("▸ O      79 ")
	u.press("Tab", "/response to", "Enter", "Enter")
	u.sees("▸ N      76 ")
	u.press("Esc", "Esc", "Esc")
	u.sees("━━ Story of copy 1")
}

// Going through frames keeps the field that was selected, where there is one.
func TestSampleKeepsField(t *testing.T) {
	u := example(t, 110, 36)
	u.press(":50", "Enter", "Tab", "G", "Shift-Tab", "j", "j")
	u.sees("━━ Copies › copy 1 › frame 52")
	u.sees("── TransferLength")
	u.press("k", "k", "k") // to a frame without it
	u.sees("── Frame 49")
	for range 48 {
		u.press("k")
	}
	u.sees("frame 1 ")
}

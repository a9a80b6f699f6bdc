package ui

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odxray/odxray/captures"
)

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestExport(t *testing.T) {
	dir := t.TempDir()
	u := newUser(t, sample(), 100, 30)
	file := filepath.Join(dir, "rows.csv")
	u.press("4", ":export csv "+file, "Enter")
	u.sees("wrote ")
	if got := read(t, file); strings.Count(got, "\n") != 31 || !strings.HasPrefix(got, "#,Time,Request,File,Offset,Length,Status,Took,Frames\n1,0.010000,OFFLOAD_WRITE,sparse1,0,1M,SUCCESS,10 ms,f1→f2\n") {
		t.Errorf("CSV: %s", got)
	}
	u.press(":export json "+file, "Enter") // it exists
	u.sees("rows.csv exists")
	u.press("Esc")
	if got := read(t, file); !strings.HasPrefix(got, "#,Time") {
		t.Errorf("overwritten: %s", got)
	}
	u.press(":export json "+file, "Enter", "o")
	if got := read(t, file); !strings.HasPrefix(got, `{"#":"1","Time":"0.010000","Request":"OFFLOAD_WRITE"`) {
		t.Errorf("JSON: %s", got)
	}
	u.press("1", "x")
	u.sees("as text, with tabs")
	u.press("j")
	u.sees("write to: odxray-copies.json")
	u.press("Esc", ":export json "+filepath.Join(dir, "copies.json"), "Enter")
	if got := read(t, filepath.Join(dir, "copies.json")); !strings.Contains(got, `"method":"odx"`) {
		t.Errorf("copies as the command line prints them: %s", got)
	}
	u.press("3", ":export tea", "Enter")
	u.sees("what can be exported here: text, csv, json, pcapng-shown")
	u.press(":export text "+filepath.Join(dir, "no", "such", "folder"), "Enter")
	u.sees("no such file or directory")
	left, _ := filepath.Glob(filepath.Join(dir, ".odxray-*"))
	if left != nil {
		t.Errorf("left behind: %s", left)
	}
}

// What a file was it stays unless all is written.
func TestSave(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	fill := func(text string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			_, _ = io.WriteString(w, text)
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := save(ctx, file, false, fill("one", nil)); err != nil || read(t, file) != "one" {
		t.Fatal(err)
	}
	if err := save(ctx, file, false, fill("two", nil)); !errors.Is(err, os.ErrExist) || read(t, file) != "one" {
		t.Errorf("over a file: %v", err)
	}
	broken := errors.New("broken")
	if err := save(ctx, file, true, fill("three", broken)); !errors.Is(err, broken) || read(t, file) != "one" {
		t.Errorf("with an error: %v", err)
	}
	if err := save(ctx, file, true, fill("four", nil)); err != nil || read(t, file) != "four" {
		t.Errorf("asked to: %v", err)
	}
	cancel()
	if err := save(ctx, file, true, fill("five", nil)); !errors.Is(err, context.Canceled) || read(t, file) != "four" {
		t.Errorf("cancelled: %v", err)
	}
}

// Marked frames become a capture.
func TestSampleExportFrames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "marked.pcapng")
	u := example(t, 100, 30)
	u.press(":46", "Enter", "m", ":48", "Enter", "m", ":export pcapng-marks "+file, "Enter")
	u.sees("wrote ")
	r, err := captures.OpenFiles([]string{file}, captures.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b captures.Batch
	if err := r.ReadBatch(&b); err != nil || len(b.Packets) != 2 || b.Packets[1].WireLen != 722 {
		t.Errorf("%d packets: %v", len(b.Packets), err)
	}
	u.press("1", ":export pcapng-copy "+filepath.Join(filepath.Dir(file), "copy.pcapng"), "Enter")
	u.sees("wrote ")
}

func TestYank(t *testing.T) {
	u := example(t, 140, 45)
	clip := func() string { return string(u.sim.GetClipboardData()) }
	for _, test := range []struct {
		keys []string
		want string
	}{
		{[]string{":50", "Enter", "yF"}, "frame.number == 50"},
		{[]string{"yJ"}, `{"sign":"N","No.":"50"`},
		{[]string{"yx"}, "000c29"},
		{[]string{"Tab", "G", "yy"}, "TransferLength: 16777216"},
		{[]string{"yF"}, "smb2.fsctl.odx.xfer_length == 16777216"},
		{[]string{"yx"}, "0000000100000000"},
		{[]string{"yJ"}, `{"smb2.fsctl.odx.xfer_length":"16777216"}`},
		{[]string{"Tab", "yF"}, "frame[178:8] == 00:00:00:01:00:00:00:00"},
		{[]string{"4", "g", "yF"}, "frame.number in {"},
		{[]string{"1", ":yank text", "Enter"}, "1 sparse1"},
	} {
		u.press(test.keys...)
		if got := clip(); !strings.HasPrefix(got, test.want) {
			t.Errorf("%q yanked %q, want %q", test.keys, got, test.want)
		}
	}
	u.press("3", "Tab")
	tree := u.packets().tree
	for i := range tree.data.Nodes { // all that can be yanked as a filter is one
		if text := filterFor(tree.data, i); text != "" && u.compile(text) != nil {
			t.Errorf("%s: %v", text, u.compile(text))
		}
	}
}

func TestPassedThrough(t *testing.T) {
	const want = "\x1bPtmux;\x1b\x1b]52;c;aGVsbG8=\a\x1b\\"
	if got := string(passedThrough("hello")); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

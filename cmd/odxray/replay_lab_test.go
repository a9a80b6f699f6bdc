package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odxray/odxray/captures/samples"
)

// TestReplayLab: the example replays against the lab server, with the captured offload
// calls and with its own: every answer is the same, and the copy is as its source.
func TestReplayLab(t *testing.T) {
	sample, err := samples.Bytes(samples.Demo)
	if err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(t.TempDir(), "sparse.snoop")
	if err := os.WriteFile(trace, sample, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ODXRAY_TO_PASSWORD", "secret")
	for _, odx := range []string{"exact", "loop"} {
		t.Run(odx, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "lab"), 0o777); err != nil {
				t.Fatal(err)
			}
			share, stop := serveLab(t, dir, filepath.Join(t.TempDir(), "c.pcapng"))
			defer stop()
			var out, stderr bytes.Buffer
			code := run([]string{"replay", trace, "--to", strings.TrimSuffix(share, "/"), "--prefix", "lab", "--prepare", "--odx", odx, "--yes"},
				strings.NewReader(""), &out, &stderr)
			if code != 0 || !strings.Contains(out.String(), "150 answers the same of 150") {
				t.Errorf("status %d\n%s%s", code, out.String(), stderr.String())
			}
			same(t, filepath.Join(dir, "lab", "sparse1"), filepath.Join(dir, "lab", "sparse1 - Copy (3)"))
		})
	}
}

// same compares two files of the example's size where either has data.
func same(t *testing.T, names ...string) {
	t.Helper()
	const size, step, seekData = 1879048196, 1 << 20, 3
	var files [2]*os.File
	for i, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil || info.Size() != size {
			t.Fatalf("%s: %v, %v", name, info.Size(), err)
		}
		files[i] = f
	}
	x, y := make([]byte, step), make([]byte, step)
	for i, f := range files {
		compared := 0
		for off, err := f.Seek(0, seekData); err == nil; off, err = f.Seek(off+step, seekData) {
			n, _ := files[0].ReadAt(x, off)
			m, _ := files[1].ReadAt(y, off)
			if !bytes.Equal(x[:n], y[:m]) {
				t.Fatalf("the copy differs at %d or after", off)
			}
			compared += n
		}
		if compared == 0 {
			t.Errorf("%s is one hole", names[i])
		}
	}
}

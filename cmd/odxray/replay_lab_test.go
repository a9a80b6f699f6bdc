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

// TestReplayRuns: what is done with more runs than one, as a user does it.
func TestReplayRuns(t *testing.T) {
	sample, err := samples.Bytes(samples.Demo)
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	trace, rules, old := filepath.Join(work, "sparse.snoop"), filepath.Join(work, "rules.tsv"), filepath.Join(work, "old.json")
	if err := os.WriteFile(trace, sample, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ODXRAY_TO_PASSWORD", "secret")
	var shares [2]string
	for i := range shares {
		share, stop := serveLab(t, t.TempDir(), filepath.Join(t.TempDir(), "c.pcapng"))
		defer stop()
		shares[i] = strings.TrimSuffix(share, "/")
	}
	// odxray runs a command, and wants its status and a part of what it prints.
	odxray := func(status int, want string, args ...string) string {
		t.Helper()
		var out, stderr bytes.Buffer
		all := append(args, "--to", shares[0], "--prefix", "lab", "--yes")
		if code := run(all, strings.NewReader(""), &out, &stderr); code != status || !strings.Contains(out.String()+stderr.String(), want) {
			t.Errorf("%v: status %d, want %d, and %q\n%s%s", args, code, status, want, out.String(), stderr.String())
		}
		return out.String()
	}
	odxray(0, "from two runs of 150 requests", "replay", "learn", trace, "--level", "exact", "-o", rules)
	saved := odxray(1, `"schema":"odxray.replay/1"`, "replay", trace, "--level", "exact", "--prepare", "--clean", "-T", "json")
	if err := os.WriteFile(old, []byte(saved), 0o600); err != nil {
		t.Fatal(err)
	}
	odxray(0, "Held against "+old, "replay", trace, "--level", "exact", "--prepare", "--clean", "--rules", rules, "--baseline", old)
	odxray(2, "--level exact, this run by semantic", "replay", trace, "--prepare", "--clean", "--baseline", old)
	odxray(0, "150 answers alike at both of 150", "replay", trace, "--prepare", "--clean", "--ab", shares[1])
	odxray(2, "exclude each other", "replay", trace, "--prepare", "--clean", "--ab", shares[1], "--baseline", old)
	odxray(2, "the same place as --to", "replay", trace, "--prepare", "--ab", shares[0])
	odxray(3, "127.0.0.1:9", "replay", trace, "--prepare", "--clean", "--ab", "smb://u@127.0.0.1:9/s")
	odxray(0, "nothing to minimise", "replay", "minimise", trace)
	odxray(1, "To replay these alone: --select step=", "replay", "minimise", trace, "--level", "exact", "--step", "7", "--trials", "3")
	odxray(2, "step 1 does not differ, but is same", "replay", "minimise", trace, "--step", "1")
	odxray(0, "## odxray replay: every answer is the same", "replay", trace, "--prepare", "--clean", "-T", "markdown", "--select", "step=7-8")
}

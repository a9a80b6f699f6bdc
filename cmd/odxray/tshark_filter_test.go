//go:build tshark

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTsharkFilters: each filter of testdata/filters.tsv selects the frames that it
// selects in tshark, and at least one.
func TestTsharkFilters(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark is not installed")
	}
	list, err := os.ReadFile(filepath.Join("testdata", "filters.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		capture, src, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok {
			continue
		}
		t.Run(src, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(capturesDir(), "own", capture)
			if _, err := os.Stat(file); err != nil {
				t.Skip("no such capture: set ODXRAY_CAPTURES: ", err)
			}
			want := outputOf(t, "tshark", "--disable-protocol", "artemis", "-o", "tcp.reassemble_out_of_order:TRUE",
				"-r", file, "-Y", src, "-T", "fields", "-e", "frame.number")
			var stdout, stderr bytes.Buffer
			if code := run([]string{"list", file, "-Y", src, "-T", "fields", "-e", "frame.number"}, nil, &stdout, &stderr); code != exitOK {
				t.Fatalf("status %d: %s", code, &stderr)
			}
			if got := lines(stdout.String()); !slices.Equal(got, want) || len(got) == 0 {
				t.Errorf("%s: %d frames, tshark has %d\n got %.200v\nwant %.200v", capture, len(got), len(want), got, want)
			}
		})
	}
}

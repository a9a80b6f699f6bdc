package replay

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/odxray/odxray/replay/smbdtest"
)

// TestSnapshotsAtSamba: a server's snapshots, of other times than the captured ones, take their
// places in order: opened, listed and read, each shows what that one showed.
func TestSnapshotsAtSamba(t *testing.T) {
	path := filepath.Join(captureDir(), "own", "snapshots.pcap")
	if _, err := os.Stat(path); err != nil {
		t.Skip("no captures: ", err)
	}
	s := smbdtest.Start(t, "vfs objects = shadow_copy2", "shadow:snapdir = .snapshots", "shadow:snapdirseverywhere = yes", "shadow:sort = desc")
	for file, text := range map[string]string{
		"doc.txt": "now\n",
		".snapshots/@GMT-2025.05.05-01.02.03/doc.txt": "old 2026.01.01-00.00.00\n", // as captured
		".snapshots/@GMT-2025.06.06-04.05.06/doc.txt": "old 2026.02.01-12.00.00\n",
		".snapshots/@GMT-2025.07.07-07.08.09/doc.txt": "old 2026.03.01-23.59.59\n",
	} {
		name := filepath.Join(s.Dir, file)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p, _ := captured(t, nil, path)
	r := Run(context.Background(), p, at(t, s, smbdtest.Shared, ""))
	if n := r.Counts()[Same]; n != len(p.Steps) {
		var text bytes.Buffer
		_ = r.Text(&text)
		t.Errorf("%d of %d answers are the same\n%s", n, len(p.Steps), &text)
	}
}

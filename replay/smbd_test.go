package replay

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/replay/smbdtest"
)

// captureDir is where the captures are that the repository does not hold.
func captureDir() string {
	if dir := os.Getenv("ODXRAY_CAPTURES"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "shared", "captures")
}

// at returns options for a test's smbd.
func at(t testing.TB, s *smbdtest.Server, share, dir string) Options {
	t.Helper()
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Target: Target{Address: s.Addr, Host: host, Share: share, Dir: dir, User: s.User}, Password: s.Password}
}

// replayed prepares, runs and cleans.
func replayed(t testing.TB, p *Plan, o Options) *Result {
	t.Helper()
	ctx := context.Background()
	stage, err := OpenStage(ctx, p, o)
	if err != nil {
		t.Fatal(err)
	}
	defer stage.Close()
	if err := stage.Prepare(ctx, p.Manifest()); err != nil {
		t.Fatal(err)
	}
	r := Run(ctx, p, o)
	for _, left := range stage.Clean(ctx, r.Made) {
		t.Errorf("left: %s", left)
	}
	return r
}

// TestSmbd has one server for all that needs one: it takes a while to start.
func TestSmbd(t *testing.T) {
	server := smbdtest.Start(t, "vfs objects = streams_xattr")
	t.Run("captures", func(t *testing.T) { smbclient(t, server) })
	t.Run("faults", func(t *testing.T) { faults(t, server) })
	t.Run("no credits", func(t *testing.T) { noCredits(t, server) })
	t.Run("interrupted", func(t *testing.T) { interrupted(t, server) })
	t.Run("verbatim", func(t *testing.T) { verbatim(t, server) })
}

// smbclient: its captures replay at a real server, whatever the dialect, signature or
// cipher, and every answer is the same or explained.
func smbclient(t *testing.T, server *smbdtest.Server) {
	var keys flows.Keys
	if f, err := os.Open(filepath.Join(captureDir(), "own", "keys.tsv")); err == nil {
		if err := keys.AddFile(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	var files []string
	for _, pattern := range []string{"dialect_*", "sign_*", "enc_*", "scopy_*", "mget_*", "streams_*", "recursive_ls_*"} {
		list, err := filepath.Glob(filepath.Join(captureDir(), "own", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, list...)
	}
	if len(files) == 0 {
		files = []string{"testdata/scopy_50m.pcap"}
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			p, _ := captured(t, &keys, file)
			o := at(t, server, smbdtest.Shared, "replay")
			r := replayed(t, p, o)
			counts := r.Counts()
			t.Logf("%d steps: %v", len(p.Steps), counts)
			if r.Differs() {
				var b bytes.Buffer
				if err := r.Text(&b); err != nil {
					t.Fatal(err)
				}
				t.Errorf("%s", &b)
			}
			if left, _ := os.ReadDir(server.Dir); len(left) > 0 {
				t.Errorf("%s was left behind", left[0].Name())
			}
		})
	}
}

package replay

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/replay/client"
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
	keys := new(flows.Keys)
	if f, err := os.Open(filepath.Join(captureDir(), "own", "keys.tsv")); err == nil {
		if err := keys.AddFile(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	t.Run("captures", func(t *testing.T) { smbclient(t, server, keys) })
	t.Run("sealed", func(t *testing.T) { sealedUnits(t, server, keys) })
	t.Run("faults", func(t *testing.T) { faults(t, server) })
	t.Run("many", func(t *testing.T) { many(t, server) })
	t.Run("RDMA over TCP", func(t *testing.T) { overTCP(t, server) })
	t.Run("fallback", func(t *testing.T) { fallback(t, server) })
	t.Run("deaf", func(t *testing.T) { deaf(t, server) })
	t.Run("no credits", func(t *testing.T) { noCredits(t, server) })
	t.Run("interrupted", func(t *testing.T) { interrupted(t, server) })
	t.Run("learn", func(t *testing.T) { learns(t, server) })
	t.Run("verbatim", func(t *testing.T) { verbatim(t, server) })
}

// smbclient: its captures replay at a real server, whatever the dialect, signature or
// cipher, and every answer is the same or explained.
func smbclient(t *testing.T, server *smbdtest.Server, keys *flows.Keys) {
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
			p, _ := captured(t, keys, file)
			o := at(t, server, smbdtest.Shared, "replay")
			switch base := filepath.Base(file); {
			case strings.HasPrefix(base, "dialect_"):
				o.Order = Serial
			case strings.HasPrefix(base, "sign_"):
				o.Order = Captured
			}
			var run bytes.Buffer
			trace, err := NewTrace(&run)
			if err != nil {
				t.Fatal(err)
			}
			o.Tap = trace.Tap
			r := replayed(t, p, o)
			replayable(t, p, &run)
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

// replayable wants a run's capture to be one that can be replayed itself: of as many requests.
func replayable(t *testing.T, p *Plan, run *bytes.Buffer) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "run.pcapng")
	if err := os.WriteFile(name, run.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	again, c := captured(t, nil, name)
	if got, want := len(again.Steps), len(p.Steps); got < want || got > want+10 { // what tidies up comes on top
		t.Errorf("the run's capture holds %d requests of %d", got, want)
	}
	for _, problem := range append(c.Results().Problems, again.Problems...) {
		t.Errorf("the run's capture: %s", problem)
	}
}

// sealedUnits: what the captures hold encrypted goes encrypted, and signed what is signed.
func sealedUnits(t *testing.T, server *smbdtest.Server, keys *flows.Keys) {
	for file, want := range map[string][2]bool{ // encrypted, signed
		"enc_311_aes_256_gcm.pcap":           {true, false},
		"enc_share_required.pcap":            {true, false},
		"dialect_smb2_02_sign_required.pcap": {false, true},
		"sign_311_aes_128_gmac.pcap":         {false, true},
	} {
		path := filepath.Join(captureDir(), "own", file)
		if _, err := os.Stat(path); err != nil {
			t.Skip("no captures: ", err)
		}
		p, _ := captured(t, keys, path)
		o := at(t, server, smbdtest.Shared, "replay")
		if file == "enc_share_required.pcap" {
			o.Target.Share = smbdtest.Sealed
		}
		var encrypted, signed, all int
		var mu sync.Mutex
		o.Tap = func(_ int, _, _ net.Addr, u *client.Unit) {
			mu.Lock()
			defer mu.Unlock()
			if !u.Sent || len(u.Wire) < headerSize {
				return
			}
			all++
			if u.Wire[0] == 0xfd {
				encrypted++
			} else if u.Wire[16]&8 != 0 {
				signed++
			}
		}
		if r := replayed(t, p, o); r.Differs() {
			t.Errorf("%s: %v", file, r.Counts())
		}
		if (encrypted > all/2) != want[0] || (signed > all/2) != want[1] {
			t.Errorf("%s: of %d units %d encrypted, %d signed", file, all, encrypted, signed)
		}
	}
}

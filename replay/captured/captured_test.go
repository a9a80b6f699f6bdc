package captured

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odxray/odxray/captures/samples"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/replay"
	"github.com/odxray/odxray/replay/server"
	"github.com/odxray/odxray/replay/server/servertest"
)

// capture reads a capture to its end.
func capture(t testing.TB, name string, keys *flows.Keys) *flows.Capture {
	t.Helper()
	c, err := flows.Open([]string{name}, flows.Options{Index: true, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c
}

// own is a capture of the project's own, of which there are more than it holds.
func own(t testing.TB, name string) string {
	dir := os.Getenv("ODXRAY_CAPTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "captures")
	}
	path := filepath.Join(dir, "own", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("no captures here: set ODXRAY_CAPTURES")
	}
	return path
}

// example is the example trace, in a file.
func example(t testing.TB) string {
	b, err := samples.Bytes(samples.Demo)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "example.snoop")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// serve starts the captured server of a capture, and returns its address.
func serve(t testing.TB, c *flows.Capture, unmatched Unmatched, log func(string, ...any)) (*Server, string) {
	t.Helper()
	r, err := Read(c)
	if err != nil {
		t.Fatal(err)
	}
	script := New(r, unmatched)
	return script, servertest.Start(t, server.Config{
		Store: server.NewMemory(1 << 30), Users: map[string][16]byte{"lab": seal.NTHash("secret"), "smb_alice": seal.NTHash("Passw0rd!")}, Guest: r.Guests(), Script: script, Log: log, Trace: true, Share: r.Share(),
	}).Addr
}

// replayed has the clients of a capture ask its captured server, and returns what came of it.
func replayed(t *testing.T, name string, keys *flows.Keys) (*replay.Result, *Server) {
	c := capture(t, name, keys)
	script, address := serve(t, c, Fail, func(string, ...any) {})
	p, err := replay.Extract(capture(t, name, keys))
	if err != nil {
		t.Fatal(err)
	}
	target, err := replay.ParseTarget("smb://lab@" + address + "/" + script.r.Share())
	if err != nil {
		t.Fatal(err)
	}
	result, err := replay.At(context.Background(), p, replay.Options{Target: target, Password: "secret", Guest: true}, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return result, script
}

// TestReplay: what the clients of captures asked, they are answered by its captured server
// as they were, and nothing is left over.
func TestReplay(t *testing.T) {
	for name, path := range map[string]func(testing.TB) string{
		"the example": example,
		"scopy_50m":   func(testing.TB) string { return filepath.Join("..", "testdata", "scopy_50m.pcap") },
	} {
		t.Run(name, func(t *testing.T) { replaysWhole(t, path(t)) })
	}
	for _, name := range []string{
		"dialect_smb2_02_sign_required", "dialect_smb2_10_sign_off", "dialect_smb3_00_sign_required", "dialect_smb3_11_sign_off", "dialect_smb3_11_sign_required",
		"sign_311_aes_128_gmac", "sign_311_hmac_sha256", "enc_302_ccm", "enc_311_aes_256_gcm", "enc_share_required",
		"snapshots", "streams_ads", "krb5_signed", "list_shares", "impacket_server", "acl_getset",
	} {
		t.Run(name, func(t *testing.T) { replaysWhole(t, own(t, name+".pcap")) })
	}
}

// keysBeside are those that the captures beside a file are decrypted with.
func keysBeside(t testing.TB, path string) *flows.Keys {
	keys := new(flows.Keys)
	keys.AddPassword("Passw0rd!")
	if f, err := os.Open(filepath.Join(filepath.Dir(path), "keys.tsv")); err == nil {
		err = keys.AddFile(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

func replaysWhole(t *testing.T, path string) {
	result, script := replayed(t, path, keysBeside(t, path))
	if n := result.Counts(); n[replay.Same] == len(result.Plan.Steps) && n[replay.Same] > 0 && script.Missed() == 0 && len(result.Environment) == 0 {
		return
	}
	var b bytes.Buffer
	_ = result.Text(&b)
	t.Error(b.String(), told(t, script))
}

// told is what a server says in the end.
func told(t testing.TB, s *Server) string {
	var b strings.Builder
	if err := s.Report(&b, func(s string) string { return s }); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

package server

import (
	"bytes"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/seal"
)

// start serves on a port of its own until the test ends, and returns the port.
func start(t testing.TB, cfg Config) (s *Server, port string) {
	t.Helper()
	if cfg.Store == nil {
		cfg.Store = NewMemory(256 << 20)
	}
	if cfg.Users == nil {
		cfg.Users = map[string][16]byte{"lab": seal.NTHash("secret")}
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != ErrClosed {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.conns)+len(s.sessions)+s.opens+s.locks+len(s.files)+len(s.leases)+len(s.watches) > 0 {
			t.Errorf("left over: %d connections, %d sessions, %d opens, %d locks, %d files, %d leases, %d watches",
				len(s.conns), len(s.sessions), s.opens, s.locks, len(s.files), len(s.leases), len(s.watches))
		}
	})
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return s, port
}

// smbclient runs commands in a directory of its own.
func smbclient(t *testing.T, dir, port, commands string, options ...string) string {
	t.Helper()
	args := append([]string{"//127.0.0.1/share", "-p", port, "-U", "lab%secret", "-c", commands}, options...)
	cmd := exec.Command("smbclient", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "NT_STATUS_") {
		t.Fatalf("smbclient %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestSmbclient: Samba's client writes, reads, lists, copies and renames, in every
// dialect, signed with each algorithm, encrypted with each cipher.
func TestSmbclient(t *testing.T) {
	if _, err := exec.LookPath("smbclient"); err != nil {
		t.Skip("smbclient is not installed")
	}
	for _, c := range []struct{ dialect, protection, option string }{
		{"SMB2_02", "sign", ""},
		{"SMB2_10", "off", ""},
		{"SMB3_00", "encrypt", ""},
		{"SMB3_02", "sign", ""},
		{"SMB3_11", "sign", "client smb3 signing algorithms=aes-128-gmac"},
		{"SMB3_11", "sign", "client smb3 signing algorithms=aes-128-cmac"},
		{"SMB3_11", "sign", "client smb3 signing algorithms=hmac-sha256"},
		{"SMB3_11", "encrypt", "client smb3 encryption algorithms=aes-128-ccm"},
		{"SMB3_11", "encrypt", "client smb3 encryption algorithms=aes-128-gcm"},
		{"SMB3_11", "encrypt", "client smb3 encryption algorithms=aes-256-ccm"},
		{"SMB3_11", "encrypt", "client smb3 encryption algorithms=aes-256-gcm"},
	} {
		t.Run(c.dialect+" "+c.protection+" "+c.option, func(t *testing.T) {
			t.Parallel()
			_, port := start(t, Config{RequireSigning: c.protection == "sign", Encrypt: c.protection == "encrypt"})
			dir := t.TempDir()
			data := make([]byte, 300_000)
			r := rand.NewChaCha8([32]byte{})
			r.Read(data)
			if err := os.WriteFile(filepath.Join(dir, "big"), data, 0o600); err != nil {
				t.Fatal(err)
			}
			options := []string{"-m", c.dialect, "--option=clientminprotocol=" + c.dialect, "--client-protection=" + c.protection}
			if c.option != "" {
				options = append(options, "--option="+c.option)
			}
			out := smbclient(t, dir, port, "put big; scopy big copy; get copy back; mkdir d; rename copy d/moved; cd d; ls; allinfo moved; rm moved; cd ..; rmdir d; ls", options...)
			back, err := os.ReadFile(filepath.Join(dir, "back"))
			if err != nil || !bytes.Equal(back, data) {
				t.Errorf("the copy differs: %d bytes, %v", len(back), err)
			}
			if !strings.Contains(out, "moved") || !strings.Contains(out, "stream: [::$DATA], 300000 bytes") {
				t.Errorf("listing:\n%s", out)
			}
		})
	}
}

// TestSmbclientDir: files of a directory, which a symbolic link does not lead out of.
func TestSmbclientDir(t *testing.T) {
	if _, err := exec.LookPath("smbclient"); err != nil {
		t.Skip("smbclient is not installed")
	}
	outside, inside, here := t.TempDir(), t.TempDir(), t.TempDir()
	for name, text := range map[string]string{filepath.Join(outside, "secret"): "no", filepath.Join(inside, "Here.txt"): "yes"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"out": outside, "secret": filepath.Join(outside, "secret"), "in.txt": "Here.txt"} {
		if err := os.Symlink(to, filepath.Join(inside, name)); err != nil {
			t.Skip(err)
		}
	}
	store, err := OpenDir(inside)
	if err != nil {
		t.Skip(err)
	}
	defer store.Close()
	_, port := start(t, Config{Store: store})
	out := smbclient(t, here, port, "ls; get here.TXT a; get in.txt b; put a new; scopy new copy; del new; mkdir d; rename copy d/copy; ls d/*")
	if strings.Contains(out, "secret") || strings.Contains(out, "out") || !strings.Contains(out, "Here.txt") {
		t.Errorf("listing:\n%s", out)
	}
	for _, name := range []string{filepath.Join(here, "a"), filepath.Join(here, "b"), filepath.Join(inside, "d", "copy")} {
		if b, err := os.ReadFile(name); err != nil || string(b) != "yes" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	for _, command := range []string{`get secret x`, `get out\secret x`, `get ..\secret x`, `ls out\*`, `put a out\new`, `mkdir out\d`, `rename Here.txt out\x`} {
		cmd := exec.Command("smbclient", "//127.0.0.1/share", "-p", port, "-U", "lab%secret", "-c", command)
		cmd.Dir = here
		if out, _ := cmd.CombinedOutput(); !strings.Contains(string(out), "NT_STATUS_") {
			t.Errorf("%s:\n%s", command, out)
		}
	}
	if left, _ := os.ReadDir(outside); len(left) != 1 {
		t.Errorf("outside: %v", left)
	}
}

// TestSmbclientRefused: wrong passwords, nobody, and shares that are not there.
func TestSmbclientRefused(t *testing.T) {
	if _, err := exec.LookPath("smbclient"); err != nil {
		t.Skip("smbclient is not installed")
	}
	_, port := start(t, Config{})
	for _, c := range []struct{ share, user, want string }{
		{"share", "lab%wrong", "NT_STATUS_LOGON_FAILURE"},
		{"share", "other%secret", "NT_STATUS_LOGON_FAILURE"},
		{"share", "%", "NT_STATUS_LOGON_FAILURE"},
		{"none", "lab%secret", "NT_STATUS_BAD_NETWORK_NAME"},
	} {
		out, err := exec.Command("smbclient", "//127.0.0.1/"+c.share, "-p", port, "-U", c.user, "-c", "ls").CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%s %s: %v\n%s", c.share, c.user, err, out)
		}
	}
	out, err := exec.Command("smbclient", "-L", "127.0.0.1", "-p", port, "-U", "lab%secret").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "lab server") {
		t.Errorf("list of shares: %v\n%s", err, out)
	}
	_, port = start(t, Config{Guest: true})
	if out, err := exec.Command("smbclient", "//127.0.0.1/share", "-p", port, "-U", "%", "-c", "mkdir d; ls").CombinedOutput(); err != nil {
		t.Errorf("guest: %v\n%s", err, out)
	}
}

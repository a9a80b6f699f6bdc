// Package smbdtest starts a Samba server of a test's own: on a free port of 127.0.0.1,
// with its own configuration and directories, gone with the test.
package smbdtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Server is a running smbd.
type Server struct {
	Addr     string // host and port
	User     string // the one user that it knows
	Password string
	Dir      string // what the shares show; Shared and Sealed of one and the same
	log      string
}

// Shares of every server. Sealed demands encryption; files of Usual get the rights that
// Samba's own defaults and most servers give.
const (
	Shared = "share"
	Sealed = "sealed"
	Usual  = "usual"
)

// Start starts a server with more lines for the section [global], and skips the test
// where there is no smbd. It takes a second or so: tests share one where they can.
func Start(t testing.TB, global ...string) *Server {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Skip("who runs the test is unknown: ", err)
	}
	return StartAs(t, me.Username, global...)
}

// StartAs is Start with another user of the machine's: root may do what others may not.
func StartAs(t testing.TB, name string, global ...string) *Server {
	t.Helper()
	if _, err := user.Lookup(name); err != nil {
		t.Skip("there is no such user: ", err)
	}
	smbd, err := exec.LookPath("smbd")
	if err != nil {
		smbd = "/usr/sbin/smbd"
	}
	if _, err := os.Stat(smbd); err != nil {
		t.Skip("no smbd (Debian's package samba)")
	}
	if _, err := exec.LookPath("pdbedit"); err != nil {
		t.Skip("no pdbedit (Debian's package samba-common-bin)")
	}
	// Not t.TempDir: its path may be too long for the sockets that smbd makes.
	root, err := os.MkdirTemp("", "smbd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	s := &Server{User: name, Password: "Secret-1", Dir: filepath.Join(root, "files"), log: filepath.Join(root, "log.smbd")}
	for _, dir := range []string{root, s.Dir} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o777); err != nil { // guests write there too
			t.Fatal(err)
		}
	}
	s.Addr = freePort(t)
	_, port, _ := net.SplitHostPort(s.Addr)
	config := filepath.Join(root, "smb.conf")
	if err := os.WriteFile(config, []byte(configuration(root, s.Dir, port, global)), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, dir := range privateDirs {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	add := exec.Command("pdbedit", "-s", config, "-a", "-t", "-u", s.User)
	add.Stdin = strings.NewReader(s.Password + "\n" + s.Password + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Skipf("smbd takes no user %s: %v\n%s", s.User, err, out)
	}
	run, err := started(func() *exec.Cmd { return exec.Command(smbd, "-F", "--no-process-group", "-s", config, "-l", root) }, false)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = run.Wait(); close(ended) }()
	t.Cleanup(func() {
		end(run)
		<-ended
		if t.Failed() {
			t.Logf("smbd says\n%s", s.Log())
		}
	})
	s.await(t, ended)
	return s
}

var privateDirs = []string{"private", "lock", "state", "cache", "pid", "ncalrpc"}

func configuration(root, dir, port string, global []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[global]\n netbios name = ODXRAYTEST\n workgroup = WORKGROUP\n server role = standalone server\n"+
		" smb ports = %s\n interfaces = 127.0.0.1/8\n bind interfaces only = yes\n server min protocol = SMB2_02\n"+
		" passdb backend = tdbsam:%s/passdb.tdb\n map to guest = Bad User\n guest account = nobody\n"+
		" load printers = no\n disable spoolss = yes\n log file = %s/log\n log level = 1\n", port, root, root)
	for i, what := range []string{"private dir", "lock directory", "state directory", "cache directory", "pid directory", "ncalrpc dir"} {
		fmt.Fprintf(&b, " %s = %s/%s\n", what, root, privateDirs[i])
	}
	for _, line := range global {
		fmt.Fprintf(&b, " %s\n", line)
	}
	for _, share := range []string{Shared, Sealed} {
		fmt.Fprintf(&b, "[%s]\n path = %s\n writable = yes\n guest ok = yes\n create mask = 0666\n directory mask = 0777\n", share, dir)
		if share == Sealed {
			b.WriteString(" smb encrypt = required\n")
		}
	}
	fmt.Fprintf(&b, "[%s]\n path = %s\n writable = yes\n", Usual, dir)
	return b.String()
}

func freePort(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await waits until the server answers.
func (s *Server) await(t testing.TB, ended chan struct{}) {
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		if c, err := net.Dial("tcp", s.Addr); err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-ended:
			t.Skipf("smbd does not start here:\n%s", s.Log())
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("smbd does not listen:\n%s", s.Log())
}

// Log is what the server has written.
func (s *Server) Log() string {
	b, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

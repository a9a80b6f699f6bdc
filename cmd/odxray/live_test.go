//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/livetest"
)

// program is this test's binary under the name by which it runs odxray.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "odxray")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// need skips where a program is not installed.
func need(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(err)
		}
	}
}

// wires is two namespaces with a veth pair between them.
func wires(t *testing.T) (client, server string) {
	client, server = livetest.Namespace(t), livetest.Namespace(t)
	livetest.Pair(t, client, "near", server, "far")
	livetest.Run(t, "ip -n "+client+" addr add 10.77.0.1/24 dev near")
	livetest.Run(t, "ip -n "+server+" addr add 10.77.0.2/24 dev far")
	return client, server
}

// started begins a command that ends with the test at the latest, and returns what it
// prints to standard error when asked.
func started(t *testing.T, cmd *exec.Cmd) (said func() string) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = file
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has usually ended
		_ = cmd.Wait()
		file.Close()
	})
	return func() string {
		b, err := os.ReadFile(file.Name())
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
}

// until waits for something that comes soon, unless something is wrong.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain for ", what)
		}
	}
}

// serve runs smbd in a namespace, with a share s that everybody may write to.
func serve(t *testing.T, namespace string) {
	need(t, "smbd", "smbclient")
	dir := t.TempDir()
	for _, d := range []string{"share", "var", "private"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	conf := fmt.Sprintf("[global]\nprivate dir=%[1]s/private\nlock directory=%[1]s/var\nstate directory=%[1]s/var\ncache directory=%[1]s/var\n"+
		"pid directory=%[1]s/var\nncalrpc dir=%[1]s/var/nc\nlog file=%[1]s/var/log\nmap to guest=Bad User\nguest account=root\nload printers=no\n"+
		"disable spoolss=yes\nsmb ports=445\nserver min protocol=SMB2\n[s]\npath=%[1]s/share\nguest ok=yes\nwritable=yes\nforce user=root\n", dir)
	path := filepath.Join(dir, "smb.conf")
	if err := os.WriteFile(path, []byte(conf), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := livetest.Command(namespace, "smbd", "-F", "--no-process-group", "-s", path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	started(t, cmd)
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // with the children it has made
	until(t, "smbd", func() bool {
		return livetest.Command(namespace, "smbclient", "//10.77.0.2/s", "-N", "-c", "ls").Run() == nil ||
			livetest.Command(namespace, "smbclient", "-s", "/dev/null", "//10.77.0.2/s", "-N", "-c", "ls").Run() == nil
	})
}

func sizeOf(path string) int64 {
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return st.Size()
}

// frames reads a capture, which may be cut at its end.
func framesOf(t *testing.T, path string) (list []captures.Packet) {
	t.Helper()
	r, err := captures.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var p captures.Packet
	for {
		switch err := r.Next(&p); {
		case err == io.EOF || errors.Is(err, captures.ErrCut):
			return list
		case err != nil:
			t.Fatal(err)
		}
		p.Data = bytes.Clone(p.Data)
		list = append(list, p)
	}
}

// odx runs odxray here and returns what it prints.
func odx(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(args, nil, &stdout, &stderr); code != exitOK {
		t.Fatalf("%q: status %d: %s", args, code, &stderr)
	}
	return stdout.String()
}

// TestLiveServer captures what smbclient does on a real smbd: a copy that the server makes
// is shown when it is over, and the file that is written holds what tcpdump's does, frame
// for frame.
func TestLiveServer(t *testing.T) {
	need(t, "tcpdump")
	client, server := wires(t)
	serve(t, server)
	dir := t.TempDir()
	own, other := filepath.Join(dir, "own.pcapng"), filepath.Join(dir, "other.pcap")
	dump := livetest.Command(client, "tcpdump", "-Z", "root", "-U", "-B", "32768", "-i", "near", "-w", other, "tcp port 445")
	dumped := started(t, dump)
	until(t, "tcpdump", func() bool { return strings.Contains(dumped(), "listening") })

	cmd := livetest.Command(client, program(t), "live", "-i", "near", "-w", own, "-T", "json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := started(t, cmd)
	until(t, "the file", func() bool { return sizeOf(own) > 0 })
	lines := make(chan string, 100)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
		close(lines)
	}()

	local := filepath.Join(dir, "local")
	if err := os.WriteFile(local, bytes.Repeat([]byte("odxray"), 1<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	livetest.Exec(t, client, "smbclient", "//10.77.0.2/s", "-N", "-c", "put "+local+" a; scopy a b; get b /dev/null")
	ended := time.Now()
	var shown struct {
		Copy json.RawMessage
	}
	for line := range lines {
		if err := json.Unmarshal([]byte(line), &shown); err != nil {
			t.Fatal(err)
		}
		if shown.Copy != nil {
			break
		}
	}
	t.Logf("shown %v after smbclient had ended", time.Since(ended).Round(time.Millisecond))
	want := strings.TrimSpace(odx(t, "copies", own, "-T", "json"))
	if string(shown.Copy) != want {
		t.Errorf("shown: %s\nin the file: %s", shown.Copy, want)
	}

	until(t, "all packets", func() bool { return len(framesOf(t, own)) == len(framesOf(t, other)) })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	last := ""
	for line := range lines { // to its end
		last = line
	}
	if want := `"complete":true,"problems":[]}}`; !strings.HasSuffix(last, want) {
		t.Errorf("%s, want … %s", last, want)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, said())
	}
	a, b := framesOf(t, own), framesOf(t, other)
	if len(a) != len(b) || len(a) < 100 {
		t.Fatalf("%d frames, tcpdump has %d", len(a), len(b))
	}
	// Two sockets need not see in one order what two cores send at once.
	inOrder := func(p, q captures.Packet) int { return bytes.Compare(p.Data, q.Data) }
	slices.SortFunc(a, inOrder)
	slices.SortFunc(b, inOrder)
	for i := range a {
		if !bytes.Equal(a[i].Data, b[i].Data) || a[i].WireLen != b[i].WireLen {
			t.Fatalf("tcpdump has other frames than this one: %x", a[i].Data[:min(len(a[i].Data), 80)])
		}
	}
	if want := fmt.Sprintf("odxray: %d packets", len(a)); !strings.Contains(said(), want) || !strings.Contains(said(), ", 0 dropped by the kernel") {
		t.Errorf("%q, want %q", said(), want)
	}
	if x, y := odx(t, "exchanges", own, "-T", "json"), odx(t, "exchanges", other, "-T", "json"); strings.Count(x, "\n") != strings.Count(y, "\n") {
		t.Errorf("%d exchanges, of tcpdump's file %d", strings.Count(x, "\n"), strings.Count(y, "\n"))
	}
}

// TestLiveKilled: whenever the process is killed, the file can be read up to the last
// record.
func TestLiveKilled(t *testing.T) {
	client, server := wires(t)
	self := program(t)
	for _, after := range []int64{1, 50_000, 1_000_000} {
		path := filepath.Join(t.TempDir(), "killed.pcapng")
		cmd := livetest.Command(client, self, "live", "-i", "near", "-w", path, "-f", "udp port 4791")
		started(t, cmd)
		until(t, "the file", func() bool { return sizeOf(path) > 0 })
		// Bounded: bash sends datagrams until the file is as long as it is to be.
		send := livetest.Command(server, "bash", "-c", "p=$(printf %01400d 0); for i in {1..20000}; do echo $p >/dev/udp/10.77.0.1/4791; done")
		started(t, send)
		until(t, "packets", func() bool { return sizeOf(path) > after })
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		_ = send.Process.Kill()
		list := framesOf(t, path)
		var bytes int64
		for i := range list {
			bytes += int64(len(list[i].Data))
		}
		if size := sizeOf(path); bytes < size*8/10-4096 {
			t.Errorf("of %d bytes %d are packets that can be read", size, bytes)
		}
	}
}

// TestLivePrivileges: without CAP_NET_RAW live says what it needs; with that alone it
// captures, and gives it up.
func TestLivePrivileges(t *testing.T) {
	client, _ := wires(t)
	if st, err := os.Stat("/proc/self/ns/net"); err != nil || st == nil {
		t.Skip("no /proc: ", err)
	}
	// A copy of the program where others may run it.
	dir := t.TempDir()
	self := filepath.Join(dir, "odxray")
	b, err := os.ReadFile(program(t))
	if err == nil {
		err = os.WriteFile(self, b, 0o755)
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err == nil {
			err = os.Chmod(d, 0o755)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	nobody := func(caps ...uintptr) *exec.Cmd {
		cmd := &exec.Cmd{Path: self, Args: []string{"odxray", "live", "-i", "near", "-a", "duration:60"}}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534, NoSetGroups: true}, AmbientCaps: caps}
		return cmd
	}
	var out []byte
	livetest.Within(t, client, func() { out, err = nobody().CombinedOutput() })
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Skip("the test's binary cannot be run by others: ", err)
	}
	if exit.ExitCode() != exitUnreadable || !bytes.Contains(out, []byte("sudo setcap cap_net_raw+ep ")) {
		t.Errorf("status %d: %s", exit.ExitCode(), out)
	}
	cmd := nobody(unix.CAP_NET_RAW)
	var said func() string
	livetest.Within(t, client, func() { said = started(t, cmd) })
	status := func() string {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		if err != nil {
			t.Fatal(err, said())
		}
		return string(b)
	}
	until(t, "privileges to be given up", func() bool {
		s := status()
		return strings.Contains(s, "CapEff:\t0000000000000000") && strings.Contains(s, "CapPrm:\t0000000000000000") &&
			strings.Contains(s, "CapAmb:\t0000000000000000") && strings.Contains(s, "NoNewPrivs:\t1")
	})
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(said(), "0 packets") {
		t.Errorf("%v: %s", err, said())
	}
}

// TestLiveRoCE plays SMB Direct over RoCEv2 onto a wire with large frames: all of it is
// captured, and gives what the file gives.
func TestLiveRoCE(t *testing.T) {
	need(t, "tcpreplay")
	dir := os.Getenv("ODXRAY_CAPTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "captures")
	}
	sources, _ := filepath.Glob(filepath.Join(dir, "own", "rocev2-*.pcap*"))
	sources = append(sources, filepath.Join("..", "..", "flows", "testdata", "rocev2.pcap"))
	client, server := wires(t)
	for _, end := range [][2]string{{client, "near"}, {server, "far"}} {
		livetest.Run(t, "ip -n "+end[0]+" link set "+end[1]+" mtu 9000")
		livetest.Run(t, "ip -n "+end[0]+" addr flush dev "+end[1]) // or it would answer
	}
	self := program(t)
	for _, source := range sources {
		list := framesOf(t, source)
		plain := filepath.Join(t.TempDir(), "plain.pcapng") // tcpreplay reads no zstd
		r, err := captures.Open(source)
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.Create(plain)
		if err != nil {
			t.Fatal(err)
		}
		w, err := captures.NewWriter(file, captures.WriterOptions{Like: r})
		for i := range list {
			if err == nil {
				err = w.Packet(&list[i])
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		file.Close()
		path := filepath.Join(t.TempDir(), "live.pcapng")
		cmd := livetest.Command(client, self, "live", "-i", "near", "-w", path, "-f", "", "-c", fmt.Sprint(len(list)), "--print", "exchanges", "-T", "json")
		var out bytes.Buffer
		cmd.Stdout = &out
		said := started(t, cmd)
		until(t, "the file", func() bool { return sizeOf(path) > 0 })
		livetest.Exec(t, server, "tcpreplay", "-q", "-M", "200", "-i", "far", plain)
		if err := cmd.Wait(); err != nil {
			t.Fatal(err, said())
		}
		got := framesOf(t, path)
		if len(got) != len(list) {
			t.Fatalf("%s: %d frames of %d", source, len(got), len(list))
		}
		for i := range got {
			if !bytes.Equal(got[i].Data, list[i].Data) {
				t.Fatalf("%s: frame %d is another", source, i+1)
			}
		}
		// But for the times, the same as from a file of the same frames.
		want := odx(t, "exchanges", path, "-T", "json")
		if out.String() != want {
			t.Errorf("%s: live found\n%s\nin the file is\n%s", source, &out, want)
		}
		if n := strings.Count(odx(t, "exchanges", source, "-T", "json"), "\n"); strings.Count(want, "\n") != n {
			t.Errorf("%s: %d exchanges were found, %d are in the file", source, strings.Count(want, "\n"), n)
		}
	}
}

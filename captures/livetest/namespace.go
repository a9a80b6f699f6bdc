//go:build linux

// Package livetest makes network namespaces for tests that capture.
package livetest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

var count atomic.Int32

// Namespace makes a network namespace with its loopback up, and deletes it after the
// test. It skips the test where that is not allowed.
func Namespace(t testing.TB) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make network namespaces")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip, of iproute2: ", err)
	}
	name := fmt.Sprintf("odxray-%d-%d", os.Getpid(), count.Add(1))
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		t.Skipf("no network namespaces here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if err := exec.Command("ip", "netns", "del", name).Run(); err != nil {
			t.Error(err)
		}
	})
	Run(t, "ip -n "+name+" link set lo up")
	return name
}

// Pair connects two namespaces, or one with itself, by a veth pair, and skips the test
// where there is none to be had.
func Pair(t testing.TB, a, nameA, b, nameB string) {
	t.Helper()
	if out, err := exec.Command("ip", "link", "add", nameA, "netns", a, "type", "veth", "peer", "name", nameB, "netns", b).CombinedOutput(); err != nil {
		t.Skipf("no veth pair here: %v: %s", err, out)
	}
	for _, end := range [][2]string{{a, nameA}, {b, nameB}} {
		Exec(t, end[0], "sysctl", "-qw", "net.ipv6.conf."+end[1]+".disable_ipv6=1") // it would talk by itself
		Run(t, "ip -n "+end[0]+" link set "+end[1]+" up")
	}
}

// Run runs a command of words.
func Run(t testing.TB, command string) {
	t.Helper()
	words := strings.Fields(command)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
}

// Exec runs a command in a namespace.
func Exec(t testing.TB, namespace string, args ...string) {
	t.Helper()
	if out, err := Command(namespace, args...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v: %s", args, err, out)
	}
}

// Command is a command in a namespace.
func Command(namespace string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", namespace}, args...)...)
}

// Within calls f on a thread that is in a namespace. Sockets made there stay there.
func Within(t testing.TB, namespace string, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		fd, err := unix.Open("/run/netns/"+namespace, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(fd, unix.CLONE_NEWNET)
			unix.Close(fd)
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

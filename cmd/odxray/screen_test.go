//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// screen is odxray in a terminal of its own, and all that it has written there.
type screen struct {
	t   *testing.T
	tty *os.File
	cmd *exec.Cmd
	out chan []byte
	all []byte
}

func openScreen(t *testing.T, home string, args ...string) *screen {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: self, Args: append([]string{"odxray"}, args...),
		Env: append(os.Environ(), "TERM=xterm-256color", "TMUX="+filepath.Join(home, "none")+",1,0", "XDG_STATE_HOME="+home, "XDG_CONFIG_HOME="+home)}
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		t.Skip("no pseudo-terminal: ", err)
	}
	s := &screen{t: t, tty: tty, cmd: cmd, out: make(chan []byte, 64)}
	go func() {
		defer close(s.out)
		for {
			b := make([]byte, 4096)
			n, err := tty.Read(b)
			if n > 0 {
				s.out <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		tty.Close()
	})
	return s
}

// sees waits until what was written since the last time holds text.
func (s *screen) sees(text string) {
	s.t.Helper()
	deadline := time.After(60 * time.Second)
	for {
		if i := bytes.Index(s.all, []byte(text)); i >= 0 {
			s.all = s.all[i+len(text):]
			return
		}
		select {
		case b, ok := <-s.out:
			if s.all = append(s.all, b...); !ok {
				s.t.Fatalf("it ended before %q:\n%q", text, s.end())
			}
		case <-deadline:
			s.t.Fatalf("%q did not come:\n%q", text, s.end())
		}
	}
}

// end returns the last of what was written.
func (s *screen) end() []byte {
	const most = 1000
	return s.all[max(len(s.all)-most, 0):]
}

func (s *screen) press(keys string) {
	s.t.Helper()
	if _, err := s.tty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// left waits for the end, and tells whether the terminal was left as it was found: out of
// the alternate screen, with its cursor and without mouse reports.
func (s *screen) left() *os.ProcessState {
	s.t.Helper()
	for b := range s.out {
		s.all = append(s.all, b...)
	}
	_ = s.cmd.Wait() // what it says is in the state
	for _, end := range []string{"\x1b[?1049l", "\x1b[?25h", "\x1b[?1000l", "\x1b[?2004l"} {
		if !bytes.Contains(s.all, []byte(end)) {
			s.t.Errorf("%q was not undone:\n%q", end, s.end())
		}
	}
	return s.cmd.ProcessState
}

// TestScreen: in a real terminal, from the first screen to the byte of a field in six keys;
// the field goes to the clipboard, a filter is typed, and the terminal left as it was.
func TestScreen(t *testing.T) {
	sample := filepath.Join("..", "..", "captures", "samples", "copy-sparse2.snoop")
	home := t.TempDir()
	s := openScreen(t, home, sample)
	s.sees("Story of copy 1")
	s.press(":50\r\rG")
	s.sees("TransferLength: 16777216")
	s.press("yy")
	const field = "VHJhbnNmZXJMZW5ndGg6IDE2Nzc3MjE2" // TransferLength: 16777216, in base 64
	s.sees("\x1b]52;c;" + field)
	s.sees("\x1bPtmux;\x1b\x1b]52;c;" + field + "\a\x1b\\")
	s.press("\\smb2.cmd == CREATE\r")
	s.sees("of 339")
	s.press("Q")
	if state := s.left(); !state.Success() {
		t.Errorf("it ended with %v", state)
	}
	s = openScreen(t, home, sample) // and goes on where it was
	s.sees("frame 40")              // the one that the filter left near it
	s.sees("filter: smb2.cmd == CREATE")
	s.press("Q")
	s.left()
}

// TestScreenTerminated: a signal leaves the terminal as it was too.
func TestScreenTerminated(t *testing.T) {
	s := openScreen(t, t.TempDir(), "demo")
	s.sees("Story of copy 1")
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if state := s.left(); state.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", state)
	}
}

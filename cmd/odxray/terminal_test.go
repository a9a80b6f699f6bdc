//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/creack/pty"
)

// TestTerminal: where output is a terminal, a file and the demo open in the UI, and Q
// ends it.
func TestTerminal(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sample := filepath.Join("..", "..", "captures", "samples", "copy-sparse2.snoop")
	for _, args := range [][]string{{"odxray", sample}, {"odxray", "demo"}} {
		cmd := &exec.Cmd{Path: self, Args: args, Env: append(os.Environ(), "TERM=xterm-256color", "XDG_STATE_HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())}
		tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 30, Cols: 120})
		if err != nil {
			t.Skip("no pseudo-terminal: ", err)
		}
		screen, b := []byte(nil), make([]byte, 4096)
		for !bytes.Contains(screen, []byte("Story of copy 1")) {
			n, err := tty.Read(b)
			screen = append(screen, b[:n]...)
			if err != nil {
				t.Fatalf("%v: %v after\n%q", args, err, screen)
			}
		}
		if _, err := tty.WriteString("Q"); err != nil {
			t.Error(err)
		}
		for err == nil { // until the other side is closed
			_, err = tty.Read(b)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		tty.Close()
	}
}

package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/flows"
)

// halfRead is a capture of which half has been read, and cannot be read again.
type halfRead struct{ captures.Source }

func (halfRead) Progress() (done, size int64) { return 5e8, 1e9 }
func (halfRead) Info() captures.FileInfo      { return captures.FileInfo{Spool: "/var/cache"} }

// TestProgress: a pass that takes its time shows on a terminal how far it is, and where a copy
// is kept of what it reads.
func TestProgress(t *testing.T) {
	user, terminal, err := pty.Open()
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	defer user.Close()
	defer terminal.Close()
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	c := flows.New(halfRead{}, flows.Options{})
	a := &app{out: newOutput(io.Discard), stderr: terminal, capture: c}
	stop := a.progress()
	shown := ""
	for b := make([]byte, 512); !strings.Contains(shown, "50%"); {
		n, err := user.Read(b)
		if err != nil {
			t.Fatalf("%v after %q", err, shown)
		}
		shown += string(b[:n])
	}
	stop()
	if !strings.Contains(shown, "reading") || !strings.Contains(shown, "kept in /var/cache until odxray ends, 4 GB at most") {
		t.Errorf("%q", shown)
	}

	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	a.stderr = null
	a.progress()() // no terminal: nothing to stop
}

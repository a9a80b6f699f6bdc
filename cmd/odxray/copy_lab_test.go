package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/odxray/odxray/replay/copies"
	"github.com/odxray/odxray/replay/server"
	"github.com/odxray/odxray/replay/server/servertest"
)

// labCapture is what the lab server saw of a copy that odxray copy made: of a sparse
// gigabyte by offload, of a smaller file by any other method.
func labCapture(t *testing.T, method string, flags ...string) (capture, stdout string) {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "source"))
	if err != nil {
		t.Fatal(err)
	}
	size := int64(3_000_001)
	if method == string(copies.ODX) {
		size = 1<<30 + 12345
	}
	for _, off := range []int64{0, size / 2 &^ 4095, size - 50_000} {
		if _, err := f.WriteAt(bytes.Repeat([]byte("odxray"), 8000), off); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		t.Fatal(err)
	}
	capture = filepath.Join(t.TempDir(), method+".pcapng")
	share, stop := serveLab(t, dir, capture)
	t.Setenv("ODXRAY_PASSWORD", "secret")
	var text, stderr bytes.Buffer
	code := run(append([]string{"copy", "--method", method, share + "source", share + "copy"}, flags...), strings.NewReader(""), &text, &stderr)
	stop()
	if code != 0 {
		t.Fatalf("%s: status %d\n%s", method, code, stderr.String())
	}
	return capture, text.String()
}

// serveLab starts the lab server for a directory, and returns the URL of its share. stop
// ends it, so that the capture is whole.
func serveLab(t *testing.T, dir, capture string) (share string, stop func()) {
	t.Helper()
	store, err := server.OpenDir(dir)
	if err != nil {
		t.Skip(err) // Linux only
	}
	out, err := os.Create(capture)
	if err != nil {
		t.Fatal(err)
	}
	s := servertest.Start(t, server.Config{Store: store, Pcap: out})
	return "smb://" + servertest.User + "@" + s.Addr + "/share/", func() {
		s.Stop()
		if err := out.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	}
}

// TestCopyPrompt asks a person for the password, once for both ends.
func TestCopyPrompt(t *testing.T) {
	terminal, line, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo terminal: ", err)
	}
	defer terminal.Close()
	defer line.Close()
	for _, name := range []string{"ODXRAY_PASSWORD", "ODXRAY_NT_HASH"} {
		t.Setenv(name, "") // puts back what was there
		os.Unsetenv(name)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("content"), 0o666); err != nil {
		t.Fatal(err)
	}
	share, stop := serveLab(t, dir, filepath.Join(t.TempDir(), "c.pcapng"))
	defer stop()
	for typed, want := range map[string]int{"secret\n": 0, "wrong\n": 3} {
		if _, err := terminal.WriteString(typed); err != nil {
			t.Fatal(err)
		}
		var out, stderr bytes.Buffer
		code := run([]string{"copy", "--method", "plain", share + "a", share + "b"}, line, &out, &stderr)
		if code != want || strings.Count(stderr.String(), "Password of lab at 127.0.0.1: ") != 1 || strings.Contains(stderr.String(), typed[:5]) {
			t.Errorf("status %d, want %d\n%s%s", code, want, out.String(), stderr.String())
		}
	}
}

// TestCopyLab makes a copy by each method at the lab server and has odxray look at what
// the server saw: one whole copy by that method, and nothing worse than a note.
func TestCopyLab(t *testing.T) {
	for _, tt := range []struct {
		method string
		size   string
		flags  []string
		out    string // the beginning of what copy prints
	}{
		{"odx", "1073754169", []string{"--no-verify"}, "copied 1 GB by odx: 5 offload reads, 65 offload writes\n"},
		{"copychunk", "3000001", nil, "copied 2.86 MB by copychunk: 1 request of chunks\nverified: SHA-256 of both is "},
		{"duplicate-extents", "3000001", nil, "copied 2.86 MB by duplicate-extents: 1 range shared\nverified: SHA-256 of both is "},
		{"plain", "3000001", nil, "copied 2.86 MB by plain: 3 blocks read, 3 blocks written\nverified: SHA-256 of both is "},
	} {
		capture, out := labCapture(t, tt.method, tt.flags...)
		if !strings.HasPrefix(out, tt.out) {
			t.Errorf("%s prints\n%s", tt.method, out)
		}
		var table, findings, stderr bytes.Buffer
		code := run([]string{"copies", "-T", "csv", capture}, nil, &table, &stderr)
		rows, err := csv.NewReader(&table).ReadAll()
		if code != 0 || err != nil || len(rows) != 2 {
			t.Fatalf("%s: status %d, %v, %d rows\n%s", tt.method, code, err, len(rows), stderr.String())
		}
		got := make(map[string]string)
		for i, name := range rows[0] {
			got[name] = rows[1][i]
		}
		if got["method"] != tt.method || got["source_path"] != "source" || got["destination_path"] != "copy" || got["source_size"] != tt.size ||
			got["destination_size"] != tt.size || got["verdict"] != "complete" || got["covered"] != "0-"+tt.size {
			t.Errorf("%s: %v", tt.method, got)
		}
		if code := run([]string{"audit", "--fail-on", "warning", capture}, nil, &findings, &stderr); code != 0 || !strings.Contains(findings.String(), "0 errors, 0 warnings, ") {
			t.Errorf("%s: status %d\n%s%s", tt.method, code, findings.String(), stderr.String())
		}
	}
}

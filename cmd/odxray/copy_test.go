package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odxray/odxray/replay/smbdtest"
)

// TestCopySamba copies on a Samba of its own, as a user would.
func TestCopySamba(t *testing.T) {
	s := smbdtest.Start(t)
	if err := os.WriteFile(filepath.Join(s.Dir, "a file"), bytes.Repeat([]byte("content"), 1<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(s.Dir, "dir"), 0o777); err != nil {
		t.Fatal(err)
	}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(s.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	share := "smb://" + s.User + "@" + s.Addr + "/" + smbdtest.Shared
	const sum = "verified: SHA-256 of both is 496eefb7e52370376a2b136bfeaf184ae60a6847e95505c84811f3b4e3187790\n"
	for _, tt := range []struct {
		args string
		code int
		out  string // of standard output, all of it
		err  string // part of standard error
	}{
		{args: "--method copychunk SHARE/a%20file SHARE/dir/chunks", out: "copied 7 MB by copychunk: 1 request of chunks\nSUM"},
		{args: "--method plain SHARE/a%20file SHARE/plain", out: "copied 7 MB by plain: 7 blocks read, 7 blocks written\nSUM"},
		{args: "--method plain --no-verify SHARE/a%20file SHARE/fast", out: "copied 7 MB by plain: 7 blocks read, 7 blocks written\n"},
		{args: "--method plain --encrypt --dialect 3.0.2 SHARE/a%20file SHARE/sealed", out: "copied 7 MB by plain: 7 blocks read, 7 blocks written\nSUM"},
		{args: "--method plain SHARE/a%20file SHARE/plain", code: 2, err: "odxray: plain: the destination exists; --force replaces it\n"},
		{args: "--method copychunk --force SHARE/a%20file SHARE/plain", out: "copied 7 MB by copychunk: 1 request of chunks\nSUM"},
		{args: "--method plain --force SHARE/plain SHARE/plain", code: 2, err: "odxray: source and destination are the same file\n"},
		{args: "SHARE/a%20file SHARE/offloaded", code: 3, err: "odxray: the server does not copy by odx: it refused FSCTL_OFFLOAD_READ: a file: IOCTL: STATUS_INVALID_DEVICE_REQUEST (0xc0000010)\n"},
		{args: "--method plain SHARE/missing SHARE/x", code: 3, err: "odxray: missing: CREATE: STATUS_OBJECT_NAME_NOT_FOUND (0xc0000034)\n"},
		{args: "--method plain SHARE-not/x SHARE/x", code: 3, err: `share-not: TREE_CONNECT: STATUS_BAD_NETWORK_NAME (0xc00000cc)`},
		{args: "--method plain --password-file /nowhere SHARE/x SHARE/y", code: 3, err: "odxray: open /nowhere"},
		{args: "--method plain --nt-hash 00112233445566778899aabbccddeeff SHARE/x SHARE/y", code: 3, err: "SESSION_SETUP: STATUS_LOGON_FAILURE (0xc000006d)\n"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			args := []string{"copy"}
			if !strings.Contains(tt.args, "--password-file") {
				args = append(args, "--password-file", password)
			}
			var out, stderr bytes.Buffer
			code := run(append(args, strings.Fields(strings.ReplaceAll(tt.args, "SHARE", share))...), strings.NewReader(""), &out, &stderr)
			if want := strings.ReplaceAll(tt.out, "SUM", sum); code != tt.code || out.String() != want || !strings.Contains(stderr.String(), tt.err) {
				t.Errorf("status %d, want %d\n%s%s", code, tt.code, out.String(), stderr.String())
			}
			if strings.Contains(stderr.String(), s.Password) {
				t.Errorf("the password is shown:\n%s", stderr.String())
			}
		})
	}
}

package client

import (
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Target
		err  string
	}{
		{in: "smb://alice@server/share", want: Target{User: "alice", Host: "server", Port: "445", Share: "share"}},
		{in: "smb://LAB;alice@server:4455/share/dir/a%20file", want: Target{Domain: "LAB", User: "alice", Host: "server", Port: "4455", Share: "share", Path: `dir\a file`}},
		{in: `smb://LAB%5Calice@[::1]:1/IPC$`, want: Target{Domain: "LAB", User: "alice", Host: "::1", Port: "1", Share: "IPC$"}},
		{in: "smb://server", want: Target{Host: "server", Port: "445"}},
		{in: "smb://alice:secret@server/share", err: "no place"},
		{in: "smb://alice:secret@server:port/share", err: "cannot be read"},
		{in: "http://server/share", err: "smb://user@host/share"},
		{in: "server/share", err: "smb://user@host/share"},
		{in: "smb:///share", err: "smb://user@host/share"},
		{in: "smb://server/share/what?", err: ""},
		{in: "smb://server/share/what?x", err: "%3F"},
	} {
		got, err := ParseTarget(tt.in)
		switch {
		case tt.err != "":
			if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", tt.in, err)
			}
		case err != nil:
			t.Errorf("%s: %v", tt.in, err)
		case tt.want != (Target{}) && *got != tt.want:
			t.Errorf("%s: %+v", tt.in, got)
		}
	}
}

package captured

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/replay/client"
	"github.com/odxray/odxray/replay/server"
	"github.com/odxray/odxray/replay/server/servertest"
)

func wantStatus(t *testing.T, what string, err error, want smb2.Status) {
	t.Helper()
	if got, ok := client.StatusOf(err); !ok || got != want {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// small is a capture of one client that writes and reads a file.
func small(t *testing.T) *flows.Capture {
	path := labCapture(t, func(address string) {
		p := arrives(t, address, "share")
		f, err := p.Create(within(t), "known", false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(within(t), []byte("what was written then"), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := f.ReadAt(within(t), make([]byte, 100), 0); err != io.EOF {
			t.Fatal(err)
		}
		if err := f.Close(within(t)); err != nil {
			t.Fatal(err)
		}
	})
	return capture(t, path, new(flows.Keys))
}

// reads reads n bytes at off as the captured client asks, in one request.
func reads(f *client.File, off uint64, n uint32) ([]byte, error) {
	m := smb2.ReadRequest{Length: n, Offset: off, File: f.File, MinimumCount: 1}
	a, err := f.Tree.Session.Do(context.Background(), &client.Request{Command: smb2.Read, TreeID: f.Tree.ID, Body: m.Append(nil)})
	if err != nil {
		return nil, err
	}
	if a.Status != ntstatus.Success {
		return nil, &client.StatusError{Status: a.Status}
	}
	return a.Body()[16:], nil
}

// TestUnmatched: what becomes of requests that the capture does not hold, and what is
// said of them in the end.
func TestUnmatched(t *testing.T) {
	c := small(t)
	t.Run("fail", func(t *testing.T) {
		script, address := serve(t, c, Fail, t.Logf)
		p := arrives(t, address, "share")
		_, err := p.Session.TreeConnect(within(t), `\\127.0.0.1\other`)
		wantStatus(t, "another share", err, ntstatus.BadNetworkName)
		_, err = p.OpenRead(within(t), "unknown")
		wantStatus(t, "another file", err, ntstatus.ObjectNameNotFound)
		f, err := p.Create(within(t), "KNOWN", false)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.QueryInfo(within(t), fscc.TypeFile, uint8(fscc.FileStandard), 24)
		wantStatus(t, "what was not asked", err, ntstatus.NotSupported)
		_, err = f.QueryInfo(within(t), fscc.TypeFile, uint8(fscc.FileStandard), 24)
		wantStatus(t, "what was not asked", err, ntstatus.NotSupported)
		for _, c := range []struct {
			off  uint64
			n    uint32
			want string
		}{{5, 10, "was writte"}, {16, 100, " then"}, {0, 1, "w"}} { // pieces of what was read at once
			if b, err := reads(f, c.off, c.n); string(b) != c.want {
				t.Errorf("%d bytes at %d: %q, %v", c.n, c.off, b, err)
			}
		}
		_, err = reads(f, 50, 10)
		wantStatus(t, "past the end", err, ntstatus.EndOfFile)
		_, err = reads(f, 200, 10)
		wantStatus(t, "what nobody read", err, ntstatus.NotSupported)
		if err := f.Close(within(t)); err != nil {
			t.Error(err)
		}
		wantStatus(t, "a file that is closed", f.Flush(within(t)), ntstatus.FileClosed)
		want := "13 requests: 7 answered from the capture (4 of them of pieces), 6 not in it and refused\n" +
			"  TREE_CONNECT other\n  CREATE share\\unknown: Open (if file exists open it, else fail), access 0x00120089\n" +
			"  QUERY_INFO share\\known: type 1, class 5 (2 times)\n  READ share\\known: offset 200, length 10\n  FLUSH share\\known\n" +
			"3 of the 6 requests of the capture were made; not those of frames "
		if got := told(t, script); !strings.HasPrefix(got, want) {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		if script.Missed() != 6 {
			t.Errorf("%d missed", script.Missed())
		}
	})
	t.Run("nearest", func(t *testing.T) {
		script, address := serve(t, c, Nearest, t.Logf)
		p := arrives(t, address, "other")
		f, err := p.OpenRead(within(t), "known")
		if err != nil {
			t.Fatal(err)
		}
		if b, err := reads(f, 200, 10); err != nil || !strings.HasPrefix(string(b), "what was written then") {
			t.Errorf("%q, %v", b, err)
		}
		_, err = p.OpenRead(within(t), "unknown")
		wantStatus(t, "another file", err, ntstatus.ObjectNameNotFound)
		_, err = f.QueryInfo(within(t), fscc.TypeFile, uint8(fscc.FileStandard), 24)
		wantStatus(t, "what has no like", err, ntstatus.NotSupported)
		if got := told(t, script); !strings.Contains(got, " not in it and given the nearest answer\n") {
			t.Error(got)
		}
	})
	t.Run("lab", func(t *testing.T) {
		script, address := serve(t, c, Lab, t.Logf)
		p := arrives(t, address, "share")
		f, err := p.Create(within(t), "known", false)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.QueryInfo(within(t), fscc.TypeFile, uint8(fscc.FileStandard), 24)
		wantStatus(t, "a file that the lab server does not have", err, ntstatus.ObjectNameNotFound)
		for _, name := range []string{"new", "known"} {
			m := smb2.CreateRequest{DesiredAccess: client.ReadAccess | client.WriteAccess, Disposition: smb2.OpenIf}
			g, err := p.Open(within(t), name, &m)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := g.WriteAt(within(t), []byte("of the lab"), 0); n != 10 {
				t.Error(n, err)
			}
			if b, err := reads(g, 3, 7); string(b) != "the lab" {
				t.Errorf("%q, %v", b, err)
			}
			if err := g.Close(within(t)); err != nil {
				t.Error(err)
			}
		}
		// The captured open goes on, and has the lab server's file behind it now.
		if b, err := reads(f, 0, 5); string(b) != "what " {
			t.Errorf("%q, %v", b, err)
		}
		if b, err := f.QueryInfo(within(t), fscc.TypeFile, uint8(fscc.FileStandard), 24); err != nil || len(b) < 16 || b[8] != 10 {
			t.Errorf("%x, %v", b, err)
		}
		if err := f.Close(within(t)); err != nil {
			t.Error(err)
		}
		if got := told(t, script); !strings.Contains(got, " not in it and left to the lab server\n") {
			t.Error(got)
		}
	})
}

// TestFaulty: the captured server goes wrong on purpose, too, on the files that a rule
// names.
func TestFaulty(t *testing.T) {
	r, err := Read(small(t))
	if err != nil {
		t.Fatal(err)
	}
	for rule, fails := range map[string]bool{
		"read:status=STATUS_DISK_FULL,file=known":   true,
		"read:status=STATUS_DISK_FULL,file=unknown": false,
	} {
		f, err := server.ParseFault(rule)
		if err != nil {
			t.Fatal(err)
		}
		lab := servertest.Start(t, server.Config{Script: New(r, Fail), Faults: []*server.Fault{f}})
		g, err := arrives(t, lab.Addr, "share").Create(within(t), "known", false)
		if err != nil {
			t.Fatal(err)
		}
		b, err := reads(g, 0, 4)
		if fails {
			wantStatus(t, rule, err, ntstatus.DiskFull)
		} else if string(b) != "what" {
			t.Errorf("%s: %q, %v", rule, b, err)
		}
	}
}

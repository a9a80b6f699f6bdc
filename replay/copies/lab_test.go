package copies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/replay/client"
	"github.com/odxray/odxray/replay/server"
	"github.com/odxray/odxray/replay/server/servertest"
)

// lab starts the lab server with files in memory, and connects to its share.
func lab(t *testing.T, cfg server.Config, who client.Credentials) *client.Tree {
	t.Helper()
	target, err := client.ParseTarget("smb://" + servertest.User + "@" + servertest.Start(t, cfg).Addr + "/share")
	if err != nil {
		t.Fatal(err)
	}
	who.Password = servertest.Password
	session, err := target.Dial(within(t), &client.Options{}, &who)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Conn.Close() })
	tree, err := session.TreeConnect(within(t), target.UNC())
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// write makes a file of size bytes that holds data at some places and nothing else.
func write(t *testing.T, tree *client.Tree, name string, size int64, at ...int64) {
	t.Helper()
	ctx := within(t)
	f, err := tree.Create(ctx, name, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Ioctl(ctx, fscc.SetSparse, nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(ctx, uint64(size)); err != nil {
		t.Fatal(err)
	}
	for _, off := range at {
		b := make([]byte, min(100_000, size-off))
		for i := range b {
			b[i] = byte(i>>3) ^ byte(off>>16) | 1
		}
		if _, err := f.WriteAt(ctx, b, off); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestLab makes every kind of copy at the lab server, which knows them all: of sizes
// that are multiples of nothing, of sparse files, with limits that take many calls, by
// each kind of token, signed and encrypted.
func TestLab(t *testing.T) {
	configs := map[string]struct {
		cfg server.Config
		who client.Credentials
	}{
		"strict":    {},
		"illumos":   {cfg: server.Config{ODX: server.ODX{Profile: server.Illumos}}},
		"signed":    {who: client.Credentials{Sign: true}},
		"encrypted": {cfg: server.Config{Encrypt: true}},
		"small":     {cfg: server.Config{ODX: server.ODX{TokenMax: 1 << 20, WriteMax: 64 << 10}}},
	}
	for name, c := range configs {
		t.Run(name, func(t *testing.T) {
			tree := lab(t, c.cfg, c.who)
			write(t, tree, "full", 250_001, 0, 100_000, 200_000)
			write(t, tree, "sparse", 5_000_123, 3_000_000, 4_999_000)
			write(t, tree, "empty", 0)
			write(t, tree, "byte", 1, 0)
			for _, m := range Methods() {
				for _, source := range []string{"full", "sparse", "empty", "byte"} {
					j := &Job{Method: Method(m), From: tree, To: tree, Source: source, Destination: source + " by " + m, Verify: true}
					if r, err := Copy(within(t), j); err != nil || r.SHA256 == "" {
						t.Errorf("%s: %v, %+v", j.Destination, err, r)
					}
				}
			}
		})
	}
}

// TestLabOneShot: a token that is good for one call moves no more than that call does.
func TestLabOneShot(t *testing.T) {
	tree := lab(t, server.Config{ODX: server.ODX{Profile: server.OneShot, WriteMax: 64 << 10}}, client.Credentials{})
	write(t, tree, "source", 250_001, 0, 100_000, 200_000)
	j := &Job{Method: ODX, From: tree, To: tree, Source: "source", Destination: "copy", Verify: true}
	r, err := Copy(within(t), j)
	if err != nil || r.Bytes != 250_001 || r.Reads < 4 || r.Reads != r.Writes {
		t.Errorf("%v, %+v", err, r)
	}
}

// TestLabLarge: a sparse gigabyte takes as many calls as the limits say, and no data.
func TestLabLarge(t *testing.T) {
	tree := lab(t, server.Config{}, client.Credentials{})
	const size = 1<<30 + 77
	write(t, tree, "source", size, 0, 500<<20, size-100)
	r, err := Copy(within(t), &Job{Method: ODX, From: tree, To: tree, Source: "source", Destination: "copy"})
	if err != nil || r.Bytes != size || r.Reads != 5 || r.Writes != 65 {
		t.Fatalf("%v, %+v", err, r)
	}
	for _, off := range []int64{0, 500 << 20, 500<<20 + 1<<17, size - 100} {
		sums := make([]string, 2)
		for i, name := range []string{"source", "copy"} {
			f, err := tree.OpenRead(within(t), name)
			if err != nil || f.EndOfFile != size {
				t.Fatalf("%s: %v, %+v", name, err, f)
			}
			b := make([]byte, min(1<<16, size-off))
			if _, err := f.ReadAt(within(t), b, off); err != nil {
				t.Fatal(err)
			}
			h := sha256.Sum256(b)
			sums[i] = hex.EncodeToString(h[:])
		}
		if sums[0] != sums[1] {
			t.Errorf("at %d: %q", off, sums)
		}
	}
}

// TestLabChanged: what is written to the source after its token was minted does not
// reach the copy: the server refuses, and the copy is removed.
func TestLabChanged(t *testing.T) {
	tree := lab(t, server.Config{ODX: server.ODX{WriteMax: 64 << 10}}, client.Credentials{})
	write(t, tree, "source", 250_001, 0, 100_000, 200_000)
	other, err := tree.Open(within(t), "source", changing)
	if err != nil {
		t.Fatal(err)
	}
	changed := false
	j := &Job{Method: ODX, From: tree, To: tree, Source: "source", Destination: "copy"}
	j.Progress = func(string, int64, int64) {
		if !changed {
			changed = true
			if _, err := other.WriteAt(within(t), []byte("new"), 100); err != nil {
				t.Error(err)
			}
		}
	}
	_, err = Copy(context.Background(), j)
	if status, _ := client.StatusOf(err); status != ntstatus.InvalidToken {
		t.Errorf("%v", err)
	}
	if _, err := tree.OpenRead(within(t), "copy"); err == nil {
		t.Error("the copy is left")
	} else if status, _ := client.StatusOf(err); status != ntstatus.ObjectNameNotFound {
		t.Error(fmt.Errorf("the copy: %w", err))
	}
}

// changing opens a file to write to it.
var changing = &smb2.CreateRequest{DesiredAccess: client.WriteAccess, Disposition: smb2.Open}

// TestLabTwoServers: a plain copy goes from one server to another; replacing a file
// there cannot be replacing the source.
func TestLabTwoServers(t *testing.T) {
	from, to := lab(t, server.Config{}, client.Credentials{}), lab(t, server.Config{Encrypt: true}, client.Credentials{})
	write(t, from, "file", 2_500_001, 0, 1_000_000, 2_400_001)
	for _, replace := range []bool{false, true} {
		j := &Job{Method: Plain, From: from, To: to, Source: "file", Destination: "file", Verify: true, Replace: replace}
		if r, err := Copy(within(t), j); err != nil || r.Bytes != 2_500_001 || r.SHA256 == "" {
			t.Errorf("replacing %v: %v, %+v", replace, err, r)
		}
	}
	dir, err := to.Open(within(t), "", &smb2.CreateRequest{DesiredAccess: client.ListAccess, Disposition: smb2.Open})
	if err != nil {
		t.Fatal(err)
	}
	if names, err := dir.List(within(t), "*", 10); err != nil || len(names) != 1 || names[0] != "file" {
		t.Errorf("%q, %v", names, err)
	}
}

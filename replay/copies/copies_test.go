package copies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/replay/client"
	"github.com/odxray/odxray/replay/smbdtest"
)

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// samba starts a server with a file of a size that is no multiple of anything, and
// connects to its share.
func samba(t *testing.T) (dir string, tree *client.Tree, content []byte) {
	s := smbdtest.Start(t)
	content = make([]byte, 20<<20+12345)
	for i := range content {
		content[i] = byte(i ^ i>>8 ^ i>>16)
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "source"), content, 0o666); err != nil {
		t.Fatal(err)
	}
	target, err := client.ParseTarget("smb://" + s.User + "@" + s.Addr + "/" + smbdtest.Shared)
	if err != nil {
		t.Fatal(err)
	}
	session, err := target.Dial(within(t), &client.Options{}, &client.Credentials{Password: s.Password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Conn.Close() })
	tree, err = session.TreeConnect(within(t), target.UNC())
	if err != nil {
		t.Fatal(err)
	}
	return s.Dir, tree, content
}

// TestSamba copies by the ways that Samba knows, and is refused the others.
func TestSamba(t *testing.T) {
	dir, tree, content := samba(t)
	sum := sha256.Sum256(content)
	job := func(m Method, to string) *Job {
		return &Job{Method: m, From: tree, To: tree, Source: "source", Destination: to, Verify: true}
	}
	for _, tt := range []struct {
		method        Method
		reads, writes int
	}{{CopyChunk, 0, 2}, {Plain, 21, 21}} {
		var stages []string
		j := job(tt.method, string(tt.method))
		j.Progress = func(stage string, done, of int64) {
			if done == of {
				stages = append(stages, stage)
			}
		}
		r, err := Copy(within(t), j)
		if err != nil || r.Bytes != int64(len(content)) || r.SHA256 != hex.EncodeToString(sum[:]) || r.Reads != tt.reads || r.Writes != tt.writes || len(stages) != 3 {
			t.Errorf("%s: %v, %+v, %q", tt.method, err, r, stages)
		}
		b, err := os.ReadFile(filepath.Join(dir, string(tt.method)))
		if err != nil || sha256.Sum256(b) != sum {
			t.Errorf("%s: %v, %d bytes", tt.method, err, len(b))
		}
	}
	for method, code := range map[Method]fscc.Code{ODX: fscc.OffloadRead, DuplicateExtents: fscc.DuplicateExtents} {
		_, err := Copy(within(t), job(method, "refused"))
		var e *RefusedError
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("%s: %v", method, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "refused")); !os.IsNotExist(err) {
			t.Errorf("%s: the destination is left: %v", method, err)
		}
	}

	if _, err := Copy(within(t), job(CopyChunk, "plain")); !errors.Is(err, ErrExists) {
		t.Errorf("over a file that is there: %v", err)
	}
	replace := job(CopyChunk, "plain")
	replace.Replace = true
	if r, err := Copy(within(t), replace); err != nil || r.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("in place of a file: %v", err)
	}
	for _, method := range []Method{ODX, DuplicateExtents} {
		replace.Method = method
		var e *RefusedError
		if _, err := Copy(within(t), replace); !errors.As(err, &e) {
			t.Errorf("%s in place of a file: %v", method, err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "plain")); err != nil || sha256.Sum256(b) != sum {
		t.Errorf("a refused copy has changed the destination: %v, %d bytes", err, len(b))
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.odxray-*")); left != nil {
		t.Errorf("left behind: %q", left)
	}
	if err := os.Link(filepath.Join(dir, "source"), filepath.Join(dir, "linked")); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"source", "linked"} {
		same := job(Plain, to)
		same.Replace = true
		if _, err := Copy(within(t), same); !errors.Is(err, ErrSame) {
			t.Errorf("onto itself as %s: %v", to, err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "source")); err != nil || sha256.Sum256(b) != sum {
		t.Errorf("the source has changed: %v, %d bytes", err, len(b))
	}
	empty(t, dir, tree)
	interrupted(t, dir, tree)
	missing := job(Plain, "x")
	missing.Source = "missing"
	if _, err := Copy(within(t), missing); err == nil {
		t.Error("a missing file is copied")
	}
}

// interrupted gives up in the middle, and leaves nothing behind.
func interrupted(t *testing.T, dir string, tree *client.Tree) {
	for _, m := range []Method{CopyChunk, Plain} {
		for _, stage := range []string{"copying", "reading the copy"} {
			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			j := &Job{Method: m, From: tree, To: tree, Source: "source", Destination: "given up", Verify: true}
			j.Progress = func(at string, done, of int64) {
				if at == stage {
					cancel()
				}
			}
			if _, err := Copy(ctx, j); !errors.Is(err, context.Canceled) {
				t.Errorf("%s, %s: %v", m, stage, err)
			}
			if _, err := os.Stat(filepath.Join(dir, "given up")); !os.IsNotExist(err) {
				t.Errorf("%s, %s: the destination is left: %v", m, stage, err)
			}
		}
	}
}

// empty copies a file of no bytes, which needs no calls.
func empty(t *testing.T, dir string, tree *client.Tree) {
	if err := os.WriteFile(filepath.Join(dir, "empty"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, m := range Methods() {
		r, err := Copy(within(t), &Job{Method: Method(m), From: tree, To: tree, Source: "empty", Destination: "to-" + m, Verify: true})
		if err != nil || r.Bytes != 0 || r.SHA256 != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
			t.Errorf("%s: %v, %+v", m, err, r)
		}
	}
}

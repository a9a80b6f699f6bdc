package flows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows/flowtest"
	"github.com/odxray/odxray/rdma/iwarp"
)

// A pass that may take little memory moves its index to a file, forgets the oldest stories,
// and the oldest frames where it can have no file, says so, and still knows the newest.
func TestMaxMemory(t *testing.T) {
	var made flowtest.Capture
	client := made.Login("10.0.0.1:50000", "10.0.0.2:445", `\\fs\share`)
	const copies = 7
	for i := range copies {
		from, to := client.Open(fmt.Sprint("from", i), 1<<30), client.New(fmt.Sprint("to", i))
		token := flowtest.NewToken(byte(i), 1, 2)
		client.OffloadRead(from, 0, 1<<30, 1<<30, token)
		for k := range uint64(1000) {
			client.OffloadWrite(to, k<<20, 1<<20, k<<20, token, 1<<20)
		}
		client.Close(from)
		client.Close(to)
	}
	file := flowtest.Write(t, "copies.pcapng", made.Packets)

	open := func(max uint64) *Capture {
		c, err := Open([]string{file}, Options{Index: true, MaxMemory: max})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if err := c.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return c
	}
	whole := open(0)
	if p := whole.Results().Problems; len(p) > 0 {
		t.Errorf("without a limit: %s", p)
	}
	same := func(t *testing.T, little *Capture, n int) {
		t.Helper()
		var row, want Row
		var tree, wantTree wire.Tree
		if err := errors.Join(whole.Row(n, &want), whole.Detail(n, &wantTree)); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(little.Row(n, &row), little.Detail(n, &tree)); err != nil || row != want || !slices.Equal(tree.Nodes, wantTree.Nodes) {
			t.Errorf("frame %d: %q, %v; with more memory %q", n, row.Info, err, want.Info)
		}
	}
	check := func(t *testing.T, little *Capture) (problems string) {
		t.Helper()
		for i, y := range little.Results().Copies {
			if want := whole.Results().Copies[i]; y.Bytes != want.Bytes || y.Verdict != want.Verdict || y.Writes != want.Writes {
				t.Errorf("copy %d: %d bytes by %d calls, %v; with more memory %d by %d, %v", y.ID, y.Bytes, y.Writes, y.Verdict, want.Bytes, want.Writes, want.Verdict)
			}
		}
		same(t, little, whole.Frames())
		if !little.Results().Incomplete {
			t.Error("it is not said to be incomplete")
		}
		return strings.Join(little.Results().Problems, "\n")
	}

	t.Run("with a file", func(t *testing.T) {
		dir := t.TempDir()
		t.Setenv("XDG_CACHE_HOME", dir)
		t.Setenv("HOME", dir)
		little := open(1 << 20)
		if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				t.Errorf("%s stays behind", path)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
		if !mapsFiles {
			t.Skip("files cannot be mapped here")
		}
		problems := check(t, little)
		if !strings.Contains(problems, "copies were forgotten") || !strings.Contains(problems, "index of frames 1 to ") || strings.Contains(problems, "cannot be looked at") {
			t.Errorf("problems: %s", problems)
		}
		for _, n := range []int{1, 2, chunkSize - 1, chunkSize, chunkSize + 1, whole.Frames() / 2} {
			same(t, little, n)
		}
	})
	t.Run("without", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "no directory")
		if err := os.WriteFile(dir, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		t.Setenv("XDG_CACHE_HOME", dir)
		t.Setenv("HOME", dir)
		little := open(1 << 20)
		if problems := check(t, little); !strings.Contains(problems, "frames 1 to ") || !strings.Contains(problems, "cannot be looked at") {
			t.Errorf("problems: %s", problems)
		}
		var row Row
		if little.Row(1, &row) == nil {
			t.Errorf("frame 1 is still known: %s", row.Info)
		}
	})
}

// TestSpill: a file takes what it may and no more, and what it has taken is there.
func TestSpill(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	s := spill{most: 2 * spillBlock}
	var at [][]byte
	for i := 0; ; i++ {
		b, err := s.move(bytes.Repeat([]byte{byte(i)}, 3<<20))
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip("files cannot be mapped here")
		}
		if err != nil {
			if !errors.Is(err, errSpillFull) {
				t.Fatal(err)
			}
			break
		}
		at = append(at, b)
	}
	if len(at) != 2*(spillBlock/(3<<20)) {
		t.Errorf("%d of 3 MiB in two blocks of 16", len(at))
	}
	for i, b := range at {
		if len(b) != 3<<20 || b[0] != byte(i) || b[len(b)-1] != byte(i) {
			t.Fatalf("the %dth is not there", i)
		}
		b[0] = 255 // it may be written to
	}
	if _, err := s.move([]byte{1}); err == nil {
		t.Error("it takes more after it was full")
	}
	s.leave(at[1])
	if b, err := s.move(bytes.Repeat([]byte{99}, 3<<20)); err != nil || &b[0] != &at[1][0] || b[1<<20] != 99 {
		t.Errorf("a place that was left is not taken: %v", err)
	}
}

// TestSpillable: what moves to a file has no pointers.
func TestSpillable(t *testing.T) {
	for _, of := range []reflect.Type{reflect.TypeFor[indexedFrame](), reflect.TypeFor[indexedMessage](), reflect.TypeFor[indexedSend](), reflect.TypeFor[indexedRun]()} {
		for i := range of.NumField() {
			switch f := of.Field(i); f.Type.Kind() {
			case reflect.Pointer, reflect.Slice, reflect.String, reflect.Map, reflect.Interface, reflect.Chan, reflect.Func, reflect.UnsafePointer:
				t.Errorf("%s has a %s", of, f.Type)
			case reflect.Struct:
				if f.Type != reflect.TypeFor[iwarp.Layout]() {
					t.Errorf("%s: has a %s pointers?", of, f.Type)
				}
			}
		}
	}
}

// TestSpillFull: where the file is full, the place of the oldest frames is for newer ones.
func TestSpillFull(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	ix := &index{file: &spill{most: spillBlock}}
	for i := range 200 * chunkSize {
		ix.frames.add(indexedFrame{time: int64(i)})
	}
	for ix.spill() {
	}
	if errors.Is(ix.file.err, errors.ErrUnsupported) {
		t.Skip("files cannot be mapped here")
	}
	full := ix.frames.spilled
	if !errors.Is(ix.file.err, errSpillFull) || full < 100*chunkSize {
		t.Fatal(full, ix.file.err)
	}
	if ix.forget(); !ix.spill() || ix.spill() || ix.frames.spilled != full+chunkSize || ix.frames.gone != chunkSize {
		t.Errorf("%d moved after %d, and %d are gone", ix.frames.spilled, full, ix.frames.gone)
	}
	for i := chunkSize; i < ix.frames.n; i += chunkSize / 2 {
		if got := ix.frames.at(i).time; got != int64(i) {
			t.Fatalf("frame %d is %d", i, got)
		}
	}
}

package captures

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// large is a capture of some mappings' steps, of n packets.
func large(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 9000)
	for i := range n {
		data[0], data[1] = byte(i), byte(i>>8)
		size := 60 + i*37%8000
		if err := w.Packet(&Packet{Time: int64(i + 1), Link: 1, WireLen: size, Data: data[:size]}); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// all reads packets by batches to the end; step is called after each.
func all(t *testing.T, r *Reader, step func()) (packets []Packet, err error) {
	t.Helper()
	var b Batch
	for {
		if err := r.ReadBatch(&b); err != nil {
			return packets, err
		}
		for _, p := range b.Packets {
			p.Data = bytes.Clone(p.Data)
			packets = append(packets, p)
		}
		b.Release()
		step()
	}
}

// TestMap: a file that is mapped gives what one that is read does, at every end, also
// if it grows meanwhile.
func TestMap(t *testing.T) {
	whole := large(t, 900)
	if len(whole) < 3*mapStep {
		t.Fatal(len(whole))
	}
	for _, size := range []int{len(whole), len(whole) - 1, mapStep, 2*mapStep + 17, mapLeast - 1} {
		for _, grows := range []bool{false, true} {
			file := filepath.Join(t.TempDir(), "x")
			if err := os.WriteFile(file, whole[:size], 0o666); err != nil {
				t.Fatal(err)
			}
			final := whole[:size]
			step := func() {}
			if grows {
				final, step = whole, func() { _ = os.WriteFile(file, whole, 0o666) }
			}
			plain, err := NewReader(bytes.NewReader(final), file)
			if err != nil {
				t.Fatal(err)
			}
			want, wantErr := all(t, plain, func() {})
			r, err := OpenWith(file, Options{Map: true})
			if err != nil {
				t.Fatal(err)
			}
			step()
			got, err := all(t, r, func() {})
			if len(got) != len(want) || errors.Is(err, io.EOF) != errors.Is(wantErr, io.EOF) || errors.Is(err, ErrCut) != errors.Is(wantErr, ErrCut) {
				t.Fatalf("%d bytes, grows %v: %d packets, %v; read: %d, %v", size, grows, len(got), err, len(want), wantErr)
			}
			for i := range got {
				if got[i].Pos != want[i].Pos || got[i].Number != want[i].Number || !bytes.Equal(got[i].Data, want[i].Data) {
					t.Fatalf("%d bytes: packet %d: %d bytes at %d; read: %d at %d", size, i+1, len(got[i].Data), got[i].Pos, len(want[i].Data), want[i].Pos)
				}
			}
			if done, _ := r.Progress(); done != int64(len(final)) {
				t.Errorf("%d bytes, grows %v: read %d of %d", size, grows, done, len(final))
			}
			r.Close()
		}
	}
}

// TestMapShrinks: what a file has lost since it was opened is missing, and nothing else
// happens.
func TestMapShrinks(t *testing.T) {
	whole := large(t, 900)
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, whole, 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := OpenWith(file, Options{Map: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := all(t, r, func() { _ = os.Truncate(file, mapStep+mapStep/2) })
	if len(got) == 0 || len(got) > 600 || !errors.Is(err, ErrCut) {
		t.Errorf("%d packets, %v", len(got), err)
	}
}

package flows

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/odxray/odxray/captures"
)

// TestWrite: frames that are written are those of the capture, with comments.
func TestWrite(t *testing.T) {
	c := indexed(t, "../captures/samples/copy-sparse2.snoop")
	var out bytes.Buffer
	wrote := 0
	err := c.Write(context.Background(), &out, []int{46, 48, 50}, func(n int) []string { return []string{"a comment"} }, func(n int) { wrote = n })
	if err != nil || wrote != 3 {
		t.Fatalf("wrote %d: %v", wrote, err)
	}
	r, err := captures.NewReader(bytes.NewReader(out.Bytes()), "x")
	if err != nil {
		t.Fatal(err)
	}
	var b captures.Batch
	var got []int64
	for {
		if err := r.ReadBatch(&b); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, p := range b.Packets {
			got = append(got, p.Time)
		}
		b.Release()
	}
	for i, n := range []int{46, 48, 50} {
		var row Row
		if err := c.Row(n, &row); err != nil || len(got) != 3 || row.Time != got[i] {
			t.Errorf("frame %d: times %v, want %d", n, got, row.Time)
		}
	}
	if err := c.Write(context.Background(), io.Discard, []int{340}, nil, func(int) {}); err == nil {
		t.Error("wrote a frame that is not there")
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Write(done, io.Discard, []int{1}, nil, func(int) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

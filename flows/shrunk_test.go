package flows

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/flows/flowtest"
)

// TestShrunk: a capture that is made shorter while it is analysed ends there, with a word
// of it, and what was found before remains.
func TestShrunk(t *testing.T) {
	var made flowtest.Capture
	n := made.Login("10.0.0.1:50000", "10.0.0.2:445", "share")
	f := n.Open("big.bin", 4<<20)
	for i := range uint64(4) {
		n.Read(f, i<<20, make([]byte, 1<<20))
	}
	file := written(t, &made)
	c, err := Open([]string{file}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.List(context.Background(), nil, nil, func(r *Row) bool {
		if r.Frame == 200 {
			if err := os.Truncate(file, 4096); err != nil {
				t.Fatal(err)
			}
		}
		return true
	})
	if !errors.Is(err, captures.ErrCut) {
		t.Errorf("%v", err)
	}
	if r := c.Results(); !r.Unread || r.Frames < 200 {
		t.Errorf("%d frames, %v", r.Frames, r.Problems)
	}
}

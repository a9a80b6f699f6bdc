package samples

import (
	"io"
	"testing"

	"github.com/odxray/odxray/captures"
)

// TestSamples reads every sample to its end.
func TestSamples(t *testing.T) {
	frames := map[string]int{Demo: 339}
	if len(Names()) != len(frames) {
		t.Errorf("samples are %v", Names())
	}
	for name, want := range frames {
		r, err := Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var p captures.Packet
		n := 0
		for err = r.Next(&p); err == nil; err = r.Next(&p) {
			n++
		}
		if n != want || err != io.EOF {
			t.Errorf("%s: %d frames, %v", name, n, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := Open("no such sample"); err == nil {
		t.Error("opened a sample that is not there")
	}
}

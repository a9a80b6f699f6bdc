package flows_test

import (
	"context"
	"slices"
	"testing"

	"github.com/odxray/odxray/dissect/filter"
	"github.com/odxray/odxray/flows"
)

// What is chosen from the index is what a pass selects.
func TestChoose(t *testing.T) {
	paths := []string{"../captures/samples/copy-sparse2.snoop"}
	index, err := flows.Open(paths, flows.Options{Index: true})
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	if err := index.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, src := range []string{
		"smb2.cmd == IOCTL",
		"smb2.fsctl.odx.copy_length > 100MB or smb2.nt_status >= 0xC0000000",
		"tcp.analysis.retransmission",
		"not smb2",
		`smb2.filename contains "partial" and smb2.cmd == CREATE`,
		`smb2 contains 0a:00 || tcp.len > 700`,
		"frame.number in {50, 76..80}",
		"smb2.time > 40ms",
		"nbss",
		`smb2 matches "sparse"`,
	} {
		f, err := filter.Compile(src, flows.Fields())
		if err != nil {
			t.Fatal(err)
		}
		var want, got []int
		each(t, paths, f, func(c *flows.Capture) error {
			return c.List(context.Background(), nil, nil, func(r *flows.Row) bool {
				want = append(want, r.Frame)
				return true
			})
		})
		frame := index.ChooseFrames(f)
		for n := range index.Frames() {
			if frame(n + 1) {
				got = append(got, n+1)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: frames %v, want %v", src, got, want)
		}
		want, got = nil, nil
		each(t, paths, f, func(c *flows.Capture) error {
			return c.EachExchange(context.Background(), func(x *flows.Exchange) bool {
				want = append(want, x.ID)
				return true
			})
		})
		exchange := index.ChooseExchanges(f)
		for i := range index.Exchanges() {
			if exchange(i) {
				var x flows.Exchange
				index.Exchange(i, &x)
				got = append(got, x.ID)
			}
		}
		slices.Sort(want) // they end in another order
		if !slices.Equal(got, want) {
			t.Errorf("%s: exchanges %v, want %v", src, got, want)
		}
		t.Logf("%s: %d exchanges", src, len(got))
	}
}

func each(t *testing.T, paths []string, f *filter.Filter, use func(*flows.Capture) error) {
	t.Helper()
	c, err := flows.Open(paths, flows.Options{Filter: f})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := use(c); err != nil {
		t.Fatal(err)
	}
}

package report

import (
	"context"
	"io"
	"testing"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/flowtest"
)

// TestListAllocates next to nothing for a frame: a list of twice as many frames takes
// hardly more than one of half of them. Text allocates the Info column.
func TestListAllocates(t *testing.T) {
	short, frames := reads(t, 100)
	long, more := reads(t, 1100)
	columns, _ := Columns(flows.Fields(), []string{"frame.number", "ip.src", "tcp.stream", "smb2.cmd", "smb2.filename"})
	for _, tt := range []struct {
		o    ListOptions
		most float64 // allocations a frame
	}{
		{ListOptions{Format: Fields, Columns: columns, Separator: '\t', Aggregator: ',', Occurrence: 'a', Raw: true}, 0.01},
		{ListOptions{Format: Text, Time: Relative}, 1.01},
		{ListOptions{Format: JSON}, 1.01},
	} {
		allocations := func(file string) float64 {
			return testing.AllocsPerRun(1, func() {
				c, err := flows.Open([]string{file}, flows.Options{Bare: tt.o.Format == Fields})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if err := List(context.Background(), io.Discard, c, tt.o); err != nil {
					t.Fatal(err)
				}
			})
		}
		if n := (allocations(long) - allocations(short)) / float64(more-frames); n > tt.most {
			t.Errorf("%s: %.2f allocations a frame", tt.o.Format, n)
		}
	}
}

// reads makes a capture of so many READs.
func reads(t *testing.T, n int) (file string, frames int) {
	var made flowtest.Capture
	client := made.Login("10.0.0.1:50000", "10.0.0.2:445", `\\fs\share`)
	data := make([]byte, 5000)
	from := client.Open("from", 1<<20)
	for range n {
		client.Read(from, 0, data)
	}
	return flowtest.Write(t, "reads.pcapng", made.Packets), len(made.Packets)
}

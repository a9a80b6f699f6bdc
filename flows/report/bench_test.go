package report

import (
	"context"
	"io"
	"os"
	"testing"

	"github.com/odxray/odxray/flows"
)

// BenchmarkList prints the capture that ODXRAY_BENCH names, in every format; see
// bench/generate.
func BenchmarkList(b *testing.B) {
	path := os.Getenv("ODXRAY_BENCH")
	if path == "" {
		b.Skip("ODXRAY_BENCH names no capture")
	}
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	columns, _ := Columns(flows.Fields(), []string{"frame.number", "frame.time_epoch", "ip.src", "ip.dst", "tcp.stream", "smb2.cmd", "smb2.msg_id", "smb2.nt_status"})
	for _, o := range []ListOptions{
		{Format: Text, Time: Relative},
		{Format: Fields, Columns: columns, Separator: '\t', Aggregator: ',', Occurrence: 'a', Raw: true},
		{Format: JSON},
	} {
		b.Run(string(o.Format), func(b *testing.B) {
			b.SetBytes(st.Size())
			b.ReportAllocs()
			for b.Loop() {
				c, err := flows.Open([]string{path}, flows.Options{Bare: o.Format == Fields})
				if err != nil {
					b.Fatal(err)
				}
				if err := List(context.Background(), io.Discard, c, o); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(c.Results().Frames), "frames")
				c.Close()
			}
		})
	}
}

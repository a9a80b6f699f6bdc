package report

import (
	"context"
	"io"
	"os"
	"testing"

	"github.com/odxray/odxray/dissect/filter"
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
				c, err := flows.Open([]string{path}, flows.Options{Bare: o.Format == Fields, FieldsOnly: o.Format == Fields})
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

// BenchmarkFilter lists that capture with filters. None costs more than twice the list
// without one.
func BenchmarkFilter(b *testing.B) {
	path := os.Getenv("ODXRAY_BENCH")
	if path == "" {
		b.Skip("ODXRAY_BENCH names no capture")
	}
	for _, src := range []string{
		"", "smb2.cmd == READ", "smb2.filename contains \"a\" || smb2.nt_status == STATUS_ACCESS_DENIED", "ip.addr == 10.0.0.0/8 && tcp.port == 445",
		"smb2.ioctl.function == FSCTL_OFFLOAD_READ", "frame contains \"needle\"",
	} {
		b.Run(src, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var o flows.Options
				if src != "" {
					f, err := filter.Compile(src, flows.Fields())
					if err != nil {
						b.Fatal(err)
					}
					o.Filter = f
				}
				c, err := flows.Open([]string{path}, o)
				if err != nil {
					b.Fatal(err)
				}
				if err := List(context.Background(), io.Discard, c, ListOptions{Format: Text, Time: Relative}); err != nil {
					b.Fatal(err)
				}
				c.Close()
			}
		})
	}
}

package flows

import (
	"context"
	"os"
	"testing"
)

// BenchmarkAnalyze runs a whole pass over the capture that ODXRAY_BENCH names; see
// bench/generate.
func BenchmarkAnalyze(b *testing.B) {
	path := os.Getenv("ODXRAY_BENCH")
	if path == "" {
		b.Skip("ODXRAY_BENCH names no capture")
	}
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	var keys *Keys
	if f, err := os.Open(path + ".keys"); err == nil {
		defer f.Close()
		keys = new(Keys)
		if err := keys.AddFile(f); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(st.Size())
	b.ReportAllocs()
	for b.Loop() {
		c, err := Open([]string{path}, Options{Keys: keys})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Run(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(c.Results().Frames), "frames")
		c.Close()
	}
}

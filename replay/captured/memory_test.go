package captured

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/odxray/odxray/flows"
)

// heap is what is in use after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemory: what was read and written stays in the capture file; what is kept is the
// index and a line a request.
func TestMemory(t *testing.T) {
	const size = 16 << 20
	data := bytes.Repeat([]byte("0123456789abcde\n"), size/16)
	copyOf := func(p *person) []byte {
		f, err := p.Create(within(t), "large", false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(within(t), data, 0); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, size)
		if _, err := f.ReadAt(within(t), got, 0); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		return got
	}
	path := labCapture(t, func(address string) { copyOf(arrives(t, address, "share")) })
	before := heap()
	c := capture(t, path, new(flows.Keys))
	script, address := serve(t, c, Fail, func(string, ...any) {})
	if after := heap(); after > before+12<<20 { // one message is gathered at a time
		t.Errorf("%d bytes are held of a capture with %d of data", after-before, 2*size)
	}
	if got := copyOf(arrives(t, address, "share")); !bytes.Equal(got, data) {
		t.Error("other data came")
	}
	if script.Missed() > 0 {
		t.Error(told(t, script))
	}
	runtime.KeepAlive(c)
}

// BenchmarkRead measures what a Recording takes, a request.
func BenchmarkRead(b *testing.B) {
	c := capture(b, own(b, "torture_smb2_dir.pcap.zst"), new(flows.Keys))
	for b.Loop() {
		before := heap()
		r, err := Read(c)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(heap()-before)/float64(len(r.steps)), "B/request")
		runtime.KeepAlive(r)
	}
}

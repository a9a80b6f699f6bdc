package flows_test

import (
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
	"github.com/odxray/odxray/flows/flowtest"
)

// offload copies one file with so many calls, 16 writes a token, and returns what the
// analysis of that keeps, in bytes.
func offload(calls int) (kept uint64, r *flows.Results) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	a := flows.NewAnalyzer(flows.Options{})
	c := new(flowtest.Capture)
	feed := func() {
		for i := range c.Packets {
			a.Packet(&c.Packets[i])
		}
		c.Packets = c.Packets[:0]
	}
	const piece = 1 << 20
	size := uint64(calls) * piece
	s := c.Login("10.0.0.1:50000", "10.0.0.9:445", `\\server\share`)
	src, dst := s.Open("src", size), s.New("dst")
	s.SetSize(dst, size)
	for at := uint64(0); at < size; {
		n := min(size-at, 16*piece)
		var id [8]byte
		binary.BigEndian.PutUint64(id[:], at)
		t := flowtest.NewToken(id[:]...)
		s.OffloadRead(src, at, n, n, t)
		for done := uint64(0); done < n; done += piece {
			s.OffloadWrite(dst, at+done, n-done, done, t, piece)
		}
		at += n
		feed()
	}
	a.Flush()
	kept = heap() - before
	r = a.Results()
	r.Done = true
	runtime.KeepAlive(a)
	return kept, r
}

// TestManyCalls: a copy of many calls is one copy, good, and kept in little space.
func TestManyCalls(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	some, r := offload(10_000)
	if len(r.Copies) != 1 || r.Copies[0].Verdict != flows.Complete || r.Copies[0].Bytes != 10_000<<20 {
		t.Errorf("not one whole copy: %+v", r.Copies)
	}
	for _, f := range audit.Judge(r) {
		if f.Level > flows.Note {
			t.Errorf("%v %s: %s", f.Level, f.Rule, f.Message)
		}
	}
	t.Logf("%d MiB kept of 10,000 calls", some>>20)
	if some > 16<<20 {
		t.Errorf("%d bytes kept of 10,000 calls", some)
	}
}

// BenchmarkMillionCalls says what the analysis of a million calls keeps.
func BenchmarkMillionCalls(b *testing.B) {
	for b.Loop() {
		kept, r := offload(1_000_000)
		b.ReportMetric(float64(kept)/(1<<20), "MiB-kept")
		b.ReportMetric(float64(len(audit.Judge(r))), "findings")
	}
}

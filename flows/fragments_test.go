package flows

import (
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/flows/flowtest"
)

// fragment is an Ethernet frame with the first eight bytes of an IPv4 datagram that
// has more.
func fragment(id int) []byte {
	b := make([]byte, 14+20+8)
	binary.BigEndian.PutUint16(b[12:], 0x0800)
	ip := b[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(ip[2:], 28)
	binary.BigEndian.PutUint16(ip[4:], uint16(id))
	binary.BigEndian.PutUint16(ip[6:], 0x2000) // MF
	binary.BigEndian.PutUint32(ip[12:], 0x0a000000+uint32(id>>16))
	binary.BigEndian.PutUint32(ip[16:], 0x0b000000)
	return b
}

// strayFragments plays fragments of so many datagrams that never become whole.
func strayFragments(n int) *Analyzer {
	a := NewAnalyzer(Options{})
	var c flowtest.Capture
	for i := range n {
		c.Packets = c.Packets[:0]
		c.Frame(fragment(i))
		a.Packet(&c.Packets[0])
	}
	return a
}

// TestStrayFragments: fragments that never complete are bounded, and counted when they
// go.
func TestStrayFragments(t *testing.T) {
	const n = 100_000
	a := strayFragments(n)
	f := &a.fragments
	if len(f.byKey) > maxDatagrams || f.bytes > maxFragmentBytes || len(f.queue) > 3*maxDatagrams || f.dropped != n-len(f.byKey) {
		t.Errorf("%d datagrams, %d bytes, %d in the queue, %d dropped", len(f.byKey), f.bytes, len(f.queue), f.dropped)
	}
	a.Flush()
	if r := a.Results(); !r.Incomplete || len(r.Problems) != 1 {
		t.Errorf("problems %q", r.Problems)
	}
}

// BenchmarkMillions is the memory of a million half-open connections, and of a
// million datagrams that never become whole. Flush is not part of it.
func BenchmarkMillions(b *testing.B) {
	for b.Loop() {
		a := NewAnalyzer(Options{})
		var c flowtest.Capture
		var p captures.Packet
		for i := range 1_000_000 {
			c.Packets = c.Packets[:0]
			c.Knock("10.0.0.1:1", "10.0.0.2:445")
			p = c.Packets[0]
			binary.BigEndian.PutUint32(p.Data[26:], uint32(i)|0x0a000000)
			a.Packet(&p)
		}
		strays := strayFragments(1_000_000)
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MB")
		runtime.KeepAlive(a)
		runtime.KeepAlive(strays)
	}
}

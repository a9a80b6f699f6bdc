package flows

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows/flowtest"
)

// overMPA builds a session over iWARP: files read and written by RDMA and inline.
func overMPA(o flowtest.IWARPOptions, port string) *flowtest.Capture {
	var c flowtest.Capture
	w := c.IWARP("10.0.0.1:50000", "10.0.0.2:"+port, o)
	s := w.Client()
	if !o.Late {
		s.Setup(`\\10.0.0.2\share`)
	}
	f := s.New("file")
	for i := range 6 {
		data := bytes.Repeat([]byte{byte(i)}, 4096+i*3001)
		at := uint64(i) << 20
		s.ReadDirect(f, at, 1, []flowtest.Region{{Address: 0xffff0000 + at, Key: uint32(0x100 + i), Length: uint32(len(data))}},
			func() { w.Write(1, uint32(0x100+i), 0xffff0000+at, data) })
		half := len(data) / 2
		s.WriteDirect(f, at, 2, []flowtest.Region{{Address: 0x1000, Key: uint32(0x200 + i), Length: uint32(half)}, {Address: 0x1000, Key: uint32(0x300 + i), Length: uint32(len(data) - half)}},
			func() {
				w.Together(func() {
					w.Read(1, uint32(0x200+i), 0x1000, data[:half])
					w.Read(1, uint32(0x300+i), 0x1000, data[half:])
				})
			})
		s.Read(f, at, data[:100])
		s.Write(f, at, data[:3000])
	}
	s.Close(f)
	return &c
}

var framings = map[string]flowtest.IWARPOptions{
	"revision 1": {}, "revision 2": {Revision: 2}, "checksums": {Checks: true}, "markers": {Markers: true, Checks: true},
	"small": {Most: 200}, "large": {Most: 60000, Checks: true}, "small, markers": {Most: 300, Markers: true},
}

// played is what came of a capture of overMPA.
type played struct {
	*Analyzer
	list  []string // exchanges that are whole
	moved uint64   // bytes by RDMA
}

func playMPA(packets []captures.Packet) (p played) {
	p.Analyzer = NewAnalyzer(Options{Index: true})
	var x Exchange
	p.onExchange = func(i uint32) {
		if p.exchange(i, &x); x.RequestFrame == 0 || x.AnswerFrame == 0 {
			return
		}
		p.moved += x.RDMA.Bytes
		p.list = append(p.list, fmt.Sprint(x.Command, " ", x.Offset, " ", x.Length, " ", x.Status, " ", x.RDMA.Bytes))
	}
	for i := range packets {
		p.Packet(&packets[i])
	}
	p.Flush()
	return p
}

// TestIWARPBuilt: however a session is framed, on whatever port, the same comes out.
func TestIWARPBuilt(t *testing.T) {
	var want []string
	for name, o := range framings {
		for _, port := range []string{"5445", "445", "7777"} {
			p := playMPA(overMPA(o, port).Packets)
			if want == nil {
				want = p.list
			}
			if !slices.Equal(p.list, want) || len(want) != 4+1+24 {
				t.Fatalf("%s, port %s: %d exchanges %q\nwant %q", name, port, len(p.list), p.list, want)
			}
			r := p.Results()
			if n := r.Connections[0]; n.Transport != IWARP || n.LateStart || n.LostBytes > 0 || n.Malformed > 0 || n.Dialect != smb2.Dialect302 || r.Incomplete {
				t.Errorf("%s, port %s: %+v %v", name, port, n, r.Problems)
			}
			d := r.RDMA[0]
			if len(d.Faults) > 0 || d.BadCRC > 0 || p.moved != 2*(6*4096+15*3001) {
				t.Errorf("%s, port %s: %d bytes moved, faults %v", name, port, p.moved, d.Faults)
			}
		}
	}
}

// TestIWARPInAnyOrder: what the network does to segments changes nothing as long as every
// byte comes.
func TestIWARPInAnyOrder(t *testing.T) {
	for name, o := range framings {
		clean := overMPA(o, "5445").Packets
		want := playMPA(clean)
		for seed := range uint64(3) {
			r := rand.New(rand.NewPCG(seed, 0))
			packets := append([]captures.Packet(nil), clean...)
			for i := 4; i < len(packets); i++ {
				switch r.IntN(6) {
				case 0: // the one before overtakes it, on the same way
					if packets[i].Data[5] == packets[i-1].Data[5] {
						packets[i], packets[i-1] = packets[i-1], packets[i]
					}
				case 1: // comes twice
					packets = append(packets[:i+1], packets[i:]...)
					i++
				}
			}
			p := playMPA(packets)
			a, b := slices.Sorted(slices.Values(p.list)), slices.Sorted(slices.Values(want.list))
			if !slices.Equal(a, b) || p.moved != want.moved || p.Results().Incomplete {
				t.Fatalf("%s, seed %d: %d bytes moved of %d; %q\nwant %q; %v", name, seed, p.moved, want.moved, without(b, a), without(a, b), p.Results().Problems)
			}
		}
	}
}

// TestIWARPLoss: where frames are missing, and where the capture begins late, what comes out
// was there.
func TestIWARPLoss(t *testing.T) {
	total := 0
	for name, o := range framings {
		clean := overMPA(o, "5445").Packets
		whole := playMPA(clean)
		for seed := range uint64(8) {
			r := rand.New(rand.NewPCG(seed, 2))
			var packets []captures.Packet
			late := 0
			if seed%2 == 1 {
				late = r.IntN(len(clean))
			}
			for _, p := range clean[late:] {
				if r.IntN(40) > 0 {
					packets = append(packets, p)
				}
			}
			p := playMPA(packets)
			total += len(p.list)
			for _, x := range p.list {
				// Less of an exchange may have moved, nothing else may be different.
				if !slices.ContainsFunc(whole.list, func(w string) bool { return w[:max(0, lastSpace(w))] == x[:max(0, lastSpace(x))] }) && late == 0 {
					t.Errorf("%s, seed %d: invented %s", name, seed, x)
				}
			}
			if p.moved > whole.moved {
				t.Errorf("%s, seed %d: %d bytes moved", name, seed, p.moved)
			}
		}
	}
	if total < 400 {
		t.Errorf("%d exchanges survive", total)
	}
}

// without returns what of a is not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(x string) bool { return slices.Contains(b, x) })
}

func lastSpace(s string) int {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == ' ' {
			return i
		}
	}
	return 0
}

// TestIWARPBuiltSecondLook: random access shows what the pass showed, however it is framed.
func TestIWARPBuiltSecondLook(t *testing.T) {
	for name, o := range framings {
		packets := overMPA(o, "5445").Packets
		packets = packets[:min(len(packets), 90)]
		var left []captures.Packet
		for i, p := range packets {
			if i <= 20 || i%29 != 0 { // the others are lost
				left = append(left, p)
			}
		}
		t.Log(name)
		sameAtSecondLook(t, flowtest.Write(t, "built.pcapng", left))
	}
}

// TestIWARPSnapped: frames that the snap length cut are followed by their headers.
func TestIWARPSnapped(t *testing.T) {
	packets := slices.Clone(overMPA(flowtest.IWARPOptions{}, "5445").Packets)
	want := playMPA(packets)
	for i := range packets {
		packets[i].Data = packets[i].Data[:min(len(packets[i].Data), 300)]
	}
	p := playMPA(packets)
	if len(p.list) < len(want.list)*3/4 || p.moved == 0 {
		t.Errorf("%d of %d exchanges, %d bytes moved", len(p.list), len(want.list), p.moved)
	}
}

// TestIWARPAllocs: FPDUs that carry data cost no allocation.
func TestIWARPAllocs(t *testing.T) {
	var c flowtest.Capture
	w := c.IWARP("10.0.0.1:50000", "10.0.0.2:5445", flowtest.IWARPOptions{Checks: true})
	start := len(c.Packets)
	for i := range 400 {
		head := binary.BigEndian.AppendUint64([]byte{0x81, 0x40, 0, 0, 0, 9}, uint64(i)*900)
		w.Segment(1, append(head, make([]byte, 900)...))
	}
	a := NewAnalyzer(Options{})
	for i := range c.Packets[:start+200] {
		a.Packet(&c.Packets[i])
	}
	i := start + 200
	if n := testing.AllocsPerRun(100, func() {
		a.Packet(&c.Packets[i])
		i++
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

package audit

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/flowtest"
)

// overIWARP builds a session over iWARP that is as it should be.
func overIWARP(o flowtest.IWARPOptions) *flowtest.Capture {
	var c flowtest.Capture
	w := c.IWARP("10.0.0.1:50000", "10.0.0.2:5445", o)
	s := w.Client()
	s.Setup(`\\10.0.0.2\share`)
	f := s.New("file")
	for i := range uint32(8) {
		data := bytes.Repeat([]byte{byte(i)}, 5000+3001*int(i))
		n := uint32(len(data))
		s.ReadDirect(f, 0, 2, []flowtest.Region{{Address: 0xffff0000, Key: 0x100 + i, Length: n}}, func() { w.Write(1, 0x100+i, 0xffff0000, data); w.Invalidate = 0x100 + i })
		s.WriteDirect(f, 0, 1, []flowtest.Region{{Address: 0x1000, Key: 0x200 + i, Length: n}}, func() { w.Read(1, 0x200+i, 0x1000, data) })
	}
	s.Close(f)
	return &c
}

// soundly returns the findings of packets that are no notes and have no doubts.
func soundly(t *testing.T, packets []captures.Packet) (bad []flows.Finding) {
	t.Helper()
	r, err := captures.NewReader(bytes.NewReader(flowtest.Pcapng(packets)), "judged")
	if err != nil {
		t.Fatal(err)
	}
	c := flows.New(r, flows.Options{Judge: Judge})
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Results().Findings {
		if f.Level != flows.Note {
			bad = append(bad, f)
		}
	}
	return bad
}

// TestIWARPHarmed: whatever the capture lacks of a session that is as it should be, nothing
// is said against it.
func TestIWARPHarmed(t *testing.T) {
	for name, o := range map[string]flowtest.IWARPOptions{"plain": {}, "checksums": {Checks: true, Revision: 2}, "markers": {Markers: true, Most: 600}} {
		clean := overIWARP(o).Packets
		for _, f := range soundly(t, clean) {
			t.Errorf("%s: %+v", name, f)
		}
		for n := 40; n < 400; n += 9 {
			var packets []captures.Packet
			for _, p := range clean {
				p.Data = p.Data[:min(len(p.Data), n)]
				packets = append(packets, p)
			}
			for _, f := range soundly(t, packets) {
				t.Errorf("%s, cut to %d: %+v", name, n, f)
			}
		}
		for seed := range uint64(30) {
			r := rand.New(rand.NewPCG(seed, 4))
			var packets []captures.Packet
			for _, p := range clean[r.IntN(2)*r.IntN(len(clean)):] {
				if r.IntN(25) > 0 {
					packets = append(packets, p)
				}
			}
			for _, f := range soundly(t, packets) {
				t.Errorf("%s, seed %d: %+v", name, seed, f)
			}
		}
	}
}

// TestIWARPRules: what is wrong with a session over iWARP is said.
func TestIWARPRules(t *testing.T) {
	for name, test := range map[string]struct {
		want string
		play func(w *flowtest.IWARP, s *flowtest.Client, f flowtest.File)
	}{
		"in bounds": {"", func(w *flowtest.IWARP, s *flowtest.Client, f flowtest.File) {
			s.ReadDirect(f, 0, 1, region(5, 4096), func() { w.Write(1, 5, 0x10000, make([]byte, 4096)) })
		}},
		"beyond": {"rdma/out-of-bounds", func(w *flowtest.IWARP, s *flowtest.Client, f flowtest.File) {
			s.ReadDirect(f, 0, 1, region(5, 4096), func() {
				w.Write(1, 5, 0x10000, make([]byte, 4096))
				w.Write(1, 5, 0x11000, make([]byte, 8))
			})
		}},
		"short": {"rdma/short", func(w *flowtest.IWARP, s *flowtest.Client, f flowtest.File) {
			s.ReadDirect(f, 0, 1, region(5, 4096), func() { w.Write(1, 5, 0x10000, make([]byte, 4000)) })
		}},
		"the wrong way": {"rdma/wrong-direction", func(w *flowtest.IWARP, s *flowtest.Client, f flowtest.File) {
			s.ReadDirect(f, 0, 1, region(5, 4096), func() {
				w.Write(1, 5, 0x10000, make([]byte, 4096))
				w.Read(1, 5, 0x10000, make([]byte, 4096))
			})
		}},
		"after its key": {"rdma/after-invalidate", func(w *flowtest.IWARP, s *flowtest.Client, f flowtest.File) {
			s.ReadDirect(f, 0, 2, region(5, 4096), func() { w.Write(1, 5, 0x10000, make([]byte, 4096)); w.Invalidate = 5 })
			w.Write(1, 5, 0x10000, make([]byte, 4096))
		}},
		"a damaged FPDU": {"rdma/bad-icrc", func(w *flowtest.IWARP, s *flowtest.Client, f flowtest.File) {
			s.ReadDirect(f, 0, 1, region(5, 4096), func() {
				b := w.Packets[w.Write(1, 5, 0x10000, make([]byte, 4096))-1].Data
				b[len(b)-5] ^= 1
			})
		}},
	} {
		var c flowtest.Capture
		w := c.IWARP("10.0.0.1:50000", "10.0.0.2:5445", flowtest.IWARPOptions{Checks: true})
		s := w.Client()
		s.Setup(`\\10.0.0.2\share`)
		f := s.Open("file", 1<<20)
		test.play(w, s, f)
		s.Close(f)
		got := ""
		for _, f := range soundly(t, c.Packets) {
			got += f.Rule
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

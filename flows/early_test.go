package flows

import (
	"slices"
	"testing"

	"github.com/odxray/odxray/flows/flowtest"
)

// TestEarly: whichever two neighbours of a session's packets were captured the wrong way
// round, every request has its answer, the copy is what it was, and a second look shows what
// the pass did.
func TestEarly(t *testing.T) {
	var made flowtest.Capture
	s := made.Login("10.0.0.1:50000", "10.0.0.2:445", `\\fs\share`)
	begin := len(made.Packets)
	from, to := s.Open("from", 3<<20), s.New("to")
	s.SetSize(to, 3<<20)
	token := flowtest.NewToken(7, 1, 2)
	s.OffloadRead(from, 0, 3<<20, 3<<20, token)
	for i := range uint64(3) {
		s.OffloadWrite(to, i<<20, 1<<20, i<<20, token, 1<<20)
	}
	s.Read(from, 0, make([]byte, 100))
	s.QueryStandard(to, 3<<20)
	s.Close(from)
	s.Close(to)
	_, want := analysed(&made, nil)
	swapped := 0
	for i := begin; i < len(made.Packets); i++ {
		packets := slices.Clone(made.Packets)
		a, b := &packets[i-1], &packets[i]
		a.Data, b.Data = b.Data, a.Data
		a.WireLen, b.WireLen = b.WireLen, a.WireLen
		swapped++
		analyser := NewAnalyzer(Options{})
		var alone, waiting int
		analyser.onExchange = func(x uint32) {
			switch e := analyser.exchanges.at(x); {
			case e.reqFrame == 0:
				alone++
			case e.facts&answered == 0:
				waiting++
			}
		}
		for k := range packets {
			analyser.Packet(&packets[k])
		}
		analyser.Flush()
		got := analyser.Results()
		if alone+waiting > 0 {
			t.Errorf("packets %d and %d: %d answers without a request, %d requests without an answer", i, i+1, alone, waiting)
		}
		if len(got.Copies) != 1 || got.Copies[0].Verdict != Complete || got.Copies[0].Bytes != want.Copies[0].Bytes || got.Copies[0].Destination.Path != want.Copies[0].Destination.Path ||
			len(got.Mints) != len(want.Mints) || got.Copies[0].Source.Path != want.Copies[0].Source.Path {
			t.Errorf("packets %d and %d: %+v", i, i+1, got.Copies)
		}
		lookAgain(t, packets, nil)
	}
	if swapped < 20 {
		t.Errorf("%d were swapped", swapped)
	}
}

// TestEarlyExpires: an answer whose request never comes is an exchange without one, and is
// not waited for without end.
func TestEarlyExpires(t *testing.T) {
	var made flowtest.Capture
	s := made.Login("10.0.0.1:50000", "10.0.0.2:445", `\\fs\share`)
	f := s.Open("file", 1<<20)
	for i := range uint64(2 * maxEarly) {
		s.Read(f, i, make([]byte, 10))
		made.Packets = slices.Delete(made.Packets, s.Request-1, s.Request)
	}
	a := NewAnalyzer(Options{})
	alone := 0
	a.onExchange = func(x uint32) {
		if a.exchanges.at(x).reqFrame == 0 {
			alone++
		}
	}
	for i := range made.Packets {
		a.Packet(&made.Packets[i])
	}
	if n := len(a.exchanges.early.list); n > maxEarly || alone < maxEarly {
		t.Errorf("%d are waited for, %d not any more", n, alone)
	}
	a.Flush()
	if alone != 2*maxEarly || len(a.exchanges.early.list) != 0 {
		t.Errorf("%d of %d were handed on", alone, 2*maxEarly)
	}
}

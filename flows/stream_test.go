package flows

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/flows/flowtest"
)

// play runs a built capture through an Analyzer with an index.
func play(packets []captures.Packet) *Analyzer {
	a := NewAnalyzer(Options{Index: true})
	for i := range packets {
		a.Packet(&packets[i])
	}
	a.Flush()
	return a
}

// units lists where the messages of a capture lay in their streams, in order.
func units(a *Analyzer) (list []string) {
	for i := range a.index.messages.n {
		m := a.index.messages.at(i)
		list = append(list, fmt.Sprintf("%d:%d+%d", m.dir, m.off, m.size))
	}
	return list
}

// workload is a session with small and large messages.
func workload() *flowtest.Capture {
	var c flowtest.Capture
	s := c.Login("10.0.0.1:50000", "10.0.0.2:445", `\\10.0.0.2\share`)
	f := s.Open("file", 1<<20)
	for i := range 20 {
		s.Read(f, uint64(i)<<14, bytes.Repeat([]byte{byte(i)}, 1+i*997%30000))
		s.Write(f, uint64(i)<<14, bytes.Repeat([]byte{byte(i)}, 1+i*1499%30000))
	}
	s.Close(f)
	return &c
}

// TestStreamsInAnyOrder: what the network does to segments changes nothing as long as
// every byte comes.
func TestStreamsInAnyOrder(t *testing.T) {
	clean := workload().Packets
	want := units(play(clean))
	if len(want) < 80 {
		t.Fatalf("%d messages", len(want))
	}
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		packets := append([]captures.Packet(nil), clean...)
		for i := 4; i < len(packets); i++ {
			switch r.IntN(6) {
			case 0: // the one before overtakes it; but no answer overtakes its request
				if bytes.Equal(packets[i].Data[26:34], packets[i-1].Data[26:34]) {
					packets[i], packets[i-1] = packets[i-1], packets[i]
				}
			case 1: // comes twice
				packets = append(packets[:i+1], packets[i:]...)
				i++
			}
		}
		a := play(packets)
		got := units(a)
		byStream := func(list []string) (s [2][]string) {
			for _, u := range list {
				s[u[0]-'0'] = append(s[u[0]-'0'], u)
			}
			return s
		}
		if g, w := byStream(got), byStream(want); fmt.Sprint(g) != fmt.Sprint(w) {
			t.Fatalf("seed %d: messages %v, want %v", seed, g, w)
		}
		if r := a.Results(); r.Incomplete {
			t.Fatalf("seed %d: %v", seed, r.Problems)
		}
	}
}

// TestLostSegments: after a hole the stream is in step again, every lost byte is
// counted, and no message is made up.
func TestLostSegments(t *testing.T) {
	clean := workload().Packets
	known := make(map[string]bool)
	for _, u := range units(play(clean)) {
		known[u] = true
	}
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		var packets []captures.Packet
		lost := 0
		for i, p := range clean {
			if i > 12 && i < len(clean)-20 && r.IntN(40) == 0 {
				lost += len(p.Data) - 54
				continue
			}
			packets = append(packets, p)
		}
		a := play(packets)
		got := units(a)
		for _, u := range got {
			if !known[u] {
				t.Errorf("seed %d: message %s is not in the clean capture", seed, u)
			}
		}
		if len(got) < len(known)/2 {
			t.Errorf("seed %d: %d of %d messages", seed, len(got), len(known))
		}
		if c := a.Results().Connections[0]; c.LostBytes < uint64(lost) {
			t.Errorf("seed %d: %d bytes lost, %d counted", seed, lost, c.LostBytes)
		}
	}
}

// TestLateStart: a capture that begins anywhere finds its place.
func TestLateStart(t *testing.T) {
	clean := workload().Packets
	whole := play(clean).Results()
	for from := 4; from < len(clean)-200; from += 7 {
		a := play(clean[from:])
		r := a.Results()
		if len(r.Connections) != 1 || !r.Connections[0].LateStart || r.Connections[0].Malformed != 0 {
			t.Fatalf("from frame %d: %+v", from, r.Connections)
		}
		if left := (len(clean) - from) * whole.Messages / len(clean); r.Messages < left/2 {
			t.Errorf("from frame %d: %d messages, about %d are there", from, r.Messages, left)
		}
	}
}

// TestReusedPorts: a SYN begins a new connection.
func TestReusedPorts(t *testing.T) {
	var c flowtest.Capture
	for range 3 {
		s := c.Login("10.0.0.1:50000", "10.0.0.2:445", `\\10.0.0.2\share`)
		s.Close(s.Open("file", 10))
		s.Reset(0)
		c.Wait(time.Second)
	}
	if r := play(c.Packets).Results(); r.Messages != 30 {
		t.Errorf("%d messages, want 30", r.Messages)
	}
}

// TestManyConnections: what never becomes a connection costs a bounded table.
func TestManyConnections(t *testing.T) {
	a := NewAnalyzer(Options{})
	var c flowtest.Capture
	for i := range maxConns + 1000 {
		c.Packets = c.Packets[:0]
		c.Knock(fmt.Sprintf("10.%d.%d.%d:%d", i>>16&255, i>>8&255, i&255, 1024+i%50000), "10.0.0.2:445")
		a.Packet(&c.Packets[0])
	}
	a.Flush()
	if len(a.byKey) > maxConns {
		t.Errorf("%d connections are kept", len(a.byKey))
	}
	if r := a.Results(); !r.Incomplete || len(r.Problems) != 1 {
		t.Errorf("problems %q", r.Problems)
	}
}

// TestManyHalfOpen: connections that wait for the rest of a message, or for a hole to
// be filled, hold a bounded number of bytes together, and it is said what was dropped.
func TestManyHalfOpen(t *testing.T) {
	a := NewAnalyzer(Options{})
	var c flowtest.Capture
	begun := append([]byte{0, 0xff, 0xff, 0xff}, "\xfeSMB\x40\x00"...)
	begun = append(begun, make([]byte, 1400)...)
	const connections = 40_000
	for i := range connections {
		c.Packets = c.Packets[:0]
		n := c.Midway(fmt.Sprintf("10.%d.%d.%d:%d", i>>16&255, i>>8&255, i&255, 1024+i%50000), "10.0.0.2:445")
		n.Send(0, begun)
		n.Skip(0, 1000)
		n.Send(0, begun)
		for k := range c.Packets {
			a.Packet(&c.Packets[k])
		}
		if a.waiting > maxWaiting+1<<20 {
			t.Fatalf("%d bytes wait in %d connections", a.waiting, i+1)
		}
	}
	held := 0
	for _, n := range a.byKey {
		for dir := range n.streams {
			s := &n.streams[dir]
			held += cap(s.buf) + s.heldBytes + len(s.held)*segmentCost
		}
	}
	if held != a.waiting {
		t.Errorf("%d bytes wait, %d were counted", held, a.waiting)
	}
	a.Flush()
	if r := a.Results(); a.relieved == 0 || !r.Incomplete || a.lostBytes == 0 || len(r.Connections) != maxListed || a.unlisted != connections-maxListed {
		t.Errorf("%d streams gave up, %d bytes lost, %d connections", a.relieved, a.lostBytes, len(r.Connections))
	}
}

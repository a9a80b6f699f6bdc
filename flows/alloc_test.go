package flows

import (
	"testing"

	"github.com/odxray/odxray/flows/flowtest"
)

// TestAnalysisAllocates nothing once a capture has been under way for a while: neither
// for a frame nor for a message.
func TestAnalysisAllocates(t *testing.T) {
	var made flowtest.Capture
	client := made.Login("10.0.0.1:50000", "10.0.0.2:445", `\\fs\share`)
	client.AckEvery = 2
	data := make([]byte, 20_000)
	from, to := client.Open("from", 1<<20), client.Open("to", 1<<20)
	round := func() {
		client.Read(from, 0, data)
		client.Write(to, 0, data)
		client.QueryStandard(from, 1<<20)
		client.Close(client.Open("again", 4096))
		client.Ack(0)
		made.Frame(append([]byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x06"), make([]byte, 28)...)) // ARP
	}
	for range 500 {
		round()
	}
	warm := len(made.Packets)
	const rounds = 200
	for range rounds + 1 {
		round()
	}
	each := (len(made.Packets) - warm) / (rounds + 1)

	a := NewAnalyzer(Options{})
	next := 0
	feed := func(n int) {
		for range n {
			a.Packet(&made.Packets[next])
			next++
		}
	}
	feed(warm)
	if n := testing.AllocsPerRun(rounds, func() { feed(each) }); n != 0 {
		t.Errorf("%v allocations for %d frames", n, each)
	}
}

package audit

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/flowtest"
)

// packets are the records of the frames of testdata/rocev2.pcap in flows, to be changed.
type packets [][]byte

// from InfiniBand on, behind the record, Ethernet, IPv4 and UDP headers.
func (p packets) ib(frame int) []byte { return p[frame-1][16+14+20+8:] }

const smbdAt = 12 // of a SEND

// TestRDMARules plants a fault each into a capture that has none.
func TestRDMARules(t *testing.T) {
	le := binary.LittleEndian
	for _, test := range []struct {
		want  string // rules, but for rdma/bad-icrc, which every change brings about
		plant func(p packets) packets
	}{
		{"", func(p packets) packets { p.ib(110)[30] ^= 1; return p }}, // a bit of the CRC
		{"smbd/negotiate", func(p packets) packets { le.PutUint16(p.ib(6)[smbdAt+6:], 0); return p }},
		{"smbd/fragment smbd/negotiate", func(p packets) packets { le.PutUint32(p.ib(8)[smbdAt+24:], 127); return p }},
		{"smbd/header", func(p packets) packets { le.PutUint16(p.ib(117)[smbdAt:], 0); return p }},
		{"smbd/fragment", func(p packets) packets { le.PutUint32(p.ib(117)[smbdAt+8:], 1<<20); return p }},
		{"rdma/out-of-bounds rdma/short", func(p packets) packets { p.ib(110)[20] ^= 1; return p }},         // the key of the READ
		{"rdma/short rdma/wrong-direction", func(p packets) packets { p.ib(110)[0] = 0x0a; return p }},      // a WRITE, without its data
		{"rdma/short", func(p packets) packets { return slices.Delete(p, 112, 113) }},                       // some of its data
		{"rdma/too-long", func(p packets) packets { le.PutUint32(p.ib(8)[smbdAt+16:], 4095); return p }},    // MaxReadWriteSize
		{"rdma/retransmit", func(p packets) packets { return slices.Insert(p, 110, slices.Clone(p[107])) }}, // the WRITE request
	} {
		found := map[string]bool{}
		for _, f := range judgePackets(t, test.plant(readPackets(t))) {
			if strings.HasPrefix(f.Rule, "rdma/") || strings.HasPrefix(f.Rule, "smbd/") {
				found[f.Rule] = true
			}
		}
		if want := strings.Fields(test.want); len(want) == 0 && !found["rdma/bad-icrc"] {
			t.Error("a wrong CRC is not found")
		}
		delete(found, "rdma/bad-icrc")
		var got []string
		for rule := range found {
			got = append(got, rule)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func readPackets(t *testing.T) (list packets) {
	b, err := os.ReadFile(filepath.Join("..", "testdata", "rocev2.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	for b = b[24:]; len(b) > 0; {
		n := 16 + int(binary.LittleEndian.Uint32(b[8:]))
		list, b = append(list, b[:n:n]), b[n:]
	}
	return list
}

func judgePackets(t *testing.T, list packets) []flows.Finding {
	head, err := os.ReadFile(filepath.Join("..", "testdata", "rocev2.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "planted.pcap")
	if err := os.WriteFile(path, append(head[:24:24], bytes.Join(list, nil)...), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := flows.Open([]string{path}, flows.Options{Judge: Judge})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c.Results().Findings
}

// TestRDMAToTCP: a client that gets no RDMA and goes on over TCP, and what looks like it.
func TestRDMAToTCP(t *testing.T) {
	const client, server = "10.0.0.1", "10.0.0.9"
	tcp := func(c *flowtest.Capture) *flowtest.Client { return c.Login(client+":50000", server+":445", share) }
	for name, test := range map[string]struct {
		found bool
		write func(c *flowtest.Capture)
	}{
		"refused": {true, func(c *flowtest.Capture) {
			d := c.LatePair(client, server)
			d.Ask(445)
			d.Refuse(8)
			tcp(c)
		}},
		"refused while TCP was there": {true, func(c *flowtest.Capture) {
			s, d := tcp(c), c.LatePair(client, server)
			d.Ask(445)
			d.Refuse(8)
			s.New("file")
		}},
		"refused by iWARP": {true, func(c *flowtest.Capture) {
			n := c.Dial(client+":40000", server+":5445")
			n.Send(0, []byte("MPA ID Req Frame\x00\x01\x00\x00"))
			n.Send(1, []byte("MPA ID Rep Frame\x20\x01\x00\x00"))
			n.Reset(1)
			tcp(c)
		}},
		"taken by iWARP, for another session": {false, func(c *flowtest.Capture) {
			n := c.Dial(client+":40000", server+":5445")
			n.Send(0, []byte("MPA ID Req Frame\x00\x01\x00\x00"))
			n.Send(1, []byte("MPA ID Rep Frame\x00\x01\x00\x00"))
			tcp(c)
		}},
		"no answer": {true, func(c *flowtest.Capture) {
			c.LatePair(client, server).Ask(445)
			c.Wait(10 * time.Second)
			tcp(c)
		}},
		"no answer yet": {false, func(c *flowtest.Capture) {
			c.LatePair(client, server).Ask(445)
			tcp(c)
		}},
		"refused on one port, taken on the other": {false, func(c *flowtest.Capture) {
			s, d := tcp(c), c.LatePair(client, server)
			d.Ask(5445)
			d.Refuse(8)
			c.LoginDirect(client, server, share)
			s.New("file")
		}},
		"another client": {false, func(c *flowtest.Capture) {
			d := c.LatePair("10.0.0.2", server)
			d.Ask(445)
			d.Refuse(8)
			tcp(c)
		}},
		"another service": {false, func(c *flowtest.Capture) {
			d := c.LatePair(client, server)
			d.Ask(4420)
			d.Refuse(8)
			tcp(c)
		}},
		"refused, and silence over TCP": {false, func(c *flowtest.Capture) {
			s, d := tcp(c), c.LatePair(client, server)
			d.Ask(445)
			d.Refuse(8)
			s.Finish(0)
			s.Finish(1)
		}},
		"disconnected in the negotiation": {true, func(c *flowtest.Capture) {
			d := c.Direct(client, server)
			d.Disconnect(1)
			tcp(c)
		}},
		"lost": {true, func(c *flowtest.Capture) {
			s, d := c.LoginDirect(client, server, share)
			s.New("file")
			d.Disconnect(1)
			tcp(c)
		}},
		"silent": {true, func(c *flowtest.Capture) {
			s, _ := c.LoginDirect(client, server, share)
			s.Mute = true
			s.New("file")
			c.Wait(10 * time.Second)
			tcp(c)
		}},
		"logged off": {false, func(c *flowtest.Capture) {
			s, d := c.LoginDirect(client, server, share)
			s.Logoff()
			d.Disconnect(0)
			tcp(c)
		}},
		"both at once": {false, func(c *flowtest.Capture) {
			s, _ := c.LoginDirect(client, server, share)
			tcp(c)
			s.New("file")
		}},
		"lost and found": {false, func(c *flowtest.Capture) {
			_, d := c.LoginDirect(client, server, share)
			d.Disconnect(1)
			c.LoginDirect(client, server, share)
			tcp(c)
		}},
	} {
		c := new(flowtest.Capture)
		test.write(c)
		var got []string
		for _, f := range Judge(analyse(c)) {
			if got = append(got, f.Message); f.Rule != "conn/rdma-to-tcp" || f.Level != flows.Note {
				t.Errorf("%s: %+v", name, f)
			}
		}
		if len(got) > 1 || test.found != (len(got) == 1) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestRetransmit: packets sent again are tied to the requests that they delayed: to a
// request of theirs, its answer, its data, and to a message that comes whole only then.
func TestRetransmit(t *testing.T) {
	c := new(flowtest.Capture)
	s, d := c.LoginDirect("10.0.0.1", "10.0.0.9", share)
	f := s.Open("file", mib)
	s.ReadDirect(f, 0, 1, region(5, 4096), func() {
		d.Write(1, 5, 0x10000, make([]byte, 4096))
		for n := range 3 {
			d.Again(2*n + 1) // what was there before the acknowledgement
		}
	})
	read := s.Request
	s.Close(f)
	d.Again(1) // the answer
	var got []string
	for _, f := range Judge(analyse(c)) {
		got = append(got, f.Rule+": "+f.Message)
	}
	want := fmt.Sprintf("the Read of frame %d by 3 packets, the Close of frame %d by 1 packets", read, s.Request)
	if len(got) != 1 || !strings.Contains(got[0], "4 of ") || !strings.Contains(got[0], want) {
		t.Errorf("%q, want %s", got, want)
	}
}

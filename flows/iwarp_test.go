package flows

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows/flowtest"
)

var overIWARP = []string{"siw-311.pcap.zst", "siw-311-mpa1.pcap.zst", "siw-311-mpa1-crc.pcap.zst", "siw-311-loss.pcap.zst"}

// TestIWARPTransfers: every byte of a READ or WRITE that gave memory and succeeded is
// accounted for, and no operation is nobody's.
func TestIWARPTransfers(t *testing.T) {
	for _, name := range overIWARP {
		c, err := Open([]string{ownCapture(t, name)}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		bytes := uint64(0)
		if err := c.EachExchange(context.Background(), func(x *Exchange) bool {
			if x.Transport != IWARP || x.RDMA.Offered > 0 && (x.RDMA.Bytes != x.Moved || x.RDMA.Incomplete > 0) {
				t.Errorf("%s: %v %v %d of %d bytes: %+v", name, x.Transport, x.Command, x.ID, x.Moved, x.RDMA)
			}
			bytes += x.RDMA.Bytes
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if bytes != 2361530 {
			t.Errorf("%s: %d bytes by RDMA", name, bytes)
		}
		for _, n := range c.Results().Connections {
			if n.LostBytes > 0 || n.LateStart || n.Malformed > 0 {
				t.Errorf("%s: %+v", name, n)
			}
		}
		for _, r := range c.RDMA() {
			if r.BadCRC > 0 || len(r.Faults) > 0 {
				t.Errorf("%s: %d FPDUs with a wrong CRC, faults %v", name, r.BadCRC, r.Faults)
			}
			for _, o := range r.Operations {
				if o.Exchange == 0 || o.ByClient || o.Moved != o.Length || o.LastFrame < o.FirstFrame || o.LastTime < o.FirstTime {
					t.Errorf("%s: %+v", name, o)
				}
			}
		}
	}
}

// TestIWARPSameAsTCP: the same work over iWARP and over TCP makes the same exchanges, but
// for READ and WRITE, which are cut otherwise and move the same bytes. The captures of
// MPA's revision 1 were made with another client, which looks at files more seldom.
func TestIWARPSameAsTCP(t *testing.T) {
	for _, pair := range [][2]string{{"siw-311", "tcp-311"}, {"siw-311-mpa1-crc", "siw-311-mpa1"}} {
		want, bytes := workOf(t, ownCapture(t, pair[1]+".pcap.zst"))
		got, moved := workOf(t, ownCapture(t, pair[0]+".pcap.zst"))
		if !maps.Equal(bytes, moved) {
			t.Errorf("%v: READ and WRITE of %v and %v", pair, moved, bytes)
		}
		for k := range got {
			if !strings.Contains(k, " dir STATUS") && want[k] != got[k] { // as in TestSameAsTCP
				t.Errorf("%v: %s %d and %d times", pair, k, got[k], want[k])
			}
		}
		for k := range want {
			if got[k] == 0 {
				t.Errorf("%v: no %s", pair, k)
			}
		}
	}
}

// TestIWARPSecondLook: random access shows the same rows and trees as the pass, also where
// segments come out of order.
func TestIWARPSecondLook(t *testing.T) { sameAtSecondLook(t, ownCapture(t, "siw-311-loss.pcap.zst")) }

// TestIWARPCopies: the messages of a capture of TCP, sent over iWARP, make the same copies
// and tokens.
func TestIWARPCopies(t *testing.T) {
	path := ownCapture(t, "odx-tcp-311.pcap.zst")
	_, want := passOver(t, path)
	var c flowtest.Capture
	w := c.IWARP("10.77.0.2:40000", "10.77.0.1:5445", flowtest.IWARPOptions{Revision: 2})
	for i := range w.Limits {
		w.Limits[i].Fragmented = 8 << 20
	}
	var d inet.Decoder
	var h inet.Headers
	var streams [2]struct {
		next uint32
		buf  []byte
	}
	for _, p := range flowtest.Packets(t, path) {
		cur := wire.NewCut(p.Data, p.WireLen, nil)
		if d.Decode(&cur, p.Link, &h, nil); h.Kind != inet.TCP || h.SrcPort != 445 && h.DstPort != 445 {
			continue
		}
		from := 0
		if h.SrcPort == 445 {
			from = 1
		}
		s := &streams[from]
		if h.Flags&inet.SYN != 0 {
			s.next = h.Seq + 1
		}
		if h.Seq != s.next {
			continue // again
		}
		s.next += uint32(h.PayloadLen)
		for s.buf = append(s.buf, h.Payload...); len(s.buf) >= 4; {
			n := 4 + (int(s.buf[1])<<16 | int(s.buf[2])<<8 | int(s.buf[3]))
			if len(s.buf) < n {
				break
			}
			w.Message(from, s.buf[4:n])
			s.buf = s.buf[n:]
		}
	}
	a := NewAnalyzer(Options{})
	for i := range c.Packets {
		a.Packet(&c.Packets[i])
	}
	a.Flush()
	got := a.Results()
	say := func(r *Results) (s []string) {
		for _, y := range r.Copies {
			s = append(s, fmt.Sprint(y.Method, y.Source.Path, y.Destination.Path, y.Bytes, y.Verdict, len(y.Calls)))
		}
		for _, m := range r.Mints {
			s = append(s, fmt.Sprint(m.ID, m.Offset, m.Length, m.State, len(m.Uses)))
		}
		return s
	}
	if x, y := say(got), say(want); !slices.Equal(x, y) || len(y) < 10 {
		t.Errorf("%q\nover TCP %q", x, y)
	}
	if got.Connections[0].Transport != IWARP || got.Connections[0].LostBytes > 0 {
		t.Errorf("%+v", got.Connections[0])
	}
}

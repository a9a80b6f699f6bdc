package ib

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// sample is an IP packet of testdata/packets.txt, and what its headers say.
type sample struct {
	name string
	b    []byte
	h    inet.Headers
}

func samples(t testing.TB) (list []sample) {
	text, err := os.ReadFile("testdata/packets.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, hex, _ := strings.Cut(strings.TrimSpace(line), " ")
		list = append(list, newSample(name, wiretest.Unhex(hex)))
	}
	return list
}

func newSample(name string, b []byte) sample {
	s := sample{name: name, b: b}
	var d inet.Decoder
	c := wire.New(b, nil)
	d.Decode(&c, linktype.Raw, &s.h, nil)
	return s
}

func TestGolden(t *testing.T) {
	infos := map[string]string{
		"connect_request": "CM: ConnectRequest", "connect_request_ipv6": "CM: ConnectRequest", "connect_reject": "CM: ConnectReject",
		"connect_reply": "CM: ConnectReply", "ready_to_use": "CM: ReadyToUse", "disconnect_request": "CM: DisconnectRequest",
		"send_only": "RC Send Only QP=0x000011 ", "acknowledge": "RC Acknowledge QP=0x000012 ", "acknowledge_ipv6": "RC Acknowledge QP=0x000014 ",
		"read_request": "RC RDMA Read Request QP=0x000012 ", "send_invalidate": "RC Send Only Invalidate QP=0x000012 ",
		"write_immediate": "RC RDMA Write Only Immediate QP=0x000011 ", "compare_swap": "RC Compare Swap QP=0x000011 ",
		"datagram_immediate": "UD Send Only Immediate QP=0x000011 ", "unknown": "Unknown OpCode QP=0x000011 ",
		"receiver_not_ready": "RC Acknowledge QP=0x000011 ", "nak": "RC Acknowledge QP=0x000011 ",
		"atomic_acknowledge": "RC Atomic Acknowledge QP=0x000011 ", "cnp": "CNP QP=0x000011 ",
	}
	for _, s := range samples(t) {
		var d Decoder
		var tree wire.Tree
		c := wire.New(s.h.Payload, &tree)
		p := d.Decode(&c, &s.h)
		Data(&p.Payload)
		if got := string(p.AppendInfo(nil)); c.Err() != nil || got != infos[s.name] {
			t.Errorf("%s: %v, Info %q, want %q", s.name, c.Err(), got, infos[s.name])
		}
		var got bytes.Buffer
		tree.Dump(&got)
		wiretest.Golden(t, s.name, got.Bytes())
	}
}

// TestCRC: what was captured on a wire verifies over IPv4 and IPv6, also after what
// routers change has changed, and nothing else does.
func TestCRC(t *testing.T) {
	var d Decoder
	check := func(b []byte) CRC {
		s := newSample("", b)
		c := wire.New(s.h.Payload, nil)
		return d.Decode(&c, &s.h).CRC
	}
	for _, s := range samples(t) {
		switch s.name {
		case "connect_request", "acknowledge", "read_request", "connect_request_ipv6", "acknowledge_ipv6":
		default:
			continue
		}
		if got := check(s.b); got != CRCGood {
			t.Errorf("%s: %v", s.name, got)
		}
		b := bytes.Clone(s.b)
		if s.h.Src.Is6() {
			b[1], b[3], b[7] = b[1]^0x35, b[3]^7, b[7]-1
		} else {
			b[1], b[8], b[10] = 3, b[8]-1, b[10]^1
		}
		if got := check(b); got != CRCGood {
			t.Errorf("%s, routed: %v", s.name, got)
		}
		b[len(b)-5] ^= 1
		if got := check(b); got != CRCBad {
			t.Errorf("%s, altered: %v", s.name, got)
		}
		copy(b[len(b)-4:], "\x00\x00\x00\x00")
		if got := check(b); got != CRCAbsent {
			t.Errorf("%s, without: %v", s.name, got)
		}
		c := wire.NewCut(s.h.Payload[:len(s.h.Payload)-1], len(s.h.Payload), nil)
		if got := d.Decode(&c, &s.h).CRC; got != CRCUnknown {
			t.Errorf("%s, cut: %v", s.name, got)
		}
	}
}

func TestConnect(t *testing.T) {
	for _, s := range samples(t) {
		var d Decoder
		c := wire.New(s.h.Payload, nil)
		m := d.Decode(&c, &s.h).CM
		switch s.name {
		case "connect_request":
			if m.Port != 5445 || m.Src.String() != "10.77.0.2" || m.Dst.String() != "10.77.0.1" || m.QP != 0x11 || m.PSN != 0x72be0e || m.MTU != 5 || len(m.Private) != 56 {
				t.Errorf("%+v", m)
			}
		case "connect_request_ipv6":
			if m.Src.String() != "fd77::2" || m.Dst.String() != "fd77::1" {
				t.Errorf("%+v", m)
			}
		case "connect_reject":
			if m.Reason.String() != "invalid service ID" || m.RemoteID != 0xe9ee7dac {
				t.Errorf("%+v", m)
			}
		case "connect_reply":
			if m.LocalID != 0x9d306535 || m.RemoteID != 0xe8ee7dac || m.PSN != 0xb8f200 {
				t.Errorf("%+v", m)
			}
		}
	}
}

// TestPrefixes: nothing is read past the end, and a cut blames the capture.
func TestPrefixes(t *testing.T) {
	var d Decoder
	for _, s := range samples(t) {
		b := s.h.Payload
		for i := range min(len(b), 80) {
			if i >= baseLen && s.name == "unknown" {
				break // what is not known may end anywhere
			}
			c := wire.NewCut(b[:i], len(b), nil)
			if d.Decode(&c, nil); !errors.Is(c.Err(), wire.ErrTruncated) {
				t.Errorf("%s: cut after %d of %d bytes: %v", s.name, i, len(b), c.Err())
			}
		}
		for i := range baseLen {
			c := wire.New(b[:i], nil)
			if d.Decode(&c, nil); !errors.Is(c.Err(), wire.ErrShort) {
				t.Errorf("%s: %d of %d bytes: %v", s.name, i, len(b), c.Err())
			}
		}
	}
}

func TestAllocs(t *testing.T) {
	list := samples(t)
	var d Decoder
	if n := testing.AllocsPerRun(100, func() {
		for i := range list {
			c := wire.New(list[i].h.Payload, nil)
			d.Decode(&c, &list[i].h)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNames(t *testing.T) {
	wiretest.Names(t, Fields(), func(name string) bool {
		return strings.HasPrefix(name, "rdma.") || strings.HasPrefix(name, "infiniband.cm.req.alt_")
	})
}

func FuzzDecode(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.b)
	}
	var d Decoder
	f.Fuzz(func(t *testing.T, b []byte) { same(t, &d, newSample("", b)) })
}

// same checks that a packet says the same with and without a tree, and in one step if it is
// usual, whatever d decoded before.
func same(t *testing.T, d *Decoder, s sample) {
	t.Helper()
	decode := func(tree *wire.Tree) *Packet {
		c := wire.NewCut(s.h.Payload, s.h.PayloadLen, tree)
		return d.Decode(&c, &s.h)
	}
	said := func(p *Packet) (Packet, []byte) {
		body, size := p.Body()
		if size < len(body) {
			t.Errorf("%s: %d bytes of %d", s.name, len(body), size)
		}
		Data(&p.Payload)
		all := *p
		all.Payload, all.body = wire.Cursor{}, nil
		return all, body
	}
	want, wantBody := said(decode(nil))
	for way, p := range map[string]*Packet{"with a tree": decode(new(wire.Tree)), "in one step": d.Usual(&s.h)} {
		if p == nil {
			continue
		}
		if got, body := said(p); !reflect.DeepEqual(got, want) || !bytes.Equal(body, wantBody) {
			t.Errorf("%s: %+v without a tree, %+v %s; %x, %x", s.name, want, got, way, wantBody, body)
		}
	}
}

// TestUsual: packets that are read in one step say what the readers of each header do, with
// every opcode, padding and length.
func TestUsual(t *testing.T) {
	var d Decoder
	for _, s := range samples(t) {
		if s.h.Kind != inet.UDP {
			continue
		}
		for op := range 256 {
			b := bytes.Clone(s.h.Payload)
			b[0], b[1], b[4] = byte(op), b[1]^byte(op)<<4, byte(op)
			x := s
			x.h.Payload = b
			same(t, &d, x)
		}
		for n := range s.h.Payload {
			x := s
			x.h.Payload = bytes.Clone(s.h.Payload[:n])
			same(t, &d, x) // cut
			if n > 0 {
				x.h.Payload[0] = byte(WriteMiddle)
			}
			x.h.PayloadLen = n
			same(t, &d, x)
		}
	}
}

package inet_test

import (
	"bytes"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// TestMain has trees and tshark print times alike everywhere.
func TestMain(m *testing.M) {
	os.Setenv("TZ", "UTC")
	time.Local = time.UTC
	os.Exit(m.Run())
}

// TestHeaders holds what analysis sees of every sample, and what the columns say.
func TestHeaders(t *testing.T) {
	var d inet.Decoder
	var h inet.Headers
	for _, s := range samples {
		c := wire.New(s.b, nil)
		d.Decode(&c, s.link, &h, nil)
		if h.Kind != s.kind || h.Malformed != s.bad || h.Truncated || h.PayloadLen != s.payload || len(h.Payload) != s.payload {
			t.Errorf("%s: %+v", s.name, h)
		}
		if got := inet.Protocol(&h); got != s.proto {
			t.Errorf("%s: protocol %s, want %s", s.name, got, s.proto)
		}
		if got := string(inet.AppendInfo(nil, &h, nil)); got != s.info {
			t.Errorf("%s\n  have %s\n  want %s", s.name, got, s.info)
		}
	}
}

// context is of a frame whose conversation is known.
var context = inet.Context{
	Frame: 7, Time: 1_500_000_000_000_001_000, PrevTime: 1_500_000_000_000_000_000, FirstTime: 1_499_999_999_000_000_000,
	HasStream: true, Stream: 3, StreamFirstTime: 1_499_999_999_000_000_000, StreamPrevTime: 1_500_000_000_000_000_500,
	SeqKnown: true, AckKnown: true, SeqBase: 0xffffff00, AckBase: 4000, WindowFactor: 512, Completeness: 15,
}

func TestTrees(t *testing.T) {
	var d inet.Decoder
	var h inet.Headers
	for _, s := range samples {
		var tree wire.Tree
		var got bytes.Buffer
		c := wire.New(s.b, &tree)
		d.Decode(&c, s.link, &h, &context)
		d.Above(&c, "nbss:smb2")
		tree.Dump(&got)
		wiretest.Golden(t, s.name, got.Bytes())
	}
}

// TestCut takes every prefix of every sample for a frame that the capture cut: what
// was read before stays as it is in the whole frame, and nothing is called wrong.
func TestCut(t *testing.T) {
	for _, s := range samples {
		if s.bad {
			continue
		}
		var d inet.Decoder
		var whole, h inet.Headers
		c := wire.New(s.b, nil)
		d.Decode(&c, s.link, &whole, nil)
		for i := range s.b {
			c := wire.NewCut(s.b[:i], len(s.b), nil)
			d.Decode(&c, s.link, &h, nil)
			if h.Malformed {
				t.Errorf("%s: cut after %d of %d bytes: malformed", s.name, i, len(s.b))
			}
			if !h.Truncated && !padding(s.name, i) {
				t.Errorf("%s: cut after %d of %d bytes: not truncated", s.name, i, len(s.b))
			}
			if h.Kind == whole.Kind && h.Kind > inet.IP && (h.PayloadLen != whole.PayloadLen || h.SrcPort != whole.SrcPort || h.Seq != whole.Seq || !bytes.HasPrefix(whole.Payload, h.Payload)) {
				t.Errorf("%s: cut after %d of %d bytes: %+v", s.name, i, len(s.b), h)
			}
		}
	}
}

// padding tells whether all of the packet lies before the cut.
func padding(name string, cut int) bool {
	return strings.HasPrefix(name, "padding") && cut >= 54 || name == "trailer" && cut >= 64 || name == "trailer_of_a_tag" && cut >= 58
}

// TestReassembled decodes the TCP segment of an IP packet whose fragments were put
// together.
func TestReassembled(t *testing.T) {
	var d inet.Decoder
	var h inet.Headers
	packet := tcp(inet.ACK, "", "reassembled")
	for _, fragment := range [][]byte{
		put(eth(0x0800, ip4(6, "", packet[:16])), 20, 0x20, 0),
		eth(0x86dd, ip6(44, -1, cat([]byte{6, 0, 0, 1, 0, 0, 0, 7}, packet[:16]))),
	} {
		c := wire.New(fragment, nil)
		d.Decode(&c, ethernet, &h, nil)
		if h.Kind != inet.Fragment || !h.MoreFragments {
			t.Fatalf("%+v", h)
		}
		src := h.Src
		c = wire.New(packet, nil)
		inet.DecodeIPPayload(&c, &h, h.Proto, nil)
		if h.Kind != inet.TCP || h.Src != src || h.DstPort != 445 || string(h.Payload) != "reassembled" || h.MoreFragments || h.WindowShift != -1 {
			t.Errorf("%+v", h)
		}
	}
}

// TestTunnel finds both headers of a tunnel in the tree, and the inner in Headers.
func TestTunnel(t *testing.T) {
	i := slices.IndexFunc(samples, func(s sample) bool { return s.name == "vxlan" })
	var d inet.Decoder
	var h inet.Headers
	var tree wire.Tree
	b := bytes.Clone(samples[i].b)
	b[14+12] = 192 // of the outer source address
	c := wire.New(b, &tree)
	d.Decode(&c, ethernet, &h, nil)
	var src []string
	for i, n := range tree.Nodes {
		if n.Field.Name == "ip.src" {
			src = append(src, tree.Value(i))
		}
	}
	if want := []string{"192.0.0.1", "10.0.0.1"}; !reflect.DeepEqual(src, want) || h.Src.String() != "10.0.0.1" {
		t.Errorf("%v, %v", src, h.Src)
	}
}

// TestDeep ends at a limit, whatever headers lie within headers.
func TestDeep(t *testing.T) {
	for name, b := range map[string][]byte{
		"tags":       eth(0x8100, bytes.Repeat([]byte{0, 1, 0x81, 0}, 300)),
		"extensions": eth(0x86dd, ip6(60, -1, bytes.Repeat([]byte{60, 0, 1, 4, 0, 0, 0, 0}, 300))),
	} {
		var d inet.Decoder
		var h inet.Headers
		c := wire.New(b, nil)
		if d.Decode(&c, ethernet, &h, nil); !h.Malformed {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func TestAllocs(t *testing.T) {
	var d inet.Decoder
	var h inet.Headers
	info := make([]byte, 0, 512)
	for _, s := range samples {
		if n := testing.AllocsPerRun(20, func() {
			for _, n := range []int{len(s.b), len(s.b) / 2} {
				c := wire.NewCut(s.b[:n], len(s.b), nil)
				d.Decode(&c, s.link, &h, nil)
				inet.AppendInfo(info[:0], &h, &context)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", s.name, n)
		}
	}
}

// TestLayers holds what filters need: layers by name, and names that stand for several
// fields.
func TestLayers(t *testing.T) {
	have := make(map[string]*wire.Field)
	for _, f := range inet.Fields() {
		have[f.Name] = f
	}
	for _, name := range []string{"frame", "eth", "vlan", "sll", "null", "ip", "ipv6", "tcp", "udp", "arp", "icmp", "icmpv6", "vxlan", "gre"} {
		if f := have[name]; f == nil || f.Kind != wire.KindStruct {
			t.Errorf("no layer %s", name)
		}
	}
	for _, name := range []string{"ip.addr", "ipv6.addr", "tcp.port", "udp.port", "eth.addr"} {
		if f := have[name]; f == nil || name != "eth.addr" && len(f.Any) != 2 {
			t.Errorf("%s stands for nothing", name)
		}
	}
}

// FuzzDecode feeds anything, cut anywhere, as any link type: no panic, no node outside
// the frame, and neither a tree nor the decoder's past changes the outcome.
func FuzzDecode(f *testing.F) {
	for _, s := range samples {
		f.Add(s.b, uint16(0), uint8(s.link))
	}
	var used inet.Decoder
	var usedHeaders inet.Headers
	f.Fuzz(func(t *testing.T, b []byte, missing uint16, link uint8) {
		var fresh inet.Decoder
		var h inet.Headers
		var tree wire.Tree
		c, bare := wire.NewCut(b, len(b)+int(missing), &tree), wire.NewCut(b, len(b)+int(missing), nil)
		fresh.Decode(&c, linktype.Type(link), &h, &context)
		used.Decode(&bare, linktype.Type(link), &usedHeaders, nil)
		if !reflect.DeepEqual(h, usedHeaders) {
			t.Fatalf("%+v\nwithout a tree %+v", h, usedHeaders)
		}
		if len(h.Payload) > h.PayloadLen || h.Truncated && missing == 0 {
			t.Fatalf("%+v", h)
		}
		for _, n := range tree.Nodes {
			if !n.Generated && uint64(n.Off)+uint64(n.Len) > uint64(len(b)+int(missing)) {
				t.Fatalf("%s at %d+%d of %d", n.Field.Label, n.Off, n.Len, len(b))
			}
		}
		tree.Dump(new(bytes.Buffer))
		inet.Protocol(&h)
		inet.AppendInfo(nil, &h, &context)
		c = wire.New(b, nil)
		inet.DecodeIPPayload(&c, &h, link, nil)
	})
}

package ib

import (
	"bytes"
	"errors"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
	"github.com/odxray/odxray/flows/flowtest"
)

// routed returns the samples of RoCEv2 over IPv4 as another carrier has them, without the
// header of Ethernet.
func routed(t testing.TB, by flowtest.Carrier) (list []sample) {
	for _, s := range samples(t) {
		if s.b[0]>>4 != 4 {
			continue
		}
		b := append(make([]byte, 14), s.b...)
		b[12] = 8
		for _, p := range flowtest.Carry([]captures.Packet{{Data: b, WireLen: len(b), Link: linktype.Ethernet}}, by) {
			if by == flowtest.RoCEv1 {
				p.Data = p.Data[14:]
			}
			list = append(list, sample{name: s.name, b: p.Data})
		}
	}
	if len(list) < 10 {
		t.Fatalf("%d samples", len(list))
	}
	return list
}

func (d *Decoder) routed(c *wire.Cursor, by flowtest.Carrier) (*Packet, bool) {
	if by == flowtest.RoCEv1 {
		return d.DecodeGlobal(c)
	}
	return d.DecodeLink(c)
}

var carriers = map[flowtest.Carrier]string{flowtest.RoCEv1: "rocev1", flowtest.Local: "local", flowtest.LocalRoute: "global"}

func TestRouteGolden(t *testing.T) {
	for by, name := range carriers {
		for _, s := range routed(t, by) {
			if s.name != "acknowledge" {
				continue
			}
			var d Decoder
			var tree wire.Tree
			c := wire.New(s.b, &tree)
			if _, ok := d.routed(&c, by); !ok || c.Err() != nil {
				t.Errorf("%s %s: %v %v", name, s.name, ok, c.Err())
			}
			var got bytes.Buffer
			tree.Dump(&got)
			wiretest.Golden(t, name+"_"+s.name, got.Bytes())
		}
	}
}

// TestRouteCRC: both CRCs are right, the invariant one also behind a router, and neither
// where a byte is not.
func TestRouteCRC(t *testing.T) {
	variant := func(tree *wire.Tree) CRC {
		for i := range tree.Nodes {
			if tree.Nodes[i].Field == fVariantStatus {
				return CRC(tree.Nodes[i].Val)
			}
		}
		return CRCUnknown
	}
	for by, name := range carriers {
		for _, s := range routed(t, by) {
			if s.name == "unknown" || s.name == "cnp" {
				continue
			}
			var d Decoder
			check := func(b []byte, invariant, link CRC) {
				var tree wire.Tree
				c := wire.New(b, &tree)
				if by == flowtest.RoCEv1 {
					link = CRCUnknown
				}
				if p, _ := d.routed(&c, by); p.CRC != invariant || variant(&tree) != link {
					t.Errorf("%s %s: invariant CRC %v, want %v; variant %v, want %v", name, s.name, p.CRC, invariant, variant(&tree), link)
				}
			}
			check(s.b, CRCGood, CRCGood)
			b := bytes.Clone(s.b)
			switch by {
			case flowtest.RoCEv1:
				b[7]-- // hop limit
			case flowtest.LocalRoute:
				b[7], b[8+7] = b[7]^9, b[8+7]-1 // LID, hop limit
			default:
				b[0] ^= 0x10 // virtual lane
			}
			check(b, CRCGood, CRCBad)
			b = bytes.Clone(s.b)
			b[len(b)-8] ^= 1
			check(b, CRCBad, CRCBad)
		}
	}
}

// TestRoutePrefixes: nothing is read past the end, and a cut blames the capture.
func TestRoutePrefixes(t *testing.T) {
	var d Decoder
	for by, name := range carriers {
		for _, s := range routed(t, by) {
			if s.name != "acknowledge" {
				continue
			}
			for i := range s.b {
				c := wire.NewCut(s.b[:i], len(s.b), nil)
				if d.routed(&c, by); !errors.Is(c.Err(), wire.ErrTruncated) {
					t.Errorf("%s: cut after %d of %d bytes: %v", name, i, len(s.b), c.Err())
				}
				c = wire.New(s.b[:i], nil)
				if _, ok := d.routed(&c, by); ok && c.Err() == nil && i < len(s.b)-2 {
					t.Errorf("%s: %d of %d bytes are enough", name, i, len(s.b))
				}
			}
		}
	}
}

func TestRouteAllocs(t *testing.T) {
	var d Decoder
	for by, name := range carriers {
		list := routed(t, by)
		if n := testing.AllocsPerRun(100, func() {
			for i := range list {
				c := wire.New(list[i].b, nil)
				d.routed(&c, by)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func FuzzRoute(f *testing.F) {
	for by := range carriers {
		for _, s := range routed(f, by) {
			f.Add(s.b, uint8(by))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, by uint8) {
		var d Decoder
		var tree wire.Tree
		c := wire.New(b, &tree)
		d.routed(&c, flowtest.Carrier(by))
		with := d.Packet
		c = wire.New(b, nil)
		if d.routed(&c, flowtest.Carrier(by)); d.Opcode != with.Opcode || d.PSN != with.PSN || d.CRC != with.CRC || d.Route != with.Route {
			t.Errorf("%+v without a tree, %+v with one", d.Packet, with)
		}
	})
}

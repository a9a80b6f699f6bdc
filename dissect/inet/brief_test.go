package inet_test

import (
	"reflect"
	"testing"

	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
)

// brief are the fields that need no walk through a usual frame, and one that demands the
// walk and is in none of them.
var brief = []string{"frame.time_epoch", "frame.time_relative", "frame.number", "frame.len", "ip.ttl", "ip.proto", "ip.src", "ip.dst", "ip.addr",
	"tcp.srcport", "tcp.dstport", "tcp.port", "tcp.stream", "tcp.len", "tcp.seq_raw", "tcp.ack_raw", "tcp.window_size_value"}

func wantOf(names ...string) wire.Want {
	var list []*wire.Field
	for _, f := range inet.Fields() {
		for _, name := range names {
			if f.Name == name {
				list = append(list, f)
			}
		}
	}
	return wire.Only(list...)
}

// same checks that a frame gives the same nodes and headers with and without the walk, and
// the same headers without a tree.
func same(t *testing.T, name string, b []byte, missing int, ctx *inet.Context, names ...string) {
	t.Helper()
	var nodes [2][]wire.Node
	var headers [2]inet.Headers
	for i, want := range []wire.Want{wantOf(names...), wantOf(append([]string{"arp.opcode"}, names...)...)} {
		var d inet.Decoder
		tree := wire.Tree{Want: want}
		c := wire.NewCut(b, len(b)+missing, &tree)
		d.Decode(&c, linktype.Ethernet, &headers[i], ctx)
		if ctx.Frame > 0 { // to record it when it is known says the same
			again, h := wire.Tree{Want: want}, headers[i]
			c := wire.NewCut(b, len(b)+missing, &again)
			if d.Again(&c, linktype.Ethernet, &h, ctx); !reflect.DeepEqual(again.Nodes, tree.Nodes) || !reflect.DeepEqual(h, headers[i]) {
				t.Errorf("%s: %v\n%+v\nagain\n%+v", name, names, tree.Nodes, again.Nodes)
			}
		}
		for _, n := range tree.Nodes {
			if n.Field.Name != "arp.opcode" {
				nodes[i] = append(nodes[i], n)
			}
		}
	}
	var d inet.Decoder
	var plain inet.Headers
	c := wire.NewCut(b, len(b)+missing, nil)
	d.Decode(&c, linktype.Ethernet, &plain, ctx)
	if !reflect.DeepEqual(plain, headers[1]) {
		t.Errorf("%s:\n%+v\nwalked\n%+v", name, plain, headers[1])
	}
	if !reflect.DeepEqual(nodes[0], nodes[1]) || !reflect.DeepEqual(headers[0], headers[1]) {
		t.Errorf("%s: %v\n%+v\n%+v\nwalked\n%+v\n%+v", name, names, nodes[0], headers[0], nodes[1], headers[1])
	}
}

func TestBrief(t *testing.T) {
	early := context
	early.HasStream, early.FirstTime = false, 0
	for _, s := range samples {
		if s.link != linktype.Ethernet {
			continue
		}
		same(t, s.name, s.b, 0, &context, brief...)
		same(t, s.name, s.b, 0, &early, brief...)
		same(t, s.name, s.b, 0, new(inet.Context), brief...)
		for _, name := range brief {
			same(t, s.name, s.b, 0, &context, name)
		}
		for n := range s.b {
			same(t, s.name, s.b[:n], len(s.b)-n, &context, brief...)
			same(t, s.name, s.b[:n], 0, &context, brief...)
		}
	}
}

func FuzzBrief(f *testing.F) {
	for _, s := range samples {
		f.Add(s.b, uint16(0))
	}
	f.Fuzz(func(t *testing.T, b []byte, missing uint16) { same(t, "", b, int(missing), &context, brief...) })
}

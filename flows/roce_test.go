package flows

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

const (
	rocev2 = "testdata/rocev2.pcap"        // connect, mount, write by RDMA READ
	midway = "testdata/rocev2-midway.pcap" // a write in two packets below and two messages above SMB Direct, without a handshake
)

// ownCapture returns the path of a capture that the repository does not have, or skips
// the test.
func ownCapture(t *testing.T, name string) string { return sharedCapture(t, "own", name) }

// sharedCapture is ownCapture for any capture that lies beside the repository.
func sharedCapture(t *testing.T, path ...string) string {
	dir := os.Getenv("ODXRAY_CAPTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "captures")
	}
	file := filepath.Join(append([]string{dir}, path...)...)
	if _, err := os.Stat(file); err != nil {
		t.Skip("ODXRAY_CAPTURES names no folder of shared captures: ", err)
	}
	return file
}

// passOver returns what a pass over a capture yields, and its results.
func passOver(t *testing.T, path string) (list []Exchange, r *Results) {
	t.Helper()
	c, err := Open([]string{path}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.EachExchange(context.Background(), func(x *Exchange) bool { list = append(list, *x); return true }); err != nil {
		t.Fatal(err)
	}
	return list, c.Results()
}

func TestRoCE(t *testing.T) {
	list, r := passOver(t, rocev2)
	if len(r.Connections) != 1 {
		t.Fatalf("%d connections", len(r.Connections))
	}
	n := r.Connections[0]
	if n.Transport != RoCEv2 || n.Client.Addr().String() != "10.77.0.2" || n.Server.String() != "10.77.0.1:445" || n.LateStart || n.Dialect != smb2.Dialect311 || n.LostBytes != 0 {
		t.Errorf("%+v", n)
	}
	last := list[len(list)-1]
	if last.Command != smb2.Flush || last.File != "f4096" || last.Transport != RoCEv2 {
		t.Errorf("%+v", last)
	}
	for _, x := range list {
		if x.RequestFrame == 0 || x.AnswerFrame == 0 && x.Command != smb2.Flush {
			t.Errorf("%v: request %d, answer %d", x.Command, x.RequestFrame, x.AnswerFrame)
		}
	}
}

// TestRoCEAllocs: packets that carry data cost no allocation.
func TestRoCEAllocs(t *testing.T) {
	source, err := captures.OpenFiles([]string{rocev2}, captures.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var b captures.Batch
	if err := source.ReadBatch(&b); err != nil {
		t.Fatal(err)
	}
	a := NewAnalyzer(Options{})
	for i := range b.Packets[:112] {
		a.Packet(&b.Packets[i])
	}
	if n := testing.AllocsPerRun(100, func() {
		for i := range b.Packets[110:114] { // the data of an RDMA READ, again and again
			a.Packet(&b.Packets[110+i])
		}
		a.Packet(&b.Packets[115]) // an acknowledgement
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestTransfer: an exchange knows what RDMA moved for it.
func TestTransfer(t *testing.T) {
	list, _ := passOver(t, rocev2)
	n := 0
	for _, x := range list {
		if x.RDMA.Offered == 0 {
			continue
		}
		n++
		if r := x.RDMA; x.Command != smb2.Write || r.Operations != 1 || r.Bytes != 4096 || r.Offered != 4096 || r.FirstFrame != 110 || r.LastFrame != 114 || r.Incomplete != 0 {
			t.Errorf("%v: %+v", x.Command, r)
		}
	}
	if n != 1 {
		t.Errorf("%d exchanges by RDMA", n)
	}
}

// TestTransfers: every byte of a READ or WRITE that gave memory and succeeded is accounted
// for, also where packets were lost and sent again, and no operation is nobody's.
func TestTransfers(t *testing.T) {
	for _, name := range []string{"rocev2-30", "rocev2-311", "rocev2-311-mtu4096", "rocev2-311-loss", "rocev2-311-multichannel2"} {
		c, err := Open([]string{ownCapture(t, name+".pcap.zst")}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		bytes := uint64(0)
		if err := c.EachExchange(context.Background(), func(x *Exchange) bool {
			if x.RDMA.Offered > 0 && (x.RDMA.Bytes != x.Moved || x.RDMA.Incomplete > 0) {
				t.Errorf("%s: %v %d of %d bytes: %+v", name, x.Command, x.ID, x.Moved, x.RDMA)
			}
			bytes += x.RDMA.Bytes
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if bytes != 2361530 {
			t.Errorf("%s: %d bytes by RDMA", name, bytes)
		}
		for _, r := range c.RDMA() {
			if r.BadCRC > 0 || r.Lost > 0 {
				t.Errorf("%s: %d packets with a wrong CRC, %d lost", name, r.BadCRC, r.Lost)
			}
			for _, o := range r.Operations {
				if o.Exchange == 0 || o.ByClient || o.Moved != o.Length {
					t.Errorf("%s: %+v", name, o)
				}
			}
		}
	}
}

// TestRoCEMidway: nothing tells the two queue pairs but acknowledgements, and the protocol
// but its messages.
func TestRoCEMidway(t *testing.T) {
	list, r := passOver(t, midway)
	if len(r.Connections) != 1 || !r.Connections[0].LateStart {
		t.Fatalf("%+v", r.Connections)
	}
	var got []string
	for _, x := range list {
		got = append(got, fmt.Sprintf("%v %s %d-%d", x.Command, x.File, x.RequestFrame, x.AnswerFrame))
	}
	// The first request comes out with the acknowledgement that tells whose it is.
	want := []string{"Create g1300 2-3", "Write g1300 8-10", "Flush g1300 12-14", "Create g1316 16-0"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestRoCESecondLook: random access shows the same rows and trees as the pass.
func TestRoCESecondLook(t *testing.T) {
	for _, path := range []string{rocev2, midway} {
		sameAtSecondLook(t, path)
	}
}

// smbFields joins the fields of a tree from InfiniBand on, with their values, but for those
// that a second look knows more of.
func smbFields(t *wire.Tree) string {
	var b strings.Builder
	for i := range t.Nodes {
		switch name := t.Nodes[i].Field.Name; {
		case strings.HasPrefix(name, "infiniband"), strings.HasPrefix(name, "iwarp"), strings.HasPrefix(name, "smb_direct"), name == "smb2.cmd", name == "smb2.msg_id", name == "data.len":
			fmt.Fprintf(&b, "%s=%s ", name, t.Value(i))
		}
	}
	return b.String()
}

func TestRoCESecondLookAll(t *testing.T) {
	for _, name := range []string{"rocev2-311-seal-serverbug.pcap", "rocev2-negotiate-refused.pcap"} {
		sameAtSecondLook(t, ownCapture(t, name))
	}
}

func sameAtSecondLook(t *testing.T, path string) {
	t.Helper()
	c, err := Open([]string{path}, Options{Index: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	pass, err := Open([]string{path}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pass.Close()
	var tree, again wire.Tree
	if err := pass.List(context.Background(), &tree, nil, func(want *Row) bool {
		frame := want.Frame
		var got Row
		if err := c.Row(want.Frame, &got); err != nil || got.Info != want.Info || got.Protocol != want.Protocol {
			t.Errorf("%s, frame %d: %q, %v; the pass showed %q", path, want.Frame, got.Info, err, want.Info)
		}
		if err := c.Detail(want.Frame, &again); err != nil {
			t.Errorf("%s, frame %d: %v", path, want.Frame, err)
		}
		if want, got := smbFields(&tree), smbFields(&again); want != got {
			t.Errorf("%s, frame %d: %s\nin the pass %s", path, frame, got, want)
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
}

// TestSameAsTCP: the same work over RoCEv2 and over TCP makes the same exchanges, but for
// READ and WRITE, which are cut otherwise and move the same bytes.
func TestSameAsTCP(t *testing.T) {
	for name, tcp := range map[string]string{"rocev2-311": "tcp-311", "rocev2-311-mtu4096": "tcp-311", "rocev2-311-sign": "tcp-311",
		"rocev2-30": "tcp-30"} {
		name += ".pcap.zst"
		want, bytes := workOf(t, ownCapture(t, tcp+".pcap.zst"))
		got, moved := workOf(t, ownCapture(t, name))
		if !maps.Equal(bytes, moved) {
			t.Errorf("%s: READ and WRITE of %v, over TCP %v", name, moved, bytes)
		}
		for k := range maps.Keys(got) {
			// The client looks at its directory again after a second.
			if strings.Contains(k, " dir STATUS") || want[k] == got[k] {
				continue
			}
			t.Errorf("%s: %d times %s, over TCP %d", name, got[k], k, want[k])
		}
		for k := range want {
			if got[k] == 0 {
				t.Errorf("%s: no %s", name, k)
			}
		}
	}
}

// TestSameCopies: copies over RoCEv2 are those over TCP.
func TestSameCopies(t *testing.T) {
	copies := func(name string) (list []string) {
		_, r := passOver(t, ownCapture(t, name+".pcap.zst"))
		for i := range r.Copies {
			c := &r.Copies[i]
			list = append(list, fmt.Sprint(c.Methods, c.Source.Path, " ", c.Destination.Path, " ", c.Bytes, c.WireBytes, c.Reads, c.Writes, c.Verdict))
		}
		return list
	}
	for over, tcp := range map[string]string{"odx-rocev2-311-multi": "odx-tcp-311", "rocev2-311": "tcp-311", "rocev2-30": "tcp-30"} {
		if got, want := copies(over), copies(tcp); !slices.Equal(got, want) {
			t.Errorf("%s: %q\n%s: %q", over, got, tcp, want)
		}
	}
}

// workOf counts the exchanges of a capture, and the bytes of READ and WRITE a file.
func workOf(t *testing.T, path string) (calls map[string]int, bytes map[string]uint64) {
	t.Helper()
	calls, bytes = make(map[string]int), make(map[string]uint64)
	list, _ := passOver(t, path)
	for _, x := range list {
		if x.Command == smb2.Read || x.Command == smb2.Write {
			bytes[fmt.Sprint(x.Command, x.File)] += x.Length
			continue
		}
		calls[fmt.Sprint(x.Command, " ", x.Function, " ", x.File, " ", x.Status)]++
	}
	return calls, bytes
}

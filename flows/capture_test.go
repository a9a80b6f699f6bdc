package flows

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows/flowtest"
)

// Random access shows of a frame what the pass showed of it.
func TestSecondLook(t *testing.T) {
	const sample = "../captures/samples/copy-sparse2.snoop"
	c, err := Open([]string{sample}, Options{Index: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	pass, err := Open([]string{sample}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pass.Close()
	var tree, again wire.Tree
	err = pass.List(context.Background(), &tree, nil, func(want *Row) bool {
		frame := want.Frame
		var got Row
		if err := c.Row(want.Frame, &got); err != nil || got.Info != want.Info {
			t.Errorf("frame %d: %q, %v; the pass showed %q", want.Frame, got.Info, err, want.Info)
		}
		if err := c.Detail(want.Frame, &again); err != nil {
			t.Errorf("frame %d: %v", want.Frame, err)
		}
		if diff := cmp.Diff(text(t, &tree), text(t, &again)); diff != "" {
			t.Errorf("frame %d, - in the pass, + at the second look:\n%s", frame, diff)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}

// text is the tree without what only later frames tell.
func text(t *testing.T, tree *wire.Tree) string {
	var b strings.Builder
	if err := tree.Text(&b); err != nil {
		t.Fatal(err)
	}
	return later.ReplaceAllString(b.String(), "")
}

var later = regexp.MustCompile(`(?m)^ *\[(Frame handle closed|Response in): .*\n`)

// A message that ends nowhere, because its connection is over, is in no frame: not
// in the last one either, which may be somebody else's.
func TestMessageThatEndsNowhere(t *testing.T) {
	var made flowtest.Capture
	n := made.Login("10.0.0.1:50000", "10.0.0.2:445", "share")
	message := append([]byte("\x00\x00\x03\xe8\xfeSMB\x40\x00"), make([]byte, 100)...) // of 1000 bytes
	n.Send(0, message)
	made.Frame(append([]byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x06"), make([]byte, 28)...)) // ARP

	file := written(t, &made)
	c, err := Open([]string{file}, Options{Index: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	var r Row
	if err := c.Row(c.Frames(), &r); err != nil || r.Protocol != "ARP" {
		t.Errorf("the last frame is %q %q, %v", r.Protocol, r.Info, err)
	}
}

// written makes a file of a capture.
func written(t *testing.T, made *flowtest.Capture) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "made.pcap")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := pcapgo.NewWriter(out)
	if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for _, p := range made.Packets {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(0, p.Time), CaptureLength: len(p.Data), Length: p.WireLen}, p.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

package captures

import (
	"bytes"
	"io"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// TestGopacket reads through gopacket's interface, and hands a capture to one of
// its packet sources.
func TestGopacket(t *testing.T) {
	for _, s := range samples() {
		r, err := NewReader(bytes.NewReader(s.file), s.name)
		if err != nil {
			t.Fatal(err)
		}
		if r.LinkType() != s.packets[0].Link {
			t.Errorf("%s: link type %v", s.name, r.LinkType())
		}
		for i, want := range s.packets {
			data, ci, err := r.ZeroCopyReadPacketData()
			if err != nil || !bytes.Equal(data, want.Data) || ci.Timestamp.UnixNano() != want.Time || ci.CaptureLength != len(data) ||
				ci.Length != want.WireLen || ci.InterfaceIndex != want.Interface || ci.AncillaryData[0] != any(want.Link) {
				t.Errorf("%s: packet %d: %d bytes, %+v, %v", s.name, i+1, len(data), ci, err)
			}
		}
		if _, _, err := r.ZeroCopyReadPacketData(); err != io.EOF {
			t.Error(err)
		}
	}
	file := timed(1, []byte("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00"))
	r, err := NewReader(bytes.NewReader(file), "x")
	if err != nil {
		t.Fatal(err)
	}
	p, err := gopacket.NewPacketSource(r, layers.LinkType(r.LinkType())).NextPacket()
	if err != nil || p.LinkLayer() == nil || p.LinkLayer().LayerType() != layers.LayerTypeEthernet {
		t.Errorf("%v, %v", p, err)
	}
}

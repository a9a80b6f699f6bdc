package inet_test

import (
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
)

// TestColumns compares the Protocol and Info columns with tshark's, which knows no
// protocol above TCP and UDP for the purpose, nor other frames.
func TestColumns(t *testing.T) {
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip(err)
	}
	frames, names := "100", []string{"fault_mix_c.pcap.zst", "rocev2-311.pcap.zst"}
	if *full {
		frames, names = "5000", append(names, "ipv6_ops.pcap", "vlan_qinq.pcap.zst", "copy-sparse2.snoop", "ip4_fragments.pcap.zst", "ip6_fragments.pcap.zst")
	}
	own := filepath.Dir(shared(t, "own")[0])
	for _, name := range names {
		file := filepath.Join(own, name)
		out, err := exec.Command(path, "-r", file, "-c", frames, "-o", "tcp.relative_sequence_numbers:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE",
			"--disable-protocol", "nbss", "--disable-protocol", "infiniband", "--disable-protocol", "mdns", "--disable-protocol", "smb_direct",
			"--disable-protocol", "artemis", "-T", "fields", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info").Output()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r, err := captures.Open(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var d inet.Decoder
		var h inet.Headers
		var p captures.Packet
		var b []byte
		factors := make(map[netip.AddrPort]int32) // of windows; every SYN here has the option
		bad := 0
		for line := range strings.Lines(string(out)) {
			if r.Next(&p) != nil || bad == 3 {
				break
			}
			c := wire.NewCut(p.Data, p.WireLen, nil)
			d.Decode(&c, p.Link, &h, nil)
			from := netip.AddrPortFrom(h.Src, h.SrcPort)
			if h.WindowShift >= 0 {
				factors[from] = 1 << h.WindowShift
			}
			b = inet.AppendInfo(append(append(b[:0], inet.Protocol(&h)...), '\t'), &h, &inet.Context{WindowFactor: factors[from]})
			want := strings.TrimSpace(line)
			want, _, _ = strings.Cut(want, " (request in") // pairs are for flows to find
			want, _, _ = strings.Cut(want, " (reply in")
			want, _, _ = strings.Cut(want, " (no response")
			if h.Kind == inet.UDP || fragmentEnd(&h) {
				continue // a protocol above that cannot be switched off
			}
			if got := strings.TrimSpace(string(b)); got != want {
				t.Errorf("%s: frame %d\n  have %q\n  want %q", name, p.Number, got, want)
				bad++
			}
		}
		r.Close()
	}
}

// fragmentEnd tells whether tshark shows the whole packet in this frame.
func fragmentEnd(h *inet.Headers) bool { return h.Kind == inet.Fragment && !h.MoreFragments }

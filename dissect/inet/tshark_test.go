package inet_test

import (
	"flag"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
)

// names are what tshark puts in front of an address that it knows the maker of.
var names = regexp.MustCompile(`[^ ]+ \(([0-9a-f]{2}(:[0-9a-f]{2}){5})\)`)

// layer matches the first line of the layers that the comparison is about.
var layer = regexp.MustCompile(`^(Frame \d|Ethernet II|802\.1Q|IEEE 802\.1ad|Linux cooked|Null/|Raw packet|Point-to-Point|Internet Protocol|Transmission Control|User Datagram|Address Resolution|Virtual eXt|Generic Routing)`)

// skipped are lines that no decoder of one frame can know, or that are not to be had.
var skipped = regexp.MustCompile(`Time shift for|Time delta|Time since|Frame is |Protocols in frame|Interface (id|name|desc)|Section number|UDP payload|TCP payload|Stream index|Conversation completeness|Calculated window|scaling factor|\(raw\)`)

// closing is the remark on which side closed the connection first.
var closing = regexp.MustCompile(`(?m)^ +\[Expert Info \(Note/Sequence\): This frame (initiates|undergoes) .*\n.*\n.*\n.*\n`)

// layersOf cuts the text of a frame's tree down to those layers, and to what is
// comparable of them.
func layersOf(text string) []string {
	var lines []string
	keep := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if !strings.HasPrefix(line, " ") {
			keep = layer.MatchString(line)
		}
		if keep && line != "" && !skipped.MatchString(line) {
			if i := strings.Index(line, " on interface "); i > 0 {
				line = line[:i]
			}
			lines = append(lines, names.ReplaceAllString(line, "$1 ($1)"))
		}
	}
	return lines
}

var full = flag.Bool("full", false, "compare more frames with tshark's")

// TestTshark compares trees with tshark's, without what it knows from other frames.
func TestTshark(t *testing.T) {
	frames := "40"
	if *full {
		frames = "2000"
	}
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip(err)
	}
	own := filepath.Dir(shared(t, "own")[0])
	for _, name := range []string{
		"vlan_qinq.pcap.zst", "sll2_any_nano.pcap.zst", "rawip_bigendian.pcap", "ipv6_ops.pcap", "ip4_fragments.pcap.zst",
		"ip6_fragments.pcap.zst", "fault_mix_c.pcap.zst", "snaplen_200_meta.pcap", "copy-sparse2.snoop", "tso_gro_superframes.pcap.zst",
		"rocev2-311.pcap.zst",
	} {
		file := filepath.Join(own, name)
		out, err := exec.Command(tshark, "-r", file, "-V", "-c", frames, "-o", "tcp.relative_sequence_numbers:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE",
			"-o", "tcp.calculate_timestamps:FALSE", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE",
			"-o", "udp.calculate_timestamps:FALSE").Output()
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
		var tree wire.Tree
		var p captures.Packet
		bad := 0
		for i, frame := range strings.Split("\n"+string(out), "\nFrame ")[1:] {
			if r.Next(&p) != nil {
				t.Errorf("%s: fewer than %d frames", name, i+1)
				break
			}
			tree.Reset()
			c := wire.NewCut(p.Data, p.WireLen, &tree)
			d.Decode(&c, p.Link, &h, &inet.Context{Frame: uint32(p.Number), Time: p.Time})
			var text strings.Builder
			tree.Text(&text)
			frame = closing.ReplaceAllString(frame, "")
			if h.Kind == inet.Fragment { // which tshark looks into
				frame, _, _ = strings.Cut(frame, "\nTransmission Control")
			}
			got, want := layersOf(text.String()), layersOf("Frame "+frame)
			for k := range max(len(got), len(want)) {
				if k >= len(got) || k >= len(want) || got[k] != want[k] {
					t.Errorf("%s: frame %d: line %d\n  have %q\n  want %q", name, p.Number, k, at(got, k), at(want, k))
					bad++
					break
				}
			}
			if bad == 3 {
				break
			}
		}
		r.Close()
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing"
}

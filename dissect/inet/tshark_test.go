package inet_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/netbios"
	"github.com/odxray/odxray/dissect/wire"
)

// names are what tshark puts in front of an address that it knows the maker of.
var names = regexp.MustCompile(`[^ ]+ \(([0-9a-f]{2}(:[0-9a-f]{2}){5})\)`)

// layer matches the first line of the layers that the comparison is about.
var layer = regexp.MustCompile(`^(Frame \d|Ethernet II|802\.1Q|IEEE 802\.1ad|Linux cooked|Null/|Raw packet|Point-to-Point|Internet Protocol|Transmission Control|User Datagram|Address Resolution|Virtual eXt|IP over|Internet Control|Generic |Encapsulated)`)

// skipped are lines that no decoder of one frame can know, or that are not to be had.
var skipped = regexp.MustCompile(`Time shift for|Time delta|Time since|Frame is |Protocols in frame|Interface (id|name|desc)|Section number|UDP payload|PDU Size|Response time|(Request|Response) frame|Source SLAAC|TCP payload|Stream index|Conversation completeness|Calculated window|scaling factor|\(raw\)`)

// hexdump matches the lines of bytes that stand within a layer of data.
var hexdump = regexp.MustCompile(`^[0-9a-f]{4,}  |^$`)

// closing is the remark on which side closed the connection first.
var closing = regexp.MustCompile(`(?m)^ +\[Expert Info \(Note/Sequence\): This frame (initiates|undergoes) .*\n.*\n.*\n.*\n`)

// layersOf cuts the text of a frame's tree down to those layers, and to what is
// comparable of them.
func layersOf(text string) []string {
	var lines []string
	keep := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if hexdump.MatchString(line) {
			continue
		}
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

// alone are the options by which tshark looks at every frame by itself.
var alone = []string{"-o", "tcp.relative_sequence_numbers:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE", "-o", "tcp.calculate_timestamps:FALSE",
	"-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE", "-o", "udp.calculate_timestamps:FALSE"}

// tshark returns the trees of the first frames of a file.
func tshark(t *testing.T, file, frames string) []string {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip(err)
	}
	out, err := exec.Command(path, append([]string{"-r", file, "-V", "-c", frames}, alone...)...).Output()
	if err != nil {
		t.Fatal(file, err)
	}
	return strings.Split("\n"+string(out), "\nFrame ")[1:]
}

// compareTree compares the tree of a frame with tshark's, without what that knows
// from other frames.
func compareTree(t *testing.T, name string, p *captures.Packet, want string) bool {
	t.Helper()
	var d inet.Decoder
	var h inet.Headers
	var tree wire.Tree
	c := wire.NewCut(p.Data, p.WireLen, &tree)
	d.Decode(&c, p.Link, &h, &inet.Context{Frame: uint32(p.Number), Time: p.Time})
	var text strings.Builder
	tree.Text(&text)
	want = closing.ReplaceAllString(want, "")
	if h.Kind == inet.Fragment { // which tshark looks into
		want, _, _ = strings.Cut(want, "\nTransmission Control")
	}
	have, lines := layersOf(text.String()), layersOf("Frame "+want)
	for k := range max(len(have), len(lines)) {
		if at(have, k) != at(lines, k) {
			t.Errorf("%s: frame %d: line %d\n  have %q\n  want %q", name, p.Number, k, at(have, k), at(lines, k))
			return false
		}
	}
	return true
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing"
}

// TestTshark compares real frames.
func TestTshark(t *testing.T) {
	frames, names := "40", []string{"vlan_qinq.pcap.zst", "sll2_any_nano.pcap.zst", "copy-sparse2.snoop"}
	if *full {
		frames, names = "2000", append(names, "rawip_bigendian.pcap", "ipv6_ops.pcap", "ip4_fragments.pcap.zst", "ip6_fragments.pcap.zst",
			"fault_mix_c.pcap.zst", "snaplen_200_meta.pcap", "tso_gro_superframes.pcap.zst", "rocev2-311.pcap.zst")
	}
	own := filepath.Dir(shared(t, "own")[0])
	for _, name := range names {
		file := filepath.Join(own, name)
		want := tshark(t, file, frames)
		r, err := captures.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		var p captures.Packet
		for i, bad := 0, 0; i < len(want) && bad < 3; i++ {
			if r.Next(&p) != nil {
				t.Errorf("%s: fewer than %d frames", name, len(want))
				break
			}
			if !compareTree(t, name, &p, want[i]) {
				bad++
			}
		}
		r.Close()
	}
}

// TestSamplesTshark compares the samples, but for those of which it is known why
// tshark's tree is another.
func TestSamplesTshark(t *testing.T) {
	file := filepath.Join(t.TempDir(), "samples.pcapng")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pcapgo.NewNgWriter(f, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	interfaces := map[linktype.Type]int{ethernet: 0}
	var list []sample
	for _, s := range samples {
		if s.differs != "" {
			continue
		}
		i, ok := interfaces[s.link]
		if !ok {
			i, _ = w.AddInterface(pcapgo.NgInterface{LinkType: layers.LinkType(s.link)})
			interfaces[s.link] = i
		}
		list = append(list, s)
		w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Unix(1, 0), CaptureLength: len(s.b), Length: len(s.b), InterfaceIndex: i}, s.b)
	}
	w.Flush()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	want := tshark(t, file, "1000")
	for i, s := range list {
		compareTree(t, s.name, &captures.Packet{Number: i + 1, Time: 1e9, Link: s.link, WireLen: len(s.b), Data: s.b}, want[i])
	}
}

// TestNames asks tshark whether it knows the names that claim to be its own.
func TestNames(t *testing.T) {
	out, err := exec.Command("tshark", "-G", "fields").Output()
	if err != nil {
		t.Skip("tshark -G fields: ", err)
	}
	known := make(map[string]bool)
	for line := range strings.Lines(string(out)) {
		if cells := strings.Split(line, "\t"); len(cells) > 2 { // F: a field, P: a protocol
			known[strings.TrimSpace(cells[2])] = true
		}
	}
	for _, f := range append(inet.Fields(), netbios.Fields()...) {
		if f.Name != "" && !known[f.Name] {
			t.Errorf("%s (%s) is no name of Wireshark's", f.Name, f.Label)
		}
	}
}

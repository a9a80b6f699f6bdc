package bpf_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/odxray/odxray/captures"
	own "github.com/odxray/odxray/captures/bpf"
	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/captures/samples"
)

// expressions are compared with what libpcap makes of them.
var expressions = []string{
	"", "ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "ip6 proto 44", "ip proto 17", "proto 6", "proto \\udp", "ip proto \\icmp",
	"ether proto 0x8915", "ether proto \\ip6", "not tcp", "! ip and not ip6",
	"host 10.10.0.153", "src host 10.10.0.153", "dst host 10.10.0.153", "ip host 10.10.1.57", "arp host 10.10.1.57", "src or dst host 10.10.1.57", "src and dst host 10.10.1.57",
	"src 10.10.1.57", "ip src 10.10.1.57", "host fd00:1::2", "ip6 src fe80::1", "dst host ::1",
	"net 10.10.0.0/16", "net 10", "net 10.10", "src net 10.10.1", "net 10.10.1.0 mask 255.255.255.0", "dst net 10.10.0.128/25", "net fd00::/8", "src net fe80::/10", "net 0.0.0.0/0", "ip6 net ::/0",
	"port 445", "tcp port 445", "src port 445", "tcp dst port 445", "udp port 4791", "udp port 53", "tcp src or dst port 445", "src and dst port 138", "sctp port 9",
	"portrange 100-500", "tcp portrange 440-450", "dst portrange 1024-65535", "portrange 500-100",
	"tcp port 445 or 139", "port 445 or 139 and not host 10.10.1.57", "host 10.10.0.153 or 10.10.1.57", "host 10.10.0.153 and (port 445 or port 139)", "tcp port (445 or 139)",
	"tcp or udp and port 445", "tcp and (udp or port 445)", "not port 445 or icmp", "not (port 445 or icmp)", "not not tcp",
	"ether host 02:00:00:00:00:01", "ether src 00:11:22:33:44:55", "ether dst ff:ff:ff:ff:ff:ff",
	"ip[6:2] & 0x1fff != 0", "ip[9] = 6", "ip[2:2] > 1000", "tcp[tcpflags] & tcp-syn != 0", "tcp[13] & 2 == 2", "tcp[0:2] = 445", "udp[4:2] >= 100", "ip6[6] = 6", "ether[12:2] = 0x800", "ether[0] & 1 = 0", "icmp[icmptype] = 8", "ip6[4:2] < 100", "ip[12:4] = 0x0a0a0099",
	"less 100", "greater 1000", "len <= 80", "len != 66", "tcp and greater 200",
	"vlan", "vlan 7", "vlan and tcp port 445", "vlan 7 and host 10.10.0.153", "vlan and vlan and ip", "not vlan", "tcp port 445 or (vlan and tcp port 445)", "vlan or tcp",
	own.Default,
}

// TestAgainstLibpcap runs what odxray and what libpcap make of an expression on frames
// of all kinds: both choose the same.
func TestAgainstLibpcap(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("tcpdump is not installed")
	}
	list := frames(t)
	// Of frames that were cut within a header nothing is compared: a program ends where it
	// reads past the end, and libpcap may read in another order than is written.
	all := slices.Clone(expressions)
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		all = append(all, compound(random, 3))
	}
	for _, expr := range all {
		want, ok := libpcap(t, expr)
		if !ok {
			continue // two things that exclude each other: libpcap refuses what can match nothing
		}
		raw, err := own.Compile(expr, own.Ethernet, 262144)
		if err != nil {
			t.Errorf("%q: %v", expr, err)
			continue
		}
		got := machine(t, raw)
		chosen := 0
		for i, f := range list {
			a, b := runs(t, got, f), runs(t, want, f)
			if a {
				chosen++
			}
			if a != b {
				t.Errorf("%q: frame %d: odxray %v, libpcap %v\n% x", expr, i, a, b, f[:min(len(f), 60)])
				break
			}
		}
		t.Logf("%5d of %d  %s", chosen, len(list), expr)
	}
}

// compound makes an expression of random ones that do not move offsets.
func compound(r *rand.Rand, depth int) string {
	if depth == 0 || r.IntN(4) == 0 {
		for {
			if e := expressions[1+r.IntN(len(expressions)-1)]; !strings.Contains(e, "vlan") {
				return "(" + e + ")"
			}
		}
	}
	e := compound(r, depth-1)
	for range 1 + r.IntN(2) {
		e += []string{" and ", " or ", " && ", " || "}[r.IntN(4)] + []string{"", "not ", "! "}[r.IntN(3)] + compound(r, depth-1)
	}
	return "(" + e + ")"
}

func machine(t *testing.T, raw []bpf.RawInstruction) *bpf.VM {
	t.Helper()
	list, all := bpf.Disassemble(raw)
	if !all {
		t.Fatal("a program has instructions that nobody knows")
	}
	vm, err := bpf.NewVM(list)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

func runs(t *testing.T, vm *bpf.VM, frame []byte) bool {
	t.Helper()
	n, err := vm.Run(frame)
	if err != nil {
		t.Fatal(err)
	}
	return n > 0
}

// libpcap compiles with tcpdump.
func libpcap(t *testing.T, expr string) (*bpf.VM, bool) {
	t.Helper()
	cmd := exec.Command("tcpdump", "-ddd", "-y", "EN10MB", expr)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		if strings.Contains(said.String(), "expression rejects all packets") {
			return nil, false
		}
		t.Fatalf("tcpdump %q: %v: %s", expr, err, said.String())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var raw []bpf.RawInstruction
	for _, l := range lines[1:] {
		var i bpf.RawInstruction
		if _, err := fmt.Sscan(l, &i.Op, &i.Jt, &i.Jf, &i.K); err != nil {
			t.Fatal(err)
		}
		raw = append(raw, i)
	}
	return machine(t, raw), true
}

// frames returns Ethernet frames of captures, plain and behind one and two tags, and
// made ones: fragments, other ports, other protocols.
func frames(t *testing.T) (list [][]byte) {
	root := os.Getenv("ODXRAY_CAPTURES")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "captures")
	}
	paths, _ := filepath.Glob(filepath.Join(root, "own", "*"))
	more, _ := filepath.Glob(filepath.Join(root, "public", "*"))
	add := func(r *captures.Reader, most int) {
		defer r.Close()
		var p captures.Packet
		for n := 0; n < most && r.Next(&p) == nil; n++ {
			if p.Link == linktype.Ethernet && len(p.Data) >= 14 {
				list = append(list, slices.Clone(p.Data[:min(len(p.Data), 200)]))
			}
		}
	}
	sample, err := samples.Open(samples.Demo)
	if err != nil {
		t.Fatal(err)
	}
	add(sample, 100)
	for _, path := range append(paths, more...) {
		if r, err := captures.Open(path); err == nil {
			add(r, 12)
		}
	}
	for i, f := range list[:min(len(list), 600)] {
		tagged := slices.Concat(f[:12], []byte{0x81, 0, 0, byte(7 + i%2)}, f[12:])
		list = append(list, tagged, slices.Concat(f[:12], []byte{0x88, 0xa8, 0x20, 7}, tagged[12:]))
		if g := slices.Clone(f); len(g) > 40 && g[12] == 8 && g[13] == 0 {
			g[20] |= 0x20                 // more fragments
			h := slices.Clone(g)          // a later one
			h[21] = 0x10                  //
			udp := slices.Clone(f)        //
			udp[23] = 17                  //
			udp[36], udp[37] = 0x12, 0xb7 // 4791
			list = append(list, g, h, udp, slices.Concat(h[:12], []byte{0x81, 0, 0, 7}, h[12:]), slices.Concat(udp[:12], []byte{0x81, 0, 0, 7}, udp[12:]))
			for _, proto := range []byte{1, 2, 58, 132} {
				o := slices.Clone(f)
				o[23] = proto
				list = append(list, o)
			}
		}
	}
	roce := make([]byte, 60)
	roce[12], roce[13] = 0x89, 0x15
	six := make([]byte, 80)
	six[12], six[13], six[14], six[20], six[54], six[56], six[57] = 0x86, 0xdd, 0x60, 44, 6, 1, 0xbd
	direct := slices.Clone(six)
	direct[20], direct[54], direct[55] = 6, 1, 0xbd
	list = append(list, roce, slices.Concat(roce[:12], []byte{0x81, 0, 0, 7}, roce[12:]), six, direct, slices.Concat(six[:12], []byte{0x81, 0, 0, 7}, six[12:]))
	return list
}

// TestRefused: what is no part of the language that odxray knows is refused, and the
// message says where and what.
func TestRefused(t *testing.T) {
	for expr, want := range map[string]string{
		"tcp port smb":                  "column 10: \"smb\" is no port; names are not looked up",
		"host server":                   "is no address; names are not looked up",
		"10.0.0.1":                      "needs host, net",
		"host 10.1":                     "is no address",
		"gateway 10.0.0.1":              "\"gateway\" is not in the part of pcap-filter that odxray compiles",
		"tcp port 445 and":              "expected something to look for, not the end",
		"tcp port 445 or or":            "is not in the part",
		"(tcp":                          "expected \")\"",
		"tcp)":                          "expected and, or, or the end",
		"tcp udp":                       "expected and, or, or the end",
		"port 70000":                    "is no port",
		"net 10.0.0.1/8":                "bits beyond its 8",
		"net 10.0.0.0/40":               "no number of bits",
		"vlan 5000":                     "is no VLAN",
		"ip[6:3] = 0":                   "a size is 1, 2 or 4",
		"ip[0]":                         "expected a comparison",
		"ip[0] + 1 = 2":                 "\"+\" means nothing here",
		"ip[0] & 0 = 2":                 "leaves nothing",
		"ether tcp":                     "ether needs",
		"ip6 host 10.0.0.1":             "is no address of ip6",
		"tcp host 10.0.0.1":             "tcp has no host",
		"src proto 6":                   "does not go with proto",
		"host fe80::1%eth0":             "means nothing here",
		"port":                          "port needs something after it",
		"#":                             "means nothing here",
		strings.Repeat("(", 500):        "nested too deeply",
		"host 1.2.3.4 or port 5 and":    "expected something",
		"ether proto 100":               "is no protocol",
		strings.Repeat("not ", 500):     "nested too deeply",
		"net 10.0.0.0/8 mask 255.0.0.0": "expected and, or, or the end",
	} {
		_, err := own.Compile(expr, own.Ethernet, 65535)
		var e *own.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want … %s …", expr, err, want)
		}
	}
	for _, expr := range []string{"ether host 02:00:00:00:00:01", "ether[0] = 1"} {
		if _, err := own.Compile(expr, own.Cooked, 65535); err == nil {
			t.Errorf("%q compiles for packets without an Ethernet header", expr)
		}
	}
}

// TestDefaultInDocs: the filter that users are told of is the one that is used.
func TestDefaultInDocs(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "live.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.ReplaceAll(string(b), "\n", " "), own.Default) {
		t.Error("docs/live.md has another filter than", own.Default)
	}
}

// TestLarge: jumps that go too far for a conditional one, and programs that are too long.
func TestLarge(t *testing.T) {
	var ports []string
	for n := range 300 {
		ports = append(ports, "tcp port "+strconv.Itoa(1000+n))
	}
	raw, err := own.Compile(strings.Join(ports[:100], " or "), own.Ethernet, 100)
	if err != nil {
		t.Fatal(err)
	}
	vm := machine(t, raw)
	frame := make([]byte, 60)
	frame[12], frame[14], frame[23] = 8, 0x45, 6
	for port := 990; port < 1110; port++ {
		frame[36], frame[37] = byte(port>>8), byte(port)
		if got, want := runs(t, vm, frame), port >= 1000 && port < 1100; got != want {
			t.Errorf("port %d: %v, want %v", port, got, want)
		}
	}
	if _, err := own.Compile(strings.Join(ports, " or "), own.Live, 100); err == nil || !strings.Contains(err.Error(), "the kernel takes 4096") {
		t.Errorf("a filter of 300 ports: %v", err)
	}
}

func FuzzCompile(f *testing.F) {
	for _, e := range expressions {
		f.Add(e)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		for _, on := range []own.Frames{own.Ethernet, own.Live, own.Cooked} {
			if raw, err := own.Compile(expr, on, 1500); err == nil && on == own.Ethernet {
				machine(t, raw)
			}
		}
	})
}

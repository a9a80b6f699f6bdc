package rpc

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
)

// captures returns the paths of shared captures, or skips.
func captures(t *testing.T, names ...string) []string {
	dir := os.Getenv("ODXRAY_CAPTURES")
	if dir == "" {
		dir = "../../../shared/captures"
	}
	for i, name := range names {
		names[i] = filepath.Join(dir, name)
		if _, err := os.Stat(names[i]); err != nil {
			t.Skip("set ODXRAY_CAPTURES: ", err)
		}
	}
	return names
}

// tshark returns what tshark prints of the PDUs on the pipes of a capture, or skips.
func tshark(t *testing.T, file string, args ...string) string {
	args = append([]string{"--disable-protocol", "artemis", "-o", "tcp.reassemble_out_of_order:TRUE", "-r", file, "-Y", "smb2 && dcerpc"}, args...)
	cmd := exec.Command("tshark", args...)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	out, err := cmd.Output()
	if len(out) == 0 {
		t.Skip("tshark: ", err)
	}
	return string(out)
}

// opaque has tshark leave arguments alone.
func opaque(args ...string) []string {
	for _, p := range []string{"srvsvc", "winreg", "samr", "lsarpc", "svcctl", "spoolss", "wkssvc", "epm", "dssetup", "eventlog", "rpc_netlogon", "witness", "netdfs"} {
		args = append(args, "--disable-protocol", p)
	}
	return args
}

// TestTshark compares the trees and the Info texts of PDUs in real captures with
// tshark's. It keeps what package flows will know: the interfaces bound.
func TestTshark(t *testing.T) {
	for _, file := range captures(t, "own/rpc_admin.pcap", "own/torture_rpc_winreg.pcap") {
		var frames []struct {
			Source struct {
				Layers map[string]any
			} `json:"_source"`
		}
		if err := json.Unmarshal([]byte(tshark(t, file, opaque("-T", "jsonraw")...)), &frames); err != nil {
			t.Fatal(err)
		}
		trees := pduTrees(tshark(t, file, opaque("-V")...))
		infos := strings.Split(tshark(t, file, opaque("-T", "fields", "-e", "frame.number", "-e", "_ws.col.Info")...), "\n")
		calls := strings.Split(tshark(t, file, "-T", "fields", "-e", "_ws.col.Info"), "\n")
		var ctx Context
		n := 0
		for i, frame := range frames {
			raw, ok := frame.Source.Layers["dcerpc_raw"].([]any)
			if !ok {
				continue
			}
			text, ok := raw[0].(string)
			if !ok {
				continue
			}
			b, _ := hex.DecodeString(text)
			var tree wire.Tree
			var h Header
			var got bytes.Buffer
			c := wire.New(b, &tree)
			Decode(&c, &h, &ctx)
			tree.Text(&got)
			if h.Type == Request {
				ctx.Calls = append(ctx.Calls, Call{ID: h.CallID, Opnum: h.Opnum})
			}
			number, info, _ := strings.Cut(infos[i], "\t")
			if h.Type == Bind || h.Type == AlterContext {
				ctx.Bound = append([]Offer(nil), h.Offers[:h.Items]...)
			}
			if d := difference(derived.ReplaceAllString(generated.ReplaceAllString(got.String(), ""), ""), trees[i]); c.Err() != nil || d != "" {
				t.Errorf("%s: frame %s: %v%s", file, number, c.Err(), d)
			}
			s := string(h.AppendInfo(nil))
			if h.operation() != "" { // tshark says more, but not always how it ended
				info = calls[i]
				name, code, _ := strings.Cut(s, ", Error: ")
				if !strings.HasPrefix(info, name) || strings.Contains(info, "Error: ") && !strings.HasSuffix(info, code) {
					t.Errorf("%s: frame %s: info\n    %s\nnot %s", file, number, s, info)
				}
			} else if s != info {
				t.Errorf("%s: frame %s: info\n    %s\nnot %s", file, number, s, info)
			}
			n++
		}
		if n == 0 {
			t.Errorf("%s: no PDUs", file)
		}
	}
}

// pduTrees cuts the first tree of every frame out of tshark -V, without what it derives.
func pduTrees(v string) (trees []string) {
	in := false
	for line := range strings.Lines(v) {
		switch {
		case strings.HasPrefix(line, "Frame "):
			trees = append(trees, "")
			in = false
		case strings.HasPrefix(line, "Distributed Computing"):
			in = trees[len(trees)-1] == ""
			fallthrough
		case in && strings.HasPrefix(line, " "):
			text := strings.TrimLeft(line, " ")
			if in && !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "No bind info") {
				line = derived.ReplaceAllString(line, "")
				trees[len(trees)-1] += known.Replace(line)
			}
		default:
			in = false
		}
	}
	return trees
}

// known are differences that are tshark's: a name for the UUID of zeros, and a space.
var known = strings.NewReplacer("PNIO (Implicit Ar)", "00000000-0000-0000-0000-000000000000", "Negotiation UUID:6", "Negotiation UUID: 6")

// generated are the lines of what a PDU does not hold, derived is what others say of it.
var generated = regexp.MustCompile(`(?m)^ *\[.*\]\n`)

var derived = regexp.MustCompile(`, \[Req: #\d+\]`)

// difference returns the first lines that are not the same. tshark cuts long ones.
func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b && !(len(strings.TrimLeft(b, " ")) == 239 && strings.HasPrefix(a, b)) {
			return "\n   " + a + "\nnot" + b
		}
	}
	return ""
}

// TestNames asks tshark whether it knows the names that claim to be its own.
func TestNames(t *testing.T) {
	out, err := exec.Command("tshark", "-G", "fields").Output()
	if err != nil {
		t.Skip("tshark -G fields: ", err)
	}
	known := map[string]bool{"": true, fOperation.Name: true, fReturn.Name: true}
	for line := range strings.Lines(string(out)) {
		known[strings.TrimSpace(strings.Split(line, "\t")[2])] = true
	}
	for _, f := range Fields() {
		if !known[f.Name] {
			t.Errorf("%s (%s) is no name of Wireshark's", f.Name, f.Label)
		}
	}
}

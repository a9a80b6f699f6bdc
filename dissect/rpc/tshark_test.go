package rpc

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// tshark returns what tshark prints of the PDUs on the pipes of a capture, or skips.
func tshark(t *testing.T, file string, args ...string) string {
	return wiretest.Tshark(t, append([]string{"-r", file, "-Y", "smb2 && dcerpc"}, args...)...)
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
	for _, file := range wiretest.Captures(t, "own/rpc_admin.pcap", "own/torture_rpc_winreg.pcap") {
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
			if d := wiretest.Difference(derived.ReplaceAllString(generated.ReplaceAllString(got.String(), ""), ""), trees[i]); c.Err() != nil || d != "" {
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

// TestNames asks tshark whether it knows the names that claim to be its own.
func TestNames(t *testing.T) {
	wiretest.Names(t, Fields(), func(name string) bool { return name == fOperation.Name || name == fReturn.Name })
}

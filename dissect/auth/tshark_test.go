package auth

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
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

// tshark returns what tshark prints with the arguments, or skips.
func tshark(t *testing.T, args ...string) string {
	cmd := exec.Command("tshark", append([]string{"--disable-protocol", "artemis", "-o", "tcp.reassemble_out_of_order:TRUE"}, args...)...)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	out, err := cmd.Output()
	if len(out) == 0 && err != nil {
		t.Skip("tshark: ", err)
	}
	return string(out)
}

// TestTshark compares the trees of the blobs of real captures with tshark's.
func TestTshark(t *testing.T) {
	for _, file := range captures(t, "own/guest_badpw.pcap", "own/krb5_enc.pcap", "own/dialect_smb2_02_sign_required.pcap") {
		const only = "smb2.security_blob && !_ws.malformed && gss-api"
		blobs := strings.Split(strings.TrimSpace(tshark(t, "-r", file, "-Y", only, "-T", "fields", "-e", "frame.number", "-e", "smb2.security_blob")), "\n")
		frames := blobTrees(tshark(t, "-r", file, "-Y", only, "-V"))
		var n int
		for _, line := range blobs {
			number, blob, _ := strings.Cut(line, "\t")
			for _, b := range strings.Split(blob, ",") {
				raw, err := hex.DecodeString(b)
				if err != nil || n >= len(frames) {
					t.Fatalf("%s: frame %s: %d trees, %v", file, number, len(frames), err)
				}
				var tree wire.Tree
				var m Message
				var got bytes.Buffer
				c := wire.New(raw, &tree)
				Decode(&c, &m)
				tree.Text(&got)
				if d := difference(got.String(), frames[n]); c.Err() != nil || d != "" {
					t.Errorf("%s: frame %s: %v%s", file, number, c.Err(), d)
				}
				n++
			}
		}
		if n == 0 {
			t.Errorf("%s: no blobs", file)
		}
	}
}

// blobTrees cuts the trees of the blobs out of tshark -V, without what it derives.
func blobTrees(v string) (trees []string) {
	indent := -1
	for line := range strings.Lines(v) {
		text := strings.TrimLeft(line, " ")
		in := len(line) - len(text)
		switch {
		case strings.HasPrefix(text, "Security Blob:"):
			indent = in
			trees = append(trees, "")
		case in <= indent:
			indent = -1
		case indent >= 0 && !strings.HasPrefix(text, "["):
			trees[len(trees)-1] += line[indent+4:]
		}
	}
	return trees
}

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
	known := map[string]bool{"": true}
	for line := range strings.Lines(string(out)) {
		known[strings.TrimSpace(strings.Split(line, "\t")[2])] = true
	}
	for _, f := range Fields() {
		if !known[f.Name] {
			t.Errorf("%s (%s) is no name of Wireshark's", f.Name, f.Label)
		}
	}
}

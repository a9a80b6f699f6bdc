package auth

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// TestTshark compares the trees of the blobs of real captures with tshark's.
func TestTshark(t *testing.T) {
	for _, file := range wiretest.Captures(t, "own/guest_badpw.pcap", "own/krb5_enc.pcap", "own/dialect_smb2_02_sign_required.pcap") {
		const only = "smb2.security_blob && !_ws.malformed && gss-api"
		blobs := strings.Split(strings.TrimSpace(wiretest.Tshark(t, "-r", file, "-Y", only, "-T", "fields", "-e", "frame.number", "-e", "smb2.security_blob")), "\n")
		frames := blobTrees(wiretest.Tshark(t, "-r", file, "-Y", only, "-V"))
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
				if d := wiretest.Difference(got.String(), frames[n]); c.Err() != nil || d != "" {
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

// TestNames asks tshark whether it knows the names that claim to be its own.
func TestNames(t *testing.T) {
	wiretest.Names(t, Fields(), func(string) bool { return false })
}

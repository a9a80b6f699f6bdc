// Package wiretest is what tests of decoders share: bytes written as hex, golden trees,
// shared captures, and what tshark says.
package wiretest

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
)

var update = flag.Bool("update", false, "rewrite testdata")

// Unhex joins lines of hex; spaces are for the reader.
func Unhex(lines ...string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(lines, ""), " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// Golden compares a tree with testdata/NAME.tree, which -update rewrites.
func Golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".tree")
	if *update {
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: the tree is now\n%s", name, got)
	}
}

// Captures returns the paths of shared captures, from a package three folders below the
// project's, or skips the test.
func Captures(t testing.TB, names ...string) []string {
	t.Helper()
	dir := os.Getenv("ODXRAY_CAPTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "captures")
	}
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = filepath.Join(dir, name)
		if _, err := os.Stat(paths[i]); err != nil {
			t.Skip("ODXRAY_CAPTURES names no folder of shared captures: ", err)
		}
	}
	return paths
}

// Tshark returns what tshark prints with the arguments, times in UTC, or skips the test.
func Tshark(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("tshark", append([]string{"--disable-protocol", "artemis", "-o", "tcp.reassemble_out_of_order:TRUE"}, args...)...)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	out, err := cmd.Output()
	if len(out) == 0 {
		t.Skip("tshark prints nothing: ", err)
	}
	return string(out)
}

// Names asks tshark whether it knows the names of fields, but for those that are ours.
func Names(t *testing.T, fields []*wire.Field, ours func(name string) bool) {
	t.Helper()
	known := map[string]bool{"": true}
	for line := range strings.Lines(Tshark(t, "-G", "fields")) {
		known[strings.TrimSpace(strings.Split(line, "\t")[2])] = true
	}
	for _, f := range fields {
		if !known[f.Name] && !ours(f.Name) {
			t.Errorf("%s (%s) is no name of Wireshark's", f.Name, f.Label)
		}
	}
}

// Difference returns the first lines that are not the same; "" if there are none.
// tshark cuts long ones.
func Difference(got, want string) string {
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

package replay

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
)

var update = flag.Bool("update", false, "write the golden files anew")

// captured makes a plan of a capture, and has its file closed when the test ends.
func captured(t testing.TB, keys *flows.Keys, paths ...string) (*Plan, *flows.Capture) {
	t.Helper()
	c, err := flows.Open(paths, flows.Options{Index: true, Keys: keys, Judge: audit.Judge})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	p, err := Extract(c)
	if err != nil {
		t.Fatal(err)
	}
	return p, c
}

// golden compares got with a file under testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update writes it anew), %v:\n%s", name, err, got)
	}
}

const sample = "../captures/samples/copy-sparse2.snoop"

func TestPlan(t *testing.T) {
	for name, path := range map[string]string{
		"scopy_50m.plan":    "testdata/scopy_50m.pcap", // copychunk; nothing before the NEGOTIATE
		"copy-sparse2.plan": sample,                    // offload; begins after the log-on
	} {
		p, _ := captured(t, nil, path)
		var b bytes.Buffer
		if err := p.Text(&b); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
}

// What is chosen brings what it needs, and nothing else.
func TestSelect(t *testing.T) {
	p, c := captured(t, nil, "testdata/scopy_50m.pcap")
	var sel Selection
	if err := sel.ParseSelect("copy=1"); err != nil {
		t.Fatal(err)
	}
	if err := p.Select(sel, c.Results()); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Text(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "scopy_50m.copy1.plan", b.Bytes())
	for _, bad := range []string{"", "copy", "copy=x", "file=a"} {
		if (&Selection{}).ParseSelect(bad) == nil {
			t.Errorf("%q is taken for a selection", bad)
		}
	}
	p, c = captured(t, nil, "testdata/scopy_50m.pcap")
	if p.Select(Selection{Copies: []int{9}}, c.Results()) == nil || p.Select(Selection{Conns: []int{9}}, c.Results()) == nil {
		t.Error("what is not there was selected")
	}
}

// A group comes after all that it waits for: no plan has a cycle.
func TestOrder(t *testing.T) {
	for _, path := range []string{"testdata/scopy_50m.pcap", sample} {
		p, _ := captured(t, nil, path)
		state := make([]int, len(p.Groups))
		var visit func(g int) bool
		visit = func(g int) bool {
			if state[g] == 1 {
				return false
			}
			if state[g] == 2 {
				return true
			}
			state[g] = 1
			for _, o := range append(p.Groups[g].After, p.Groups[g].Behind...) {
				if !visit(o) {
					return false
				}
			}
			state[g] = 2
			return true
		}
		for g := range p.Groups {
			if !visit(g) {
				t.Fatalf("%s: group %d waits for itself", path, g)
			}
		}
	}
}

// Breaks are told with what acknowledges them, and each is acknowledged after it came.
func TestBreaks(t *testing.T) {
	path := filepath.Join(captureDir(), "own", "odx-tcp-311-leasebreak-stall.pcap.zst")
	if _, err := os.Stat(path); err != nil {
		t.Skip("no captures: ", err)
	}
	p, _ := captured(t, nil, path)
	if len(p.Breaks) != 3 {
		t.Fatalf("%d breaks", len(p.Breaks))
	}
	for i, want := range []string{"down to lease state RH, acknowledged by step 53", "down to lease state RH, acknowledged by step 57", "down to lease state none, acknowledged by step 58"} {
		if got := p.breakText(&p.Breaks[i]); !strings.HasSuffix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestCutAnswers: a file whose CREATE answer is cut is one that was opened, not one that the
// client made up.
func TestCutAnswers(t *testing.T) {
	path := filepath.Join(captureDir(), "own", "snaplen_200_meta.pcap")
	if _, err := os.Stat(path); err != nil {
		t.Skip("no captures: ", err)
	}
	p, _ := captured(t, nil, path)
	for i := range p.Slots {
		if p.Slots[i].Bogus {
			t.Errorf("%v is taken for made up", &p.Slots[i])
		}
	}
}

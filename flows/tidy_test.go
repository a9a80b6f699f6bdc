package flows

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/flows/flowtest"
)

// sharedCaptures returns the captures of own/ that match a pattern, or skips.
func sharedCaptures(t testing.TB, pattern string) []string {
	t.Helper()
	dir := os.Getenv("ODXRAY_CAPTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "captures")
	}
	files, err := filepath.Glob(filepath.Join(dir, "own", pattern))
	if err != nil {
		t.Fatal(err)
	}
	if files == nil {
		t.Skipf("no %s in %s: set ODXRAY_CAPTURES", pattern, filepath.Join(dir, "own"))
	}
	return files
}

// pass reads captures without an index, and returns their exchanges.
func pass(t testing.TB, files []string, prepare func(*Analyzer)) (list []Exchange, r *Results) {
	t.Helper()
	c, err := Open(files, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if prepare != nil {
		prepare(c.a)
	}
	err = c.EachExchange(t.Context(), func(x *Exchange) bool {
		list = append(list, *x)
		return true
	})
	if err != nil && err != captures.ErrCut {
		t.Logf("%s: %v", files, err)
	}
	return list, c.Results()
}

// TestTidy: exchanges are the same if what nobody needs goes after every message.
func TestTidy(t *testing.T) {
	for _, pattern := range []string{"dialect_smb3_11_sign_off*", "torture_smb2_[cdnos]*", "torture_rpc*", "copy-sparse2*", "ip4_fragments.*"} {
		for _, file := range sharedCaptures(t, pattern) {
			never, _ := pass(t, []string{file}, nil)
			always, _ := pass(t, []string{file}, func(a *Analyzer) { a.litter.always = true })
			if d := cmp.Diff(never, always); d != "" {
				t.Errorf("%s: %.2000s", filepath.Base(file), d)
			}
		}
	}
}

// TestLongPass: what a pass holds does not grow with what it has seen.
func TestLongPass(t *testing.T) {
	a := NewAnalyzer(Options{})
	for round := range 100 {
		var c flowtest.Capture
		s := c.Login(fmt.Sprintf("10.0.0.1:%d", 20000+round), "10.0.0.2:445", share)
		for i := range 1000 {
			f := s.New(fmt.Sprintf(`dir%d\file%d`, round, i))
			s.Write(f, 0, make([]byte, 100))
			s.Close(f)
		}
		for i := range c.Packets {
			a.Packet(&c.Packets[i])
		}
	}
	a.Flush()
	for what, n := range map[string]int{
		"names": len(a.names), "names by text": len(a.nameIndex), "opens": len(a.opens), "files": len(a.files),
		"files by name": len(a.fileByKey), "exchanges": a.exchanges.list.n, "asides": len(a.exchanges.asides),
	} {
		if n > 4*tidyAfter {
			t.Errorf("%d %s are kept of 100,000 files", n, what)
		}
	}
	if r := a.Results(); r.Opens != 100_000 || r.Exchanges != 300_300 {
		t.Errorf("%d opens, %d exchanges", r.Opens, r.Exchanges)
	}
}

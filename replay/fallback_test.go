package replay

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/replay/smbdtest"
)

// fallback: a server without offload says so once, and the bytes get there all the same.
func fallback(t *testing.T, server *smbdtest.Server) {
	for _, how := range []string{"", "copychunk", "plain"} {
		p, c := captured(t, nil, sample)
		writes := 0
		sel := Selection{Choose: func(i int) bool { // the first few calls: 64 MB of 1.75 GB
			for k := range p.Steps {
				if s := &p.Steps[k]; s.exchangeIndex == i && s.Exchange.Function == fscc.OffloadWrite {
					writes++
					return writes <= 4
				}
			}
			return false
		}}
		if err := p.Select(sel, c.Results()); err != nil {
			t.Fatal(err)
		}
		o := at(t, server, smbdtest.Shared, "fallback"+how)
		o.Fallback = how
		r, err := At(context.Background(), p, o, p.Manifest(), false)
		if err != nil {
			t.Fatal(err)
		}
		counts := r.Counts()
		dir := filepath.Join(server.Dir, "fallback"+how)
		refused := 0
		for i := range r.Outcomes {
			if p.Steps[i].Exchange.Function == fscc.OffloadRead && r.Outcomes[i].Verdict == Differs {
				refused++
			}
		}
		if refused != 1 || how == "" && counts[Blocked] < 4 || how != "" && counts[Blocked] != 0 {
			var b bytes.Buffer
			_ = r.Text(&b)
			t.Errorf("%q: %v\n%s", how, counts, &b)
		}
		if how != "" {
			if from, to := beginning(t, filepath.Join(dir, "sparse1")), beginning(t, filepath.Join(dir, "sparse1 - Copy (3)")); !bytes.Equal(from, to) {
				t.Errorf("%s: the copy is not the same", how)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// beginning reads the first 64 MB of a file.
func beginning(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 64<<20)
	if _, err := f.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

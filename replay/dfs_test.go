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

// TestDFSAtSamba: referrals and links are followed where the captured shares have their
// places, below a share of the target that is a DFS root. Only that those places are a part
// of it, and no shares, differs.
func TestDFSAtSamba(t *testing.T) {
	path := filepath.Join(captureDir(), "own", "dfs_referral.pcap")
	if _, err := os.Stat(path); err != nil {
		t.Skip("no captures: ", err)
	}
	s := smbdtest.Start(t, "host msdfs = yes", "msdfs root = yes", "store dos attributes = no")
	for _, dir := range []string{"dfs", "share", "big"} {
		if err := os.Mkdir(filepath.Join(s.Dir, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	// The owner's right to execute is the attribute "archive".
	if err := os.WriteFile(filepath.Join(s.Dir, "share", "hello.txt"), []byte("0123456789"), 0o766); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"link1": `127.0.0.1\share\share`, "link2": `127.0.0.99\none,127.0.0.1\share\big`} {
		if err := os.Symlink("msdfs:"+to, filepath.Join(s.Dir, "dfs", link)); err != nil {
			t.Fatal(err)
		}
	}
	p, _ := captured(t, nil, path)
	r := Run(context.Background(), p, at(t, s, smbdtest.Shared, ""))
	var text bytes.Buffer
	_ = r.Text(&text)
	n := 0
	for i := range p.Steps {
		switch o := &r.Outcomes[i]; {
		case o.Verdict == Same:
			n++
		case p.Steps[i].Exchange.Function != fscc.DFSGetReferrals || len(o.Differences) != 1 || o.Differences[0].Captured != "STATUS_NOT_FOUND":
			t.Errorf("step %d: %v", i+1, o.Verdict)
		}
	}
	if n != len(p.Steps)-2 {
		t.Errorf("%d of %d answers are the same\n%s", n, len(p.Steps), &text)
	}
}

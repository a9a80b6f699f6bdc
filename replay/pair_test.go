package replay

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/odxray/odxray/replay/server"
)

// TestPair: two servers that do the same are alike, whatever the capture says; where one
// does less, that is what differs.
func TestPair(t *testing.T) {
	t.Parallel()
	p, _ := captured(t, nil, sample)
	at := func(o Options) *Result {
		r, err := At(context.Background(), p, o, p.Manifest(), true)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	small := server.ODX{WriteMax: 4 << 20}
	alike, err := NewPair(at(lab(t, small)), at(lab(t, small)))
	if err != nil || !alike.First.Differs() || alike.Second.Differs() {
		t.Fatalf("%v: first %v, second %v", err, alike.First.Counts(), alike.Second.Counts())
	}
	apart, err := NewPair(at(lab(t, server.ODX{})), at(lab(t, small)))
	if err != nil || apart.First.Differs() || !apart.Second.Differs() {
		t.Fatalf("%v: first %v, second %v", err, apart.First.Counts(), apart.Second.Counts())
	}
	for _, c := range []struct {
		pair *Pair
		want []string
	}{
		{alike, []string{"150 answers alike at both of 150", "FSCTL_OFFLOAD_WRITE", "as in smb://"}},
		{apart, []string{"FSCTL_OFFLOAD_WRITE of sparse1 - Copy (3) differs", "  bytes copied", ": first ", ", second "}},
	} {
		var b bytes.Buffer
		if err := c.pair.Text(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%q is not in\n%s", want, &b)
			}
		}
		if regexp.MustCompile(`, now `).MatchString(b.String()) {
			t.Errorf("it does not say which of the two is meant:\n%s", &b)
		}
	}
}

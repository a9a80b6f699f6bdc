package replay

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/replay/server"
)

// differing is a server on which a step differs as long as others were sent before it.
func differing(p *Plan, step int, others ...int) (run func(context.Context, *Plan) (*Result, error), runs *int) {
	runs = new(int)
	return func(_ context.Context, sub *Plan) (*Result, error) {
		*runs++
		r := &Result{Plan: sub, Outcomes: make([]Outcome, len(sub.Steps))}
		shows := true
		for i := range sub.Steps {
			r.Outcomes[i].Verdict = Same
			if sub.Steps[i].Skip == notSelected {
				shows = shows && !contains(others, i+1)
			}
		}
		if shows {
			r.Outcomes[step-1] = Outcome{Verdict: Differs, Differences: []Difference{{Field: "smb2.eof", Captured: "1", Replayed: "2"}}}
		}
		return r, nil
	}, runs
}

// TestMinimise: what a difference needs stays, and nothing but that and what it presents.
func TestMinimise(t *testing.T) {
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	for _, c := range []struct {
		step   int
		others []int
		trials int
		want   string // the selection
		least  bool
	}{
		{16, nil, 100, "step=1-3,step=7,step=16,step=18", true},
		{16, []int{11}, 100, "step=1-3,step=7-11,step=14-16,step=18", true}, // SRV_COPYCHUNK_WRITE, and what it presents
		{16, []int{6, 11}, 100, "", true},
		{16, []int{11}, 2, "", false},
	} {
		run, runs := differing(p, c.step, c.others...)
		m, err := minimise(context.Background(), p, 0, c.trials, run)
		if err != nil {
			t.Fatal(err)
		}
		got := m.Selection()
		if m.Step != c.step || m.Least != c.least || *runs > c.trials+1 || m.Trials != *runs-1 {
			t.Errorf("%v: step %d, least %v, %d trials of %d", c.others, m.Step, m.Least, m.Trials, *runs-1)
		}
		if c.want != "" && got != c.want {
			t.Errorf("%v: %s, want %s", c.others, got, c.want)
		}
		var sel Selection
		if err := sel.ParseSelect(got); err != nil {
			t.Fatal(err)
		}
		again, capture := captured(t, nil, "testdata/scopy_50m.pcap")
		if err := again.Select(sel, capture.Results()); err != nil {
			t.Fatal(err)
		}
		for i := range again.Steps {
			if (again.Steps[i].Skip == notSelected) != (m.Plan.Steps[i].Skip == notSelected) {
				t.Errorf("%v: --select chooses step %d otherwise", c.others, i+1)
			}
		}
		for _, other := range c.others {
			if m.Plan.Step(other).Skip == notSelected {
				t.Errorf("%v: step %d is gone", c.others, other)
			}
		}
	}
	run, _ := differing(p, 16)
	if _, err := minimise(context.Background(), p, 5, 10, run); !errors.As(err, new(*ErrNoDifference)) {
		t.Errorf("a step that is the same: %v", err)
	}
	if _, err := minimise(context.Background(), p, 500, 10, run); err == nil {
		t.Error("there is no step 500")
	}
	run, _ = differing(p, 16, -1)
	nothing := func(ctx context.Context, sub *Plan) (*Result, error) {
		r, err := run(ctx, sub)
		r.Outcomes[15] = Outcome{Verdict: Same}
		return r, err
	}
	m, err := minimise(context.Background(), p, 0, 10, nothing)
	var b bytes.Buffer
	if err != nil || m.Text(&b) != nil || !strings.Contains(b.String(), "nothing to minimise") {
		t.Errorf("%v\n%s", err, &b)
	}
}

// TestMinimiseLab: at a server that refuses offload, few steps of the example show it.
func TestMinimiseLab(t *testing.T) {
	t.Parallel()
	p, _ := captured(t, nil, sample)
	o := lab(t, server.ODX{TokenMax: 32 << 20, WriteMax: 4 << 20})
	m, err := Minimise(context.Background(), p, o, 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Text(&b); err != nil {
		t.Fatal(err)
	}
	if n := m.Result.chosen(); !m.Least || n > 10 || p.Step(m.Step).Header.Command != smb2.Ioctl || !strings.Contains(b.String(), "--select step=") {
		t.Errorf("%d steps\n%s", n, &b)
	}
}

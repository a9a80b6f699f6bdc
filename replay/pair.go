package replay

// Two targets side by side: one capture replayed at both, and where they part.

import (
	"bytes"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/odxray/odxray/flows/report"
)

// Pair is what became of a run at each of two targets.
type Pair struct {
	First  *Result // held against the capture
	Second *Result // held against First: Differs is what is not alike at both
	same   [2]map[string]int
}

// NewPair holds two runs of one plan against each other.
func NewPair(first, second *Result) (*Pair, error) {
	x := &Pair{First: first, Second: second}
	for i, r := range []*Result{first, second} {
		x.same[i] = make(map[string]int)
		for _, c := range r.calls() {
			x.same[i][c.name] = c.by[Same] + c.by[KnownDifference]
		}
	}
	second.names = [2]string{"first", "second"}
	return x, second.Against(first.Golden())
}

// Text prints both runs by call, then where they part.
func (x *Pair) Text(w io.Writer) error {
	a, b := x.First, x.Second
	var out bytes.Buffer
	fmt.Fprintf(&out, "First  %s\nSecond %s\n", report.Escape(a.Target.String()), report.Escape(b.Target.String()))
	counts := b.Counts()
	fmt.Fprintf(&out, "Compared by what is %s: %s of %s\n\n", b.Level,
		report.Plural(counts[Same]+counts[KnownDifference]+counts[Skipped], "answer alike at both", "answers alike at both"), report.Count(b.chosen()))
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "Steps\tAlike\tAs captured: first\tsecond\tp50 captured\tfirst\tsecond\tp99 captured\tfirst\tsecond\t  Call")
	second := make(map[string]*calls)
	for _, c := range b.calls() {
		second[c.name] = c
	}
	for _, c := range a.calls() {
		d := second[c.name]
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t  %s\n", c.steps, dash(d.by[Same]+d.by[KnownDifference]+d.by[Skipped]), dash(x.same[0][c.name]), dash(x.same[1][c.name]),
			quantile(c.then, 50), quantile(c.now, 50), quantile(d.now, 50), quantile(c.then, 99), quantile(c.now, 99), quantile(d.now, 99), report.Escape(c.name))
	}
	t.Flush()
	fmt.Fprintln(&out)
	b.causes(&out)
	b.knownText(&out)
	b.skippedText(&out)
	b.environmentText(&out)
	for i, r := range []*Result{a, b} {
		for _, n := range r.Notes {
			fmt.Fprintf(&out, "Note on the %s: %s\n", [...]string{"first", "second"}[i], report.Escape(n))
		}
		if r.Interrupted {
			fmt.Fprintf(&out, "The %s run was interrupted.\n", [...]string{"first", "second"}[i])
		}
	}
	return trimmed(w, &out)
}

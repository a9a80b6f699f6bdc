package replay

// What a run found, for people.

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/odxray/odxray/flows/report"
)

// Text prints the result on a screen or so: calls with their counts and times, then each
// first cause with what follows from it.
func (r *Result) Text(w io.Writer) error {
	var b bytes.Buffer
	counts := r.Counts()
	fmt.Fprintf(&b, "Replayed at %s, compared by what is %s: ", report.Escape(r.Target.String()), r.Level)
	fmt.Fprintf(&b, "%s of %s\n", report.Plural(counts[Same], "answer the same", "answers the same"), report.Count(r.chosen()))
	if r.Baseline != "" {
		fmt.Fprintf(&b, "Held against %s: known is what both have that the capture has not\n", report.Escape(r.Baseline))
	}
	fmt.Fprintln(&b)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "Steps\tSame\tKnown\tDiffer\tBlocked\tSkipped\tFailed\tUnsent\tp50 then\tnow\tp99 then\tnow\t  Call")
	for _, c := range r.calls() {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t  %s\n", c.steps, dash(c.by[Same]), dash(c.by[KnownDifference]), dash(c.by[Differs]), dash(c.by[Blocked]),
			dash(c.by[Skipped]), dash(c.by[Failed]), dash(c.by[Unsent]), quantile(c.then, 50), quantile(c.now, 50), quantile(c.then, 99), quantile(c.now, 99), report.Escape(c.name))
	}
	t.Flush()
	fmt.Fprintln(&b)
	r.causes(&b)
	r.knownText(&b)
	r.skippedText(&b)
	r.environmentText(&b)
	r.notesText(&b)
	return trimmed(w, &b)
}

// trimmed prints text without spaces at the ends of lines.
func trimmed(w io.Writer, b *bytes.Buffer) error {
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// environmentText says what the servers are like.
func (r *Result) environmentText(w io.Writer) {
	if len(r.Environment) == 0 {
		return
	}
	fmt.Fprintln(w, "The servers differ in what no request asks for:")
	for i := range r.Environment {
		fmt.Fprintf(w, "  %s\n", r.text(&r.Environment[i]))
	}
}

// notesText says what the run did beside the capture's requests, and could not do.
func (r *Result) notesText(w io.Writer) {
	for _, n := range append(slices.Clone(r.Notes), r.Plan.Problems...) {
		fmt.Fprintf(w, "Note: %s\n", report.Escape(n))
	}
	if r.Interrupted {
		fmt.Fprintln(w, "The run was interrupted.")
	}
}

// chosen counts the steps that were chosen.
func (r *Result) chosen() (n int) {
	for _, c := range r.Counts() {
		n += c
	}
	return n
}

func dash(n int) string {
	if n == 0 {
		return "-"
	}
	return report.Count(n)
}

// calls are the outcomes of one sort of call.
type calls struct {
	name      string
	steps     int
	by        map[Verdict]int
	then, now []time.Duration
}

func (r *Result) calls() []*calls {
	byName := make(map[string]*calls)
	var list []*calls
	for i := range r.Plan.Steps {
		s, o := &r.Plan.Steps[i], &r.Outcomes[i]
		if s.Skip == notSelected {
			continue
		}
		name := report.CallName(s.Header.Command, s.Exchange.Function)
		c := byName[name]
		if c == nil {
			c = &calls{name: name, by: make(map[Verdict]int)}
			byName[name] = c
			list = append(list, c)
		}
		c.steps++
		c.by[o.Verdict]++
		then, a := s.Exchange.Took()
		now, b := o.Took()
		if a && b {
			c.then, c.now = append(c.then, then), append(c.now, now)
		}
	}
	slices.SortStableFunc(list, func(a, b *calls) int { return cmp.Compare(b.steps, a.steps) })
	return list
}

// quantile returns the p-th percentile of times, in words.
func quantile(times []time.Duration, p int) string {
	if len(times) == 0 {
		return "-"
	}
	sorted := slices.Sorted(slices.Values(times))
	return report.Took(sorted[min(len(sorted)*p/100, len(sorted)-1)])
}

// maxCauses bounds the differences that text shows in full.
const maxCauses = 20

// causes prints the differences that no other explains, each with what it blocked.
func (r *Result) causes(w io.Writer) {
	list, kept := r.firstCauses()
	shown := 0
	for _, c := range list {
		s, o := c.step, c.outcome
		if c.again {
			if c.kept > 0 {
				fmt.Fprintf(w, "Step %d, alike, kept back %s\n", s.ID, report.Plural(c.kept, "step", "steps"))
			}
			continue
		}
		if shown++; shown > maxCauses {
			continue
		}
		fmt.Fprintf(w, "Step %d, frame %d, %s%s %s", s.ID, s.Exchange.RequestFrame, report.CallName(s.Header.Command, s.Exchange.Function), on(s), o.Verdict)
		if o.Reason != "" {
			fmt.Fprintf(w, ": %s", report.Escape(o.Reason))
		}
		fmt.Fprintln(w)
		r.freshText(w, o)
		if len(c.alike) > 0 {
			fmt.Fprintf(w, "  the same in %s: %s\n", report.Plural(len(c.alike), "other step", "other steps"), numbers(c.alike))
		}
		if c.kept > 0 {
			fmt.Fprintf(w, "  kept back %s\n", report.Plural(c.kept, "step", "steps"))
		}
	}
	if shown > maxCauses {
		fmt.Fprintf(w, "and %s more\n", report.Count(shown-maxCauses))
	}
	for _, line := range r.keptText(kept) {
		fmt.Fprintln(w, line)
	}
	if shown > 0 {
		fmt.Fprintln(w)
	}
}

// freshText prints the differences of a step that are not known.
func (r *Result) freshText(w io.Writer, o *Outcome) {
	for i := range o.Differences {
		if d := &o.Differences[i]; d.Why == "" {
			fmt.Fprintf(w, "  %s\n", r.text(d))
		}
	}
}

// cause is a difference that no other explains.
type cause struct {
	step    *Step
	outcome *Outcome
	alike   []int // steps that differ in the same way
	again   bool  // it is one of those itself: the first has been told
	kept    int   // steps that it kept back
}

// firstCauses lists the differences that no other explains, in their order; kept counts
// what was blocked, by the step that is the cause.
func (r *Result) firstCauses() (list []cause, kept map[int]int) {
	kept = make(map[int]int)
	alike := make(map[string][]int) // by what differs, the steps
	key := func(s *Step, o *Outcome) string {
		return report.CallName(s.Header.Command, s.Exchange.Function) + r.words(o)
	}
	for i := range r.Plan.Steps {
		s, o := &r.Plan.Steps[i], &r.Outcomes[i]
		if o.Verdict == Blocked && s.Skip != notSelected {
			kept[o.Cause]++
		}
		if o.Verdict == Differs {
			alike[key(s, o)] = append(alike[key(s, o)], s.ID)
		}
	}
	for i := range r.Plan.Steps {
		s, o := &r.Plan.Steps[i], &r.Outcomes[i]
		if o.Verdict != Differs && o.Verdict != Failed {
			continue
		}
		c := cause{step: s, outcome: o, kept: kept[s.ID]}
		if o.Verdict == Differs {
			same := alike[key(s, o)]
			c.again = same[0] != s.ID
			c.alike = same[1:]
		}
		list = append(list, c)
	}
	return list, kept
}

// keptText says what was blocked by what is no difference itself.
func (r *Result) keptText(kept map[int]int) (lines []string) {
	for i := range r.Plan.Steps {
		if n := kept[i+1]; n > 0 && r.Outcomes[i].Verdict != Differs && r.Outcomes[i].Verdict != Failed {
			lines = append(lines, fmt.Sprintf("%s could not be sent: step %d, which they need, was %s", report.Plural(n, "step", "steps"), i+1, r.Outcomes[i].Verdict))
		}
	}
	if n := kept[0]; n > 0 {
		lines = append(lines, fmt.Sprintf("%s could not be sent for want of what came before the capture", report.Plural(n, "step", "steps")))
	}
	return lines
}

// on names the file of a step.
func on(s *Step) string {
	if s.Exchange.File == "" {
		return ""
	}
	return " of " + report.Escape(s.Exchange.File)
}

// knownText counts the explained differences.
func (r *Result) knownText(w io.Writer) {
	counts := make(map[string]int)
	for i := range r.Outcomes {
		for _, d := range r.Outcomes[i].Differences {
			if d.Why != "" {
				counts[d.Why]++
			}
		}
	}
	for _, why := range sortedKeys(counts) {
		fmt.Fprintf(w, "Known, %d times: %s\n", counts[why], report.Escape(why))
	}
}

// skippedText counts what was left out, by reason.
func (r *Result) skippedText(w io.Writer) {
	counts := make(map[string]int)
	for i := range r.Outcomes {
		if o := &r.Outcomes[i]; o.Verdict == Skipped && r.Plan.Steps[i].Skip != notSelected {
			counts[o.Reason]++
		}
	}
	for _, why := range sortedKeys(counts) {
		fmt.Fprintf(w, "Skipped, %d times: %s\n", counts[why], report.Escape(why))
	}
}

func sortedKeys[V any](m map[string]V) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// numbers lists step ids, the first few of many.
func numbers(ids []int) string {
	var list []string
	for i, id := range ids {
		if i == 10 {
			list = append(list, "…")
			break
		}
		list = append(list, fmt.Sprint(id))
	}
	return strings.Join(list, ", ")
}

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
	fmt.Fprintf(&b, "%s of %s\n\n", report.Plural(counts[Same], "answer the same", "answers the same"), report.Count(r.chosen()))
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
	if len(r.Environment) > 0 {
		fmt.Fprintln(&b, "The servers differ in what no request asks for:")
		for _, d := range r.Environment {
			fmt.Fprintf(&b, "  %s: captured %s, now %s\n", report.Escape(d.Field), report.Escape(d.Captured), report.Escape(d.Replayed))
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "Note: %s\n", report.Escape(n))
	}
	for _, n := range r.Plan.Problems {
		fmt.Fprintf(&b, "Note: %s\n", report.Escape(n))
	}
	if r.Interrupted {
		fmt.Fprintln(&b, "The run was interrupted.")
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
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
	blocked := make(map[int]int)
	for i := range r.Outcomes {
		if o := &r.Outcomes[i]; o.Verdict == Blocked && r.Plan.Steps[i].Skip != notSelected {
			blocked[o.Cause]++
		}
	}
	shown := 0
	alike := make(map[string][]int) // by what differs, the steps
	for i := range r.Plan.Steps {
		if s, o := &r.Plan.Steps[i], &r.Outcomes[i]; o.Verdict == Differs {
			k := report.CallName(s.Header.Command, s.Exchange.Function) + o.words()
			alike[k] = append(alike[k], s.ID)
		}
	}
	for i := range r.Plan.Steps {
		s, o := &r.Plan.Steps[i], &r.Outcomes[i]
		if o.Verdict != Differs && o.Verdict != Failed {
			continue
		}
		same := alike[report.CallName(s.Header.Command, s.Exchange.Function)+o.words()]
		if o.Verdict == Differs && same[0] != s.ID {
			if n := blocked[s.ID]; n > 0 {
				fmt.Fprintf(w, "Step %d, alike, kept back %s\n", s.ID, report.Plural(n, "step", "steps"))
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
		for _, d := range o.Differences {
			if d.Why == "" {
				fmt.Fprintf(w, "  %s: captured %s, now %s\n", report.Escape(d.Field), report.Escape(d.Captured), report.Escape(d.Replayed))
			}
		}
		if o.Verdict == Differs && len(same) > 1 {
			fmt.Fprintf(w, "  the same in %s: %s\n", report.Plural(len(same)-1, "other step", "other steps"), numbers(same[1:]))
		}
		if n := blocked[s.ID]; n > 0 {
			fmt.Fprintf(w, "  kept back %s\n", report.Plural(n, "step", "steps"))
		}
	}
	if shown > maxCauses {
		fmt.Fprintf(w, "and %s more\n", report.Count(shown-maxCauses))
	}
	for i := range r.Plan.Steps {
		if n := blocked[i+1]; n > 0 && r.Outcomes[i].Verdict != Differs && r.Outcomes[i].Verdict != Failed {
			fmt.Fprintf(w, "%s could not be sent: step %d, which they need, was %s\n", report.Plural(n, "step", "steps"), i+1, r.Outcomes[i].Verdict)
		}
	}
	if n := blocked[0]; n > 0 {
		fmt.Fprintf(w, "%s could not be sent for want of what came before the capture\n", report.Plural(n, "step", "steps"))
	}
	if shown > 0 {
		fmt.Fprintln(w)
	}
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

func sortedKeys(m map[string]int) []string {
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

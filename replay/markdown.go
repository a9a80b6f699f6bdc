package replay

// What a run found, as the summary of a CI job shows it.

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/odxray/odxray/flows/report"
)

// Markdown prints the result in the Markdown of GitHub and GitLab: what differs first, then
// the calls, then what is known, skipped or else about the servers, folded.
func (r *Result) Markdown(w io.Writer) error {
	var b bytes.Buffer
	counts := r.Counts()
	title := "every answer is the same"
	switch n := counts[Differs] + counts[Failed] + counts[Blocked] + counts[Unsent]; {
	case r.Differs():
		title = fmt.Sprintf("%s of %s not as they were", report.Count(n), report.Plural(r.chosen(), "answer", "answers"))
	case counts[KnownDifference] > 0:
		title = "every answer is the same, or known"
	}
	fmt.Fprintf(&b, "## odxray replay: %s\n\n", title)
	fmt.Fprintf(&b, "At %s, compared by what is %s", code(r.Target.String()), r.Level)
	if r.Baseline != "" {
		fmt.Fprintf(&b, " and held against %s", code(r.Baseline))
	}
	fmt.Fprint(&b, ".\n\n")
	r.markdownCauses(&b)
	fmt.Fprint(&b, "| Call | Steps | Same | Known | Differ | Blocked | Skipped | Failed | Unsent | p50 then | now | p99 then | now |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, c := range r.calls() {
		fmt.Fprintf(&b, "| %s | %d", c.name, c.steps)
		for _, v := range []Verdict{Same, KnownDifference, Differs, Blocked, Skipped, Failed, Unsent} {
			fmt.Fprintf(&b, " | %s", dash(c.by[v]))
		}
		fmt.Fprintf(&b, " | %s | %s | %s | %s |\n", quantile(c.then, 50), quantile(c.now, 50), quantile(c.then, 99), quantile(c.now, 99))
	}
	var rest bytes.Buffer
	r.knownText(&rest)
	r.skippedText(&rest)
	r.environmentText(&rest)
	r.notesText(&rest)
	if rest.Len() > 0 {
		fmt.Fprint(&b, "\n<details><summary>Known, skipped, and what the servers are like</summary>\n\n")
		for line := range strings.Lines(rest.String()) {
			fmt.Fprintf(&b, "    %s", line)
		}
		fmt.Fprint(&b, "\n</details>\n")
	}
	_, err := w.Write(b.Bytes())
	return err
}

// markdownCauses prints the differences as tables.
func (r *Result) markdownCauses(w io.Writer) {
	list, kept := r.firstCauses()
	shown := 0
	for _, c := range list {
		if c.again {
			continue
		}
		if shown++; shown > maxCauses {
			continue
		}
		s, o := c.step, c.outcome
		fmt.Fprintf(w, "**Step %d**, frame %d, %s", s.ID, s.Exchange.RequestFrame, report.CallName(s.Header.Command, s.Exchange.Function))
		if s.Exchange.File != "" {
			fmt.Fprintf(w, " of %s", code(s.Exchange.File))
		}
		fmt.Fprintf(w, ": %s", o.Verdict)
		if o.Reason != "" {
			fmt.Fprintf(w, ", %s", code(o.Reason))
		}
		if len(c.alike) > 0 {
			fmt.Fprintf(w, "; the same in %s: %s", report.Plural(len(c.alike), "other step", "other steps"), numbers(c.alike))
		}
		if c.kept > 0 {
			fmt.Fprintf(w, "; kept back %s", report.Plural(c.kept, "step", "steps"))
		}
		fmt.Fprint(w, "\n\n")
		r.markdownDifferences(w, o)
	}
	if shown > maxCauses {
		fmt.Fprintf(w, "and %s more\n\n", report.Count(shown-maxCauses))
	}
	for _, line := range r.keptText(kept) {
		fmt.Fprintf(w, "%s\n\n", line)
	}
}

func (r *Result) markdownDifferences(w io.Writer, o *Outcome) {
	head := false
	for _, d := range o.Differences {
		if d.Why != "" {
			continue
		}
		if !head && r.Baseline != "" {
			then, now := r.called()
			fmt.Fprintf(w, "| Field | captured | %s | %s |\n|---|---|---|---|\n", then, now)
		} else if !head {
			fmt.Fprint(w, "| Field | captured | now |\n|---|---|---|\n")
		}
		head = true
		fmt.Fprintf(w, "| %s | %s |", code(d.Field), code(d.Captured))
		if r.Baseline != "" {
			fmt.Fprintf(w, " %s |", code(d.Golden))
		}
		fmt.Fprintf(w, " %s |\n", code(d.Replayed))
	}
	if head {
		fmt.Fprintln(w)
	}
}

// code is a value that a capture or a server gave, which nothing in it turns into markup:
// between backticks, of which it has none, and with no end of a cell.
func code(s string) string {
	if s == "" {
		return ""
	}
	const most = 300
	s = report.Escape(s)
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return "`" + strings.NewReplacer("`", "'", "|", `\|`).Replace(s) + "`"
}

package replay

// A run held against another one of the same capture: a golden run of the same server, or
// a run at a second server. What both have in common, as far as they are from the capture,
// is known then; what they have not is what differs.

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/odxray/odxray/flows/report"
)

// Golden is a run to hold another one against: what it had other than the capture, by step.
type Golden struct {
	Name  string // as reports call it: a file, a target
	Level string
	steps map[int]*goldenStep
	env   []Difference
}

type goldenStep struct {
	frame       int
	command     string
	file        string
	verdict     Verdict
	status      string // "" if no answer came
	differences []Difference
}

// Golden returns a run to hold others against.
func (r *Result) Golden() *Golden {
	g := &Golden{Name: r.Target.String(), Level: r.Level.String(), steps: make(map[int]*goldenStep), env: r.Environment}
	for i := range r.Plan.Steps {
		s, o := &r.Plan.Steps[i], &r.Outcomes[i]
		if s.Skip == notSelected {
			continue
		}
		k := &goldenStep{frame: s.Exchange.RequestFrame, command: report.CommandName(s.Header.Command), file: s.Exchange.File, verdict: o.Verdict, differences: slices.Clone(o.Differences)}
		if o.Answer != nil {
			k.status = report.StatusName(statusOf(o.Answer))
		}
		g.steps[s.ID] = k
	}
	return g
}

// ReadGolden reads a run as JSON prints it.
func ReadGolden(r io.Reader, name string) (*Golden, error) {
	var doc resultJSON
	if err := json.NewDecoder(r).Decode(&doc); err != nil || doc.Schema != replaySchema {
		return nil, fmt.Errorf("%s is not what odxray replay -T json prints", name)
	}
	g := &Golden{Name: name, Level: doc.Level, steps: make(map[int]*goldenStep), env: differencesOf(doc.Environment)}
	for i := range doc.Steps {
		s := &doc.Steps[i]
		v := slices.Index(verdicts[:], s.Verdict)
		if v < 0 {
			return nil, fmt.Errorf("%s: step %d has the verdict %q, which there is none of", name, s.Step, s.Verdict)
		}
		g.steps[s.Step] = &goldenStep{frame: s.Frame, command: s.Command, file: stringOf(s.File), verdict: Verdict(v), status: stringOf(s.Replayed), differences: differencesOf(s.Differences)}
	}
	return g, nil
}

// stringOf is a string that may be null.
func stringOf(v any) string {
	s, _ := v.(string)
	return s
}

func differencesOf(list []differenceJSON) (out []Difference) {
	for _, d := range list {
		out = append(out, Difference{Field: d.Field, Captured: d.Captured, Replayed: d.Replayed, Why: stringOf(d.Known)})
	}
	return out
}

// fits returns why a run cannot be held against g; nil if it can.
func (g *Golden) fits(r *Result) error {
	if g.Level != r.Level.String() {
		return fmt.Errorf("%s was compared by --level %s, this run by %s", g.Name, g.Level, r.Level)
	}
	n := 0
	for i := range r.Plan.Steps {
		s := &r.Plan.Steps[i]
		if s.Skip == notSelected {
			continue
		}
		n++
		k := g.steps[s.ID]
		if k == nil || k.frame != s.Exchange.RequestFrame || k.command != report.CommandName(s.Header.Command) {
			return fmt.Errorf("%s is of another capture, or of another part of it: step %d, frame %d, is not in it", g.Name, s.ID, s.Exchange.RequestFrame)
		}
	}
	if n != len(g.steps) {
		return fmt.Errorf("%s is of another capture, or of another part of it: it has %d steps, this run %d", g.Name, len(g.steps), n)
	}
	return nil
}

// Against gives the steps of a run new verdicts: Same and KnownDifference are those that
// are as in g, Differs those that are not.
func (r *Result) Against(g *Golden) error {
	if err := g.fits(r); err != nil {
		return err
	}
	r.Baseline = g.Name
	why := "as in " + g.Name
	for i := range r.Plan.Steps {
		if s := &r.Plan.Steps[i]; s.Skip != notSelected {
			k := *g.steps[s.ID]
			k.differences = slices.DeleteFunc(slices.Clone(k.differences), func(d Difference) bool { return r.rules.ignores(s, d.Field) })
			r.Outcomes[i].against(&k, s, why)
		}
	}
	r.Environment = merged(g.env, r.Environment, "")
	return nil
}

// verdictField is what differs where one of two runs has an answer and the other none.
const verdictField = "verdict"

// answered tells the verdicts on an answer from those of steps without one.
func (v Verdict) answered() bool { return v == Same || v == KnownDifference || v == Differs }

// against is Against for one step.
func (o *Outcome) against(k *goldenStep, s *Step, why string) {
	if o.Verdict.answered() != k.verdict.answered() || !o.Verdict.answered() && o.Verdict != k.verdict {
		if o.Verdict.answered() || o.Verdict == Skipped { // else it says itself what it lacks
			o.Differences = []Difference{{Field: verdictField, Golden: k.verdict.String(), Replayed: o.Verdict.String()}}
			o.Verdict, o.Cause = Differs, 0
		}
		return
	}
	if !o.Verdict.answered() { // both not
		if o.Verdict != Skipped {
			o.Reason, o.Verdict, o.Cause = why+": "+o.Verdict.String(), KnownDifference, 0
		}
		for i := range o.Differences { // which follow from another step's
			o.Differences[i].Why = why
		}
		return
	}
	explained := o.Verdict == KnownDifference
	o.Differences = merged(k.differences, o.Differences, why)
	if !s.Answered() && o.Answer != nil && k.status != "" { // the capture has nothing to compare with
		if now := report.StatusName(statusOf(o.Answer)); now != k.status {
			o.Differences = append(o.Differences, Difference{Field: statusField, Golden: k.status, Replayed: now})
		}
	}
	o.Verdict = Same
	if explained || len(o.Differences) > 0 {
		o.Verdict = KnownDifference
	}
	for _, d := range o.Differences {
		if d.Why == "" {
			o.Verdict = Differs
		}
	}
}

// merged are the differences of two runs from the capture: those that both have are known,
// for the reason why, or left out if that is empty. The others have a Golden value.
func merged(was, is []Difference, why string) (out []Difference) {
	rest := slices.Clone(was)
	for _, d := range is {
		i := slices.IndexFunc(rest, func(o Difference) bool { return o.Field == d.Field && o.Captured == d.Captured })
		d.Golden = d.Captured
		if i >= 0 {
			d.Golden = rest[i].Replayed
			rest = slices.Delete(rest, i, i+1)
		}
		switch {
		case d.Golden != d.Replayed:
			d.Why = ""
		case why == "":
			continue
		case d.Why == "":
			d.Why = why
		}
		out = append(out, d)
	}
	for _, d := range rest { // the run is as captured there, and the other was not
		out = append(out, Difference{Field: d.Field, Captured: d.Captured, Golden: d.Replayed, Replayed: d.Captured})
	}
	return out
}

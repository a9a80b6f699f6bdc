package replay

// The fewest steps that still show a difference.

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/odxray/odxray/flows/report"
)

// Minimised is what Minimise found.
type Minimised struct {
	Plan   *Plan   // the steps that are left; of the whole plan if Step is 0
	Step   int     // whose difference stays; 0 if the run had none
	Of     int     // steps that there were
	Trials int     // runs after the first
	Least  bool    // no part of it can be left out; false if the trials ran out
	Result *Result // of the last run that had the difference
}

// ErrNoDifference is an error of Minimise: the step that was asked for does not differ.
type ErrNoDifference struct {
	Step    int
	Verdict Verdict
}

func (e *ErrNoDifference) Error() string {
	return fmt.Sprintf("step %d does not differ, but is %s", e.Step, e.Verdict)
}

// Minimise replays parts of a plan, each from the same start, and drops what a difference
// does not need. The difference is that of a step, or the first if step is 0. It runs no
// more than trials times.
func Minimise(ctx context.Context, p *Plan, o Options, step, trials int) (*Minimised, error) {
	run := func(ctx context.Context, p *Plan) (*Result, error) { return At(ctx, p, o, p.Manifest(), true) }
	return minimise(ctx, p, step, trials, run)
}

func minimise(ctx context.Context, p *Plan, step, trials int, run func(context.Context, *Plan) (*Result, error)) (*Minimised, error) {
	first, err := run(ctx, p)
	if err != nil {
		return nil, err
	}
	m := &Minimised{Plan: p, Of: first.chosen(), Result: first, Step: step}
	if first.Unreachable != nil {
		return m, nil
	}
	if step == 0 {
		m.Step = first.firstDifference()
	}
	if m.Step == 0 {
		return m, nil
	}
	if m.Step < 0 || m.Step > len(p.Steps) || p.Step(m.Step).Skip == notSelected {
		return nil, fmt.Errorf("there is no step %d", m.Step)
	}
	want := first.sign(m.Step)
	if v := first.Outcomes[m.Step-1].Verdict; v != Differs && v != Failed {
		return nil, &ErrNoDifference{m.Step, v}
	}
	kept := make([]bool, len(p.Groups))
	for i := range p.Steps {
		kept[p.Steps[i].Group] = kept[p.Steps[i].Group] || p.Steps[i].Skip != notSelected
	}
	needed := make([]bool, len(p.Groups)) // without which the step cannot be sent
	needed[p.Step(m.Step).Group] = true
	p.closeOver(needed)
	// try keeps a part of the plan if the difference stays.
	try := func(part []bool) (bool, error) {
		if m.Trials == trials || ctx.Err() != nil {
			return false, nil
		}
		m.Trials++
		sub := p.part(part)
		// What waits for a step that was left out would wait for long.
		limited, stop := context.WithTimeout(ctx, max(10*time.Second, 4*first.Took))
		defer stop()
		r, err := run(limited, sub)
		switch {
		case ctx.Err() != nil, err != nil && limited.Err() != nil:
			return false, nil
		case err != nil:
			return false, err
		}
		if r.sign(m.Step) != want {
			return false, nil
		}
		kept, m.Plan, m.Result = part, sub, r
		return true, nil
	}
	if ok, err := try(slices.Clone(needed)); ok || err != nil {
		m.Least = ok
		return m, err
	}
	for size := len(p.Groups); size > 0 && !m.Least; {
		spare := spareGroups(kept, needed)
		size = min(size, (len(spare)+1)/2)
		dropped := false
		for at := 0; at < len(spare); at += size {
			part := slices.Clone(kept)
			for _, g := range spare[at:min(at+size, len(spare))] {
				part[g] = false
			}
			p.closeOver(part) // what others need stays
			if slices.Equal(part, kept) {
				continue
			}
			ok, err := try(part)
			if err != nil {
				return m, err
			}
			dropped = dropped || ok
		}
		if m.Trials == trials || ctx.Err() != nil {
			return m, nil
		}
		switch {
		case size <= 1 && !dropped:
			m.Least = true
		case size > 1:
			size /= 2
		}
	}
	return m, nil
}

// spareGroups lists the groups that are kept and may not be needed.
func spareGroups(kept, needed []bool) (list []int) {
	for g := range kept {
		if kept[g] && !needed[g] {
			list = append(list, g)
		}
	}
	return list
}

// firstDifference returns the first step that differs or has no answer; 0 if none does.
func (r *Result) firstDifference() int {
	for i := range r.Plan.Steps {
		if v := r.Outcomes[i].Verdict; r.Plan.Steps[i].Skip != notSelected && (v == Differs || v == Failed) {
			return i + 1
		}
	}
	return 0
}

// sign is what two runs have to have in common about a step for its difference to be the
// same one: values may vary, statuses may not.
func (r *Result) sign(step int) string {
	o := &r.Outcomes[step-1]
	list := []string{o.Verdict.String()}
	for _, d := range o.Differences {
		switch {
		case d.Why != "":
		case d.Field == statusField:
			list = append(list, d.Field+"="+d.Replayed)
		default:
			list = append(list, d.Field)
		}
	}
	slices.Sort(list[1:])
	return strings.Join(slices.Compact(list), "\n")
}

// part returns the plan with the groups that are wanted; those outside p stay so.
func (p *Plan) part(want []bool) *Plan {
	sub := *p
	sub.Steps = slices.Clone(p.Steps)
	for i := range sub.Steps {
		if s := &sub.Steps[i]; !want[s.Group] {
			s.Skip = notSelected
		}
	}
	return &sub
}

// Text prints the steps that are left, the difference, and how to replay them.
func (m *Minimised) Text(w io.Writer) error {
	if m.Step == 0 {
		_, err := fmt.Fprintf(w, "No answer of %s differs: there is nothing to minimise.\n", report.Plural(m.Of, "step", "steps"))
		return err
	}
	left := m.Result.chosen()
	fmt.Fprintf(w, "The difference of step %d stays with %s of %s, found in %s", m.Step, report.Plural(left, "step", "steps"), report.Count(m.Of), report.Plural(m.Trials, "trial", "trials"))
	if !m.Least {
		fmt.Fprint(w, "; more might have found that fewer will do")
	}
	fmt.Fprint(w, ".\n\n")
	if err := m.Plan.Text(w); err != nil {
		return err
	}
	s, o := m.Plan.Step(m.Step), &m.Result.Outcomes[m.Step-1]
	fmt.Fprintf(w, "\nStep %d, frame %d, %s%s %s", s.ID, s.Exchange.RequestFrame, report.CallName(s.Header.Command, s.Exchange.Function), on(s), o.Verdict)
	if o.Reason != "" {
		fmt.Fprintf(w, ": %s", report.Escape(o.Reason))
	}
	fmt.Fprintln(w)
	m.Result.freshText(w, o)
	_, err := fmt.Fprintf(w, "\nTo replay these alone: --select %s\n", m.Selection())
	return err
}

// Selection is what is left as ParseSelect reads it.
func (m *Minimised) Selection() string {
	var words []string
	for i := 0; i < len(m.Plan.Steps); i++ {
		if m.Plan.Steps[i].Skip == notSelected {
			continue
		}
		last := i
		for last+1 < len(m.Plan.Steps) && m.Plan.Steps[last+1].Skip != notSelected {
			last++
		}
		if last == i {
			words = append(words, fmt.Sprintf("step=%d", i+1))
		} else {
			words = append(words, fmt.Sprintf("step=%d-%d", i+1, last+1))
		}
		i = last
	}
	return strings.Join(words, ",")
}

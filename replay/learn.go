package replay

// Noise: what varies between two runs at one server says nothing about it.

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows/report"
)

// Learned is what two runs taught.
type Learned struct {
	Rules *Rules  // that ignore what varied, after those that were given
	New   int     // how many of them there are
	Left  *Result // the second run held against the first, without the noise
}

// Learn replays twice, from the same start, and makes rules of what varies.
func Learn(ctx context.Context, p *Plan, o Options) (*Learned, error) {
	first, err := At(ctx, p, o, p.Manifest(), true)
	if err != nil {
		return nil, err
	}
	second, err := At(ctx, p, o, p.Manifest(), true)
	if err != nil {
		return nil, err
	}
	return learn(first, second, o.Rules)
}

// noisy is a field of a sort of call.
type noisy struct{ call, field string }

func learn(first, second *Result, given *Rules) (*Learned, error) {
	if err := second.Against(first.Golden()); err != nil {
		return nil, err
	}
	p := second.Plan
	varied := make(map[noisy]map[string]Difference) // by file
	steady := make(map[noisy]map[string]bool)       // files that have it, and it is the same twice
	for i := range p.Steps {
		s, o := &p.Steps[i], &second.Outcomes[i]
		if o.Verdict != Differs {
			continue
		}
		call := report.CallName(s.Header.Command, s.Exchange.Function)
		for _, d := range o.Differences {
			if k := (noisy{call, d.Field}); d.Why == "" && d.Field != verdictField {
				if varied[k] == nil {
					varied[k] = make(map[string]Difference)
				}
				if _, ok := varied[k][s.Exchange.File]; !ok {
					varied[k][s.Exchange.File] = d
				}
			}
		}
	}
	for i := range p.Steps {
		s, o := &p.Steps[i], &second.Outcomes[i]
		call := report.CallName(s.Header.Command, s.Exchange.Function)
		for _, field := range second.fieldsOf(s, o) {
			if files := varied[noisy{call, field}]; files != nil {
				if _, ok := files[s.Exchange.File]; !ok {
					if steady[noisy{call, field}] == nil {
						steady[noisy{call, field}] = make(map[string]bool)
					}
					steady[noisy{call, field}][s.Exchange.File] = true
				}
			}
		}
	}
	l := &Learned{Rules: new(Rules), Left: second}
	if given != nil {
		l.Rules.list = slices.Clone(given.list)
	}
	for _, k := range sortedNoise(varied) {
		files := varied[k]
		names := sortedKeys(files)
		if len(names) > 1 && len(names) > len(steady[k]) { // mostly: that it is the same for some is luck
			files = map[string]Difference{"*": files[names[0]]}
			names = []string{"*"}
		}
		for _, file := range names {
			d := files[file]
			l.Rules.list = append(l.Rules.list, rule{
				call: newWildcard(k.call), field: newWildcard(k.field), file: newWildcard(file), how: "ignore", policy: ignore,
				why: fmt.Sprintf("varies from run to run: %s, then %s", brief(d.Golden), brief(d.Replayed)),
			})
			l.New++
		}
	}
	second.without(l.Rules)
	return l, nil
}

// brief is a value as far as a reader wants it.
func brief(s string) string {
	const most = 60
	if r := []rune(report.Escape(s)); len(r) > most {
		return string(r[:most]) + "…"
	} else {
		return string(r)
	}
}

// fieldsOf lists the fields of the answer to a step.
func (r *Result) fieldsOf(s *Step, o *Outcome) (names []string) {
	if o.Answer == nil || s.Header.Command == smb2.SessionSetup || s.Header.Command == smb2.Negotiate {
		return nil
	}
	var d decoder
	d.decode(o.Answer, len(o.Answer), &s.Context, nil)
	for _, l := range leaves(&d.tree) {
		names = append(names, l.name)
	}
	return names
}

// without takes away what rules ignore, and judges anew.
func (r *Result) without(k *Rules) {
	for i := range r.Plan.Steps {
		s, o := &r.Plan.Steps[i], &r.Outcomes[i]
		if !o.Verdict.answered() || len(o.Differences) == 0 {
			continue
		}
		k.apply(s, o, func(string, string, string) {})
		o.Verdict = Same
		for _, d := range o.Differences {
			if o.Verdict = KnownDifference; d.Why == "" {
				o.Verdict = Differs
				break
			}
		}
	}
}

func sortedNoise(m map[noisy]map[string]Difference) (list []noisy) {
	for k := range m {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b noisy) int { return cmp.Or(cmp.Compare(a.call, b.call), cmp.Compare(a.field, b.field)) })
	return list
}

package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
	"github.com/odxray/odxray/flows/report"
)

func auditCommand(a *app) *cobra.Command {
	var in input
	var o auditOptions
	cmd := &cobra.Command{
		Use:   "audit FILE...",
		Short: "What is wrong with the copies and tokens of a capture; for people and for CI",
		Long: `audit prints what is wrong, wasteful or worth knowing about the copies and tokens of a
capture. Its exit status is 1 if a finding is at the level of --fail-on or above.`,
		Example: `  odxray audit trace.pcapng --fail-on warning
  odxray audit trace.pcapng -T sarif --no-rule copy/token-churn
  odxray audit new.pcapng --baseline old.json
  odxray audit trace.pcapng --assert 'all(copies, .method == "odx")' \
    --assert 'p99("FSCTL_OFFLOAD_WRITE") < duration("50ms")'`,
	}
	in.flags(cmd)
	f := cmd.Flags()
	failOn := choiceValue{&o.failOn, []string{"error", "warning", "note", "never"}}
	o.failOn = "error"
	f.Var(failOn, "fail-on", "level from which a finding makes the exit status 1: "+failOn.list())
	complete(cmd, "fail-on", failOn.of)
	f.StringSliceVar(&o.rules, "rule", nil, "only the rule `ID`, or rules such as copy/*; may be repeated")
	f.StringSliceVar(&o.noRules, "no-rule", nil, "not the rule `ID`, or rules such as smb/*; may be repeated")
	f.StringVar(&o.baseline, "baseline", "", "leave out what this `FILE`, made with audit -T json, has too")
	f.StringArrayVar(&o.asserts, "assert", nil, "fail unless this `EXPR` over copies, tokens, findings, counts, capture is true,\nor over calls, errors, p50, p95, p99, slowest of a call; may be repeated")
	complete(cmd, "rule", ruleIDs())
	complete(cmd, "no-rule", ruleIDs())
	format := formatFlag(cmd, report.Text, report.JSON, report.SARIF, report.JUnit)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		rules, err := o.chosen()
		if err != nil {
			return err
		}
		assertions, err := o.assertions()
		if err != nil {
			return err
		}
		baseline, err := o.readBaseline()
		if err != nil {
			return err
		}
		return a.read(cmd, &in, args, func(ctx context.Context, c *flows.Capture, files []string) error {
			doc := report.Audit{Files: files, Origin: c.Origin, Rules: rules, FailOn: o.level(), Never: o.failOn == "never"}
			calls := report.NewCalls()
			read := c.Run
			if assertions != nil {
				doc.Rules = append(doc.Rules, report.AssertRule)
				read = func(ctx context.Context) error {
					return c.EachExchange(ctx, func(x *flows.Exchange) bool { calls.Add(x); return true })
				}
			}
			err := a.pass(ctx, read, func() error {
				doc.Results, doc.Known = report.Filter(c.Results(), rules, baseline)
				doc.Check(assertions, calls)
				return doc.Print(a.out, *format, a.style())
			})
			if err == nil && !doc.Never && failing(doc.Results, doc.FailOn) {
				err = &exitError{code: exitFindings}
			}
			return err
		})
	}
	return cmd
}

type auditOptions struct {
	failOn         string
	rules, noRules []string
	baseline       string
	asserts        []string
}

// level is the least level that fails.
func (o *auditOptions) level() flows.Level {
	for _, l := range []flows.Level{flows.Note, flows.Warning} {
		if o.failOn == l.String() {
			return l
		}
	}
	return flows.Error
}

func failing(r *flows.Results, from flows.Level) bool {
	for i := range r.Findings {
		if r.Findings[i].Level >= from {
			return true
		}
	}
	return false
}

// chosen returns the rules that --rule and --no-rule leave.
func (o *auditOptions) chosen() ([]audit.Rule, error) {
	ids := ruleIDs()
	for _, pattern := range slices.Concat(o.rules, o.noRules) {
		if !slices.ContainsFunc(ids, func(id string) bool { return matches(id, []string{pattern}) }) {
			return nil, usagef("no rule is called %q%s", pattern, didYouMean(pattern, ids))
		}
	}
	return slices.DeleteFunc(audit.Rules(), func(r audit.Rule) bool {
		return len(o.rules) > 0 && !matches(r.ID, o.rules) || matches(r.ID, o.noRules)
	}), nil
}

// assertions reads the expressions of --assert.
func (o *auditOptions) assertions() (list []report.Assertion, err error) {
	for _, text := range o.asserts {
		as, err := report.ParseAssertion(text)
		if err != nil {
			return nil, usagef("--assert: %w", err)
		}
		list = append(list, as)
	}
	return list, nil
}

// ruleIDs lists the ids of all rules.
func ruleIDs() []string {
	var ids []string
	for _, r := range audit.Rules() {
		ids = append(ids, r.ID)
	}
	return ids
}

// matches reports whether one of the patterns stands for a rule; a broken one
// stands for none.
func matches(id string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, id)
		return ok && err == nil
	})
}

func (o *auditOptions) readBaseline() (report.Baseline, error) {
	if o.baseline == "" {
		return nil, nil
	}
	f, err := os.Open(o.baseline)
	if err != nil {
		return nil, &exitError{exitUnreadable, err}
	}
	defer f.Close()
	b, err := report.ReadBaseline(f)
	if err != nil {
		return nil, &exitError{exitUnreadable, fmt.Errorf("baseline %s: %w", o.baseline, err)}
	}
	return b, nil
}

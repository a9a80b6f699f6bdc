package main

import (
	"context"
	"fmt"
	"os"
	"path"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
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
  odxray audit new.pcapng --baseline old.json`,
	}
	in.flags(cmd)
	f := cmd.Flags()
	failOn := choiceValue{&o.failOn, []string{"error", "warning", "note", "never"}}
	o.failOn = "error"
	f.Var(failOn, "fail-on", "level from which a finding makes the exit status 1: "+failOn.list())
	complete(cmd, "fail-on", failOn.of)
	f.StringSliceVar(&o.rules, "rule", nil, "only rules of this `ID`; it may end in * or be repeated")
	f.StringSliceVar(&o.noRules, "no-rule", nil, "no rule of this `ID`; it may end in * or be repeated")
	f.StringVar(&o.baseline, "baseline", "", "leave out what this `FILE`, made with audit -T json, has too")
	format := formatFlag(cmd, report.Text, report.JSON, report.SARIF, report.JUnit)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		keep, err := o.keep()
		if err != nil {
			return err
		}
		baseline, err := o.readBaseline()
		if err != nil {
			return err
		}
		return a.read(cmd, &in, args, func(ctx context.Context, c *flows.Capture, files []string) error {
			audit := report.Audit{Files: files, FailOn: o.level(), Never: o.failOn == "never"}
			err := a.pass(ctx, c.Run, func() error {
				audit.Results, audit.Known = report.Filter(c.Results(), keep, baseline)
				return audit.Print(a.out, *format, a.style())
			})
			if err == nil && !audit.Never && failing(audit.Results, audit.FailOn) {
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

// keep returns which rules --rule and --no-rule leave.
func (o *auditOptions) keep() (func(rule string) bool, error) {
	for _, pattern := range append(append([]string{}, o.rules...), o.noRules...) {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, usagef("rule %q: %w", pattern, err)
		}
	}
	return func(rule string) bool {
		return (len(o.rules) == 0 || matches(rule, o.rules)) && !matches(rule, o.noRules)
	}, nil
}

func matches(rule string, patterns []string) bool {
	for _, p := range patterns {
		if ok, _ := path.Match(p, rule); ok { // a bad pattern was refused before
			return true
		}
	}
	return false
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

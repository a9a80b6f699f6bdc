package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay"
)

func learnCommand(a *app) *cobra.Command {
	var in input
	var selected selectFlags
	var o replayFlags
	var output string
	cmd := &cobra.Command{
		Use:   "learn FILE... --to smb://user@host[:port]/share",
		Short: "Replays twice and writes rules that ignore what varies",
		Long: `learn replays a capture twice at a server, makes before each run what the capture
presupposes and removes it afterwards, and compares the two runs. What varies says nothing
about the server: it is written as a file for replay --rules, one rule a field.

The exit status is 1 if more than fields of answers varied, such as whether there is one.`,
		Example: "  odxray replay learn trace.pcapng --to smb://user@server/share --prefix lab --level exact --yes -o rules.tsv",
		Args:    args(cobra.ArbitraryArgs),
	}
	in.flagsOfFiles(cmd)
	selected.flags(cmd.Flags())
	o.flags(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "-", "write the rules to `FILE`")
	overwriteFlag(cmd.Flags(), &o.overwrite)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withTarget(cmd, &in, args, &selected, &o, output, func(ctx context.Context, p *replay.Plan, options replay.Options) error {
			return a.learn(ctx, p, &o, options, output)
		})
	}
	return cmd
}

func minimiseCommand(a *app) *cobra.Command {
	var in input
	var selected selectFlags
	var o replayFlags
	var step, trials int
	cmd := &cobra.Command{
		Use:   "minimise FILE... --to smb://user@host[:port]/share",
		Short: "Finds the fewest requests that still show a difference",
		Long: `minimise replays a capture at a server, and then parts of it, each from the same start:
it makes what a part presupposes, removes what was made, and drops the requests without which
the difference of a step stays. It prints the steps that are left, and how to replay them.

The exit status is 1 if there is a difference, 0 if there is none.`,
		Example: "  odxray replay minimise trace.pcapng --to smb://user@server/share --prefix lab --yes",
		Args:    args(cobra.ArbitraryArgs),
	}
	in.flagsOfFiles(cmd)
	selected.flags(cmd.Flags())
	o.flags(cmd)
	cmd.Flags().IntVar(&step, "step", 0, "the difference of step `N` stays; 0 is the first that there is")
	cmd.Flags().IntVar(&trials, "trials", 100, "replay no more than `N` parts")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withTarget(cmd, &in, args, &selected, &o, "", func(ctx context.Context, p *replay.Plan, options replay.Options) error {
			if step < 0 || step > len(p.Steps) {
				return usagef("--step: there is no step %d of %d", step, len(p.Steps))
			}
			return a.minimise(ctx, p, &o, options, step, trials)
		})
	}
	return cmd
}

func (a *app) minimise(ctx context.Context, p *replay.Plan, o *replayFlags, r replay.Options, step, trials int) error {
	ctx, stop := terminated(ctx)
	defer stop()
	if start, err := a.may(ctx, p, o, &r, p.Manifest(), true); !start {
		return err
	}
	m, err := replay.Minimise(ctx, p, r, step, trials)
	var none *replay.ErrNoDifference
	switch {
	case errors.As(err, &none):
		return usagef("--step: %w", err)
	case err != nil:
		return &exitError{exitUnreadable, err}
	case m.Result.Unreachable != nil:
		return &exitError{exitUnreadable, m.Result.Unreachable}
	}
	if err := m.Text(a.out); err != nil {
		return err
	}
	if m.Step != 0 {
		return &exitError{code: exitFindings}
	}
	return nil
}

func (a *app) learn(ctx context.Context, p *replay.Plan, o *replayFlags, r replay.Options, output string) error {
	ctx, stop := terminated(ctx)
	defer stop()
	if start, err := a.may(ctx, p, o, &r, p.Manifest(), true); !start {
		return err
	}
	l, err := replay.Learn(ctx, p, r)
	if err != nil {
		return &exitError{exitUnreadable, err}
	}
	if l.Left.Unreachable != nil {
		return &exitError{exitUnreadable, l.Left.Unreachable}
	}
	var rules bytes.Buffer
	if err := l.Rules.Write(&rules); err != nil {
		return err
	}
	if output == "-" {
		_, err = a.out.Write(rules.Bytes())
	} else if err = os.WriteFile(output, rules.Bytes(), 0o666); err != nil {
		err = &exitError{exitUnreadable, err}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "%s from two runs of %s\n", report.Plural(l.New, "rule", "rules"), report.Plural(p.Count(), "request", "requests"))
	if l.Left.Differs() {
		fmt.Fprintln(a.stderr, "What no rule can say varied too:")
		if err := l.Left.Text(a.stderr); err != nil {
			return err
		}
		return &exitError{code: exitFindings}
	}
	return nil
}

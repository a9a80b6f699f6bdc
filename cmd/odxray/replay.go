package main

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay"
)

func replayCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "replay FILE...",
		Short: "Drives the captured client's requests at a server and compares the answers",
	}
	cmd.AddCommand(planCommand(a))
	return cmd
}

// selectFlags choose a part of a capture's requests.
type selectFlags struct {
	words  []string
	copies []int
}

func (s *selectFlags) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&s.words, "select", nil, "only what is on `connection=N`, session=0x…, share=NAME or copy=N, and what that needs; may be repeated")
	f.IntSliceVar(&s.copies, "copy", nil, "only copy `N`, as odxray copies numbers them, and what that needs")
}

func (s *selectFlags) selection() (sel replay.Selection, err error) {
	for _, w := range s.words {
		if err := sel.ParseSelect(w); err != nil {
			return sel, usagef("--select: %w", err)
		}
	}
	sel.Copies = append(sel.Copies, s.copies...)
	return sel, nil
}

func planCommand(a *app) *cobra.Command {
	var in input
	var selected selectFlags
	cmd := &cobra.Command{
		Use:   "plan FILE...",
		Short: "What replay would do: one line a request",
		Long: `plan prints what replay would do with the requests of a capture: one line each, with the
slots that it needs ($sid, $tid, $fid, …), those that its answer gives, the steps that come
before it (in brackets those that only have to be sent before it), and the answer to expect.`,
		Args: args(cobra.ArbitraryArgs),
	}
	in.flagsOfFiles(cmd)
	selected.flags(cmd.Flags())
	format := formatFlag(cmd, report.Text, report.JSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		sel, err := selected.selection()
		if err != nil {
			return err
		}
		return a.withPlan(cmd, &in, args, sel, func(_ context.Context, p *replay.Plan) error {
			if *format == report.JSON {
				return p.JSON(a.out)
			}
			return p.Text(a.out)
		})
	}
	return cmd
}

// withPlan reads captures, makes a plan of them and hands it to use.
func (a *app) withPlan(cmd *cobra.Command, in *input, args []string, sel replay.Selection, use func(context.Context, *replay.Plan) error) error {
	chosen := in.Filter
	in.Filter, in.Index = nil, true // the whole capture is read: what is chosen needs what came before it
	return a.read(cmd, in, args, func(ctx context.Context, c *flows.Capture, _ []string) error {
		return a.pass(ctx, c.Run, func() error {
			p, err := replay.Extract(c)
			if err != nil {
				return &exitError{exitUnreadable, err}
			}
			if chosen != nil {
				sel.Choose = c.ChooseExchanges(chosen)
			}
			if err := p.Select(sel, c.Results()); err != nil {
				return usagef("%w", err)
			}
			return use(ctx, p)
		})
	})
}

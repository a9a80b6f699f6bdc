package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/captures/samples"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/ui"
)

func demoCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "The example capture in the terminal UI, or its summary where output is no terminal",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := samples.Open(samples.Demo)
			if err != nil {
				return err
			}
			in := input{Options: flows.Options{Index: a.interactive || a.plain, Judge: audit.Judge}}
			return a.use(cmd, &in, flows.New(r, in.Options), []string{samples.Demo}, func(ctx context.Context, c *flows.Capture, names []string) error {
				switch {
				case a.plain:
					return ui.Plain(ctx, c, samples.Demo, a.out)
				case a.interactive:
					return a.show(ctx, c, names)
				}
				return a.pass(ctx, c.Run, func() error { return report.Summary(a.out, names, c.Results(), report.Text, a.style()) })
			})
		},
	}
}

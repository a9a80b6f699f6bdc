package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

func tokensCommand(a *app) *cobra.Command {
	var in input
	var uses bool
	cmd := &cobra.Command{
		Use:   "tokens FILE...",
		Short: "One line a token that a server minted: source range, uses, what was consumed",
	}
	in.flags(cmd)
	cmd.Flags().BoolVar(&uses, "uses", false, "with text, list the uses of each token too")
	format := formatFlag(cmd, report.Text, report.JSON, report.CSV)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.read(cmd, &in, args, func(ctx context.Context, c *flows.Capture, _ []string) error {
			return a.pass(ctx, c.Run, func() error { return report.Tokens(a.out, c.Results(), *format, uses, a.style()) })
		})
	}
	return cmd
}

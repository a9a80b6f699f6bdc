package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

func copiesCommand(a *app) *cobra.Command {
	var in input
	cmd := &cobra.Command{
		Use:   "copies FILE...",
		Short: "One line a copy: from where, to where, by which method, how much, how it ended",
	}
	in.flags(cmd)
	format := formatFlag(cmd, report.Text, report.JSON, report.CSV)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.read(cmd, &in, args, func(ctx context.Context, c *flows.Capture, _ []string) error {
			return a.pass(ctx, c.Run, func() error { return report.Copies(a.out, c.Results(), *format, a.style()) })
		})
	}
	return cmd
}

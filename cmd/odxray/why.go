package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

func whyCommand(a *app) *cobra.Command {
	var in input
	cmd := &cobra.Command{
		Use:   "why FILE...",
		Short: "For each copy that was not offloaded: what happened, what caused it, what to do",
	}
	in.flags(cmd)
	format := formatFlag(cmd, report.Text, report.JSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.read(cmd, &in, args, func(ctx context.Context, c *flows.Capture, _ []string) error {
			return a.pass(ctx, c.Run, func() error { return report.Why(a.out, c.Results(), *format, a.style()) })
		})
	}
	return cmd
}

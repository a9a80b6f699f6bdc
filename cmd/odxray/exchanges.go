package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

func exchangesCommand(a *app) *cobra.Command {
	var in input
	cmd := &cobra.Command{
		Use:   "exchanges FILE...",
		Short: "One line a request with its answers: call, file, range, status, time taken",
		Long: `exchanges prints one line a request with its answers, each element of a compound its
own, in the order of their completion; requests without an answer come last.`,
	}
	in.flags(cmd)
	format := formatFlag(cmd, report.Text, report.JSON, report.CSV)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.read(cmd, &in, args, func(ctx context.Context, c *flows.Capture, _ []string) error {
			return a.stream(ctx, func(ctx context.Context) error { return report.Exchanges(ctx, a.out, c, *format, a.style()) })
		})
	}
	return cmd
}

package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

func summaryCommand(a *app) *cobra.Command {
	var in input
	cmd := &cobra.Command{
		Use:   "summary FILE...",
		Short: "What is in a capture: time, connections, sessions, copies, findings, problems",
	}
	in.flags(cmd)
	format := formatFlag(cmd, report.Text, report.JSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return a.summary(cmd, &in, args, *format) }
	return cmd
}

func (a *app) summary(cmd *cobra.Command, in *input, args []string, f report.Format) error {
	return a.read(cmd, in, args, func(ctx context.Context, c *flows.Capture, files []string) error {
		return a.pass(ctx, c.Run, func() error { return report.Summary(a.out, files, c.Results(), f, a.style()) })
	})
}

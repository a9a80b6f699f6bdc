package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

func rdmaCommand(a *app) *cobra.Command {
	var in input
	cmd := &cobra.Command{
		Use:   "rdma FILE...",
		Short: "SMB Direct connections: queue pairs, limits, credits, RDMA operations and whose they are",
	}
	in.flags(cmd)
	format := formatFlag(cmd, report.Text, report.JSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.read(cmd, &in, args, func(ctx context.Context, c *flows.Capture, _ []string) error {
			return a.pass(ctx, c.Run, func() error { return report.RDMA(a.out, c.RDMA(), *format, a.style()) })
		})
	}
	return cmd
}

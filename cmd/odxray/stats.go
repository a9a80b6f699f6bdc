package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

func statsCommand(a *app) *cobra.Command {
	var in input
	var by string
	cmd := &cobra.Command{
		Use:   "stats FILE...",
		Short: "Response times and sizes by command, control code, file, share, client or user",
		Long: `stats prints how long calls took, from request to final answer, and how many bytes they
moved: percentiles are right to one part in 1000, all else is exact. Calls are those with
request and answer in the capture; what lacks one is counted apart. Where there are very
many files, those with most calls have a line each, and the last line sums up all others.`,
		Example: "  odxray stats trace.pcapng\n  odxray stats trace.pcapng --by file -T csv",
	}
	in.flags(cmd)
	words := choiceValue{&by, report.StatsBy()}
	by = words.of[0]
	cmd.Flags().Var(words, "by", "group by "+words.list())
	complete(cmd, "by", words.of)
	format := formatFlag(cmd, report.Text, report.JSON, report.CSV)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.read(cmd, &in, args, func(ctx context.Context, c *flows.Capture, _ []string) error {
			return a.stream(ctx, func(ctx context.Context) error {
				return report.Stats(ctx, a.out, c, report.ParseBy(by), *format, a.style())
			})
		})
	}
	return cmd
}

package main

import (
	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

func fieldsCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fields",
		Short: "Every field: name, type, label, section of its specification",
		Args:  args(cobra.NoArgs),
	}
	format := formatFlag(cmd, report.Text, report.JSON, report.CSV)
	cmd.RunE = func(*cobra.Command, []string) error {
		return report.FieldTable(a.out, flows.Fields(), *format, a.style())
	}
	return cmd
}

package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

func explainCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "explain NAME",
		Short:   "What a rule, a field, a status or a control code means",
		Example: "  odxray explain copy/token-churn\n  odxray explain smb2.fsctl.odx.copy_length\n  odxray explain STATUS_INVALID_TOKEN\n  odxray explain 0xc0000465",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			known, err := report.Explain(a.out, args[0], flows.Fields(), a.style())
			if err == nil && !known {
				err = usagef("nothing is called %q%s", args[0], didYouMean(args[0], slices.Concat(ruleIDs(), fieldNames(), report.StatusNames(), report.CodeNames())))
			}
			return err
		},
	}
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/odxray/odxray/flows/report"
)

// choiceValue is a flag that takes one of a few words.
type choiceValue struct {
	value *string
	of    []string
}

func (v choiceValue) String() string {
	if v.value == nil {
		return ""
	}
	return *v.value
}
func (v choiceValue) Type() string { return "string" }
func (v choiceValue) list() string { return strings.Join(v.of, ", ") }

func (v choiceValue) Set(s string) error {
	if !slices.Contains(v.of, s) {
		return fmt.Errorf("it must be one of %s", v.list())
	}
	*v.value = s
	return nil
}

// formatFlag gives cmd -T with the forms that it has, the first of them the default.
func formatFlag(cmd *cobra.Command, forms ...report.Format) *report.Format {
	names := make([]string, len(forms))
	for i, f := range forms {
		names[i] = string(f)
	}
	value := string(forms[0])
	v := choiceValue{&value, names}
	f := &forms[0]
	cmd.Flags().VarP(formatValue{v, f}, "format", "T", "form of the output: "+v.list())
	complete(cmd, "format", names)
	return f
}

// formatValue sets a report.Format.
type formatValue struct {
	choiceValue
	format *report.Format
}

func (v formatValue) Set(s string) error {
	if err := v.choiceValue.Set(s); err != nil {
		return err
	}
	*v.format = report.Format(s)
	return nil
}

// complete makes shells offer words for a flag. It fails only for a flag that is
// not there, which the first run of any test would show.
func complete(cmd *cobra.Command, flag string, words []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err)
	}
}

package main

import (
	"github.com/spf13/cobra"

	"github.com/odxray/odxray/dissect/filter"
	"github.com/odxray/odxray/flows"
)

// filterValue is -Y: it compiles what it is given, so that a mistake ends the program
// before it reads anything.
type filterValue struct{ filter **filter.Filter }

func (v filterValue) Type() string { return "filter" }

func (v filterValue) String() string {
	if v.filter == nil || *v.filter == nil {
		return ""
	}
	return (*v.filter).String()
}

func (v filterValue) Set(s string) (err error) {
	if s == "" { // as tshark has it: no filter
		*v.filter = nil
		return nil
	}
	*v.filter, err = filter.Compile(s, flows.Fields())
	return err
}

// completeFilter makes shells offer names of fields and values for -Y.
func completeFilter(cmd *cobra.Command) {
	err := cmd.RegisterFlagCompletionFunc("filter", func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		start, words := filter.Complete(begun, flows.Fields())
		for i := range words {
			words[i] = begun[:start] + words[i]
		}
		return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	if err != nil {
		panic(err) // the flag is not there
	}
}

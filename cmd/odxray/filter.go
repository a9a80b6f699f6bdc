package main

import (
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
	*v.filter, err = filter.Compile(s, flows.Fields())
	return err
}

package report

import (
	"github.com/expr-lang/expr"

	"github.com/odxray/odxray/flows"
)

// ParseTrigger reads an expression over one finding, whose members are those of the
// audit's JSON: rule, level, message, frames, copy, mint, uncertain.
func ParseTrigger(text string) (func(*flows.Finding) bool, error) {
	program, err := expr.Compile(text, expr.Env(findingJSON{}), expr.AsBool())
	if err != nil {
		return nil, err
	}
	return func(f *flows.Finding) bool {
		var a Audit
		v, err := expr.Run(program, a.newFindingJSON(f))
		ok, _ := v.(bool)
		return err == nil && ok
	}, nil
}

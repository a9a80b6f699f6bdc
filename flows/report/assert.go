package report

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
)

// AssertRule is the rule of the findings that failed assertions are.
var AssertRule = audit.Rule{ID: "assert/failed", Level: flows.Error,
	Meaning: "An expression given with --assert is false, or cannot be told.",
	Advice:  "Look at the copies, tokens and calls that it is about."}

// assertEnv is what expressions know. Members of copies, tokens and findings have
// the names of the JSON forms.
type assertEnv struct {
	Copies   []copyJSON    `expr:"copies"`
	Tokens   []mintJSON    `expr:"tokens"`
	Findings []findingJSON `expr:"findings"`
	Capture  captureJSON   `expr:"capture"`
	Counts   countsJSON    `expr:"counts"`

	Calls   func(name string) int                    `expr:"calls"`
	Errors  func(name string) int                    `expr:"errors"`
	P50     func(name string) (time.Duration, error) `expr:"p50"`
	P95     func(name string) (time.Duration, error) `expr:"p95"`
	P99     func(name string) (time.Duration, error) `expr:"p99"`
	Slowest func(name string) (time.Duration, error) `expr:"slowest"`
}

// Assertion is an expression over what was found that must be true.
type Assertion struct {
	text    string
	program *vm.Program
}

// ParseAssertion reads an expression such as
//
//	all(copies, .method == "odx")
//	p99("FSCTL_OFFLOAD_WRITE") < duration("50ms")
func ParseAssertion(text string) (Assertion, error) {
	program, err := expr.Compile(text, expr.Env(assertEnv{}), expr.AsBool())
	return Assertion{text, program}, firstLine(err)
}

// firstLine leaves away the picture of the place that errors of expr go on with.
func firstLine(err error) error {
	if err == nil {
		return nil
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}

// Check adds a finding for every assertion that is not true.
func (a *Audit) Check(assertions []Assertion, calls *Calls) {
	env := a.assertEnv(calls)
	for _, as := range assertions {
		value, err := expr.Run(as.program, env)
		message := ""
		switch {
		case err != nil:
			message = fmt.Sprintf("%s cannot be told: %v", as.text, firstLine(err))
		case value != true:
			message = as.text + " is false"
		default:
			continue
		}
		a.Results.Findings = append(a.Results.Findings, flows.Finding{Rule: AssertRule.ID, Level: AssertRule.Level, Message: message})
	}
}

func (a *Audit) assertEnv(c *Calls) assertEnv {
	r := a.Results
	env := assertEnv{Capture: newCaptureJSON(a.Files, r), Counts: newCounts(r)}
	for i := range r.Copies {
		env.Copies = append(env.Copies, newCopyJSON(&r.Copies[i]))
	}
	for i := range r.Mints {
		env.Tokens = append(env.Tokens, newMintJSON(&r.Mints[i]))
	}
	for i := range r.Findings {
		env.Findings = append(env.Findings, a.newFindingJSON(&r.Findings[i]))
	}
	calls := c.byName()
	env.Calls = func(name string) int {
		if g := calls[name]; g != nil {
			return g.Calls + g.Unanswered
		}
		return 0
	}
	env.Errors = func(name string) (n int) {
		if g := calls[name]; g != nil {
			n = g.MoreErrors
			for status, times := range g.Errors {
				if status.IsError() {
					n += times
				}
			}
		}
		return n
	}
	quantile := func(q float64) func(string) (time.Duration, error) {
		return func(name string) (time.Duration, error) {
			g := calls[name]
			if g == nil || g.Times.N == 0 {
				return 0, fmt.Errorf("no answered %s", name)
			}
			return time.Duration(g.Times.Quantile(q)), nil
		}
	}
	env.P50, env.P95, env.P99, env.Slowest = quantile(0.5), quantile(0.95), quantile(0.99), quantile(1)
	return env
}

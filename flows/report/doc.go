// Package report prints what flows has found, in every form: text for people,
// JSON by the schemas under docs/schema, CSV, and what CI systems read. The
// terminal UI shares its words and numbers, so that both say the same.
//
// One file a command. Names and strings that come from a capture are escaped here
// (Escape), for they may reach a terminal.
package report

import "fmt"

// Format is a form of output.
type Format string

const (
	Text   Format = "text"
	JSON   Format = "json"
	CSV    Format = "csv"
	Fields Format = "fields"
	SARIF  Format = "sarif"
	JUnit  Format = "junit"

	Markdown Format = "markdown"
)

// errFormat is what a report returns for a form that it does not have. Commands
// check theirs before they read a capture, so nobody should see it.
func errFormat(f Format) error { return fmt.Errorf("report: no %q form", string(f)) }

package replay

// Differences that somebody has explained: a table of patterns, one line each.

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/odxray/odxray/flows/report"
)

// Known is a file of known differences: lines of five words apart by tabs: call, field,
// captured value, replayed value, why. The first four are patterns with * and ?; empty
// lines and those that begin with # are for people.
type Known struct {
	rules []knownRule
}

type knownRule struct {
	call, field, captured, replayed, why string
}

// ReadKnown reads a file of known differences.
func ReadKnown(r io.Reader, name string) (*Known, error) {
	k := new(Known)
	return k, tabbed(r, name, "a line has a call, a field, the captured and the replayed value, and why", func(w []string) error {
		for _, pattern := range w[:4] {
			if _, err := path.Match(flat(pattern), ""); err != nil {
				return fmt.Errorf("%q is no pattern", pattern)
			}
		}
		k.rules = append(k.rules, knownRule{call: w[0], field: w[1], captured: w[2], replayed: w[3], why: w[4]})
		return nil
	})
}

// tabbed yields the lines of a file that have five words apart by tabs, the last of which
// says why; those that are empty or begin with # are for people. shape says what the words
// are; an error of yield is one of the line.
func tabbed(r io.Reader, name, shape string, yield func(w []string) error) error {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		w := strings.Split(line, "\t")
		if len(w) != 5 || strings.TrimSpace(w[4]) == "" {
			return fmt.Errorf("%s:%d: %s, apart by tabs", name, n, shape)
		}
		if err := yield(w); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return lines.Err()
}

// explain returns why a difference is there, "" if nobody says.
func (k *Known) explain(s *Step, d *Difference) string {
	if k == nil {
		return ""
	}
	call := report.CallName(s.Header.Command, s.Exchange.Function)
	for i := range k.rules {
		rule := &k.rules[i]
		if match(rule.call, call) && match(rule.field, d.Field) && match(rule.captured, d.Captured) && match(rule.replayed, d.Replayed) {
			return rule.why
		}
	}
	return ""
}

func match(pattern, text string) bool {
	ok, err := path.Match(flat(pattern), flat(text))
	return ok && err == nil
}

// flat has a * match everything: to path.Match, a slash is something else.
func flat(s string) string { return strings.ReplaceAll(s, "/", "|") }

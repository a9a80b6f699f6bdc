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
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		w := strings.Split(line, "\t")
		if len(w) != 5 || strings.TrimSpace(w[4]) == "" {
			return nil, fmt.Errorf("%s:%d: a line has a call, a field, the captured and the replayed value, and why, apart by tabs", name, n)
		}
		for _, pattern := range w[:4] {
			if _, err := path.Match(flat(pattern), ""); err != nil {
				return nil, fmt.Errorf("%s:%d: %q is no pattern", name, n, pattern)
			}
		}
		k.rules = append(k.rules, knownRule{call: w[0], field: w[1], captured: w[2], replayed: w[3], why: w[4]})
	}
	return k, lines.Err()
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

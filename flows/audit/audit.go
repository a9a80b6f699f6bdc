// Package audit says what is wrong with what flows has found: one small function a
// rule, in a table with its id, level, meaning and specification.
//
// A finding must be right. A rule that rests on something the capture may lack drops
// to a note and says why it is uncertain.
package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/odxray/odxray/flows"
)

// Rule is something that the audit can find.
type Rule struct {
	ID      string
	Level   flows.Level // of a finding that is certain, unless Meaning says otherwise
	Meaning string      // one sentence
	Advice  string      // what to do about it
	Spec    string      // section of the specification
	check   func(*judge)
}

// Rules returns all rules, in the order of their ids.
func Rules() []Rule {
	return slices.SortedFunc(slices.Values(slices.Concat(tokenRules, copyRules, messageRules, captureRules)),
		func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
}

// Find returns the rule with that id.
func Find(id string) (Rule, bool) {
	for _, r := range Rules() {
		if r.ID == id {
			return r, true
		}
	}
	return Rule{}, false
}

// Judge returns the findings of all rules, in order of their first frame.
func Judge(r *flows.Results) []flows.Finding {
	j := &judge{Results: r}
	for _, rule := range Rules() {
		j.rule = rule
		rule.check(j)
	}
	slices.SortStableFunc(j.found, func(a, b flows.Finding) int {
		return cmp.Or(cmp.Compare(firstFrame(a), firstFrame(b)), cmp.Compare(a.Rule, b.Rule))
	})
	return j.found
}

func firstFrame(f flows.Finding) int {
	if len(f.Frames) == 0 {
		return 0
	}
	return f.Frames[0]
}

// judge is one audit.
type judge struct {
	*flows.Results
	rule  Rule
	found []flows.Finding
}

// report adds a finding of the rule at hand at its level; change what differs.
func (j *judge) report(frames []int, format string, args ...any) *flows.Finding {
	j.found = append(j.found, flows.Finding{Rule: j.rule.ID, Level: j.rule.Level, Message: fmt.Sprintf(format, args...), Frames: frames})
	return &j.found[len(j.found)-1]
}

// doubt makes f a note if why says that it cannot be certain.
func doubt(f *flows.Finding, why string) {
	if why != "" {
		f.Level, f.Uncertain = flows.Note, why
	}
}

// missing says why what a copy's connections did not show may have been on the
// wire; "" if it was not.
func (j *judge) missing() string {
	var lost uint64
	cut, sealed := 0, 0
	for i := range j.Connections {
		c := &j.Connections[i]
		lost += c.LostBytes
		cut += c.CutFrames
		sealed += c.Encrypted
	}
	var why []string
	if lost > 0 {
		why = append(why, fmt.Sprintf("%d bytes are missing from the capture", lost))
	}
	if cut > 0 {
		why = append(why, fmt.Sprintf("%d frames were cut", cut))
	}
	if sealed > 0 {
		why = append(why, fmt.Sprintf("%d messages are encrypted", sealed))
	}
	return strings.Join(why, ", ")
}

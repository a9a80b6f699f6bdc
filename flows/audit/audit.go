// Package audit says what is wrong with what flows has found: one small function a
// rule, in a table with its id, level, meaning and specification.
//
// A finding must be right. A rule that rests on something the capture may lack drops
// to a note and says why it is uncertain.
package audit

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"github.com/odxray/odxray/dissect/fscc"
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
	return slices.SortedFunc(slices.Values(slices.Concat(offloadRules, tokenRules, copyRules, chunkRules, messageRules, captureRules, connRules, rdmaRules)),
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
	j := newJudge(r)
	for _, rule := range Rules() {
		j.rule = rule
		from := len(j.found)
		rule.check(j)
		j.sum(from)
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
	conns  map[int]*flows.Connection
	copies map[int]*flows.Copy
	mints  map[string]*flows.Mint
	rule   Rule
	found  []flows.Finding
}

func newJudge(r *flows.Results) *judge {
	j := &judge{Results: r, conns: make(map[int]*flows.Connection), copies: make(map[int]*flows.Copy), mints: make(map[string]*flows.Mint)}
	for i := range r.Connections {
		j.conns[r.Connections[i].ID] = &r.Connections[i]
	}
	for i := range r.Copies {
		j.copies[r.Copies[i].ID] = &r.Copies[i]
	}
	for i := range r.Mints {
		j.mints[r.Mints[i].ID] = &r.Mints[i]
	}
	return j
}

// maxFindings bounds the findings of one rule at one level: past it they are counted.
const maxFindings = 1000

// report adds a finding of the rule at hand.
func (j *judge) report(level flows.Level, frames []int, format string, args ...any) *flows.Finding {
	slices.Sort(frames)
	frames = slices.Compact(slices.DeleteFunc(frames, func(n int) bool { return n == 0 }))
	j.found = append(j.found, flows.Finding{Rule: j.rule.ID, Level: level, Message: fmt.Sprintf(format, args...), Frames: frames})
	return &j.found[len(j.found)-1]
}

// sum counts what is too much of the findings from one on, those of a rule, and says how
// many that were.
func (j *judge) sum(from int) {
	var count [flows.Error + 1]int
	list := slices.DeleteFunc(j.found[from:], func(f flows.Finding) bool {
		count[f.Level]++
		return count[f.Level] > maxFindings
	})
	j.found = j.found[:from+len(list)]
	for level, n := range count {
		if n > maxFindings {
			j.found = append(j.found, flows.Finding{Rule: j.rule.ID, Level: flows.Level(level), Message: fmt.Sprintf("%d more like these", n-maxFindings)})
		}
	}
}

// doubt makes f a note if why says that it cannot be certain.
func doubt(f *flows.Finding, why string) {
	if why != "" {
		f.Level, f.Uncertain = flows.Note, why
	}
}

// missing says why what some connections did not show may have been on the wire; ""
// if they showed everything.
func (j *judge) missing(conns ...int) string {
	if j.Unread {
		return "the capture was not read to its end"
	}
	for _, id := range conns {
		if c := j.conns[id]; c != nil {
			if why := gapsOf(c); why != "" {
				return why
			}
		}
	}
	return ""
}

// gapsOf says what of a connection was not seen; "" if all of it was.
func gapsOf(c *flows.Connection) string {
	switch {
	case c.LostBytes > 0:
		return fmt.Sprintf("%s of connection %d are missing from the capture", c.Missing(), c.ID)
	case c.CutFrames > 0:
		return fmt.Sprintf("%d frames of connection %d were cut", c.CutFrames, c.ID)
	case c.Encrypted > 0:
		return fmt.Sprintf("%d messages of connection %d are encrypted", c.Encrypted, c.ID)
	}
	return ""
}

// unseen is missing for all connections to a server, whose start counts too.
func (j *judge) unseen(host int) string {
	for i := range j.Connections {
		c := &j.Connections[i]
		if c.Host != host {
			continue
		}
		if why := j.missing(c.ID); why != "" {
			return why
		}
		if c.LateStart {
			return fmt.Sprintf("connection %d to that server began before the capture", c.ID)
		}
	}
	return ""
}

// calls yields every call that is kept, with its copy or nil.
func (j *judge) calls() iter.Seq2[*flows.Call, *flows.Copy] {
	return func(yield func(*flows.Call, *flows.Copy) bool) {
		for i := range j.Copies {
			c := &j.Copies[i]
			for k := range c.Calls {
				if !yield(&c.Calls[k], c) {
					return
				}
			}
		}
		for i := range j.Loose {
			if !yield(&j.Loose[i], nil) {
				return
			}
		}
	}
}

// offloads yields the offload calls among them.
func (j *judge) offloads() iter.Seq2[*flows.Call, *flows.Copy] {
	return func(yield func(*flows.Call, *flows.Copy) bool) {
		for k, c := range j.calls() {
			if isOffload(k) && !yield(k, c) {
				return
			}
		}
	}
}

func isOffload(k *flows.Call) bool {
	return k.Function == fscc.OffloadRead || k.Function == fscc.OffloadWrite
}

func isChunk(k *flows.Call) bool {
	return k.Function == fscc.CopyChunk || k.Function == fscc.CopyChunkWrite
}

// about says which copy and token a finding about a call belongs to.
func about(f *flows.Finding, k *flows.Call, c *flows.Copy) {
	f.Mint = k.Mint
	if c != nil {
		f.Copy = c.ID
	}
}

// sector is the logical sector size to go by.
func sector(known uint32) uint64 {
	if known == 0 {
		return 512
	}
	return uint64(known)
}

// roundUp returns the next multiple of unit; what would not fit stays as it is.
func roundUp(n, unit uint64) uint64 {
	if n > ^uint64(0)-unit {
		return n
	}
	return (n + unit - 1) / unit * unit
}

// endOf returns offset plus length; the greatest offset there is if it is beyond.
func endOf(offset, length uint64) uint64 {
	if end := offset + length; end >= offset {
		return end
	}
	return ^uint64(0)
}

// name is a file for people.
func name(path string) string {
	if path == "" {
		return "a file whose name is not in the capture"
	}
	return fmt.Sprintf("%q", path)
}

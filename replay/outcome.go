package replay

import (
	"time"
)

// Verdict is what became of a step.
type Verdict uint8

const (
	Unsent          Verdict = iota // nothing: the run ended before
	Same                           // the answer is as captured
	KnownDifference                // it differs as a file of known differences says
	Differs                        //
	Blocked                        // it needs what an earlier difference kept back
	Skipped                        // it was not sent, for a reason
	Failed                         // no answer came: time-out, or the connection ended
)

var verdicts = [...]string{"unsent", "same", "known", "differs", "blocked", "skipped", "failed"}

func (v Verdict) String() string { return verdicts[v] }

// Difference is a field with two values.
type Difference struct {
	Field    string // Wireshark's name, or a label where it has none
	Captured string
	Golden   string // of the run that this one is held against, if it is
	Replayed string
	Why      string // of a known one
}

// Outcome is what became of a step.
type Outcome struct {
	Verdict     Verdict
	Reason      string // of Skipped, Failed, Blocked; a remark on others
	Cause       int    // Blocked: the step that is the first cause
	Differences []Difference
	Sent        time.Time // zero if it was not
	Received    time.Time // zero if no answer came
	Answer      []byte    // from its header on; nil if none came
}

// Took is how long the answer took; false if none came.
func (o *Outcome) Took() (time.Duration, bool) {
	return o.Received.Sub(o.Sent), !o.Sent.IsZero() && !o.Received.IsZero()
}

// Result is what became of a run.
type Result struct {
	Plan        *Plan
	Target      Target
	Level       Level
	Baseline    string    // the run that this one is held against; "" if it is the capture
	Outcomes    []Outcome // of Plan.Steps
	Environment []Difference
	Notes       []string // what the run did beside the capture's requests
	Made        []string // paths at the target that the requests made
	Interrupted bool
	Unreachable error // the target could not be reached at all; nil if it could
	Took        time.Duration

	rules *Rules    // that it was compared by
	names [2]string // of the values of Golden and Replayed, if they are not then and now
}

// Counts counts the outcomes of the chosen steps.
func (r *Result) Counts() map[Verdict]int {
	counts := make(map[Verdict]int)
	for i := range r.Outcomes {
		if r.Plan.Steps[i].Skip != notSelected {
			counts[r.Outcomes[i].Verdict]++
		}
	}
	return counts
}

// Differs reports whether an answer differs in a way that nobody explained, or is missing.
func (r *Result) Differs() bool {
	c := r.Counts()
	return c[Differs]+c[Failed]+c[Blocked]+c[Unsent] > 0
}

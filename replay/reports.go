package replay

// What a run found, for programs and for CI systems.

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows/report"
)

const replaySchema = "odxray.replay/1"

// resultJSON is a result as docs/schema/replay.json describes it.
type resultJSON struct {
	Schema      string           `json:"schema"`
	Target      string           `json:"target"`
	Level       string           `json:"level"`
	Baseline    any              `json:"baseline"`
	Counts      map[string]int   `json:"counts"`
	Steps       []outcomeJSON    `json:"steps"`
	Environment []differenceJSON `json:"environment"`
	Notes       []string         `json:"notes"`
	Interrupted bool             `json:"interrupted"`
	Seconds     float64          `json:"seconds"`
}

type outcomeJSON struct {
	Step        int              `json:"step"`
	Frame       int              `json:"frame"`
	Command     string           `json:"command"`
	ControlCode any              `json:"control_code"`
	File        any              `json:"file"`
	Verdict     string           `json:"verdict"`
	Reason      any              `json:"reason"`
	Cause       any              `json:"cause_step"`
	Captured    any              `json:"captured_status"`
	Replayed    any              `json:"replayed_status"`
	Then        any              `json:"captured_seconds"`
	Now         any              `json:"replayed_seconds"`
	Differences []differenceJSON `json:"differences"`
}

type differenceJSON struct {
	Field    string `json:"field"`
	Captured string `json:"captured"`
	Golden   any    `json:"golden"`
	Replayed string `json:"replayed"`
	Known    any    `json:"known"`
}

func differencesJSON(list []Difference) []differenceJSON {
	out := make([]differenceJSON, 0, len(list))
	for _, d := range list {
		out = append(out, differenceJSON{d.Field, d.Captured, known(d.Golden), d.Replayed, known(d.Why)})
	}
	return out
}

// JSON prints the result as one document.
func (r *Result) JSON(w io.Writer) error {
	doc := resultJSON{
		Schema: replaySchema, Target: r.Target.String(), Level: r.Level.String(), Baseline: known(r.Baseline), Counts: make(map[string]int),
		Steps: []outcomeJSON{}, Environment: differencesJSON(r.Environment), Notes: append([]string{}, r.Notes...),
		Interrupted: r.Interrupted, Seconds: r.Took.Seconds(),
	}
	doc.Notes = append(doc.Notes, r.Plan.Problems...)
	counts := r.Counts()
	for v, name := range verdicts {
		doc.Counts[name] = counts[Verdict(v)]
	}
	for i := range r.Plan.Steps {
		s, o := &r.Plan.Steps[i], &r.Outcomes[i]
		if s.Skip == notSelected {
			continue
		}
		j := outcomeJSON{
			Step: s.ID, Frame: s.Exchange.RequestFrame, Command: report.CommandName(s.Header.Command), File: known(s.Exchange.File),
			Verdict: o.Verdict.String(), Reason: known(o.Reason), Cause: known(o.Cause), Differences: differencesJSON(o.Differences),
		}
		if s.Header.Command == smb2.Ioctl {
			j.ControlCode = report.FunctionName(s.Exchange.Function)
		}
		if s.Answered() {
			j.Captured = report.StatusName(statusOf(s.Answer))
		}
		if o.Answer != nil {
			j.Replayed = report.StatusName(statusOf(o.Answer))
		}
		if d, ok := s.Exchange.Took(); ok {
			j.Then = d.Seconds()
		}
		if d, ok := o.Took(); ok {
			j.Now = d.Seconds()
		}
		doc.Steps = append(doc.Steps, j)
	}
	return report.JSONLine(w, doc)
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	Time    string       `xml:"time,attr,omitempty"`
	Failure *junitDetail `xml:"failure"`
	Error   *junitDetail `xml:"error"`
	Skipped *junitDetail `xml:"skipped"`
}

type junitDetail struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit prints the result as CI systems read it: a case a step, by file. What an earlier
// difference blocked is skipped, so that a first cause counts once.
func (r *Result) JUnit(w io.Writer) error {
	suite := junitSuite{Name: "odxray replay", Time: strconv.FormatFloat(r.Took.Seconds(), 'f', 3, 64)}
	for i := range r.Plan.Steps {
		s, o := &r.Plan.Steps[i], &r.Outcomes[i]
		if s.Skip == notSelected {
			continue
		}
		c := junitCase{Class: "replay." + report.CommandName(s.Header.Command), Name: report.Escape(fmt.Sprintf("step %d, frame %d: %s%s", s.ID, s.Exchange.RequestFrame, report.CallName(s.Header.Command, s.Exchange.Function), on(s)))}
		if s.Exchange.File != "" {
			c.Class = "replay." + report.Escape(strings.ReplaceAll(s.Exchange.File, ".", "_"))
		}
		if d, ok := o.Took(); ok {
			c.Time = strconv.FormatFloat(d.Seconds(), 'f', 6, 64)
		}
		suite.Tests++
		switch o.Verdict {
		case Differs:
			c.Failure = &junitDetail{Message: "the answer differs", Text: r.words(o)}
			suite.Failures++
		case Failed, Unsent:
			c.Error = &junitDetail{Message: report.Escape(o.Reason)}
			suite.Errors++
		case Blocked:
			c.Skipped = &junitDetail{Message: fmt.Sprintf("blocked by step %d", o.Cause)}
			suite.Skipped++
		case Skipped:
			c.Skipped = &junitDetail{Message: report.Escape(o.Reason)}
			suite.Skipped++
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// called returns what a difference calls the values of two runs.
func (r *Result) called() (then, now string) {
	if r.names[0] != "" {
		return r.names[0], r.names[1]
	}
	return "then", "now"
}

// text is a difference in words.
func (r *Result) text(d *Difference) string {
	then, now := r.called()
	values := "captured " + report.Escape(d.Captured)
	switch {
	case d.Golden != "" && d.Captured == "", d.Golden != "" && d.Golden == d.Captured:
		values = then + " " + report.Escape(d.Golden)
	case d.Golden != "":
		values += ", " + then + " " + report.Escape(d.Golden)
	}
	return fmt.Sprintf("%s: %s, %s %s", report.Escape(d.Field), values, now, report.Escape(d.Replayed))
}

// words lists the differences of a step, a line each.
func (r *Result) words(o *Outcome) string {
	var b strings.Builder
	for i := range o.Differences {
		b.WriteString(r.text(&o.Differences[i]) + "\n")
	}
	return b.String()
}

package replay

import (
	"bytes"
	"encoding/xml"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// result is one of a run with every verdict in it.
func result(t *testing.T) *Result {
	t.Helper()
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	at := time.Unix(1, 0)
	r := &Result{
		Plan: p, Target: Target{Address: "127.0.0.1:4450", Host: "127.0.0.1", Share: "share", Dir: `lab\x`, User: "secret-user"}, Outcomes: make([]Outcome, len(p.Steps)),
		Environment: []Difference{{Field: "smb2.dialect", Captured: "SMB 3.1.1", Replayed: "SMB 2.1"}}, Notes: []string{"a \x1bnote"}, Took: time.Second,
	}
	for i := range r.Outcomes {
		r.Outcomes[i] = Outcome{Verdict: Same, Sent: at, Received: at.Add(time.Millisecond), Answer: p.Steps[i].Answer}
	}
	r.Outcomes[9] = Outcome{Verdict: Differs, Differences: []Difference{{Field: "smb2.nt_status", Captured: "STATUS_SUCCESS", Replayed: "STATUS_INTERNAL_ERROR"}}, Sent: at, Received: at.Add(time.Millisecond)}
	for i := 10; i < 13; i++ {
		r.Outcomes[i] = Outcome{Verdict: Blocked, Cause: 10, Reason: "$resumekey1 is unknown"}
	}
	r.Outcomes[13] = Outcome{Verdict: Failed, Reason: "no answer within 30 s", Sent: at}
	r.Outcomes[14] = Outcome{Verdict: Skipped, Reason: "no break came"}
	r.Outcomes[15] = Outcome{Verdict: KnownDifference, Differences: []Difference{{Field: "smb2.eof", Captured: "1", Replayed: "2", Why: "it grew"}}}
	r.Outcomes[33] = Outcome{Reason: "the run was interrupted"}
	return r
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := result(t).Text(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "result.txt", b.Bytes())
	if strings.Contains(b.String(), "secret-user") || strings.Contains(b.String(), "\x1b") {
		t.Error("it says what it should not")
	}
}

func schema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "docs", "schema", name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	r := result(t)
	if err := r.JSON(&b); err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(&b)
	if err == nil {
		err = schema(t, "replay.json").Validate(v)
	}
	if err != nil {
		t.Error(err)
	}
	if err := r.Plan.JSON(&b); err != nil {
		t.Fatal(err)
	}
	lines := schema(t, "replay-plan.json")
	for line := range bytes.Lines(b.Bytes()) {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err == nil {
			err = lines.Validate(v)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, line)
		}
	}
}

// A first cause is one failure; what it kept back is skipped.
func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := result(t).JUnit(&b); err != nil {
		t.Fatal(err)
	}
	var s junitSuite
	if err := xml.Unmarshal(b.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	if s.Tests != 34 || s.Failures != 1 || s.Errors != 2 || s.Skipped != 4 || len(s.Cases) != 34 {
		t.Errorf("%d tests, %d failures, %d errors, %d skipped", s.Tests, s.Failures, s.Errors, s.Skipped)
	}
	if f := s.Cases[9].Failure; f == nil || !strings.Contains(f.Text, "STATUS_INTERNAL_ERROR") || !strings.Contains(s.Cases[9].Name, "frame 24") {
		t.Errorf("%+v", s.Cases[9])
	}
}

// Nothing from a capture is markup in a summary.
func TestMarkdown(t *testing.T) {
	r := result(t)
	r.Outcomes[9].Differences = append(r.Outcomes[9].Differences, Difference{Field: "smb2.filename", Captured: "a|b`<script>\x1b[1m", Replayed: "**c**\n# d"})
	var b bytes.Buffer
	if err := r.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "result.md", b.Bytes())
	if strings.Contains(b.String(), "secret-user") || strings.Contains(b.String(), "\x1b") {
		t.Error("it says what it should not")
	}
}

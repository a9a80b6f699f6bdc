package replay

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/replay/server"
	"github.com/odxray/odxray/replay/smbdtest"
)

// saved is a run as a file has it.
func saved(t *testing.T, r *Result) *Golden {
	t.Helper()
	var b bytes.Buffer
	if err := r.JSON(&b); err != nil {
		t.Fatal(err)
	}
	g, err := ReadGolden(&b, "old.json")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// A run held against itself has nothing new, whatever it has.
func TestAgainstItself(t *testing.T) {
	for name, g := range map[string]*Golden{"live": result(t).Golden(), "saved": saved(t, result(t))} {
		r := result(t)
		if err := r.Against(g); err != nil {
			t.Fatal(err)
		}
		if r.Differs() || len(r.Environment) > 0 {
			t.Errorf("%s: %v, %v", name, r.Counts(), r.Environment)
		}
		if was, is := result(t).Counts(), r.Counts(); is[Same] != was[Same] || is[Skipped] != was[Skipped] || is[KnownDifference] != was[Differs]+was[Failed]+was[Blocked]+was[Unsent]+was[KnownDifference] {
			t.Errorf("%s: %v, then %v", name, was, is)
		}
	}
}

// What is not as in the golden run differs, in whichever way.
func TestAgainst(t *testing.T) {
	differs := func(field, captured, now string) Outcome {
		return Outcome{Verdict: Differs, Differences: []Difference{{Field: field, Captured: captured, Replayed: now}}}
	}
	for _, c := range []struct {
		name    string
		was, is Outcome
		want    Verdict
		fresh   string // the differences that are not known
	}{
		{"new", Outcome{Verdict: Same}, differs("smb2.eof", "1", "2"), Differs, "smb2.eof: then 1, now 2\n"},
		{"gone", differs("smb2.eof", "1", "2"), Outcome{Verdict: Same}, Differs, "smb2.eof: captured 1, then 2, now 1\n"},
		{"another value", differs("smb2.eof", "1", "2"), differs("smb2.eof", "1", "3"), Differs, "smb2.eof: captured 1, then 2, now 3\n"},
		{"the same", differs("smb2.eof", "1", "2"), differs("smb2.eof", "1", "2"), KnownDifference, ""},
		{"another field", differs("smb2.eof", "1", "2"), differs("smb2.nt_status", "A", "B"), Differs, "smb2.nt_status: then A, now B\nsmb2.eof: captured 1, then 2, now 1\n"},
		{"no answer", Outcome{Verdict: Same}, Outcome{Verdict: Failed, Reason: "late"}, Failed, ""},
		{"an answer", Outcome{Verdict: Failed}, Outcome{Verdict: Same}, Differs, "verdict: then failed, now same\n"},
		{"blocked", Outcome{Verdict: Same}, Outcome{Verdict: Blocked, Cause: 3}, Blocked, ""},
		{"blocked then", Outcome{Verdict: Blocked, Cause: 3}, Outcome{Verdict: Blocked, Cause: 3}, KnownDifference, ""},
		{"follows", Outcome{Verdict: Blocked, Cause: 3}, Outcome{Verdict: Blocked, Cause: 3, Differences: []Difference{{Field: "smb2.eof", Captured: "1", Replayed: "2"}}}, KnownDifference, ""},
		{"skipped", Outcome{Verdict: Same}, Outcome{Verdict: Skipped, Reason: "no break"}, Differs, "verdict: then same, now skipped\n"},
		{"skipped then", Outcome{Verdict: Skipped}, Outcome{Verdict: Skipped}, Skipped, ""},
		{"explained", Outcome{Verdict: KnownDifference, Differences: []Difference{{"f", "1", "", "2", "why"}}}, Outcome{Verdict: KnownDifference, Differences: []Difference{{"f", "1", "", "2", "why"}}}, KnownDifference, ""},
	} {
		old, now := result(t), result(t)
		old.Outcomes[5], now.Outcomes[5] = c.was, c.is
		if err := now.Against(saved(t, old)); err != nil {
			t.Fatal(err)
		}
		o := &now.Outcomes[5]
		var left Outcome
		for _, d := range o.Differences {
			if d.Why == "" {
				left.Differences = append(left.Differences, d)
			}
		}
		if o.Verdict != c.want || now.words(&left) != c.fresh {
			t.Errorf("%s: %v, want %v\n%s", c.name, o.Verdict, c.want, now.words(&left))
		}
	}
	old, now := result(t), result(t)
	now.Environment[0].Replayed = "SMB 3.0"
	if err := now.Against(saved(t, old)); err != nil || len(now.Environment) != 1 || now.Environment[0].Golden != "SMB 2.1" {
		t.Errorf("%v, %+v", err, now.Environment)
	}
}

// A run is held against one of the same capture and level, or not at all.
func TestAgainstAnother(t *testing.T) {
	for want, change := range map[string]func(old, now *Result){
		"--level exact":                func(old, _ *Result) { old.Level = Exact },
		"of another capture":           func(_, now *Result) { now.Plan.Steps[3].Exchange.RequestFrame++ },
		"it has 34 steps, this run 33": func(_, now *Result) { now.Plan.Steps[33].Skip = notSelected },
	} {
		old, now := result(t), result(t)
		change(old, now)
		if err := now.Against(saved(t, old)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, bad := range []string{"", "{}", `{"schema":"odxray.audit/1"}`, "[", `{"schema":"odxray.replay/1","steps":[{"step":1,"verdict":"fine"}]}`} {
		if _, err := ReadGolden(strings.NewReader(bad), "old.json"); err == nil || !strings.HasPrefix(err.Error(), "old.json") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzGolden(f *testing.F) {
	f.Add(`{"schema":"odxray.replay/1","level":"semantic","steps":[{"step":1,"frame":4,"command":"CREATE","verdict":"same","differences":[{"field":"f"}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		if g, err := ReadGolden(strings.NewReader(text), "old.json"); err == nil {
			p := &Plan{Steps: []Step{{ID: 1}}}
			_ = (&Result{Plan: p, Outcomes: make([]Outcome, 1)}).Against(g)
		}
	})
}

// TestAgain: two runs of one replay have the same verdicts, and what learn makes of their
// noise leaves none, by the strictest level too.
func TestAgain(t *testing.T) {
	t.Parallel()
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	o := lab(t, server.ODX{})
	o.Level = Exact
	at := func() *Result {
		r, err := At(context.Background(), p, o, p.Manifest(), true)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first, second := at(), at()
	if !reflect.DeepEqual(first.Counts(), second.Counts()) {
		t.Errorf("%v, then %v", first.Counts(), second.Counts())
	}
	if err := second.Against(first.Golden()); err != nil || !second.Differs() {
		t.Fatalf("%v: the times of two runs are the same", err)
	}
	l, err := Learn(context.Background(), p, o)
	if err != nil || l.New == 0 || l.Left.Differs() {
		t.Fatalf("%v, %+v", err, l)
	}
	o.Rules = l.Rules
	third := at()
	if err := third.Against(saved(t, first)); err != nil || third.Differs() {
		var b bytes.Buffer
		_ = third.Text(&b)
		t.Errorf("%v\n%s", err, &b)
	}
	if again, err := Learn(context.Background(), p, o); err != nil || again.New != 0 || again.Rules.Len() != l.New {
		t.Errorf("%v: %d more rules", err, again.New)
	}
}

// learns: Samba left alone has no noise that the default level sees; by the strictest
// there are times, and learn leaves nothing.
func learns(t *testing.T, s *smbdtest.Server) {
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	o := at(t, s, smbdtest.Shared, "learn")
	l, err := Learn(context.Background(), p, o)
	if err != nil || l.New != 0 || l.Left.Differs() {
		t.Errorf("%v: by default %d rules, %v", err, l.New, l.Left.Counts())
	}
	o.Level = Exact
	if l, err = Learn(context.Background(), p, o); err != nil || l.New == 0 || l.Left.Differs() {
		t.Errorf("%v: %d rules, %v", err, l.New, l.Left.Counts())
	}
}

// What is noise wherever it is seen is a rule for all files, and else one a file.
func TestLearn(t *testing.T) {
	first, second := result(t), result(t)
	for i := range first.Outcomes { // no more than what is put in below
		o := Outcome{Verdict: Same, Answer: first.Plan.Steps[i].Answer, Sent: time.Unix(1, 0)}
		first.Outcomes[i], second.Outcomes[i] = o, o
	}
	var creates []int
	for i := range first.Plan.Steps {
		if s := &first.Plan.Steps[i]; s.Header.Command == 5 && statusOf(s.Answer) == 0 {
			creates = append(creates, i)
		}
	}
	if len(creates) < 3 {
		t.Fatal("too few CREATEs")
	}
	vary := func(i int, field, value string) {
		second.Outcomes[i].Verdict = Differs
		second.Outcomes[i].Differences = append(second.Outcomes[i].Differences, Difference{Field: field, Captured: "1", Replayed: value})
	}
	for _, i := range creates {
		vary(i, "smb2.create.time", "2")
	}
	one := creates[len(creates)-1]
	vary(one, "smb2.eof", "3\n")
	l, err := learn(first, second, rules(t, "READ\tsmb2.eof\t*\tignore\tgiven"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := l.Rules.Write(&b); err != nil {
		t.Fatal(err)
	}
	file := first.Plan.Steps[one].Exchange.File
	want := "# call\tfield\tfile\thow\twhy\nREAD\tsmb2.eof\t*\tignore\tgiven\n" +
		"CREATE\tsmb2.create.time\t*\tignore\tvaries from run to run: 1, then 2\n" +
		"CREATE\tsmb2.eof\t" + file + "\tignore\tvaries from run to run: 1, then 3\\n\n"
	if b.String() != want || l.New != 2 || l.Left.Differs() {
		t.Errorf("%d new, %v\n%swant\n%s", l.New, l.Left.Counts(), &b, want)
	}
}

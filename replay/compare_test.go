package replay

import (
	"context"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/smb2"
)

// answerTo returns a step of a capture, and a run that compares with it.
func answerTo(t *testing.T, command smb2.Command, level Level) (*run, *Step) {
	t.Helper()
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	r := newRun(p, Options{Level: level, Target: Target{Share: "share", Dir: "lab"}})
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Header.Command == command && s.Answered() && statusOf(s.Answer) == 0 && s.Tree >= 0 {
			return r, s
		}
	}
	t.Fatalf("no %s", command.Name())
	return nil, nil
}

// What changes in an answer is found, or ignored, as the level says.
func TestCompare(t *testing.T) {
	const body = headerSize
	for _, c := range []struct {
		name    string
		command smb2.Command
		change  func(b []byte)
		want    map[Level]string // field of the difference; "" if none
	}{
		{"nothing", smb2.Create, func([]byte) {}, map[Level]string{Exact: "", Semantic: "", Class: "", Liveness: ""}},
		{"ids", smb2.Create, func(b []byte) { b[24]++; b[36]++; b[40]++; b[14]++; b[body+64]++ }, map[Level]string{Exact: "", Semantic: "", Class: ""}},
		{"status of the same class", smb2.Close, func(b []byte) { le.PutUint32(b[8:], 0xc0000034) }, map[Level]string{Exact: "smb2.nt_status", Semantic: "smb2.nt_status", Class: "smb2.nt_status", Liveness: ""}},
		{"no resources", smb2.Close, func(b []byte) { le.PutUint32(b[8:], 0xc000009a) }, map[Level]string{Semantic: "smb2.nt_status", Liveness: "smb2.nt_status"}},
		{"time", smb2.Create, func(b []byte) { b[body+8]++ }, map[Level]string{Exact: "smb2.create.time", Semantic: ""}},
		{"end of file", smb2.Create, func(b []byte) { b[body+48]++ }, map[Level]string{Exact: "smb2.eof", Semantic: "smb2.eof", Class: ""}},
		{"attributes", smb2.Create, func(b []byte) { b[body+56] ^= 1 }, map[Level]string{Exact: "smb2.file_attribute", Semantic: "smb2.file_attribute"}},
		{"allocation, a little", smb2.Create, func(b []byte) { b[body+41]++ }, map[Level]string{Exact: "smb2.allocation_size", Semantic: ""}},
		{"allocation, a lot", smb2.Create, func(b []byte) { b[body+45]++ }, map[Level]string{Exact: "smb2.allocation_size", Semantic: ""}},
		{"action", smb2.Create, func(b []byte) { b[body+4] = 2 }, map[Level]string{Exact: "smb2.create.action", Semantic: "smb2.create.action"}},
		{"oplock", smb2.Create, func(b []byte) { b[body+2] = 1 }, map[Level]string{Exact: "smb2.create.oplock", Semantic: "smb2.create.oplock"}},
	} {
		for level, want := range c.want {
			r, s := answerTo(t, c.command, level)
			b := append([]byte(nil), s.Answer...)
			c.change(b)
			o := Outcome{Answer: b}
			r.compare(context.Background(), s, nil, &o)
			got := ""
			if len(o.Differences) > 0 {
				got = o.Differences[0].Field
			}
			if !strings.HasPrefix(got, want) || (got == "") != (want == "") {
				t.Errorf("%s, %s: difference in %q, want %q (%v)", c.name, level, got, want, o.Differences)
			}
		}
	}
}

// A listing is a set: order and paging mean nothing, names and sizes do.
func TestListing(t *testing.T) {
	type names map[string]string
	compare := func(was, is names) []Difference {
		var o Outcome
		of := func(m names) map[string][]attribute {
			list := make(map[string][]attribute)
			for name, size := range m {
				list[name] = []attribute{{"smb2.eof", size}}
			}
			return list
		}
		(&listing{was: of(was), is: of(is)}).compare(&o)
		return o.Differences
	}
	if d := compare(names{"a": "1", "b": "2"}, names{"b": "2", "a": "1"}); d != nil {
		t.Error(d)
	}
	if d := compare(names{"a": "1", "b": "2"}, names{"a": "1", "c": "2"}); len(d) != 1 || !strings.Contains(d[0].Captured, "b") || !strings.Contains(d[0].Replayed, "c") {
		t.Error(d)
	}
	if d := compare(names{"a": "1"}, names{"a": "2"}); len(d) != 1 || d[0].Field != "smb2.eof" || d[0].Replayed != "a: 2" {
		t.Error(d)
	}
}

func TestKnown(t *testing.T) {
	const good = "# for people\n\nFSCTL_OFFLOAD_*\tsmb2.nt_status\t*\tSTATUS_INVALID_DEVICE_REQUEST\tno offload\n"
	k, err := ReadKnown(strings.NewReader(good), "known.tsv")
	if err != nil {
		t.Fatal(err)
	}
	s := &Step{Header: Header{Command: smb2.Ioctl}}
	s.Exchange.Function = 0x00094264
	d := &Difference{Field: "smb2.nt_status", Captured: "STATUS_SUCCESS", Replayed: "STATUS_INVALID_DEVICE_REQUEST"}
	if why := k.explain(s, d); why != "no offload" {
		t.Errorf("%q", why)
	}
	d.Replayed = "STATUS_ACCESS_DENIED"
	if why := k.explain(s, d); why != "" {
		t.Errorf("%q", why)
	}
	if (*Known)(nil).explain(s, d) != "" {
		t.Error("nothing explains something")
	}
	for _, bad := range []string{"a\tb\tc\td\n", "a\tb\tc\td\t \n", "[\tb\tc\td\te\n"} {
		if _, err := ReadKnown(strings.NewReader(bad), "known.tsv"); err == nil || !strings.HasPrefix(err.Error(), "known.tsv:1: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestTarget(t *testing.T) {
	for text, want := range map[string]Target{
		"smb://u@h/s":             {Address: "h:445", Host: "h", Share: "s", User: "u"},
		"smb://D;u@h:1445/s/a/b/": {Address: "h:1445", Host: "h", Share: "s", Dir: `a\b`, User: "u", Domain: "D"},
		"smb://[::1]:446/s":       {Address: "[::1]:446", Host: "::1", Share: "s"},
	} {
		if got, err := ParseTarget(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "h/s", "smb://u@h", "smb://u@h/", "smb:///s", "http://h/s", "smb://u:p@h/s", "smb://h/s?x"} {
		if got, err := ParseTarget(bad); err == nil {
			t.Errorf("%s: %+v", bad, got)
		}
	}
}

// What is different about a file because an earlier step did not do its work is that
// step's doing.
func TestConsequences(t *testing.T) {
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	r := newRun(p, Options{})
	copied, later, other := p.Step(11), p.Step(16), p.Step(8) // SRV_COPYCHUNK_WRITE to r50m.copy, CREATE of that, CREATE of r50m
	differs := func(field string) *Outcome { return &Outcome{Differences: []Difference{{Field: field}}} }
	r.judge(later, differs("smb2.eof"))
	if o := r.outcomes[later.ID-1]; o.Verdict != Differs {
		t.Errorf("before: %v", o.Verdict)
	}
	r.judge(copied, differs("smb2.nt_status"))
	r.judge(later, differs("smb2.eof"))
	if o := r.outcomes[later.ID-1]; o.Verdict != Blocked || o.Cause != copied.ID {
		t.Errorf("after: %v by %d", o.Verdict, o.Cause)
	}
	r.judge(later, &Outcome{})
	if o := r.outcomes[later.ID-1]; o.Verdict != Same {
		t.Errorf("the same: %v", o.Verdict)
	}
	r.judge(other, differs("smb2.eof"))
	if o := r.outcomes[other.ID-1]; o.Verdict != Differs {
		t.Errorf("another file: %v", o.Verdict)
	}
}

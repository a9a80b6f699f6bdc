package replay

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/smb2"
)

func rules(t *testing.T, lines ...string) *Rules {
	t.Helper()
	k, err := ReadRules(strings.NewReader(strings.Join(lines, "\n")), "rules.tsv")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestReadRules(t *testing.T) {
	const text = "# call\tfield\tfile\thow\twhy\nCREATE\tsmb2.eof\t*\twithin 10%\tgrows\n*\tsmb2.nt_status\ta?.txt\tclass\tany will do\n"
	k := rules(t, text)
	var b bytes.Buffer
	if err := k.Write(&b); err != nil || b.String() != text || k.Len() != 2 {
		t.Errorf("%v\n%s", err, &b)
	}
	for _, bad := range []string{"a\tb\tc\tignore\n", "a\tb\tc\tignore\t \n", "a\tb\tc\tsometimes\tw\n", "a\tb\tc\twithin x\tw\n", "a\tb\tc\twithin -1\tw\n", "a\tb\tc\twithin \tw\n"} {
		if _, err := ReadRules(strings.NewReader(bad), "rules.tsv"); err == nil || !strings.HasPrefix(err.Error(), "rules.tsv:1: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	k.list[0].file = newWildcard("a\tb\nc")
	b.Reset()
	if err := k.Write(&b); err != nil || !strings.Contains(b.String(), "\ta?b?c\t") {
		t.Errorf("%v\n%s", err, &b)
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", `a\b`, true}, {"a*c", "abbc", true}, {"a*c", "abcd", false}, {"a?c", "aXC", true},
		{"a?c", "ac", false}, {"*a*b", "xaxxab", true}, {"[x]", "[x]", true}, {"[x]", "x", false}, {`d\*`, `D\e`, true}, {"é*", "Éa", true},
	} {
		p := newWildcard(c.pattern)
		if got := p.fits(c.text); got != c.want {
			t.Errorf("%q, %q: %v", c.pattern, c.text, got)
		}
	}
}

// A rule has the last word on a field, whatever the level says.
func TestRules(t *testing.T) {
	const body = headerSize
	grow := func(b []byte) { le.PutUint64(b[body+48:], le.Uint64(b[body+48:])+5) } // EndOfFile
	touch := func(b []byte) { b[body+8]++ }                                        // CreationTime
	refuse := func(status uint32) func(b []byte) {
		return func(b []byte) { le.PutUint32(b[8:], status) }
	}
	for _, c := range []struct {
		name    string
		rule    string // without what it is for
		level   Level
		change  func(b []byte)
		want    string // the field that differs
		environ string
	}{
		{"none", "READ\tsmb2.eof\t*\tignore", Semantic, grow, "smb2.eof", ""},
		{"another file", "CREATE\tsmb2.eof\tnowhere\tignore", Semantic, grow, "smb2.eof", ""},
		{"ignore", "CREATE\tsmb2.eof\t*\tignore", Semantic, grow, "", ""},
		{"ignore, exact", "*\tsmb2.*\t*\tignore", Exact, grow, "", ""},
		{"within", "CREATE\tsmb2.eof\t*\twithin 5", Semantic, grow, "", ""},
		{"within less", "CREATE\tsmb2.eof\t*\twithin 4", Semantic, grow, "smb2.eof", ""},
		{"within a part", "CREATE\tsmb2.eof\t*\twithin 1%", Semantic, grow, "", ""},
		{"environment", "CREATE\tsmb2.eof\t*\tenvironment", Semantic, grow, "", "smb2.eof"},
		{"set", "CREATE\tsmb2.eof\t*\tset", Semantic, grow, "smb2.eof", ""},
		{"set, the same", "CREATE\tsmb2.eof\t*\tset", Semantic, func([]byte) {}, "", ""},
		{"not looked at", "CREATE\tsmb2.eof\t*\tequal", Semantic, touch, "", ""},
		{"equal", "CREATE\tsmb2.create.time\t*\tequal", Semantic, touch, "smb2.create.time", ""},
		{"class", "*\tsmb2.nt_status\t*\tclass", Semantic, refuse(0xc0000022), "smb2.nt_status", ""}, // SUCCESS is of another
		{"ignored status", "*\tsmb2.nt_status\t*\tignore", Semantic, refuse(0xc0000022), "", ""},
		{"class of a field", "CREATE\tsmb2.eof\t*\tclass", Semantic, grow, "smb2.eof", ""},
	} {
		r, s := answerTo(t, smb2.Create, c.level)
		for i := range r.plan.Steps { // one with a size
			if k := &r.plan.Steps[i]; k.Header.Command == smb2.Create && k.Answered() && statusOf(k.Answer) == 0 && le.Uint64(k.Answer[body+48:]) > 1000 {
				s = k
				break
			}
		}
		r.o.Rules = rules(t, c.rule+"\ta test")
		o := Outcome{Answer: bytes.Clone(s.Answer)}
		c.change(o.Answer)
		r.compare(context.Background(), s, nil, &o)
		r.judge(s, &o)
		got, environ := "", ""
		if len(o.Differences) > 0 {
			got = o.Differences[0].Field
		}
		if len(r.env) > 0 {
			environ = r.env[0].Field
		}
		if got != c.want || environ != c.environ || (o.Verdict == Differs) != (c.want != "") {
			t.Errorf("%s: %v, %q, environment %q", c.name, o.Verdict, o.Differences, environ)
		}
	}
	r, s := answerTo(t, smb2.Create, Semantic)
	r.o.Rules = rules(t, "CREATE\tsmb2.nt_status\t*\tclass\tany refusal will do")
	s.Answer = bytes.Clone(s.Answer)
	refuse(0xc0000061)(s.Answer) // PRIVILEGE_NOT_HELD
	o := Outcome{Answer: bytes.Clone(s.Answer)}
	refuse(0xc0000022)(o.Answer)
	r.compare(context.Background(), s, nil, &o)
	if r.judge(s, &o); o.Verdict != Same {
		t.Errorf("statuses of one class: %v %v", o.Verdict, o.Differences)
	}
}

func FuzzRules(f *testing.F) {
	f.Add("CREATE\tsmb2.eof\t*\twithin 10%\tgrows\n")
	f.Add("*\t*\t*\tset\tw")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := ReadRules(strings.NewReader(text), "rules")
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := k.Write(&b); err != nil {
			t.Fatal(err)
		}
		again, err := ReadRules(&b, "rules")
		if err != nil || again.Len() != k.Len() {
			t.Errorf("%v: %d rules, then %d", err, k.Len(), again.Len())
		}
	})
}

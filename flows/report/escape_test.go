package report

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"sparse1 - Copy (3)", "sparse1 - Copy (3)"},
		{"Bücher/日本語 😀", "Bücher/日本語 😀"},
		{"a\x1b[2Jb", `a\033[2Jb`},
		{"a\nb\tc\rd", `a\nb\tc\rd`},
		{"\x00\x7f", `\000\177`},
		{"\u009b31m", `\u009b31m`},               // a C1 control: CSI
		{"cod\u202egpj.exe", `cod\u202egpj.exe`}, // turns the direction of what follows
		{"\xff\xfe", `\xff\xfe`},
		{"a\ufffdb", "a\ufffdb"},
		{"\U000e0001", `\U000e0001`},
	} {
		if got := Escape(tt.in); got != tt.want {
			t.Errorf("Escape(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// TestJSONString: what hostile names do not reach a terminal as, they still are
// for whoever decodes the JSON.
func TestJSONString(t *testing.T) {
	for _, name := range []string{"plain", `q"b\`, "a\x1b[2J\n", "\u009b31m", "\u202e", "\U000e0001", "日本語"} {
		got := appendJSONString(nil, name)
		var back string
		if err := json.Unmarshal(got, &back); err != nil || back != name {
			t.Errorf("%q came back from %s as %q, %v", name, got, back, err)
		}
		if strings.ContainsFunc(string(got), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q is printed raw as %q", name, got)
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("a\x1b[2J\xff\u202e日本")
	f.Fuzz(func(t *testing.T, s string) {
		e := Escape(s)
		if !utf8.ValidString(e) || strings.ContainsFunc(e, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("Escape(%q) = %q", s, e)
		}
		if utf8.ValidString(s) {
			var back string
			if err := json.Unmarshal(appendJSONString(nil, s), &back); err != nil || back != s {
				t.Errorf("%q came back as %q, %v", s, back, err)
			}
		}
	})
}

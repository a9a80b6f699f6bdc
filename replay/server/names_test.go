package server

import (
	"testing"

	"github.com/odxray/odxray/dissect/ntstatus"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "anything.at.all", true},
		{"a*", "abc", true},
		{"a*", "bc", false},
		{"*.txt", "A.TXT", true},
		{"*.txt", "a.txt.gz", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"a*b*c", "aXXbYYc", true},
		{"a*b*c", "aXXbYY", false},
		{"<.txt", "a.b.txt", true},
		{"a>>>.x", "ab.x", true},
		{"a>>>", "ab", true},
		{`a"txt`, "a.txt", true},
		{`a"`, "a", true},
		{`<"*`, "name.ext", true},
		{"", "", true},
		{"", "a", false},
	} {
		if got := matches(c.pattern, c.name); got != c.want {
			t.Errorf("%q %q: %v", c.pattern, c.name, got)
		}
	}
}

func TestParsePath(t *testing.T) {
	for _, c := range []struct {
		name, path, stream string
		st                 status
	}{
		{"", "", "", ntstatus.Success},
		{`a\b`, "a/b", "", ntstatus.Success},
		{`a\b:s`, "a/b", "s", ntstatus.Success},
		{`b:s:$DATA`, "b", "s", ntstatus.Success},
		{`b::$DATA`, "b", "", ntstatus.Success},
		{`\a`, "", "", ntstatus.InvalidParameter},
		{`a\..\b`, "", "", ntstatus.ObjectNameInvalid},
		{`..`, "", "", ntstatus.ObjectNameInvalid},
		{`a/b`, "", "", ntstatus.ObjectNameInvalid},
		{`a\\b`, "", "", ntstatus.ObjectNameInvalid},
		{`a*`, "", "", ntstatus.ObjectNameInvalid},
		{"a\x01", "", "", ntstatus.ObjectNameInvalid},
		{`a:`, "", "", ntstatus.ObjectNameInvalid},
		{`a:s:$INDEX`, "", "", ntstatus.ObjectNameInvalid},
	} {
		path, stream, st := parsePath(c.name)
		if path != c.path || stream != c.stream || st != c.st {
			t.Errorf("%q: %q, %q, %v", c.name, path, stream, st)
		}
	}
}

func TestShortName(t *testing.T) {
	for path, want := range map[string]string{"d/readme.txt": "README.TXT", "a very long name.html": "AV0007~1.HTM", "x": "X", ".bashrc": "BA0007~1"} {
		if got := shortName(path, 7); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

package captures

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestForeign refuses each known kind by its name, with a command.
func TestForeign(t *testing.T) {
	for _, f := range foreignFiles {
		b := make([]byte, 600)
		copy(b[f.at:], f.magic)
		for _, file := range [][]byte{b, b[:f.at+len(f.magic)]} {
			_, err := NewReader(bytes.NewReader(file), "my file.cap")
			if !errors.Is(err, ErrForeign) || !strings.HasPrefix(err.Error(), "my file.cap: is "+f.what) ||
				!strings.Contains(err.Error(), strings.Fields(f.command)[0]+" ") || !strings.Contains(err.Error(), " 'my file.cap'") || strings.Contains(err.Error(), "%") {
				t.Errorf("%s: %v", f.what, err)
			}
		}
	}
	_, err := NewReader(strings.NewReader("GMBU"), stdinName)
	if want := "standard input: is a Network Monitor 2 capture, which odxray does not read; convert it: editcap -F pcapng FILE FILE.pcapng"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"a.pcap":         "a.pcap",
		"/a-b/c_d,e.cap": "/a-b/c_d,e.cap",
		"é.pcap":         "é.pcap",
		"a b":            "'a b'",
		"it's":           `'it'\''s'`,
		"$(x)":           "'$(x)'",
		"":               "''",
	} {
		if got := quote(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

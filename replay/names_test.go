package replay

import (
	"bytes"
	"slices"
	"testing"

	"github.com/odxray/odxray/dissect/smb2"
)

// requests returns the requests of a command in a capture.
func requests(t *testing.T, path string, command smb2.Command) (list []*Step) {
	t.Helper()
	p, _ := captured(t, nil, path)
	for i := range p.Steps {
		if p.Steps[i].Header.Command == command {
			list = append(list, &p.Steps[i])
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s has no %s", path, command.Name())
	}
	return list
}

// A name that is put into a request comes out again, and all else stays.
func TestNames(t *testing.T) {
	var d decoder
	for _, s := range requests(t, sample, smb2.Create) {
		for _, name := range []string{"", "x", `lab\` + s.Exchange.File, "ä\U0001f600"} {
			b := setCreate(s.Request, name)
			got, ok := createName(b)
			if !ok || got != name {
				t.Errorf("%q came out as %q", name, got)
			}
			before, _ := createContexts(s.Request)
			after, at := createContexts(b)
			if !bytes.Equal(before, after) || at%8 != 0 {
				t.Errorf("%q: the contexts changed, or lie at %d", name, at)
			}
			if m := d.decode(b, len(b), nil, nil); m.Err != nil {
				t.Errorf("%q: %v", name, m.Err)
			}
		}
	}
	for _, s := range requests(t, "testdata/scopy_50m.pcap", smb2.TreeConnect) {
		const path = `\\127.0.0.1\lab`
		b := setTree(s.Request, path)
		if got := treePath(b); got != path {
			t.Errorf("%q came out as %q", path, got)
		}
	}
	rename := append(make([]byte, headerSize), 33, 0, 1, renameInformation, 0, 0, 0, 0, headerSize+32, 0, 0, 0, 0, 0, 0, 0)
	rename = append(rename, slices.Repeat([]byte{7}, 16)...)
	rename = append(rename, append(make([]byte, 16), 2, 0, 0, 0, 'a', 0, 0, 0)...)
	le.PutUint32(rename[headerSize+4:], 24)
	if got := renamed(rename); got != "a" {
		t.Fatalf("the name is %q", got)
	}
	for _, name := range []string{"b", `lab\dir\b`} {
		b := setRename(rename, name)
		if got := renamed(b); got != name {
			t.Errorf("%q came out as %q", name, got)
		}
	}
	for n := range rename { // whatever is cut off, nothing panics
		renamed(rename[:n])
		createName(rename[:n])
		treePath(rename[:n])
		ioctlInput(rename[:n])
	}
}

func TestParts(t *testing.T) {
	for path, want := range map[string][2]string{`\\srv\IPC$`: {"IPC$", "ipc"}, `\\srv\data`: {"data", ""}, "data": {"data", ""}} {
		if shareOf(path) != want[0] || isIPC(path) != (want[1] != "") {
			t.Errorf("%s: share %q", path, shareOf(path))
		}
	}
	for path, want := range map[string]string{"": "", "a": "", `a\b`: "a", `a\b\c`: `a\b`} {
		if got := parent(path); got != want {
			t.Errorf("%s is in %q", path, got)
		}
	}
}

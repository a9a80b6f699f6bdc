package smb1

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

const (
	requestHeader  = "ff534d42 72 00000000 18 43c8 0000 0000000000000000 0000 0000 feff 0000 0000"
	responseHeader = "ff534d42 a2 220000c0 98 07c8 0100 0000000000000000 0000 0100 feff 0300 0400"
)

var samples = []struct {
	name, hex, info string
}{
	{"negotiate_request", requestHeader + "00 1700" + "02 4e54204c4d20302e313200" + "02 534d4220322e3f3f3f00",
		"Negotiate Protocol Request"},
	{"nt_create_response", responseHeader + "00 0000", "NT Create AndX Response, Error: STATUS_ACCESS_DENIED"},
	{"andx_request", strings.Replace(requestHeader, " 72 ", " 75 ", 1) + "02 ff000000 0300 5c6100 deadbeef", "Tree Connect AndX Request"},
	{"unknown_request", strings.Replace(requestHeader, " 72 ", " 15 ", 1) + "00 0000", "unknown-0x15 Request"},
}

func TestGolden(t *testing.T) {
	for _, s := range samples {
		var d Decoder
		var tree wire.Tree
		c := wire.New(wiretest.Unhex(s.hex), &tree)
		m := d.Decode(&c)
		if got := string(m.AppendInfo(nil)); c.Err() != nil || got != s.info {
			t.Errorf("%s: %v, %q, want %q", s.name, c.Err(), got, s.info)
		}
		var got bytes.Buffer
		tree.Dump(&got)
		if gaps := tree.Gaps(0); gaps != nil {
			t.Errorf("%s: gaps %v", s.name, gaps)
		}
		wiretest.Golden(t, s.name, got.Bytes())
	}
}

func TestDialects(t *testing.T) {
	var d Decoder
	c := wire.New(wiretest.Unhex(samples[0].hex), nil)
	m := d.Decode(&c)
	var got []string
	m.Negotiate.Each(func(name []byte) bool { got = append(got, string(name)); return true })
	if want := []string{"NT LM 0.12", "SMB 2.???"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestPrefixes: nothing is read past the end, and a cut blames the capture.
func TestPrefixes(t *testing.T) {
	for _, s := range samples[:2] {
		b := wiretest.Unhex(s.hex)
		for i := range b {
			var d Decoder
			c := wire.New(b[:i], nil)
			if d.Decode(&c); !errors.Is(c.Err(), wire.ErrShort) {
				t.Errorf("%s: %d of %d bytes: %v", s.name, i, len(b), c.Err())
			}
			c = wire.NewCut(b[:i], len(b), nil)
			if d.Decode(&c); !errors.Is(c.Err(), wire.ErrTruncated) {
				t.Errorf("%s: cut after %d of %d bytes: %v", s.name, i, len(b), c.Err())
			}
		}
	}
}

func TestAllocs(t *testing.T) {
	var d Decoder
	b := wiretest.Unhex(samples[0].hex)
	if n := testing.AllocsPerRun(100, func() {
		c := wire.New(b, nil)
		d.Decode(&c)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

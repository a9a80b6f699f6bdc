package netbios

import (
	"errors"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
)

// encode is the first-level encoding of RFC 1001 14.1.
func encode(name string, suffix byte) string {
	b := []byte{encoded}
	for _, v := range append([]byte(name+strings.Repeat(" ", 15-len(name))), suffix) {
		b = append(b, 'A'+v>>4, 'A'+v&15)
	}
	return string(append(b, 0))
}

var request = "\x81\x00\x00\x44" + encode("*SMBSERVER", 0x20) + encode("CLIENT", 0)

var samples = []struct {
	name   string
	b      string
	direct bool
	length uint32
	info   string
	tree   string // without the first line
}{
	{"a message on port 139", "\x00\x00\x00\x04abcd", false, 4, "Session message", `
    Message Type: Session message (0x00)
    Flags: 0x00
        .... ...0 = Extend: Add 0 to length
    Length: 4
`},
	{"a long message on port 139", "\x00\x01\x00\x04abcd", false, 65540, "Session message", `
    Message Type: Session message (0x00)
    Flags: 0x01, Extend
        .... ...1 = Extend: Add 65536 to length
    Length: 65540
`},
	{"SMB on port 139", "\x00\x02\x00\x04\xfeSMB", false, 131076, "Session message", `
    Message Type: Session message (0x00)
    Length: 131076
`},
	{"a message over TCP", "\x00\x12\x34\x56abcd", true, 0x123456, "Session message", `
    Message Type: Session message (0x00)
    Length: 1193046
`},
	{"a keep-alive", "\x85\x00\x00\x00", true, 0, "Session keep-alive", `
    Message Type: Session keep-alive (0x85)
    Flags: 0x00
        .... ...0 = Extend: Add 0 to length
    Length: 0
`},
	{"a session request", request, false, 68, "Session request, to *SMBSERVER<20> from CLIENT<00>", `
    Message Type: Session request (0x81)
    Flags: 0x00
        .... ...0 = Extend: Add 0 to length
    Length: 68
    Called name: *SMBSERVER<20> (Server service)
    Calling name: CLIENT<00> (Workstation/Redirector)
`},
	{"an illegal name", "\x81\x00\x00\x06\x02xy\x00\xc0\x0c", false, 6, "Session request, to Illegal NetBIOS name from Illegal NetBIOS name", `
    Message Type: Session request (0x81)
    Flags: 0x00
        .... ...0 = Extend: Add 0 to length
    Length: 6
    Called name: Illegal NetBIOS name
    [Malformed Packet: Calling name]
`},
	{"a positive response", "\x82\x00\x00\x00", false, 0, "Positive session response", `
    Message Type: Positive session response (0x82)
    Flags: 0x00
        .... ...0 = Extend: Add 0 to length
    Length: 0
`},
	{"a negative response", "\x83\x00\x00\x01\x82", false, 1, "Negative session response, Called name not present", `
    Message Type: Negative session response (0x83)
    Flags: 0x00
        .... ...0 = Extend: Add 0 to length
    Length: 1
    Error code: Called name not present (0x82)
`},
	{"a retarget response", "\x84\x00\x00\x06\x0a\x00\x00\x02\x01\xbd", false, 6, "Retarget session response", `
    Message Type: Retarget session response (0x84)
    Flags: 0x00
        .... ...0 = Extend: Add 0 to length
    Length: 6
    Retarget IP address: 10.0.0.2
    Retarget port: 445
`},
}

func TestDecode(t *testing.T) {
	for _, s := range samples {
		var tree wire.Tree
		var h, bare Header
		b := []byte(s.b)
		c := wire.New(b, &tree)
		Decode(&c, &h, s.direct)
		var got strings.Builder
		tree.Text(&got)
		if got.String() != "NetBIOS Session Service"+s.tree {
			t.Errorf("%s:\n%s", s.name, &got)
		}
		if h.Length != s.length || string(AppendInfo(nil, &h)) != s.info {
			t.Errorf("%s: %d bytes, %q", s.name, h.Length, AppendInfo(nil, &h))
		}
		if h.Type == Message && c.Len() != len(s.b)-HeaderLen {
			t.Errorf("%s: %d bytes left", s.name, c.Len())
		}
		if n := testing.AllocsPerRun(10, func() {
			c := wire.New(b, nil)
			Decode(&c, &bare, s.direct)
		}); n > 0 {
			t.Errorf("%s: %v allocations", s.name, n)
		}
		if bare.Length != h.Length || bare.Called.String() != h.Called.String() {
			t.Errorf("%s: without a tree %+v", s.name, bare)
		}
	}
}

func TestPrefixes(t *testing.T) {
	for i := range request {
		var h Header
		c := wire.New([]byte(request[:i]), nil)
		if Decode(&c, &h, false); !errors.Is(c.Err(), wire.ErrShort) {
			t.Errorf("%d of %d bytes: %v", i, len(request), c.Err())
		}
		c = wire.NewCut([]byte(request[:i]), len(request), nil)
		if Decode(&c, &h, false); !errors.Is(c.Err(), wire.ErrTruncated) {
			t.Errorf("cut after %d of %d bytes: %v", i, len(request), c.Err())
		}
	}
}

func TestContinuation(t *testing.T) {
	var tree wire.Tree
	c := wire.New([]byte{1, 2}, &tree)
	Continuation(&c)
	var got strings.Builder
	tree.Text(&got)
	if want := "NetBIOS Session Service\n    Continuation data: 0102\n"; got.String() != want {
		t.Errorf("%s", &got)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s.b), uint16(0), s.direct)
	}
	f.Fuzz(func(t *testing.T, b []byte, missing uint16, direct bool) {
		var tree wire.Tree
		var h, bare Header
		c, d := wire.NewCut(b, len(b)+int(missing), &tree), wire.NewCut(b, len(b)+int(missing), nil)
		Decode(&c, &h, direct)
		Decode(&d, &bare, direct)
		if h.Type != bare.Type || h.Length != bare.Length || h.Called.String() != bare.Called.String() || c.Cause() != d.Cause() {
			t.Fatalf("%+v, without a tree %+v", h, bare)
		}
		AppendInfo(nil, &h)
		var text strings.Builder
		tree.Dump(&text)
	})
}

package filter

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/wire"
)

// The tree of these tests has every kind of field, and one field twice.
var (
	set     wire.Set
	section = set.Section("[EXAMPLE] 1")
	fProto  = section.Struct("ex", "Example")
	fPort   = section.Uint("ex.src", "Source")
	fPort2  = section.Uint("ex.dst", "Destination")
	_       = section.Any("ex.port", "Port", fPort, fPort2)
	fOffset = section.Int("ex.offset", "Offset")
	fCmd    = section.Enum("ex.cmd", "Command", func(v uint64) string {
		if v < 3 {
			return [...]string{"Session Setup", "Create", "Find"}[v]
		}
		return "Unknown"
	}).Named(func(v uint64) string { return map[uint64]string{2: "QUERY_DIRECTORY"}[v] })
	fStatus = section.Enum("ex.status", "Status", func(v uint64) string {
		if v == 0xc0000022 {
			return "STATUS_ACCESS_DENIED"
		}
		return "Unknown"
	}).InHex().Among(func(yield func(uint64) bool) { yield(0xc0000022) })
	fFlag  = section.Flag(1, "ex.flag", "Flag", "Not set", "Set")
	fData  = section.Bytes("ex.data", "Data")
	fName  = section.String("ex.name", "Name")
	fAscii = section.ASCII("ex.ascii", "Text")
	fID    = section.GUID("ex.id", "Id")
	fTime  = section.Time("ex.time", "Time")
	fStamp = section.Timestamp("ex.stamp", "Stamp")
	fTook  = section.Duration("ex.took", "Took")
	fIP    = section.Address("ex.ip", "IP").Wide(32)
	fIP6   = section.Address("ex.ip6", "IP").Wide(128)
	fMAC   = section.Address("ex.mac", "MAC").Wide(48)
	fEight = section.Uint("ex.both", "Number")
	fWord  = section.String("ex.both", "Text")
	_      = section.Uint("ex.absent", "Absent")
)

// tree has the fields of one message, as many as want asks for.
func tree(want wire.Want) *wire.Tree {
	t := &wire.Tree{Want: want}
	c := wire.New([]byte("\x00\x50\x01\xbd"+"\xff\xff\xff\xfe"+"\x01\x02"+"\x22\x00\x00\xc0"+"\x01"+"\xfeSMB\xff"+
		"d\x00i\x00s\x00k\x00.\x00v\x00h\x00d\x00"+"Hello\x00"+
		"\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"+
		"\x00\x80\x3e\xd5\xde\xb1\x9d\x01"+"\x0a\x00\x00\x99"+
		"\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"+"\x00\x15\x5d\x01\x02\x03"), t)
	m := c.Open(fProto)
	c.BE16(fPort)
	c.BE16(fPort2)
	c.BE32(fOffset)
	c.U8(fCmd)
	c.U8(fCmd)
	c.U32(fStatus)
	c.U8(fFlag)
	c.Bytes(fData, 5)
	c.UTF16(fName, 16)
	c.Bytes(fAscii, 6)
	c.GUID(fID)
	c.U64(fTime)
	c.Note(fStamp, uint64(time.Date(2016, 6, 3, 14, 47, 22, 5e8, time.UTC).UnixNano()), "")
	c.Note(fTook, 27_334_000, "")
	c.Note(fEight, 8, "")
	c.Note(fWord, 0, "eight")
	c.Bytes(fIP, 4)
	c.Bytes(fIP6, 16)
	c.Bytes(fMAC, 6)
	c.Close(m)
	if c.Failed() {
		panic(c.Err())
	}
	return t
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		src  string
		want bool
	}{
		// Presence and logic.
		{"ex", true},
		{"ex.absent", false},
		{"!ex.absent", true},
		{"not not ex", true},
		{"ex and ex.absent", false},
		{"ex.absent or ex", true},
		{"ex.absent or ex and ex.absent", false},
		{"ex xor ex", false},
		{"ex ^^ ex.absent", true},
		{"(ex || ex.absent) && !(ex.absent)", true},

		// Numbers, in every notation.
		{"ex.src == 80", true},
		{"ex.src eq 0x50", true},
		{"ex.src == 0120", true},
		{"ex.src == 0b1010000", true},
		{"ex.src == 'P'", true},
		{`ex.src == '\x50'`, true},
		{"ex.offset == -2", true},
		{"ex.offset < 0", true},
		{"ex.offset > -3", true},
		{"ex.dst < 1k", true},
		{"ex.dst > 1kB", false},
		{"ex.src < 16MiB", true},
		{"ex.src == ex.dst", false},
		{"ex.src < ex.dst", true},
		{"ex.src <= ex.src < ex.dst", true},
		{"ex.src < ex.dst < ex.src", false},
		{"ex.dst < ex.src < ex.dst", false},

		// A field that occurs twice.
		{"ex.port == 80", true},
		{"ex.port == 445", true},
		{"ex.port != 80", false},
		{"ex.port != 81", true},
		{"ex.port !== 80", true},
		{"ex.port ~= 80", true},
		{"ex.port === 80", false},
		{"any ex.port != 80", true},
		{"all ex.port > 79", true},
		{"all ex.port > 80", false},
		{"all ex.port in {80, 445}", true},
		{"all ex.port in {80}", false},
		{"ex.port in {1..79, 446}", false},
		{"ex.port in {81..500}", true},
		{"ex.port not in {81..500}", false},
		{"ex.absent != 1", false},
		{"all ex.absent == 1", false},
		{"not ex.absent == 1", true},

		// Two types under one name.
		{"ex.both == 8", true},
		{`ex.both == "eight"`, true},
		{`ex.both contains "gh"`, true},
		{`ex.both contains "x"`, false},
		{`all ex.both contains "gh"`, true},
		{`ex.both matches "^$"`, false},
		{"ex.both > 8", false},
		{"ex.both == ex.src", false},
		{"ex.name contains ex.ascii", false},
		{"ex.name contains ex.name", true},

		// Names of values.
		{"ex.cmd == Create", true},
		{`ex.cmd == "create"`, true},
		{"ex.cmd == QUERY_DIRECTORY", true},
		{"ex.cmd == SESSION_SETUP", false},
		{`ex.cmd in {"Session Setup", Find}`, true},
		{"ex.status == STATUS_ACCESS_DENIED", true},
		{"ex.status == 0xc0000022", true},
		{"ex.flag == true", true},
		{"ex.flag == False", false},
		{"ex.flag == 2", true}, // as true
		{`ex.flag == "Set"`, true},

		// Bytes.
		{"ex.data == fe:53:4d:42:ff", true},
		{"ex.data == fe-53-4d-42-ff", true},
		{"ex.data == fe534d42ff", true},
		{`ex.data == "\xfeSMB\xff"`, true},
		{"ex.data contains 53:4d", true},
		{`ex.data contains "SMB"`, true},
		{"ex.data contains 0x42", true},
		{"ex.data[0] == fe", true},
		{"ex.data[1:3] == \"SMB\"", true},
		{"ex.data[1-3] == 53:4d:42", true},
		{"ex.data[-1] == 0xff", true},
		{"ex.data[-2:] == 42:ff", true},
		{"ex.data[:2] == fe:53", true},
		{"ex.data[0,4,1-2] == fe:ff:53:4d", true},
		{"ex.data[4]", true},
		{"ex.data[5]", false},
		{"ex.data[3:9]", false},
		{`ex.data matches "smb\xff"`, true},
		{`ex.data matches "^SMB"`, false},
		{"ex.mac[0:3] == 00:15:5d", true},
		{"ex.data[0] & 0x0f == 0e", true},
		{"ex.data[0] & 01", false},
		{"ex[0:2] == 00:50", true},
		{`ex contains "SMB"`, true},
		{"ex.src & 0x40", true},
		{"ex.src & 0x0f", false},
		{"ex.src & 0xf0 == 0x50", true},

		// Text.
		{`ex.name == "disk.vhd"`, true},
		{"ex.name == disk.vhd", true},
		{`ex.name contains "sk."`, true},
		{`ex.name contains "SK."`, false},
		{`ex.name matches "SK\\.VHD$"`, true},
		{`ex.name matches r"(?-i)SK\.VHD$"`, false},
		{`ex.name[0:4] == "disk"`, true},
		{`upper(ex.name) == "DISK.VHD"`, true},
		{`lower(ex.ascii) == "hello"`, true},
		{`ex.name > "disk"`, true},
		{"len(ex.name) == 8", true},
		{"len(ex.ascii) == 5", true},
		{"len(ex.data) == 5", true},
		{"count(ex.port) == 2", true},
		{"count(ex.absent) == 0", true},
		{`string(ex.src) == "80"`, true},
		{`string(ex.status) == "3221225506"`, true},
		{`string(ex.ip) matches "^10\\."`, true},

		// Addresses and GUIDs.
		{"ex.ip == 10.0.0.153", true},
		{"ex.ip == 10.0.0.0/24", true},
		{"ex.ip == 10.0.1.0/24", false},
		{"ex.ip != 10.0.0.0/8", false},
		{"ex.ip == 0.0.0.0/0", true},
		{"ex.ip in {10.0.0.1 .. 10.0.0.200}", true},
		{"ex.ip6 == fe80::1", true},
		{"ex.ip6 == fe80::/10", true},
		{"ex.mac == 00:15:5d:01:02:03", true},
		{"ex.mac == 00-15-5D-01-02-03", true},
		{"ex.id == 00112233-4455-6677-8899-aabbccddeeff", true},

		// Times and durations.
		{`ex.time == "2014-08-07T04:20:00Z"`, false},
		{"ex.time > 1980-01-01", false},
		{"ex.time < 1980-01-01", true},
		{"ex.stamp == 2016-06-03T14:47:22.5Z", true},
		{`ex.stamp == "2016-06-03 16:47:22.5 +02:00"`, true},
		{`ex.stamp == "Jun  3, 2016 14:47:22.5 UTC"`, true},
		{`ex.stamp > "2016-06-03"`, true},
		{"ex.took == 0.027334", true},
		{"ex.took > 20ms", true},
		{"ex.took in {0.02 .. 0.03}", true},
		{"ex.took > 1465000000.25", false},
		{"ex.took > -1.5", true},
	} {
		f, err := Compile(tt.src, set.All())
		if err != nil {
			t.Errorf("%s: %v\n%s", tt.src, err, err.(*Error).Caret())
			continue
		}
		for name, want := range map[string]wire.Want{"wanted": f.Want(), "whole": nil} {
			if got := f.Match(tree(want)); got != tt.want {
				t.Errorf("%s on the %s tree: %t", tt.src, name, got)
			}
		}
		var kept wire.Tree
		whole := tree(nil)
		f.Keep(&kept, whole, 0, 5)
		f.Keep(&kept, whole, 5, len(whole.Nodes))
		clear(whole.Bufs[0])
		if got := f.Match(&kept); got != tt.want {
			t.Errorf("%s on what it keeps: %t", tt.src, got)
		}
	}
}

// TestEmpty: nothing is true of nothing, but a not.
func TestEmpty(t *testing.T) {
	for src, want := range map[string]bool{"ex": false, "ex.port != 80": false, "all ex.port == 1": false, "!ex": true, "count(ex) == 0": true} {
		f, err := Compile(src, set.All())
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Match(new(wire.Tree)); got != want {
			t.Errorf("%s: %t", src, got)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		src, marks, message string
	}{
		{"ex.cmdd == 1", "^^^^^^^", `filter, character 1: no field or protocol has this name; did you mean "ex.cmd"?`},
		{"ex.cmd == Creat", "          ^^^^^", `filter, character 11: not a value of ex.cmd; expected a number or the name of a value; did you mean "Create"?`},
		{"ex.src == ex.dsst", "          ^^^^^^^", `filter, character 11: not a value of ex.src; expected a number; did you mean "ex.dst"?`},
		{"ex.ip == fe80::1", "         ^^^^^^^", "filter, character 10: not a value of ex.ip; expected an IPv4 address or network"},
		{"ex.flag == maybe", "           ^^^^^", "filter, character 12: not a value of ex.flag; expected true or false"},
		{"ex.data == xyz", "           ^^^", "filter, character 12: not a value of ex.data; expected bytes such as fe:53:4d:42, or a string"},
		{"ex.took > soon", "          ^^^^", "filter, character 11: not a value of ex.took; expected seconds, or a duration such as 20ms"},
		{"ex.stamp > soon", "           ^^^^", `filter, character 12: not a value of ex.stamp; expected a time such as 2016-06-03T14:47:22Z or "2016-06-03 14:47:22"`},
		{"ex.id == 1", "         ^", "filter, character 10: not a value of ex.id; expected a GUID"},
		{"ex.src ==", "         ^", "filter, character 10: the filter ends here; expected a value or a field"},
		{"", "^", "filter, character 1: the filter ends here; expected a field, a protocol or a function"},
		{"80 == ex.src", "^^", "filter, character 1: no field or protocol has this name"},
		{"ex ex", "   ^^", "filter, character 4: unexpected ex; expected and, or, or the end of the filter"},
		{"(ex", "   ^", "filter, character 4: the filter ends here; expected )"},
		{"ex.src contains 1", "^^^^^^", "filter, character 1: contains works on bytes and text, and this is a number; expected string(…) around it"},
		{`ex.name matches "("`, "                ^^^", "filter, character 17: missing closing ); expected a regular expression of RE2"},
		{"ex.name matches x", "                ^", "filter, character 17: unexpected x; expected a regular expression in quotes"},
		{`ex.name == "x`, "           ^^", `filter, character 12: the string does not end; expected a closing "`},
		{`ex.name == "\q"`, "            ^^", `filter, character 13: no such escape; expected one of \\ \" \' \a \b \f \n \r \t \v \NNN \xNN \uNNNN \UNNNNNNNN`},
		{"ex.src in {1, }", "              ^", "filter, character 15: unexpected }; expected a value"},
		{"ex.src in {1 2}", "             ^", "filter, character 14: unexpected 2; expected , or }"},
		{"ex.src in 1", "          ^", "filter, character 11: unexpected 1; expected {"},
		{"ex.src[0] == 1", "^^^^^^", "filter, character 1: only bytes and text have slices, and this is a number"},
		{"ex.data[x] == 1", "        ^", "filter, character 9: not a position in a slice; expected a number: [i:length], [i-last], [i], [:length] or [i:]"},
		{"ex.data[1:0] == 1", "          ^", "filter, character 11: not a position in a slice; expected a number: [i:length], [i-last], [i], [:length] or [i:]"},
		{"lenn(ex.name) == 1", "^^^^", `filter, character 1: no such function; expected len, count, lower, upper or string; did you mean "len"?`},
		{"lower(ex.src) == 1", "      ^^^^^^", "filter, character 7: lower takes text, and this is a number"},
		{"len(ex.name)", "^^^^^^^^^^^^", "filter, character 1: a function is always there; expected a comparison, such as > 0"},
		{"ex.src == ex.name", "          ^^^^^^^", "filter, character 11: this is text, and ex.src is a number"},
		{"any ex.src", "^^^", "filter, character 1: any without a comparison"},
		{"ex.name == \"Grüße\" ex", "                   ^^", "filter, character 20: unexpected ex; expected and, or, or the end of the filter"},
		{"ex.src = 1", "       ^", "filter, character 8: unexpected character; expected =="},
		{"ex AND ex", "   ^^^", `filter, character 4: unexpected AND; expected and, or, or the end of the filter; did you mean "and"?`},
		{"EX.port == 1", "^^^^^^^", `filter, character 1: no field or protocol has this name; did you mean "ex.port"?`},
		{"ex; ex", "  ^", "filter, character 3: unexpected character"},
	} {
		_, err := Compile(tt.src, set.All())
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", tt.src, err)
			continue
		}
		if e.Error() != tt.message {
			t.Errorf("%s:\n got %s\nwant %s", tt.src, e, tt.message)
		}
		if got, want := e.Caret(), tt.src+"\n"+tt.marks; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

func TestComplete(t *testing.T) {
	for src, want := range map[string]string{
		"ex.s":                        "ex.src ex.stamp ex.status",
		"ex and !(EX.DS":              "ex.dst",
		"ex.src == ex.ds":             "ex.dst",
		"ex.cmd == cr":                "Create",
		"ex.cmd == ":                  "Create Find QUERY_DIRECTORY Session_Setup",
		`ex.cmd == "s`:                "Session Setup",
		"ex.cmd in {Create, f":        "Find",
		"ex.cmd != QUERY":             "QUERY_DIRECTORY",
		"ex.cmd in {Create} and ex.n": "ex.name",
		"ex and lo":                   "lower(",
		"nothing == x":                "",
	} {
		_, words := Complete(src, set.All())
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}

// TestBounds: what is nested deeply or long is refused, not run into the stack.
func TestBounds(t *testing.T) {
	for name, src := range map[string]string{
		"parentheses": strings.Repeat("(", 1e4) + "ex" + strings.Repeat(")", 1e4),
		"length":      strings.Repeat("ex or ", 1e5) + "ex",
		"name":        strings.Repeat("x", 6e4),
	} {
		if _, err := Compile(src, set.All()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, src := range map[string]string{
		"nots":   strings.Repeat("!", 2e4) + "ex",
		"chain":  strings.Repeat("ex.src <= ", 4e3) + "ex.src",
		"values": "ex.cmd in {" + strings.Repeat("Create,", 8e3) + "Find}",
	} {
		f, err := Compile(src, set.All())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !f.Match(tree(nil)) {
			t.Errorf("%s: not true", name)
		}
	}
}

// TestAllocations: matching a frame costs none.
func TestAllocations(t *testing.T) {
	tr := tree(nil)
	for _, src := range []string{
		"ex.port == 80", "ex.port in {1..5}", `upper(ex.name) == "X"`, `ex.name contains "x" or ex.data matches "y$"`,
		`string(ex.src) matches "^9"`, "ex.data[0,2] & ff:00 == 00:01", "ex.src == ex.dst", "count(ex.port) > 5",
	} {
		f, err := Compile(src, set.All())
		if err != nil {
			t.Fatal(err)
		}
		f.Match(tr)
		if n := testing.AllocsPerRun(100, func() { f.Match(tr) }); n != 0 {
			t.Errorf("%s: %v allocations", src, n)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, src := range []string{
		"ex.port == 80 and not ex.cmd in {Create, 3..5}", `ex.name matches "a(b|c)*" || ex.data[1:2,-1] & 0f == "x"`,
		`all ex.ip == 10.0.0.0/8 ^^ len(ex.name) > 1k`, `ex.stamp > "Jun  3, 2016 14:47:22" && ex.took < 5ms`, `ex.name == r"a\"b" or ex.src == '\n'`,
	} {
		f.Add(src)
	}
	tr := tree(nil)
	f.Fuzz(func(t *testing.T, src string) {
		c, err := Compile(src, set.All())
		if err == nil {
			c.Match(tr)
			c.Match(new(wire.Tree))
			return
		}
		e := err.(*Error)
		if e.Pos < 0 || e.Pos+e.Len > len(src) || e.Len < 0 || e.Problem == "" {
			t.Errorf("%q: %+v", src, e)
		}
		if strings.Count(e.Caret(), "\n") != 1 {
			t.Errorf("%q:\n%s", src, e.Caret())
		}
	})
}

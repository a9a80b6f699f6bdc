package report

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
)

var (
	set       wire.Set
	section   = set.Section("[EXAMPLE] 2.1")
	fNumber   = section.Uint("frame.number", "Frame Number")
	fCommand  = section.Enum("smb2.cmd", "Command", func(uint64) string { return "Ioctl" })
	fName     = section.String("smb2.filename", "Filename")
	fOther    = section.String("smb2.filename", "Blob")
	fFlags    = section.Hex("smb2.flags", "Flags").Split(fResponse)
	fResponse = section.Flag(1, "smb2.flags.response", "Response", "No", "Yes")
	fTime     = section.Time("smb2.time", "Time")
	fTook     = section.Duration("smb2.took", "Took")
	fHeader   = section.Struct("smb2.header", "Header")
	_         = section.Any("smb2.any", "Any name", fName, fOther)
)

// frame fills row and tree with a frame that has names with a quote and a control
// character in them.
func frame(r *flows.Row, t *wire.Tree) {
	*r = flows.Row{Frame: 46, Time: 1464965242075585000, Source: "10.10.0.153", Dest: "10.10.1.57", Protocol: "SMB2", Length: 698,
		Info: "Ioctl Response \x1b[2J File: \"a\", b"}
	t.Reset()
	c := wire.New([]byte("\x0b\x0b\x01\x00\x00\x00a\x00\"\x00\x1b\x00b\x00\x00\x00\x00\x00\x00\x00\x00\x00"), t)
	c.Note(fNumber, 46, "")
	m := c.Open(fHeader)
	c.U8(fCommand)
	c.U8(fCommand)
	c.Close(m)
	c.U32(fFlags)
	c.UTF16(fName, 6)
	c.UTF16(fOther, 2)
	c.U64(fTime)
	c.Note(fTook, 27334000, "")
}

func TestList(t *testing.T) {
	zone := time.Local
	time.Local = time.UTC
	defer func() { time.Local = zone }()
	fields := []string{"frame.number", "smb2.filename", "smb2.cmd", "smb2.flags", "smb2.cmd", "smb2.any"}
	standard := ListOptions{Format: Fields, Separator: '\t', Aggregator: ',', Occurrence: 'a'}
	with := func(change func(*ListOptions)) ListOptions {
		o := standard
		change(&o)
		return o
	}
	for _, tt := range []struct {
		name string
		o    ListOptions
		want string
	}{
		{"text", ListOptions{Format: Text},
			"   46   0.000000  10.10.0.153 → 10.10.1.57   SMB2 698 Ioctl Response \\033[2J File: \"a\", b\n"},
		{"time of day", ListOptions{Format: Text, Time: Absolute},
			"   46 14:47:22.075585  10.10.0.153 → 10.10.1.57   SMB2 698 Ioctl Response \\033[2J File: \"a\", b\n"},
		{"nanoseconds", ListOptions{Format: Text, Time: Epoch, Digits: 9},
			"   46 1464965242.075585000  10.10.0.153 → 10.10.1.57   SMB2 698 Ioctl Response \\033[2J File: \"a\", b\n"},
		{"csv", ListOptions{Format: CSV, Time: Epoch},
			"\"No.\",\"Time\",\"Source\",\"Destination\",\"Protocol\",\"Length\",\"Info\"\n" +
				"\"46\",\"1464965242.075585\",\"10.10.0.153\",\"10.10.1.57\",\"SMB2\",\"698\",\"Ioctl Response \\033[2J File: \"\"a\"\", b\"\n"},
		{"fields", standard, "46\ta\"\\033,b\t11,11\t0x00000001\t11,11\ta\"\\033,b\n"},
		{"for a program", with(func(o *ListOptions) { o.Raw = true }), "46\ta\"\x1b,b\t11,11\t0x00000001\t11,11\ta\"\x1b,b\n"},
		{"first", with(func(o *ListOptions) { o.Occurrence = 'f' }), "46\ta\"\\033\t11\t0x00000001\t11\ta\"\\033\n"},
		{"last, quoted", with(func(o *ListOptions) { o.Occurrence, o.Quote, o.Separator = 'l', '"', ' ' }),
			"\"46\" \"b\" \"11\" \"0x00000001\" \"11\" \"b\"\n"},
		{"header, quoted", with(func(o *ListOptions) { o.Header, o.Quote, o.Aggregator = true, '"', ';' }),
			strings.Join(fields, "\t") + "\n\"46\"\t\"a\"\"\\033;b\"\t\"11;11\"\t\"0x00000001\"\t\"11;11\"\t\"a\"\"\\033;b\"\n"},
		{"csv of fields", with(func(o *ListOptions) { o.Format = CSV }),
			strings.Join(fields, ",") + "\n\"46\",\"a\"\"\\033,b\",\"11,11\",\"0x00000001\",\"11,11\",\"a\"\"\\033,b\"\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.o.Separator != 0 {
				var bad string
				if tt.o.Columns, bad = Columns(set.All(), fields); bad != "" {
					t.Fatalf("no field %s", bad)
				}
			}
			got := printFrame(t, tt.o)
			if d := cmp.Diff(tt.want, string(got)); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

// printFrame prints one frame as a list would.
func printFrame(t *testing.T, o ListOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if o.Digits == 0 {
		o.Digits = 6
	}
	l := newLister(&b, o)
	l.head()
	var r flows.Row
	tree := l.tree
	if tree == nil {
		tree = new(wire.Tree)
	}
	frame(&r, tree)
	l.first, l.last = r.Time, r.Time
	l.row(&r)
	if l.flush(); l.failed != nil {
		t.Fatal(l.failed)
	}
	return b.Bytes()
}

func TestListJSON(t *testing.T) {
	all := printFrame(t, ListOptions{Format: JSON})
	validate(t, "list", all)
	want := `{"frame":46,"time":"2016-06-03T14:47:22.075585Z","protocol":"SMB2","info":"Ioctl Response \u001b[2J File: \"a\", b","fields":` +
		`{"frame.number":46,"smb2.cmd":[11,11],"smb2.flags":1,"smb2.flags.response":true,"smb2.filename":["a\"\u001b","b"],` +
		`"smb2.time":null,"smb2.took":0.027334}}` + "\n"
	if d := cmp.Diff(want, string(all)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	columns, _ := Columns(set.All(), []string{"smb2.took"})
	some := printFrame(t, ListOptions{Format: JSON, Columns: columns})
	if !strings.HasSuffix(string(some), `"fields":{"smb2.took":0.027334}}`+"\n") {
		t.Errorf("%s", some)
	}
}

func TestColumns(t *testing.T) {
	if c, bad := Columns(set.All(), []string{"smb2.filename", "smb2.nothing"}); c != nil || bad != "smb2.nothing" {
		t.Errorf("%v, %q", c, bad)
	}
}

// TestListAllocations: a line of text, of fields or of CSV costs no allocation.
func TestListAllocations(t *testing.T) {
	columns, _ := Columns(set.All(), []string{"frame.number", "smb2.cmd", "smb2.flags", "smb2.filename", "smb2.took"})
	for _, o := range []ListOptions{
		{Format: Text},
		{Format: Text, Time: AbsoluteDate},
		{Format: Fields, Columns: columns, Separator: '\t', Aggregator: ',', Occurrence: 'a'},
		{Format: CSV},
	} {
		l := newLister(io.Discard, o)
		var r flows.Row
		tree := l.tree
		if tree == nil {
			tree = new(wire.Tree)
		}
		frame(&r, tree)
		r.Info = "Ioctl Response FSCTL_OFFLOAD_READ File: sparse1 日本" // what needs no escapes
		tree.Nodes = tree.Nodes[:4]
		if n := testing.AllocsPerRun(100, func() {
			if l.row(&r); l.failed != nil {
				t.Fatal(l.failed)
			}
		}); n != 0 {
			t.Errorf("%s %s: %v allocations a line", o.Format, o.Time, n)
		}
	}
}

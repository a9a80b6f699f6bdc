package report

import (
	"bytes"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
)

var update = flag.Bool("update", false, "write the golden files")

// hostile is a name that restyles a terminal, ends a line, and turns around what
// follows it, if nobody stops it.
const hostile = "a\x1b[31m\n\u202e\"b,.txt"

// results has a case of everything that a report tells apart.
func results() *flows.Results {
	const start = 1464965237561000000
	return &flows.Results{
		Done: true, Frames: 12044, Messages: 290, Exchanges: 145, Opens: 7, First: start, Last: start + 9_300_000_000,
		Problems: []string{"connection 1 began before the capture", "damaged " + hostile}, Incomplete: true,
		Protocols: map[string]int{"SMB2": 290, "TCP": 11752, "ARP": 2},
		Connections: []flows.Connection{
			{ID: 1, Client: netip.MustParseAddrPort("10.10.1.57:49186"), Server: netip.MustParseAddrPort("10.10.0.153:445"), First: 1,
				Last: 339, LateStart: true, Retransmitted: 1, Messages: 289},
			{ID: 2, Client: netip.MustParseAddrPort("[fe80::1]:50000"), Server: netip.MustParseAddrPort("[fe80::2]:445"), First: 2, Last: 340,
				Dialect: smb2.Dialect311, Messages: 1, LostBytes: 1 << 20, CutFrames: 3, Encrypted: 2, Malformed: 1},
		},
		Sessions: []flows.Session{
			{ID: 0x40000000001, Server: "10.10.0.153", Conns: []int{1}},
			{ID: 0x40000000002, Server: "fe80::2", User: `LAB\` + hostile, Host: "CLIENT", Conns: []int{2}, First: 9, Guest: true, Signed: true,
				Sealed: true, Trees: []flows.Tree{{ID: 1, Share: `\\srv\share`, Type: 1, Frame: 10}, {ID: 2, Share: `\\srv\IPC$`, Type: 2, Frame: 11}, {ID: 3, Share: "", Type: 0, Frame: 12}, {ID: 4, Share: `\\srv\share`, Type: 1, Frame: 13}}},
		},
		Copies: []flows.Copy{
			{ID: 1, Client: "10.10.1.57", Method: flows.ODX, Methods: []flows.Method{flows.ODX}, Bytes: 1879048704, Mints: 8, Reads: 8, Writes: 113,
				First: flows.ODX, Offloads: 121, Tokens: 8, ShortFirsts: 7, ShortFrames: []int{48, 50},
				Source:      flows.End{Server: "10.10.0.153", Path: "sparse1", Size: 1879048196, HasSize: true},
				Destination: flows.End{Server: "10.10.0.153", Path: "sparse1 - Copy (3)", Size: 1879048196, HasSize: true},
				Covered:     []flows.Range{{Start: 0, End: 1879048196}}, Verdict: flows.Complete, FirstFrame: 45, LastFrame: 332,
				FirstTime: start + 4_487_251_000, LastTime: start + 9_099_200_000},
			{ID: 2, Method: flows.Plain, Methods: []flows.Method{flows.ODX, flows.Plain}, Fallback: "STATUS_OFFLOAD_READ_FLT_NOT_SUPPORTED",
				Bytes: 65536, WireBytes: 131072, Reads: 1, Writes: 1, Source: flows.End{Server: "10.10.0.153", Share: `\\srv\share`, Path: hostile},
				Destination: flows.End{Server: "10.10.0.153"}, Covered: []flows.Range{{Start: 0, End: 32768}, {Start: 98304, End: 131072}}, Gaps: []flows.Range{{Start: 32768, End: 98304}},
				First: flows.ODX, Slower: 65536, LeftAt: 402, Offloads: 1, Calls: []flows.Call{
					{Command: smb2.Ioctl, Function: fscc.OffloadRead, Frame: 400, Answer: 401, Status: ntstatus.OffloadReadFilterUnsupported},
				},
				Verdict: flows.Partial, Uncertain: "frames are missing", FirstFrame: 400, LastFrame: 410, FirstTime: start, LastTime: start},
		},
		Mints: []flows.Mint{
			{ID: "7f3a91c2", Type: 0x10001, Server: "10.10.0.153", Frame: 46, Source: "sparse1", Asked: 1880096768, Length: 268435456, Copy: 1,
				Consumed: []flows.Range{{Start: 0, End: 268435456}}, State: flows.Consumed, Uses: []flows.Use{
					{Frame: 48, Response: 50, Took: 6_166_000, Destination: "sparse1 - Copy (3)", Asked: 268435456, Written: 16777216, Copy: 1},
					{Frame: 51, Response: 52, Took: 5_410_000, Destination: hostile, FileOffset: 16777216, TokenOffset: 16777216, Asked: 251658240,
						Status: ntstatus.InvalidParameter},
					{Frame: 60, FileOffset: 512, TokenOffset: 512, Asked: 1},
				}},
			{ID: "7f3a91c2-2", Type: 0xffff0001, Server: "10.10.0.153", Frame: 90, Offset: 268435456, Length: 512, TTL: 30000},
		},
		Findings: []flows.Finding{
			{Rule: "copy/token-churn", Level: flows.Note, Message: "105 more round trips than tokens need", Frames: []int{48, 50}, Copy: 1, Mint: "7f3a91c2"},
			{Rule: "smb/replayed", Level: flows.Note, Message: "the request of frame 76 came again", Frames: []int{76, 77, 78, 79, 80, 81, 82, 83}, Copy: 1},
			{Rule: "copy/gap", Level: flows.Error, Message: hostile + " has a gap [32K, 96K)", Frames: []int{410}, Copy: 2, Uncertain: "frames are missing"},
			{Rule: "copy/fell-back", Level: flows.Warning, Message: "from odx to plain", Copy: 2},
		},
	}
}

func exchanges() []flows.Exchange {
	return []flows.Exchange{
		{ID: 1, Conn: 1, Command: smb2.Create, SessionID: 0x40000000001, File: hostile, Share: `\\srv\share`, User: `LAB\u`, RequestFrame: 1,
			AnswerFrame: 2, RequestTime: 1464965237561000000, AnswerTime: 1464965237561512000},
		{ID: 2, Conn: 1, Command: smb2.Ioctl, Function: fscc.Code(0x94264), SessionID: 0x40000000001, File: "sparse1", Length: 1880096768, HasRange: true,
			RequestFrame: 44, AnswerFrame: 46, InterimFrame: 45, RequestTime: 1464965242048251000, AnswerTime: 1464965242075585000, InterimTime: 1464965242049251000,
			CreditWait: 2e6, Network: 1e6, CancelFrame: 45, Replay: true},
		{ID: 3, Conn: 1, Command: smb2.Read, Offset: 65536, Length: 4096, HasRange: true, Status: ntstatus.EndOfFile, AnswerFrame: 47,
			AnswerTime: 1464965242075585000, Uncertain: "the request is not in the capture"},
		{ID: 4, Conn: 2, Command: smb2.Ioctl, Function: fscc.Code(0xdeadbeef), RequestFrame: 3, RequestTime: 1464965237561911000},
	}
}

// golden compares output with a file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s: -want +got\n%s", name, d)
	}
}

// TestReports holds every form of every report, and that it is fit for a terminal.
func TestReports(t *testing.T) {
	r := results()
	rules := []audit.Rule{
		{ID: "copy/fell-back", Level: flows.Warning, Meaning: "A meaning.", Advice: "An advice.", Spec: "[SPEC] 1.2"},
		{ID: "copy/gap", Level: flows.Error, Meaning: "A meaning."},
		{ID: "copy/misplaced", Level: flows.Error, Meaning: "Of what is not found."},
		{ID: "copy/token-churn", Level: flows.Note, Meaning: "A meaning."},
		{ID: "smb/replayed", Level: flows.Note, Meaning: "A meaning."},
	}
	audit := &Audit{Files: []string{"dir/a b.pcap"}, Rules: rules, Results: r, FailOn: flows.Warning}
	list := exchangeList(exchanges())
	for name, print := range map[string]func(w io.Writer) error{
		"summary.txt":  func(w io.Writer) error { return Summary(w, []string{"a.pcap"}, r, Text, Style{}) },
		"summary.json": func(w io.Writer) error { return Summary(w, []string{"a.pcap"}, r, JSON, Style{}) },
		"summary-empty.txt": func(w io.Writer) error {
			return Summary(w, []string{"a.pcap", "b.pcap"}, &flows.Results{}, Text, Style{})
		},
		"copies.txt":     func(w io.Writer) error { return Copies(w, r, Text, Style{}) },
		"copies.json":    func(w io.Writer) error { return Copies(w, r, JSON, Style{}) },
		"copies.csv":     func(w io.Writer) error { return Copies(w, r, CSV, Style{}) },
		"tokens.txt":     func(w io.Writer) error { return Tokens(w, r, Text, true, Style{}) },
		"tokens.json":    func(w io.Writer) error { return Tokens(w, r, JSON, false, Style{}) },
		"why.txt":        func(w io.Writer) error { return Why(w, r, Text, Style{}) },
		"why.json":       func(w io.Writer) error { return Why(w, r, JSON, Style{}) },
		"tokens.csv":     func(w io.Writer) error { return Tokens(w, r, CSV, false, Style{}) },
		"exchanges.txt":  func(w io.Writer) error { return list.print(w, Text, 1464965237561000000, Style{}) },
		"exchanges.json": func(w io.Writer) error { return list.print(w, JSON, 0, Style{}) },
		"exchanges.csv":  func(w io.Writer) error { return list.print(w, CSV, 0, Style{}) },
		"audit.txt":      func(w io.Writer) error { return audit.Print(w, Text, Style{}) },
		"audit.json":     func(w io.Writer) error { return audit.Print(w, JSON, Style{}) },
		"audit-several.json": func(w io.Writer) error {
			origin := func(frame int) (int, int) { return frame % 2, frame / 2 }
			several := &flows.Results{Findings: r.Findings[:1]}
			return (&Audit{Files: []string{"a", "b"}, Origin: origin, Results: several}).Print(w, JSON, Style{})
		},
		"audit-empty.json": func(w io.Writer) error {
			return (&Audit{Files: []string{"a", "b"}, Results: &flows.Results{}}).Print(w, JSON, Style{})
		},
		"audit.sarif": func(w io.Writer) error { return audit.Print(w, SARIF, Style{}) },
		"audit.xml":   func(w io.Writer) error { return audit.Print(w, JUnit, Style{}) },
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := print(&b); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.Bytes())
			if i := strings.IndexAny(b.String(), "\x1b\u202e"); i >= 0 {
				t.Errorf("a name reaches the terminal raw at %d", i)
			}
			if filepath.Ext(name) == ".json" {
				validate(t, strings.Split(strings.TrimSuffix(name, ".json"), "-")[0], b.Bytes())
			}
		})
	}
}

// TestColor: colour is only added, and only where it was asked for.
func TestColor(t *testing.T) {
	r := results()
	for name, print := range map[string]func(w io.Writer, s Style) error{
		"summary":   func(w io.Writer, s Style) error { return Summary(w, []string{"a.pcap"}, r, Text, s) },
		"copies":    func(w io.Writer, s Style) error { return Copies(w, r, Text, s) },
		"tokens":    func(w io.Writer, s Style) error { return Tokens(w, r, Text, true, s) },
		"exchanges": func(w io.Writer, s Style) error { return exchangeList(exchanges()).print(w, Text, 0, s) },
		"audit":     func(w io.Writer, s Style) error { return (&Audit{Results: r}).Print(w, Text, s) },
	} {
		var plain, color bytes.Buffer
		if err := print(&plain, Style{}); err != nil {
			t.Fatal(err)
		}
		if err := print(&color, Style{Color: true}); err != nil {
			t.Fatal(err)
		}
		stripped := color.String()
		for _, code := range []string{"0", bold, dim, red, green, yellow, cyan} {
			stripped = strings.ReplaceAll(stripped, "\x1b["+code+"m", "")
		}
		if stripped == color.String() {
			t.Errorf("%s has no colour", name)
		}
		if d := cmp.Diff(plain.String(), stripped); d != "" {
			t.Errorf("%s without colour: -plain +stripped\n%s", name, d)
		}
	}
}

// validate checks JSON, a document or one a line, against its schema.
func validate(t *testing.T, schema string, doc []byte) {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "docs", "schema", schema+".json"))
	if err != nil {
		t.Fatal(err)
	}
	docs := [][]byte{doc}
	if schema != "audit" && schema != "summary" {
		docs = bytes.SplitAfter(bytes.TrimSuffix(doc, []byte("\n")), []byte("\n"))
	}
	for _, d := range docs {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(d))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %v\n%s", schema, err, d)
		}
	}
}

// exchangeList prints exchanges without a capture.
type exchangeList []flows.Exchange

func (l exchangeList) print(w io.Writer, f Format, first int64, s Style) error {
	p, err := newExchangePrinter(w, f, s)
	if err != nil {
		return err
	}
	for i := range l {
		if err := p.print(&l[i], first); err != nil {
			return err
		}
	}
	return p.end()
}

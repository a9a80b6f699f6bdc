package smb2

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

const (
	requestHeader = "fe534d42 4000 0100 00000000 0b00 0100 00000000 00000000" + // to NextCommand
		"4400000000000000 fffe0000 01000000 0100000000040000 00000000000000000000000000000000"
	responseHeader = "fe534d42 4000 0100 00000000 0b00 0100 01000000 00000000" +
		"4400000000000000 fffe0000 01000000 0100000000040000 00000000000000000000000000000000"
	failedHeader = "fe534d42 4000 0100 0d0000c0 0b00 0100 03000000 00000000" + // STATUS_INVALID_PARAMETER, async
		"4400000000000000 0700000000000000 0100000000040000 00000000000000000000000000000000"
	fileID = "0102030405060708 1112131415161718"
	token  = "00010001 0000 0008" + "a1a2a3a4a5a6a7a8"
)

var tokenRest = strings.Repeat("00", 496)

// samples feed every test below: each file of them is named after the messages.
var samples = slices.Concat(ioctlSamples, createSamples, ioSamples, sessionSamples, breakSamples, errorSamples, infoSamples)

// A sample is a message, what it decodes to, and, in testdata, its tree.
type sample struct {
	name string
	b    []byte
	ctx  *Context
	want Body

	spare int // bytes at the end that a sender may leave out
}

// request is a message of a header and the given body, in hex.
func request(command Command, body ...string) []byte {
	b := wiretest.Unhex(requestHeader, strings.Join(body, ""))
	b[12] = byte(command)
	return b
}

// response is request for the other way.
func response(command Command, body ...string) []byte {
	b := wiretest.Unhex(responseHeader, strings.Join(body, ""))
	b[12] = byte(command)
	return b
}

// refused is a response with an ErrorResponse.
func refused(command Command, status Status, body ...string) []byte {
	return withStatus(response(command, "0900", strings.Join(body, "")), status)
}

func withStatus(b []byte, status Status) []byte {
	binary.LittleEndian.PutUint32(b[8:], uint32(status))
	return b
}

// utf16le is text as it lies on the wire, in hex.
func utf16le(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return hex.EncodeToString(b)
}

var (
	offloadWrite = wiretest.Unhex(requestHeader,
		"3900 0000 68820900", fileID,
		"78000000 20020000 00000000 78000000 00000000 10000000 01000000 00000000",
		"20020000 00000000 0000000100000000 0000001000000000 0000010000000000", token, tokenRest)
	testFile  = FileID(wiretest.Unhex(fileID))
	testToken = odx.Token{Type: 0x10001, IDLength: 8, ID: wiretest.Unhex("a1a2a3a4a5a6a7a8"), Raw: wiretest.Unhex(token, tokenRest)}
)

// withoutBytes takes what a body holds undecoded beside what was decoded of it: the
// wants of samples are without it, TestAppend looks at it.
func withoutBytes(b Body) {
	switch b := b.(type) {
	case *CreateRequest:
		b.List = nil
	case *CreateResponse:
		b.List = nil
	case *IoctlRequest:
		b.InputData, b.OutputData = nil, nil
	case *IoctlResponse:
		b.InputData, b.OutputData = nil, nil
	case *LockRequest:
		b.Locks = nil
	case *QueryInfoRequest:
		b.InputData = nil
	case *QueryInfoResponse:
		b.Data = nil
	case *SetInfoRequest:
		b.Data = nil
	case *QueryDirectoryResponse:
		b.Data = nil
	case *ChangeNotifyResponse:
		b.Data = nil
	}
}

func TestDecode(t *testing.T) {
	for _, s := range samples {
		var d Decoder
		c := wire.New(s.b, nil)
		m := d.Decode(&c, s.ctx)
		withoutBytes(m.Body)
		if c.Err() != nil || m.Err != nil || !reflect.DeepEqual(m.Body, s.want) {
			t.Errorf("%s: %+v, %v, %v, want %+v", s.name, m.Body, c.Err(), m.Err, s.want)
		}
		if m.MessageID != 0x44 && m.MessageID != unsolicited || m.SessionID != 0x40000000001 {
			t.Errorf("%s: header %+v", s.name, m.Header)
		}
	}
}

// TestGolden compares trees with testdata, and sees to it that no byte of a good
// message lies outside every field.
func TestGolden(t *testing.T) {
	for _, s := range samples {
		var d Decoder
		var tree wire.Tree
		var got bytes.Buffer
		c := wire.New(s.b, &tree)
		d.Decode(&c, s.ctx)
		tree.Dump(&got)
		if gaps := tree.Gaps(0); gaps != nil {
			t.Errorf("%s: gaps %v", s.name, gaps)
		}
		wiretest.Golden(t, s.name, got.Bytes())
	}
}

// failure returns what went wrong with the message or its chain.
func failure(c *wire.Cursor, m *Message) error {
	if m.Err != nil {
		return m.Err
	}
	return c.Err()
}

// TestPrefixes takes every prefix of every message for a message that lies about
// its length, and for one that the capture cut.
func TestPrefixes(t *testing.T) {
	for _, s := range samples {
		for i := range s.b {
			var d Decoder
			c := wire.New(s.b[:i], nil)
			if err := failure(&c, d.Decode(&c, s.ctx)); !errors.Is(err, wire.ErrShort) && i < len(s.b)-s.spare {
				t.Errorf("%s: %d of %d bytes: %v", s.name, i, len(s.b), err)
			}
			c = wire.NewCut(s.b[:i], len(s.b), nil)
			if err := failure(&c, d.Decode(&c, s.ctx)); !errors.Is(err, wire.ErrTruncated) {
				t.Errorf("%s: cut after %d of %d bytes: %v", s.name, i, len(s.b), err)
			}
		}
	}
}

// TestCutTree keeps what was captured in view when the rest is missing.
func TestCutTree(t *testing.T) {
	var d Decoder
	var tree wire.Tree
	c := wire.NewCut(offloadWrite[:128], len(offloadWrite), &tree)
	m := d.Decode(&c, nil)
	if in := m.Body.(*IoctlRequest).Input.(*odx.WriteRequest); in.Size != 544 || in.FileOffset != 0 {
		t.Errorf("decoded %+v", in)
	}
	var got bytes.Buffer
	tree.Text(&got)
	want := "        In Data\n            Size: 544\n            Flags: 0x00000000\n            [Packet size limited during capture: FileOffset]\n"
	if !strings.Contains(got.String(), want) || strings.Contains(got.String(), "Token") {
		t.Errorf("tree:\n%s", &got)
	}
	if want := "smb2.fsctl.odx.file_offset at 0x80 was cut off by the capture"; m.Err == nil || m.Err.Error() != want || c.Err() != nil {
		t.Errorf("error %v, of the chain %v", m.Err, c.Err())
	}
}

func TestMalformed(t *testing.T) {
	for _, tt := range []struct {
		name string
		off  int
		v    uint32 // overwrites what is at off
		err  error
	}{
		{"protocol of another time", 0, 0x424d53ff, ErrProtocol},
		{"structure size of the header", 4, 1<<16 | 60, ErrStructureSize},
		{"next message inside the header", 20, 8, wire.ErrShort},
		{"next message past the end", 20, 0xffffffff, wire.ErrShort},
		{"input offset past the end", 88, 0xfffffff8, wire.ErrShort},
		{"input count past the end", 92, 545, wire.ErrShort},
		{"input too short for its structure", 92, 543, wire.ErrShort},
	} {
		b := bytes.Clone(offloadWrite)
		binary.LittleEndian.PutUint32(b[tt.off:], tt.v)
		var d Decoder
		c := wire.New(b, nil)
		if err := failure(&c, d.Decode(&c, nil)); !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
		}
	}
}

// TestToken takes tokens as they come: only the vendor knows their inside.
func TestToken(t *testing.T) {
	for _, tt := range []struct {
		idLength uint16
		want     int
	}{{0, 0}, {504, 504}, {505, 504}, {65535, 504}} {
		b := bytes.Clone(offloadWrite)
		binary.BigEndian.PutUint16(b[120+32+6:], tt.idLength)
		var d Decoder
		c := wire.New(b, nil)
		in := d.Decode(&c, nil).Body.(*IoctlRequest).Input.(*odx.WriteRequest)
		if c.Err() != nil || in.Token.IDLength != tt.idLength || len(in.Token.ID) != tt.want || len(in.Token.Raw) != 512 {
			t.Errorf("id length %d: %v, %+v", tt.idLength, c.Err(), in.Token)
		}
	}
}

func TestChain(t *testing.T) {
	first := bytes.Clone(offloadWrite)
	binary.LittleEndian.PutUint32(first[20:], uint32(len(first)))
	c := wire.New(append(first, ioctlSamples[0].b...), nil)
	var d Decoder
	var got []fscc.Code
	for c.Len() > 0 {
		if in, ok := d.Decode(&c, nil).Body.(*IoctlRequest); ok && in.Input != nil {
			got = append(got, in.Function)
		}
	}
	if want := []fscc.Code{fscc.OffloadWrite, fscc.OffloadRead}; c.Err() != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v, want %v", got, c.Err(), want)
	}
}

// TestChainGoesOn: what is wrong within one message is no reason to lose the next,
// but a NextCommand that points nowhere ends the chain.
func TestChainGoesOn(t *testing.T) {
	first := bytes.Clone(offloadWrite)
	binary.LittleEndian.PutUint32(first[20:], uint32(len(first)))
	binary.LittleEndian.PutUint32(first[92:], 1<<31) // the count of the input
	var d Decoder
	c := wire.New(append(first, ioctlSamples[0].b...), nil)
	if m := d.Decode(&c, nil); !errors.Is(m.Err, wire.ErrShort) || c.Err() != nil {
		t.Errorf("first message: %v, of the chain %v", m.Err, c.Err())
	}
	if m := d.Decode(&c, nil); m.Err != nil || c.Err() != nil || m.Body.(*IoctlRequest).Input == nil {
		t.Errorf("second message: %+v, of the chain %v", m, c.Err())
	}

	binary.LittleEndian.PutUint32(first[92:], 544)
	binary.LittleEndian.PutUint32(first[20:], 1<<31)
	c = wire.New(first, nil)
	m := d.Decode(&c, nil)
	if m.Err != nil || m.Body.(*IoctlRequest).Input == nil || !errors.Is(c.Err(), wire.ErrShort) || c.Len() != 0 {
		t.Errorf("last message: %+v, of the chain %v", m, c.Err())
	}
}

// TestStructureSize reads a body whose size is wrong, and says so.
func TestStructureSize(t *testing.T) {
	b := bytes.Clone(offloadWrite)
	b[64] = 49
	var d Decoder
	var tree wire.Tree
	c := wire.New(b, &tree)
	if m := d.Decode(&c, nil); m.Err != nil || m.Body.(*IoctlRequest).Function != fscc.OffloadWrite {
		t.Errorf("decoded %+v", m)
	}
	var got bytes.Buffer
	tree.Text(&got)
	if !strings.Contains(got.String(), "[The specification demands a StructureSize of: 57]") {
		t.Errorf("tree:\n%s", &got)
	}
}

func TestWant(t *testing.T) {
	response := fFlags.Bits[0]
	tree := wire.Tree{Want: wire.Only(response, fFunction)}
	var d Decoder
	c := wire.New(offloadWrite, &tree)
	d.Decode(&c, nil)
	if len(tree.Nodes) != 2 || tree.Nodes[0].Field != response || tree.Value(1) != "0x00098268" {
		t.Errorf("recorded %+v", tree.Nodes)
	}
}

// TestAllocs keeps decoding, and looking at it, free of garbage.
func TestAllocs(t *testing.T) {
	var d Decoder
	var tree wire.Tree
	for _, s := range samples {
		for name, arena := range map[string]*wire.Tree{"no tree": nil, "a reused tree": &tree} {
			if n := testing.AllocsPerRun(100, func() {
				if arena != nil {
					arena.Reset()
				}
				c := wire.New(s.b, arena)
				d.Decode(&c, s.ctx)
			}); n != 0 {
				t.Errorf("%s: %v allocations with %s", s.name, n, name)
			}
		}
	}
}

// TestNames asks tshark whether it knows the names that claim to be its own.
func TestNames(t *testing.T) {
	out, err := exec.Command("tshark", "-G", "fields").Output()
	if err != nil {
		t.Skip("tshark -G fields: ", err)
	}
	known := make(map[string]bool)
	for line := range strings.Lines(string(out)) {
		switch cells := strings.Split(line, "\t"); cells[0] {
		case "F":
			known[cells[2]] = true
		case "P":
			known[strings.TrimSpace(cells[2])] = true
		}
	}
	for _, f := range append(Fields(), odx.Fields()...) {
		if !known[f.Name] && f.Name != "" && !strings.HasPrefix(f.Name, "odx.") {
			t.Errorf("%s (%s) is no name of Wireshark's", f.Name, f.Label)
		}
	}
}

var fuzzContext = ioctlSamples[1].ctx

// FuzzDecode feeds anything, cut anywhere: no panic, no node outside the message,
// and neither a tree nor the decoder's past changes the outcome.
func FuzzDecode(f *testing.F) {
	for _, s := range samples {
		f.Add(s.b, uint16(0))
		f.Add(s.b[:len(s.b)/2], uint16(len(s.b)-len(s.b)/2))
	}
	for _, tt := range transforms {
		f.Add(wiretest.Unhex(tt.hex), uint16(0))
	}
	var used Decoder
	f.Fuzz(func(t *testing.T, b []byte, missing uint16) {
		var tree wire.Tree
		var fresh Decoder
		c := wire.NewCut(b, len(b)+int(missing), &tree)
		bare := wire.NewCut(b, len(b)+int(missing), nil)
		for c.Len() > 0 {
			before := c.Len()
			if id := ProtocolOf(&c); id == ProtocolTransform || id == ProtocolCompressed {
				h1, h2 := decodeTransform(&fresh, &c), decodeTransform(&used, &bare)
				if !reflect.DeepEqual(h1, h2) || c.Len() >= before {
					t.Fatalf("%+v\nwithout a tree %+v, or no progress", h1, h2)
				}
				fresh.compressed.Payloads.Each(func(Payload) bool { return true })
				continue
			}
			m1, m2 := fresh.Decode(&c, fuzzContext), used.Decode(&bare, fuzzContext)
			if !reflect.DeepEqual(m1, m2) || !reflect.DeepEqual(c.Err(), bare.Err()) {
				t.Fatalf("%+v, %v\nwithout a tree %+v, %v", m1, c.Err(), m2, bare.Err())
			}
			if c.Len() >= before {
				t.Fatal("no progress")
			}
			if missing == 0 {
				roundTrip(t, m1, fuzzContext)
			}
		}
		var e *wire.Error
		if err := c.Err(); err != nil && (!errors.As(err, &e) || missing == 0 && errors.Is(err, wire.ErrTruncated)) {
			t.Fatal(err)
		}
		for _, n := range tree.Nodes {
			if n.Field.Kind != wire.KindStruct && !n.Generated && uint64(n.Off)+uint64(n.Len) > uint64(len(b)) {
				t.Fatalf("%s at %d+%d of %d", n.Field.Label, n.Off, n.Len, len(b))
			}
		}
		tree.Dump(new(bytes.Buffer))
	})
}

func benchmark(b *testing.B, tree *wire.Tree) {
	var d Decoder
	b.ReportAllocs()
	for b.Loop() {
		if tree != nil {
			tree.Reset()
		}
		c := wire.New(offloadWrite, tree)
		d.Decode(&c, nil)
	}
}

// The message is a header of 64 bytes and an IOCTL of 600.

func BenchmarkOffloadWrite(b *testing.B)     { benchmark(b, nil) }
func BenchmarkOffloadWriteTree(b *testing.B) { benchmark(b, new(wire.Tree)) }
func BenchmarkOffloadWriteWant(b *testing.B) {
	benchmark(b, &wire.Tree{Want: wire.Only(fFunction, fMessageID)})
}

package rpc

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

const (
	srvsvc = "c84f324b7016d30112785a47bf6ee188 0300 0000"
	nobody = "000102030405060708090a0b0c0d0e0f 0100 0200"
	ndr    = "045d888aeb1cc9119fe808002b104860 02000000"
	ndr64  = "33057171babe37498319b5dbef9ccc36 01000000"
	btfn   = "2c1cb76c12984045 0300000000000000 01000000"
	none   = "00000000000000000000000000000000 00000000"
	object = "a1a2a3a4a5a6a7a8a9aaabacadaeafb0"
	ntlm1  = "4e544c4d53535000 01000000 158208e2 0000000000000000 0000000000000000 0a00 614a 0000000f"
)

var (
	srvsvcUUID = parse("4b324fc8-1670-01d3-1278-5a47bf6ee188")
	ndrUUID    = parse("8a885d04-1ceb-11c9-9fe8-08002b104860")
	bound      = &Context{Bound: []Offer{{ContextID: 1, Interface: Syntax{srvsvcUUID, 3, 0}}}}
	answered   = &Context{Bound: bound.Bound, Time: 2e6, Calls: []Call{{3, 7, 21, 0}, {3, 15, 23, 1e6}, {4, 8, 24, 1e6}}}
)

// samples feed every test below. To add a PDU, add one here.
var samples = []struct {
	name string
	b    []byte
	ctx  *Context
	info string
	also int // so many bytes of it are a PDU, too
}{
	{
		name: "bind",
		b: wiretest.Unhex("05 00 0b 03 10000000 b400 0000 02000000", "b810 b810 00000000 03 000000",
			"0000 01 00", srvsvc, ndr, "0100 02 00", nobody, ndr, ndr64, "0200 01 00", srvsvc, btfn),
		info: "Bind: call_id: 2, Fragment: Single, 3 context items: SRVSVC V3.0 (32bit NDR), " +
			"03020100-0504-0706-0809-0a0b0c0d0e0f V1.2 (64bit NDR), SRVSVC V3.0 (6cb71c2c-9812-4540-0300-000000000000)",
	},
	{
		name: "bind_with_ntlm",
		b:    wiretest.Unhex("05 00 0b 07 10000000 7800 2800 02000000", "b810 b810 00000000 01 000000", "0000 01 00", srvsvc, ndr, "0a 05 00 00 01000000", ntlm1),
		info: "Bind: call_id: 2, Fragment: Single, 1 context items: SRVSVC V3.0 (32bit NDR), NTLMSSP_NEGOTIATE",
	},
	{
		name: "bind_big_endian",
		b: wiretest.Unhex("05 00 0b 03 00000000 0048 0000 00000002", "10b8 10b8 00000000 01 000000",
			"0000 01 00", "4b324fc8 1670 01d3 12785a47bf6ee188 0000 0003", "8a885d04 1ceb 11c9 9fe808002b104860 00000002"),
		info: "Bind: call_id: 2, Fragment: Single, 1 context items: SRVSVC V3.0 (32bit NDR)",
	},
	{
		name: "bind_ack",
		b: wiretest.Unhex("05 00 0c 03 10000000 7400 0000 02000000", "b810 b810 66060000", "0d00 5c706970655c73727673766300 00", "03 000000",
			"0200 0200", none, "0000 0000", ndr, "0300 0300", none),
		info: "Bind_ack: call_id: 2, Fragment: Single, max_xmit: 4280 max_recv: 4280, 3 results: Provider rejection, Acceptance, Negotiate ACK",
	},
	{
		name: "bind_nak",
		b:    wiretest.Unhex("05 00 0d 03 10000000 1900 0000 02000000", "0400 02 0500 0501", "0000"),
		info: "Bind_nak: call_id: 2, Fragment: Single reason: Protocol version not supported",
	},
	{
		name: "alter_context_resp",
		b:    wiretest.Unhex("05 00 0f 03 10000000 3800 0000 02000000", "b810 b810 66060000", "0000 0000", "01 000000", "0000 0000", ndr),
		info: "Alter_context_resp: call_id: 2, Fragment: Single, max_xmit: 4280 max_recv: 4280, 1 results: Acceptance",
	},
	{
		name: "auth3",
		b:    wiretest.Unhex("05 00 10 03 10000000 4400 2800 02000000", "00000000", "0a 06 00 00 01000000", ntlm1),
		info: "AUTH3: call_id: 2, Fragment: Single, NTLMSSP_NEGOTIATE",
	},
	{
		name: "request",
		b:    wiretest.Unhex("05 00 00 83 10000000 2c00 0000 03000000", "04000000 0100 0f00", object, "cafecafe"),
		ctx:  bound,
		info: "NetShareEnumAll request",
		also: 40,
	},
	{
		name: "request_signed",
		b:    wiretest.Unhex("05 00 00 03 10000000 3800 1000 03000000", "04000000 0100 0f00", "cafecafe 00000000", "0a 05 04 00 01000000", "01000000 efefefefefefefef 00000000"),
		info: "Request: call_id: 3, Fragment: Single, opnum: 15, Ctx: 1",
		also: 40,
	},
	{
		name: "request_verified",
		b: wiretest.Unhex("05 00 00 03 10000000 7800 1000 03000000", "04000000 0100 0f00", "cafecafe", "8ae3137102f43671", "0100 0400 01000000", "0200 2800", srvsvc, ndr, "0340 0400 efefefef",
			"0a 05 00 00 01000000", "01000000 efefefefefefefef 00000000"),
		info: "Request: call_id: 3, Fragment: Single, opnum: 15, Ctx: 1",
	},
	{
		name: "request_encrypted",
		b:    wiretest.Unhex("05 00 00 01 10000000 3800 1000 03000000", "04000000 0100 0f00", "cafecafe 00000000", "44 06 04 00 01000000", "77007a00ffff0000 efefefefefefefef"),
		ctx:  bound,
		info: "Request: call_id: 3, Fragment: 1st, opnum: 15, Ctx: 1",
	},
	{
		name: "request_unnamed",
		b:    wiretest.Unhex("05 00 00 03 10000000 1c00 0000 03000000", "04000000 0100 4000", "cafecafe"),
		ctx:  bound,
		info: "Request: call_id: 3, Fragment: Single, opnum: 64, Ctx: 1 SRVSVC V3",
		also: 24,
	},
	{
		name: "response",
		b:    wiretest.Unhex("05 00 02 02 10000000 2000 0000 03000000", "04000000 0100 00 00", "cafecafe 05000000"),
		ctx:  answered,
		info: "NetShareEnumAll response, Error: WERR_ACCESS_DENIED",
	},
	{
		name: "fault",
		b:    wiretest.Unhex("05 00 03 23 10000000 2400 0000 03000000", "20000000 0100 00 01 02000 11c 00000000", "cafecafe"),
		ctx:  answered,
		info: "Fault: call_id: 3, Fragment: Single, Ctx: 1, status: nca_op_rng_error",
	},
	{
		name: "orphaned",
		b:    wiretest.Unhex("05 00 13 03 10000000 1000 0000 03000000"),
		info: "Orphaned: call_id: 3, Fragment: Single",
	},
}

func sample(name string) []byte {
	for _, s := range samples {
		if s.name == name {
			return bytes.Clone(s.b)
		}
	}
	panic(name)
}

func decode(b []byte, ctx *Context) (h Header, err error) {
	c := wire.New(b, nil)
	Decode(&c, &h, ctx)
	return h, c.Err()
}

func TestInfo(t *testing.T) {
	for _, s := range samples {
		h, err := decode(s.b, s.ctx)
		if got := string(h.AppendInfo(nil)); err != nil || got != s.info {
			t.Errorf("%s: %v\n%s\nwant\n%s", s.name, err, got, s.info)
		}
		if !Looks(s.b) {
			t.Errorf("%s does not look like a PDU", s.name)
		}
	}
}

func TestDecode(t *testing.T) {
	h, _ := decode(sample("bind"), nil)
	want := Offer{0, Syntax{srvsvcUUID, 3, 0}, ndrUUID}
	if h.CallID != 2 || h.MaxXmit != 4280 || h.Items != 3 || h.Offers[0] != want || h.Offers[1].Interface.Minor != 2 {
		t.Errorf("bind: %+v", h)
	}
	h, _ = decode(sample("bind_big_endian"), nil)
	if !h.BigEndian || h.Offers[0] != want {
		t.Errorf("big-endian bind: %+v", h)
	}
	h, _ = decode(sample("bind_ack"), nil)
	if string(h.Address) != `\pipe\srvsvc` || h.Answers[0] != (Answer{ProviderRejection, 2}) || h.Answers[1] != (Answer{}) || h.Answers[2].Result != NegotiateAck {
		t.Errorf("bind_ack: %+v", h)
	}
	h, _ = decode(sample("request"), bound)
	if h.Opnum != 15 || h.Interface.UUID != srvsvcUUID || h.Object != wire.GUID(wiretest.Unhex(object)) || !bytes.Equal(h.Stub, wiretest.Unhex("cafecafe")) {
		t.Errorf("request: %+v", h)
	}
	h, _ = decode(sample("request_signed"), nil)
	if h.Auth.Type != AuthNTLM || h.Auth.Level != Integrity || !bytes.Equal(h.Stub, wiretest.Unhex("cafecafe")) || h.Auth.Message.Mechanism != auth.Unknown {
		t.Errorf("signed request: %+v", h)
	}
	h, _ = decode(sample("fault"), answered)
	if h.Status != 0x1c010002 || h.Opnum != 15 {
		t.Errorf("fault: %+v", h)
	}
}

func TestInterfaceName(t *testing.T) {
	for uuid, want := range map[string]string{
		"4b324fc8-1670-01d3-1278-5a47bf6ee188": "srvsvc",
		"ccd8c074-d0e5-4a40-92b4-d074faa6ba28": "witness",
		"a8e0653c-2744-4389-a61d-7373df8b2292": "FileServerVssAgent",
		"4b324fc8-1670-01d3-1278-5a47bf6ee189": "",
	} {
		if got := InterfaceName(parse(uuid)); got != want {
			t.Errorf("%s: %q", uuid, got)
		}
	}
	if len(interfaceOf) != len(interfaces) {
		t.Error("an interface is listed twice")
	}
	for name := range returns {
		if operations[name] == nil {
			t.Errorf("return codes of %s, but no operations", name)
		}
	}
	for name := range operations {
		if !slices.ContainsFunc(interfaces[:], func(i struct{ uuid, title, name string }) bool { return i.name == name }) {
			t.Errorf("operations of an unknown interface, %s", name)
		}
	}
}

// TestGolden compares trees with testdata.
func TestGolden(t *testing.T) {
	for _, s := range samples {
		var tree wire.Tree
		var h Header
		var got bytes.Buffer
		c := wire.New(s.b, &tree)
		Decode(&c, &h, s.ctx)
		tree.Text(&got)
		wiretest.Golden(t, s.name, got.Bytes())
	}
}

// TestPrefixes takes every prefix of every PDU for one that lies about its length, or
// goes on in the next message, and for one that the capture cut.
func TestPrefixes(t *testing.T) {
	for _, s := range samples {
		for i := range s.b {
			h, err := decode(s.b[:i], s.ctx)
			if i < headerSize && !errors.Is(err, wire.ErrShort) || i >= headerSize && (err != nil || !h.Partial) {
				t.Errorf("%s: %d of %d bytes: %v", s.name, i, len(s.b), err)
			}
			c := wire.NewCut(s.b[:i], len(s.b), nil)
			if Decode(&c, &h, s.ctx); !errors.Is(c.Err(), wire.ErrTruncated) && i != s.also {
				t.Errorf("%s: cut after %d of %d bytes: %v", s.name, i, len(s.b), c.Err())
			}
			if c.Len() != 0 {
				t.Errorf("%s: cut after %d bytes: %d left", s.name, i, c.Len())
			}
		}
	}
}

// TestPartial: what of a Response the first of several messages holds.
func TestPartial(t *testing.T) {
	h, err := decode(sample("response")[:26], nil)
	if err != nil || !h.Partial || !bytes.Equal(h.Stub, wiretest.Unhex("cafe")) {
		t.Errorf("%v, %+v", err, h)
	}
}

// TestChain: PDUs that follow each other in one message.
func TestChain(t *testing.T) {
	c := wire.New(append(sample("response"), sample("fault")...), nil)
	var h Header
	var got []PacketType
	for c.Len() > 0 {
		Decode(&c, &h, nil)
		got = append(got, h.Type)
	}
	if want := []PacketType{Response, Fault}; c.Err() != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, c.Err())
	}
}

func TestMalformed(t *testing.T) {
	for _, tt := range []struct {
		name, sample string
		off          int
		v            byte // overwrites what is at off
		looks        bool
		err          error
	}{
		{"another version", "request", 0, 4, false, nil},
		{"a type of the connectionless protocol", "request", 2, 1, false, nil},
		{"a type nobody knows", "orphaned", 2, 21, false, nil},
		{"a character set nobody knows", "request", 4, 0x12, false, nil},
		{"a fragment shorter than its header", "orphaned", 8, 15, false, wire.ErrShort},
		{"a trailer longer than the fragment", "request_signed", 10, 0x21, false, wire.ErrShort},
		{"more offers than there are", "bind", 24, 4, true, wire.ErrShort},
		{"more answers than there are", "bind_ack", 40, 4, true, wire.ErrShort},
		{"an address longer than the fragment", "bind_ack", 25, 1, true, wire.ErrShort},
		{"more padding than there is", "request_signed", 34, 255, true, nil},
	} {
		b := sample(tt.sample)
		b[tt.off] = tt.v
		if _, err := decode(b, nil); !errors.Is(err, tt.err) || Looks(b) != tt.looks {
			t.Errorf("%s: %v, looks %v", tt.name, err, Looks(b))
		}
	}
}

// TestManyOffers: the first are kept, and all counted.
func TestManyOffers(t *testing.T) {
	b := wiretest.Unhex("05 00 0b 03 10000000 a801 0000 02000000", "b810 b810 00000000 09 000000", strings.Repeat("0000 01 00"+srvsvc+ndr, 9))
	b[8], b[9] = byte(len(b)), byte(len(b)>>8)
	h, err := decode(b, nil)
	info := string(h.AppendInfo(nil))
	if err != nil || h.Items != 9 || strings.Count(info, "SRVSVC") != 8 || !strings.HasSuffix(info, ", …") {
		t.Errorf("%v, %d, %s", err, h.Items, info)
	}
}

// TestAllocs keeps decoding free of garbage.
func TestAllocs(t *testing.T) {
	var h Header
	info := make([]byte, 0, 250)
	for _, s := range samples {
		if n := testing.AllocsPerRun(100, func() {
			c := wire.New(s.b, nil)
			Decode(&c, &h, s.ctx)
			h.AppendInfo(info)
		}); n != 0 {
			t.Errorf("%s: %v allocations", s.name, n)
		}
	}
}

// FuzzDecode feeds anything, cut anywhere: no panic, no node outside the message, and
// neither a tree nor what was decoded before changes the outcome.
func FuzzDecode(f *testing.F) {
	for _, s := range samples {
		f.Add(s.b, uint16(0))
		f.Add(s.b[:len(s.b)/2], uint16(len(s.b)-len(s.b)/2))
	}
	var used Header
	f.Fuzz(func(t *testing.T, b []byte, missing uint16) {
		var tree wire.Tree
		var fresh Header
		c := wire.NewCut(b, len(b)+int(missing), &tree)
		bare := wire.NewCut(b, len(b)+int(missing), nil)
		for c.Len() > 0 {
			before := c.Len()
			Decode(&c, &fresh, answered)
			Decode(&bare, &used, answered)
			if !reflect.DeepEqual(fresh, used) || !reflect.DeepEqual(c.Err(), bare.Err()) {
				t.Fatalf("%+v, %v\nwithout a tree %+v, %v", fresh, c.Err(), used, bare.Err())
			}
			if c.Len() >= before {
				t.Fatal("no progress")
			}
			fresh.AppendInfo(nil)
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
		Looks(b)
	})
}

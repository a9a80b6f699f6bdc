package smb2

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

const (
	nonce      = "000102030405060708090a0b00000000"
	associated = nonce + "04000000 0000 0100 0100000000040000"
	encrypted  = "fd534d42 f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff" + associated + "deadbeef"
	unchained  = "fc534d42 c8000000 0200 0000 02000000 6162 deadbeef"
	payloads   = "0000 0100 04000000 61626364" + "0400 0000 08000000 41 00 0000 64000000" + "0200 0000 08000000 64000000 deadbeef"
	chain      = "fc534d42 08010000" + payloads
)

// transforms decodes what stands before messages.
var transforms = []struct {
	name, hex, info string
	want            any
}{
	{"transform", encrypted, "Encrypted SMB3", &TransformHeader{Signature: wiretest.Unhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), Nonce: wiretest.Unhex(nonce),
		OriginalSize: 4, Flags: 1, SessionID: 0x40000000001, Associated: wiretest.Unhex(associated), Data: wiretest.Unhex("deadbeef")}},
	{"compressed", unchained, "Comp. SMB3", &CompressionHeader{OriginalSize: 200, Algorithm: LZ77, Offset: 2, Plain: []byte("ab"), Data: wiretest.Unhex("deadbeef")}},
	{"compressed_unknown", "fc534d42 c8000000 0900 0000 00000000 deadbeef", "Comp. SMB3 (unknown)",
		&CompressionHeader{OriginalSize: 200, Algorithm: 9, Data: wiretest.Unhex("deadbeef")}},
	{"compressed_chained", chain, "Comp. SMB3", &CompressionHeader{OriginalSize: 264, Chained: true, Payloads: wiretest.Unhex(payloads)}},
}

func decodeTransform(d *Decoder, c *wire.Cursor) interface{ AppendInfo([]byte) []byte } {
	if ProtocolOf(c) == ProtocolTransform {
		return d.Transform(c, nil)
	}
	return d.Compressed(c)
}

func TestTransform(t *testing.T) {
	for _, tt := range transforms {
		var d Decoder
		var tree wire.Tree
		c := wire.New(wiretest.Unhex(tt.hex), &tree)
		got := decodeTransform(&d, &c)
		if c.Err() != nil || c.Len() != 0 || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, got, c.Err(), tt.want)
		}
		if info := string(got.AppendInfo(nil)); info != tt.info {
			t.Errorf("%s: %q, want %q", tt.name, info, tt.info)
		}
		if gaps := tree.Gaps(0); gaps != nil {
			t.Errorf("%s: gaps %v", tt.name, gaps)
		}
		var text bytes.Buffer
		tree.Dump(&text)
		wiretest.Golden(t, tt.name, text.Bytes())
	}
}

func TestPayloads(t *testing.T) {
	var got []Payload
	Payloads(wiretest.Unhex(payloads)).Each(func(p Payload) bool { got = append(got, p); return true })
	want := []Payload{
		{Flags: 1, Length: 4, Data: []byte("abcd")},
		{Algorithm: PatternV1, Length: 8, Pattern: 'A', Repetitions: 100},
		{Algorithm: LZ77, Length: 8, OriginalSize: 100, Data: wiretest.Unhex("deadbeef")},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestTransformPrefixes(t *testing.T) {
	for _, tt := range transforms[:1] { // the others take what there is
		b := wiretest.Unhex(tt.hex)
		for i := range b {
			var d Decoder
			c := wire.New(b[:i], nil)
			if d.Transform(&c, nil); !errors.Is(c.Err(), wire.ErrShort) {
				t.Errorf("%d of %d bytes: %v", i, len(b), c.Err())
			}
			c = wire.NewCut(b[:i], len(b), nil)
			if d.Transform(&c, nil); !errors.Is(c.Err(), wire.ErrTruncated) {
				t.Errorf("cut after %d of %d bytes: %v", i, len(b), c.Err())
			}
		}
	}
}

func TestTransformAllocs(t *testing.T) {
	for _, tt := range transforms {
		var d Decoder
		b := wiretest.Unhex(tt.hex)
		if n := testing.AllocsPerRun(50, func() {
			c := wire.New(b, nil)
			if ProtocolOf(&c) == ProtocolTransform {
				d.Transform(&c, nil)
			} else {
				d.Compressed(&c)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
}

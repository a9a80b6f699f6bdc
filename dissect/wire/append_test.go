package wire

import (
	"bytes"
	"testing"
)

// TestAppend: what the Append functions write, Cursor reads back.
func TestAppend(t *testing.T) {
	var set Set
	f := set.Section("").Hex("", "x")
	b := AppendU16(nil, 0x1122)
	b = AppendU32(b, 0x33445566)
	b = AppendU64(b, 0x778899aabbccddee)
	b = AppendBE16(b, 0x1122)
	b = AppendBE32(b, 0x33445566)
	b = AppendBE64(b, 0x778899aabbccddee)
	b = Align(b, 1, 8)
	if len(b) != 33 {
		t.Fatalf("aligned to %d bytes", len(b))
	}
	b = AppendUTF16(b, "aß€𝄞\xff")
	c := New(b, nil)
	if v := c.U16(f); v != 0x1122 {
		t.Errorf("%#x", v)
	}
	if v := c.U32(f); v != 0x33445566 {
		t.Errorf("%#x", v)
	}
	if v := c.U64(f); v != 0x778899aabbccddee {
		t.Errorf("%#x", v)
	}
	if v := c.BE16(f); v != 0x1122 {
		t.Errorf("%#x", v)
	}
	if v := c.BE32(f); v != 0x33445566 {
		t.Errorf("%#x", v)
	}
	if v := c.BE64(f); v != 0x778899aabbccddee {
		t.Errorf("%#x", v)
	}
	if v := c.Bytes(f, 5); !bytes.Equal(v, make([]byte, 5)) {
		t.Errorf("padding %x", v)
	}
	if v := c.UTF16(f, c.Len()).String(); v != "aß€𝄞\uFFFD" {
		t.Errorf("%q", v)
	}
	PutU16(b, 0x0102)
	PutU32(b[2:], 0x03040506)
	PutU64(b[6:], 0x0708090a0b0c0d0e)
	if GetU16(b) != 0x0102 || GetU32(b[2:]) != 0x03040506 || GetU64(b[6:]) != 0x0708090a0b0c0d0e {
		t.Errorf("%x", b[:14])
	}
	if b := AppendZeros(nil, -1); b != nil {
		t.Errorf("%x", b)
	}
}

package wire

import (
	"errors"
	"testing"
)

func TestElement(t *testing.T) {
	for _, tt := range []struct {
		name, b string
		id      uint8
		n, left int
		err     error
	}{
		{"short length", "\x04\x02ab!", 4, 2, 1, nil},
		{"empty", "\x05\x00", 5, 0, 0, nil},
		{"long length", "\x30\x82\x00\x03abc", 0x30, 3, 0, nil},
		{"longer than the message", "\x30\x03ab", 0x30, 0, 0, ErrShort},
		{"length cut", "\x30\x82\x00", 0x30, 0, 0, ErrShort},
		{"indefinite", "\x30\x80\x05\x00\x00\x00", 0x30, 0, 0, ErrBER},
		{"length of five bytes", "\x30\x85\x00\x00\x00\x00\x01a", 0x30, 0, 0, ErrBER},
		{"long identifier", "\x1f\x81\x01\x00", 0x1f, 0, 0, ErrBER},
		{"nothing", "", 0, 0, 0, ErrShort},
	} {
		c := New([]byte(tt.b), nil)
		id, e := c.Element(fName)
		if id != tt.id || e.Len() != tt.n || c.Len() != tt.left || !errors.Is(c.Err(), tt.err) || !errors.Is(e.Err(), tt.err) {
			t.Errorf("%s: %#x, %d bytes, %d left, %v", tt.name, id, e.Len(), c.Len(), c.Err())
		}
	}
}

// TestElementCut: what of an element was captured can still be read.
func TestElementCut(t *testing.T) {
	c := NewCut([]byte("\x30\x06\x02\x01\x07"), 8, nil)
	_, e := c.Element(fName)
	_, i := e.Element(fName)
	if v := i.Integer(fSize); v != 7 || c.Err() != nil || e.Err() != nil {
		t.Errorf("%d, %v", v, e.Err())
	}
	if e.Element(fName); !errors.Is(e.Err(), ErrTruncated) {
		t.Error(e.Err())
	}
}

func TestInteger(t *testing.T) {
	for _, tt := range []struct {
		b    string
		want int64
		line string
		err  error
	}{
		{"", 0, "I: 0", nil},
		{"\x12", 18, "I: 18", nil},
		{"\xff\x7c", -132, "I: -132", nil},
		{"\x00\xff\xff\xff\xff", 1<<32 - 1, "I: 4294967295", nil},
		{"\x80\x00\x00\x00\x00\x00\x00\x00", -1 << 63, "I: -9223372036854775808", nil},
		{"123456789", 0, "[Malformed Packet: I]", ErrBER},
	} {
		var tree Tree
		c := New([]byte(tt.b), &tree)
		if v := c.Integer(set.Section("").Int("", "I")); v != tt.want || tree.Line(0) != tt.line || !errors.Is(c.Err(), tt.err) {
			t.Errorf("%q: %d, %q, %v", tt.b, v, tree.Line(0), c.Err())
		}
	}
}

func TestOID(t *testing.T) {
	f := set.Section("").OID("", "O", func(v uint64) string { return []string{"", "known"}[v] })
	for _, tt := range []struct {
		b    string
		v    uint64
		line string
	}{
		{"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a", 1, "O: 1.3.6.1.4.1.311.2.2.10 (known)"},
		{"\x2a\x86\x48\x82\xf7\x12\x01\x02\x02", 0, "O: 1.2.840.48018.1.2.2"},
		{"\x88\x37\x03", 0, "O: 2.999.3"},
		{"\x2b\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 0, "O: 1.3…"},
		{"", 0, "O: "},
	} {
		var tree Tree
		c := New([]byte(tt.b), &tree)
		if o := c.OID(f, tt.v); string(o) != tt.b || tree.Line(0) != tt.line {
			t.Errorf("%q, want %q", tree.Line(0), tt.line)
		}
	}
}

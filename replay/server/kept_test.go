package server

import (
	"bytes"
	"testing"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/wire"
)

// TestDescriptor: a security descriptor comes back as it was given, and one of which parts
// lie elsewhere, or end too early, is none.
func TestDescriptor(t *testing.T) {
	given := everybody()
	given.control |= 0x1000 // protected
	given.owner = []byte{1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0}
	all := dtyp.OwnerSecurity | dtyp.GroupSecurity | dtyp.DACLSecurity
	raw := given.append(all)
	read, ok := parseDescriptor(raw)
	if !ok {
		t.Fatal("not read")
	}
	if got := read.append(all); !bytes.Equal(got, raw) {
		t.Errorf("got  % x\nwant % x", got, raw)
	}
	d := *everybody()
	d.take(read, dtyp.OwnerSecurity)
	if !bytes.Equal(d.owner, read.owner) || d.control&0x1000 != 0 {
		t.Error("the owner alone was meant")
	}
	for i := range raw {
		if _, ok := parseDescriptor(raw[:i]); ok {
			t.Errorf("%d of %d bytes", i, len(raw))
		}
	}
	for _, at := range []int{4, 8, 16} { // offsets past the end, and into the header
		for _, off := range []uint32{uint32(len(raw)), 1, ^uint32(0)} {
			bad := bytes.Clone(raw)
			wire.PutU32(bad[at:], off)
			if _, ok := parseDescriptor(bad); ok {
				t.Errorf("offset %d at %d", off, at)
			}
		}
	}
}

// TestEAs: attributes are set, replaced and removed by names without a case, as much as
// there is room for.
func TestEAs(t *testing.T) {
	list := func(name string, value []byte) *fscc.FullEAInfo {
		b := append(wire.AppendU32(nil, 0), 0, byte(len(name)))
		b = wire.AppendU16(b, uint16(len(value)))
		b = append(append(append(b, name...), 0), value...)
		var m fscc.FullEAInfo
		c := wire.New(b, nil)
		m.Decode(&c)
		return &m
	}
	var k kept
	for _, c := range []struct {
		name string
		size int
		left int // attributes
		fail bool
	}{
		{"b", 1, 1, false}, {"a", 2, 2, false}, {"B", 3, 2, false}, {"c", maxEABytes - 8, 2, true}, {"A", 0, 1, false}, {"nothing", 0, 1, false},
	} {
		if st := k.set(list(c.name, make([]byte, c.size))); st.IsError() != c.fail {
			t.Errorf("%s: %v", c.name, st)
		}
		if len(k.eas) != c.left {
			t.Errorf("%s: %d attributes are left", c.name, len(k.eas))
		}
	}
	if k.eas[0].name != "B" || len(k.eas[0].value) != 3 || eaSize(k.eas) != 4+5+1+3 {
		t.Errorf("left: %+v", k.eas)
	}
	for _, name := range []string{"", "a*b", "a\\b"} {
		if checkEAs(list(name, []byte{1})) == 0 {
			t.Errorf("%q is no name", name)
		}
	}
}

package dtyp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

var le = binary.LittleEndian

func newSID(authority byte, subs ...uint32) SID {
	s := SID{Revision: 1, Authority: uint64(authority), Count: uint8(len(subs))}
	copy(s.Sub[:], subs)
	return s
}

// put appends s as it lies on the wire.
func (s *SID) put(b []byte) []byte {
	b = append(b, s.Revision, s.Count, 0, 0, 0, 0, 0, byte(s.Authority))
	for _, sub := range s.Sub[:s.Count] {
		b = le.AppendUint32(b, sub)
	}
	return b
}

// newACE returns an entry of a type: its mask, what comes before the SID of Everyone,
// and what comes after.
func newACE(t ACEType, flags ACEFlags, before, after string) []byte {
	everyone := newSID(1, 0)
	b := append([]byte{byte(t), byte(flags), 0, 0, 0xff, 0x01, 0x1f, 0x00}, before...)
	b = append(everyone.put(b), after...)
	le.PutUint16(b[2:], uint16(len(b)))
	return b
}

func newACL(revision byte, aces ...[]byte) []byte {
	b := append([]byte{revision, 0, 0, 0, byte(len(aces)), 0, 0, 0}, bytes.Join(aces, nil)...)
	le.PutUint16(b[2:], uint16(len(b)))
	return b
}

func newDescriptor(control Control, owner, group, sacl, dacl []byte) []byte {
	b := []byte{1, 0, byte(control), byte(control >> 8), 16: 0, 17: 0, 18: 0, 19: 0}
	for i, part := range [][]byte{owner, group, sacl, dacl} {
		if part != nil {
			le.PutUint32(b[4+4*i:], uint32(len(b)))
			b = append(b, part...)
		}
	}
	return b
}

// wide is text as it lies on the wire.
func wide(s string) string {
	var b []byte
	for _, r := range s {
		b = le.AppendUint16(b, uint16(r))
	}
	return string(b)
}

// u32 is numbers as they lie on the wire.
func u32(vs ...uint32) string {
	var b []byte
	for _, v := range vs {
		b = le.AppendUint32(b, v)
	}
	return string(b)
}

const guids = "0123456789abcdefFEDCBA9876543210"

// Each of these is a descriptor of which tshark's view was compared with the tree.
var (
	admins, system = newSID(5, 32, 544), newSID(5, 18)
	alice          = newSID(5, 21, 1, 2, 3, 1000)
	plain          = newDescriptor(SelfRelative|DACLPresent, alice.put(nil), nil, nil, newACL(2,
		newACE(AccessAllowed, ObjectInherit|ContainerInherit, "", ""),
		newACE(AccessDenied, 0, "", "")))
	everyForm = newDescriptor(SelfRelative|DACLPresent|SACLPresent, admins.put(nil), system.put(nil),
		newACL(2,
			newACE(SystemAudit, AuditSuccess|AuditFailure, "", ""),
			newACE(ScopedPolicy, 0, "", ""),
			newACE(ResourceAttribute, 0, "", u32(24, 3, 0, 2, 32, 36)+wide("Dep\x00")+wide("a\x00")+wide("bc\x00")),
			newACE(ResourceAttribute, 0, "", u32(20, 1, 0x20002, 1, 24)+wide("N\x00")+u32(0xfffffff9, 0xffffffff)),
			newACE(ACEType(0x55), 0, "", "")),
		newACL(4,
			newACE(AllowedObject, 0, u32(3)+guids, ""),
			newACE(DeniedObject, 0, u32(1)+guids[:16], ""),
			newACE(AllowedObject, 0, u32(0), ""),
			newACE(AllowedCallback, 0, "", "artx"+"\xf8"+u32(4)+wide("ab")+"\x04"+u32(5, 0)+"\x03\x02"+"\x80"+"\x00\x00\x00"),
			newACE(DeniedCallbackObject, 0, u32(2)+guids[:16], "artx"+
				"\xf9"+u32(2)+wide("u")+"\xfa"+u32(2)+wide("r")+"\xfb"+u32(2)+wide("d")+
				"\x50"+u32(13)+"\x10"+u32(2)+wide("x")+"\x18"+u32(1)+"\xee"+
				"\x51"+u32(12)+string(system.put(nil))+"\x89\xa0"),
			newACE(AllowedCallback, 0, "", "application data")))
)

var samples = []struct {
	name string
	b    []byte
}{
	{"plain", plain},
	{"every_form", everyForm},
	{"empty", newDescriptor(SelfRelative, nil, nil, nil, nil)},
}

func TestDescriptor(t *testing.T) {
	var s SecurityDescriptor
	c := wire.New(plain, nil)
	if s.Decode(&c); c.Err() != nil || s.Owner != alice || s.OffsetGroup != 0 || s.DACL.Count != 2 || s.SACL.Count != 0 {
		t.Errorf("%v, %+v", c.Err(), s)
	}
	everyone := newSID(1, 0)
	want := []ACE{
		{Flags: ObjectInherit | ContainerInherit, Size: 20, Access: 0x1f01ff, User: everyone},
		{Type: AccessDenied, Size: 20, Access: 0x1f01ff, User: everyone},
	}
	var got []ACE
	for e := range s.DACL.All() {
		got = append(got, *e)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("entries %+v", got)
	}
}

// TestGolden compares trees with testdata, which shows what is read where.
func TestGolden(t *testing.T) {
	for _, sample := range samples {
		var s SecurityDescriptor
		var tree wire.Tree
		var got bytes.Buffer
		c := wire.New(sample.b, &tree)
		s.Decode(&c)
		tree.Dump(&got)
		if err, gaps := c.Err(), tree.Gaps(0); err != nil || gaps != nil {
			t.Errorf("%s: %v, gaps %v", sample.name, err, gaps)
		}
		wiretest.Golden(t, sample.name, got.Bytes())
	}
}

func TestPrefixes(t *testing.T) {
	for _, sample := range samples {
		for i := range sample.b {
			var s SecurityDescriptor
			c := wire.New(sample.b[:i], nil)
			if s.Decode(&c); !errors.Is(c.Err(), wire.ErrShort) {
				t.Errorf("%s: %d of %d bytes: %v", sample.name, i, len(sample.b), c.Err())
			}
			c = wire.NewCut(sample.b[:i], len(sample.b), nil)
			if s.Decode(&c); !errors.Is(c.Err(), wire.ErrTruncated) {
				t.Errorf("%s: cut after %d of %d bytes: %v", sample.name, i, len(sample.b), c.Err())
			}
		}
	}
}

func TestAllocs(t *testing.T) {
	var s SecurityDescriptor
	var tree wire.Tree
	for _, arena := range []*wire.Tree{nil, &tree} {
		if n := testing.AllocsPerRun(100, func() {
			tree.Reset()
			c := wire.New(everyForm, arena)
			s.Decode(&c)
		}); n != 0 {
			t.Errorf("%v allocations, tree %v", n, arena != nil)
		}
	}
}

// TestSIDs holds names against those of tshark.
func TestSIDs(t *testing.T) {
	for _, tt := range []struct {
		sid        SID
		text, name string
	}{
		{newSID(1), "S-1-1", "World Authority"},
		{newSID(1, 0), "S-1-1-0", "Everyone"},
		{newSID(5, 11), "S-1-5-11", "Authenticated Users"},
		{newSID(5, 32, 545), "S-1-5-32-545", "Local Group-Users"},
		{newSID(5, 32, 7), "S-1-5-32-7", "Local Group-<locally defined>"},
		{newSID(5, 21, 1, 2, 3), "S-1-5-21-1-2-3", "Domain SID"},
		{newSID(5, 21, 1, 2, 3, 513), "S-1-5-21-1-2-3-513", "Domain SID-Domain Users"},
		{newSID(5, 21, 1, 2, 3, 4294967295), "S-1-5-21-1-2-3-4294967295", "Domain SID-Domain RID"},
		{newSID(5, 64, 10), "S-1-5-64-10", "Authentication-NTLM"},
		{newSID(5, 80, 1, 2), "S-1-5-80-1-2", "NT Service"},
		{newSID(16, 8192), "S-1-16-8192", "Mandatory Level-Medium"},
		{newSID(16, 1), "S-1-16-1", "Mandatory Level"},
		{newSID(17, 1), "S-1-17-1", "Central Access Policy"},
		{newSID(22, 1, 1000), "S-1-22-1-1000", ""},
	} {
		if tt.sid.String() != tt.text || tt.sid.Name() != tt.name {
			t.Errorf("%s is %q, want %s, %q", &tt.sid, tt.sid.Name(), tt.text, tt.name)
		}
	}
}

// TestManySubauthorities: no SID has more than 15, so 16 are something else.
func TestManySubauthorities(t *testing.T) {
	for n, want := range map[byte]error{15: nil, 16: wire.ErrShort} {
		var s SID
		c := wire.New(append([]byte{1, n, 0, 0, 0, 0, 0, 5}, make([]byte, 64)...), nil)
		if s.Decode(&c); !errors.Is(c.Err(), want) || want == nil && s.Count != n || want != nil && s.Count != 0 {
			t.Errorf("%d: %v, %d", n, c.Err(), s.Count)
		}
	}
}

func TestFileTime(t *testing.T) {
	for ft, want := range map[FileTime]time.Time{
		0:                 time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC),
		unixEpoch:         time.Unix(0, 0),
		unixEpoch + 1:     time.Unix(0, 100),
		0x1d1b523535cc9ea: time.Date(2016, 5, 23, 18, 45, 49, 752778600, time.UTC),
	} {
		if got := ft.Time(); !got.Equal(want) || FileTimeOf(got) != ft {
			t.Errorf("%d: %v and back %d, want %v", ft, got, FileTimeOf(got), want)
		}
	}
}

// FuzzDecode: no panic, no hang, and a tree changes nothing.
func FuzzDecode(f *testing.F) {
	for _, s := range samples {
		f.Add(s.b, uint16(0))
		f.Add(s.b[:len(s.b)/2], uint16(len(s.b)))
	}
	f.Fuzz(func(t *testing.T, b []byte, missing uint16) {
		var tree wire.Tree
		var with, without SecurityDescriptor
		c := wire.NewCut(b, len(b)+int(missing), &tree)
		bare := wire.NewCut(b, len(b)+int(missing), nil)
		if with.Decode(&c); missing == 0 && errors.Is(c.Err(), wire.ErrTruncated) {
			t.Fatal(c.Err())
		}
		if without.Decode(&bare); !reflect.DeepEqual(with, without) || !reflect.DeepEqual(c.Err(), bare.Err()) {
			t.Fatalf("%+v, %v\nwithout a tree %+v, %v", with, c.Err(), without, bare.Err())
		}
		tree.Dump(new(bytes.Buffer))
		for e := range without.DACL.All() {
			_ = e.User.Name()
		}
	})
}

package fscc

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odxray/odxray/dissect/wire"
)

// TestAppendInfo: what Append makes of a class of information, Decode reads as that.
func TestAppendInfo(t *testing.T) {
	name := wire.UTF16(wire.AppendUTF16(nil, `\a\b`))
	times := Times{1, 2, 3, 4}
	var all Infos
	for class, info := range map[FileClass]interface {
		Info
		Append([]byte) []byte
	}{
		FileBasic:         &BasicInfo{times, AttributeArchive},
		FileStandard:      &StandardInfo{1, 2, 3, true, false},
		FileInternal:      &InternalInfo{7},
		FileEA:            &EAInfo{8},
		FileAccess:        &AccessInfo{9},
		FilePosition:      &PositionInfo{10},
		FileMode:          &ModeInfo{2},
		FileAlignment:     &AlignmentInfo{7},
		FileNetworkOpen:   &NetworkOpenInfo{times, 1, 2, AttributeHidden},
		FileAttributeTag:  &AttributeTagInfo{AttributeReparsePoint, ReparseSymlink},
		FileCompression:   &CompressionInfo{1, 2, 3, 4, 5},
		FileID:            &FileIDInfo{1, [16]byte{2}},
		FileAlternateName: &NameInfo{name},
		FileAll: &AllInfo{
			BasicInfo: BasicInfo{times, AttributeArchive}, StandardInfo: StandardInfo{1, 2, 3, false, true}, FileID: 4, EASize: 5, Access: 6, Position: 7,
			Mode: 2, Alignment: 1, Name: name,
		},
	} {
		c := wire.New(info.Append(nil), nil)
		got := all.File(&c, class)
		if c.Failed() || c.Len() > 0 {
			t.Errorf("%v: %v, %d bytes left", class, c.Err(), c.Len())
		}
		if diff := cmp.Diff(Info(info), got); diff != "" {
			t.Errorf("%v: %s", class, diff)
		}
	}
	for class, info := range map[FsClass]interface {
		Info
		Append([]byte) []byte
	}{
		FsVolume:     &FsVolumeInfo{1, 2, true, name},
		FsSize:       &FsSizeInfo{1, 2, 3, 4},
		FsDevice:     &FsDeviceInfo{7, 32},
		FsAttribute:  &FsAttributeInfo{1, 255, name},
		FsControl:    &FsControlInfo{1, 2, 3},
		FsFullSize:   &FsFullSizeInfo{1, 2, 3, 4, 5},
		FsSectorSize: &FsSectorSizeInfo{1, 2, 3, 4, 5, 6, 7},
	} {
		c := wire.New(info.Append(nil), nil)
		got := all.FileSystem(&c, class)
		if c.Failed() || c.Len() > 0 {
			t.Errorf("%v: %v, %d bytes left", class, c.Err(), c.Len())
		}
		if diff := cmp.Diff(Info(info), got); diff != "" {
			t.Errorf("%v: %s", class, diff)
		}
	}
}

// TestListing: entries of every class come back, and what does not fit is left out.
func TestListing(t *testing.T) {
	for class := range FileClass(100) {
		if !class.Lists() {
			continue
		}
		var l Listing
		names := []string{"a", "much longer", "x.y"}
		for i, n := range names {
			e := DirectoryEntry{EndOfFile: uint64(i), FileID: uint64(10 + i), ShortName: wire.AppendUTF16(nil, "S"), Name: wire.AppendUTF16(nil, n)}
			if !l.Add(class, &e, 4096) {
				t.Fatalf("%v: entry %d does not fit", class, i)
			}
		}
		before := len(l.Raw)
		if l.Add(class, &DirectoryEntry{Name: wire.AppendUTF16(nil, "one more")}, before+8) || len(l.Raw) != before {
			t.Errorf("%v: more than fits", class)
		}
		d := DirectoryInfo{Class: class}
		c := wire.New(l.Raw, nil)
		d.Decode(&c)
		i := 0
		for e := range d.All() {
			if got := e.Name.String(); got != names[i] || class != FileNames && e.EndOfFile != uint64(i) {
				t.Errorf("%v: entry %d: %+v", class, i, e)
			}
			i++
		}
		if i != len(names) || c.Failed() {
			t.Errorf("%v: %d entries, %v", class, i, c.Err())
		}
	}
	var l Listing
	l.AddChange(&Change{ActionAdded, wire.AppendUTF16(nil, "new")}, 100)
	l.AddChange(&Change{ActionRemoved, wire.AppendUTF16(nil, "old")}, 100)
	var m Changes
	c := wire.New(l.Raw, nil)
	if m.Decode(&c); m.Count != 2 || c.Failed() {
		t.Errorf("changes: %d, %v", m.Count, c.Err())
	}
}

// TestAppendReplies: streams, interfaces and object ids.
func TestAppendReplies(t *testing.T) {
	streams := []Stream{{1, 2, wire.AppendUTF16(nil, "::$DATA")}, {3, 4, wire.AppendUTF16(nil, ":s:$DATA")}}
	var s StreamInfo
	c := wire.New(AppendStreams(nil, streams), nil)
	s.Decode(&c)
	var got []Stream
	for x := range s.All() {
		got = append(got, *x)
	}
	if diff := cmp.Diff(streams, got); diff != "" || c.Failed() {
		t.Errorf("streams: %s, %v", diff, c.Err())
	}
	interfaces := []Interface{
		{Next: 152, Index: 1, LinkSpeed: 1e9, Address: netip.MustParseAddrPort("127.0.0.1:0")},
		{Index: 2, Capabilities: InterfaceRSS, Address: netip.MustParseAddrPort("[::1]:0")},
	}
	var r InterfacesReply
	c = wire.New(AppendInterfaces(nil, interfaces), nil)
	r.Decode(&c)
	var list []Interface
	r.Each(func(i Interface) bool { list = append(list, i); return true })
	if len(list) != 2 || list[0] != interfaces[0] || list[1] != interfaces[1] {
		t.Errorf("interfaces: %+v", list)
	}
	id := ObjectIDBuffer{ID: wire.GUID{1}, ObjectIDOrigin: ObjectIDOrigin{BirthVolume: wire.GUID{2}, BirthObject: wire.GUID{3}, Domain: wire.GUID{4}}}
	var back ObjectIDBuffer
	c = wire.New(id.Append(nil), nil)
	if back.Decode(&c); back != id {
		t.Errorf("object id: %+v", back)
	}
}

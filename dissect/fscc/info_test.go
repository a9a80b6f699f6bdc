package fscc

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// What TypeFile and so on do not cover.
const (
	aDirectory InfoType = 10 + iota
	aNotify
	aQuotaQuery
	aGetEA
)

// everything owns what everything of this package's information decodes into.
type everything struct {
	Infos
	directory  DirectoryInfo
	changes    Changes
	quotaQuery QuotaQuery
	getEA      GetEAInfo
}

func (m *everything) decode(c *wire.Cursor, t InfoType, class uint8) Info {
	switch t {
	case TypeFile:
		return m.File(c, FileClass(class))
	case TypeFileSystem:
		return m.FileSystem(c, FsClass(class))
	case TypeQuota:
		return m.Quota(c)
	case aDirectory:
		m.directory.Class = FileClass(class)
		if !m.directory.Class.Lists() {
			return nil
		}
		m.directory.Decode(c)
		return &m.directory
	case aNotify:
		m.changes.Decode(c)
		return &m.changes
	case aQuotaQuery:
		m.quotaQuery.Decode(c)
		return &m.quotaQuery
	case aGetEA:
		m.getEA.Decode(c)
		return &m.getEA
	}
	return nil
}

const (
	hexTimes = "0100000000000000 0200000000000000 0300000000000000 0400000000000000"
	hexSizes = "0510000000000000 0020000000000000" // end of file, allocation size
	hexName  = "6e0061006d006500"
	hexGUID  = "000102030405060708090a0b0c0d0e0f"
	hexUsers = "0101000000000005 12000000" // S-1-5-18
	hexStat  = "0900000000000000" + hexTimes + "0020000000000000 0510000000000000 20040000 0c0000a0 02000000"
	hexPosix = hexTimes + hexSizes + "20000000 0900000000000000 01000000 00000000 02000000 0c0000a0 a4010000" + hexUsers + hexUsers

	// What the entries of most directory classes begin with, up to the length of the name.
	hexEntry = "00000000 07000000" + hexTimes + hexSizes + "10000000 08000000"
	hexShort = "04 00 4e0041000000000000000000000000000000000000000000" // room for 24 bytes
)

var (
	testTimes = Times{1, 2, 3, 4}
	testName  = wire.UTF16(wiretest.Unhex(hexName))
	testGUID  = wire.GUID(wiretest.Unhex(hexGUID))
	localSys  = dtyp.SID{Revision: 1, Authority: 5, Count: 1, Sub: [15]uint32{18}}
	testOID   = ObjectIDBuffer{ID: testGUID, ObjectIDOrigin: ObjectIDOrigin{testGUID, testGUID, testGUID}}
)

// chained is a Chain of n entries.
func chained(n int, s ...string) Chain { return Chain{n, wiretest.Unhex(s...)} }

func someStat() StatInfo {
	return StatInfo{FileID: 9, Times: testTimes, AllocationSize: 0x2000, EndOfFile: 0x1005, Tag: ReparseSymlink, Links: 2,
		Attributes: AttributeArchive | AttributeReparsePoint}
}

func statAs(change func(*StatInfo)) *StatInfo {
	s := someStat()
	change(&s)
	return &s
}

// infoSamples feed every test below. To add a class, add a sample.
var infoSamples = []struct {
	name  string
	t     InfoType
	class uint8
	b     []byte
	want  Info
}{
	{"basic", TypeFile, 4, wiretest.Unhex(hexTimes, "20000000 00000000"), &BasicInfo{testTimes, AttributeArchive}},
	{"standard", TypeFile, 5, wiretest.Unhex("0020000000000000 0510000000000000 02000000 01 00 0000"), &StandardInfo{0x2000, 0x1005, 2, true, false}},
	{"internal", TypeFile, 6, wiretest.Unhex("0900000000000000"), &InternalInfo{9}},
	{"ea", TypeFile, 7, wiretest.Unhex("2d000000"), &EAInfo{45}},
	{"access", TypeFile, 8, wiretest.Unhex("ff011f00"), &AccessInfo{0x1f01ff}},
	{"name", TypeFile, 9, wiretest.Unhex("08000000", hexName), &NameInfo{testName}},
	{"rename", TypeFile, 10, wiretest.Unhex("01 00000000000000 0000000000000000 08000000", hexName), &RenameInfo{Flags: RenameReplace, Name: testName}},
	{"link", TypeFile, 11, wiretest.Unhex("00 00000000000000 0000000000000000 08000000", hexName), &RenameInfo{Name: testName}},
	{"disposition", TypeFile, 13, wiretest.Unhex("01"), &DispositionInfo{DispositionDelete}},
	{"position", TypeFile, 14, wiretest.Unhex("0510000000000000"), &PositionInfo{0x1005}},
	{"full_ea", TypeFile, 15, wiretest.Unhex("10000000 80 01 0400 4100 deadbeef 0000", "00000000 00 01 0000 4200"),
		&FullEAInfo{chained(2, "10000000 80 01 0400 4100 deadbeef 0000", "00000000 00 01 0000 4200")}},
	{"mode", TypeFile, 16, wiretest.Unhex("20000000"), &ModeInfo{0x20}},
	{"alignment", TypeFile, 17, wiretest.Unhex("ff010000"), &AlignmentInfo{511}},
	{"all", TypeFile, 18, wiretest.Unhex(hexTimes, "20000000 00000000", "0020000000000000 0510000000000000 02000000 00 01 0000", "0900000000000000",
		"2d000000", "ff011f00", "0700000000000000", "20000000", "03000000", "08000000", hexName),
		&AllInfo{BasicInfo{testTimes, AttributeArchive}, StandardInfo{0x2000, 0x1005, 2, false, true}, 9, 45, 0x1f01ff, 7, 0x20, 3, testName}},
	{"allocation", TypeFile, 19, wiretest.Unhex("0020000000000000"), &AllocationInfo{0x2000}},
	{"end_of_file", TypeFile, 20, wiretest.Unhex("0510000000000000"), &EndOfFileInfo{0x1005}},
	{"alternate_name", TypeFile, 21, wiretest.Unhex("08000000", hexName), &NameInfo{testName}},
	{"stream", TypeFile, 22, wiretest.Unhex("28000000 0e000000 0510000000000000 0020000000000000 3a003a0024004400410054004100 0000",
		"00000000 08000000 0100000000000000 0020000000000000", hexName),
		&StreamInfo{chained(2, "28000000 0e000000 0510000000000000 0020000000000000 3a003a0024004400410054004100 0000",
			"00000000 08000000 0100000000000000 0020000000000000", hexName)}},
	{"pipe", TypeFile, 23, wiretest.Unhex("01000000 00000000"), &PipeInfo{1, 0}},
	{"pipe_local", TypeFile, 24, wiretest.Unhex("01000000 02000000 ffffffff 03000000 00100000 04000000 00200000 05000000 03000000 01000000"),
		&PipeLocalInfo{1, 2, 0xffffffff, 3, 0x1000, 4, 0x2000, 5, 3, 1}},
	{"pipe_remote", TypeFile, 25, wiretest.Unhex("0510000000000000 00100000"), &PipeRemoteInfo{0x1005, 0x1000}},
	{"mailslot_query", TypeFile, 26, wiretest.Unhex("00100000 00200000 03000000 04000000 ffffffffffffffff"), &MailslotInfo{0x1000, 0x2000, 3, 4, -1}},
	{"mailslot_set", TypeFile, 27, wiretest.Unhex("ffffffffffffffff"), &MailslotInfo{ReadTimeout: -1}},
	{"compression", TypeFile, 28, wiretest.Unhex("0510000000000000 0200 10 0c 09 000000"), &CompressionInfo{0x1005, 2, 16, 12, 9}},
	{"object_id", TypeFile, 29, wiretest.Unhex("0900000000000000", hexGUID, hexGUID, hexGUID, hexGUID), &ObjectIDInfo{9, testOID}},
	{"quota", TypeFile, 32, wiretest.Unhex("00000000 0c000000 0100000000000000 0200000000000000 ffffffffffffffff 0300000000000000", hexUsers),
		&QuotaInfo{chained(1, "00000000 0c000000 0100000000000000 0200000000000000 ffffffffffffffff 0300000000000000", hexUsers)}},
	{"reparse_point", TypeFile, 33, wiretest.Unhex("0900000000000000 0c0000a0"), &ReparsePointInfo{9, ReparseSymlink}},
	{"network_open", TypeFile, 34, wiretest.Unhex(hexTimes, "0020000000000000 0510000000000000 20000000 00000000"), &NetworkOpenInfo{testTimes, 0x2000, 0x1005, AttributeArchive}},
	{"attribute_tag", TypeFile, 35, wiretest.Unhex("00040000 0c0000a0"), &AttributeTagInfo{AttributeReparsePoint, ReparseSymlink}},
	{"valid_data_length", TypeFile, 39, wiretest.Unhex("0510000000000000"), &ValidDataLengthInfo{0x1005}},
	{"short_name", TypeFile, 40, wiretest.Unhex("08000000", hexName), &NameInfo{testName}},
	{"hard_link", TypeFile, 46, wiretest.Unhex("40000000 02000000", "20000000 00000000 0900000000000000 04000000", hexName, "00000000", "00000000 00000000 0900000000000000 00000000"),
		&HardLinkInfo{64, 2, chained(2, "20000000 00000000 0900000000000000 04000000", hexName, "00000000", "00000000 00000000 0900000000000000 00000000")}},
	{"normalized_name", TypeFile, 48, wiretest.Unhex("08000000", hexName), &NameInfo{testName}},
	{"sfio_reserve", TypeFile, 44, wiretest.Unhex("01000000 02000000 01 00 0000 00100000 04000000"), &SfioReserveInfo{1, 2, true, false, 4096, 4}},
	{"sfio_volume", TypeFile, 45, wiretest.Unhex("01000000 02000000 00100000"), &SfioVolumeInfo{1, 2, 4096}},
	{"network_physical_name", TypeFile, 49, wiretest.Unhex("08000000", hexName), &NameInfo{testName}},
	{"volume_name", TypeFile, 58, wiretest.Unhex("08000000", hexName), &NameInfo{testName}},
	{"standard_link", TypeFile, 54, wiretest.Unhex("02000000 03000000 01 00 0000"), &StandardLinkInfo{2, 3, true, false}},
	{"remote_protocol", TypeFile, 55, wiretest.Unhex("0200 7400 00000200 0300 0100 0100 0000 30000000", strings.Repeat("00", 32), strings.Repeat("11", 64)),
		&RemoteProtocolInfo{2, 116, 0x20000, 3, 1, 1, 0x30, bytes.Repeat([]byte{0x11}, 64)}},
	{"id", TypeFile, 59, wiretest.Unhex("0510000000000000", hexGUID), &FileIDInfo{0x1005, testGUID}},
	{"disposition_ex", TypeFile, 64, wiretest.Unhex("03000000"), &DispositionInfo{DispositionDelete | DispositionPosix}},
	{"rename_ex", TypeFile, 65, wiretest.Unhex("43000000 00000000 0000000000000000 08000000", hexName),
		&RenameInfo{Flags: RenameReplace | RenamePosix | RenameIgnoreReadOnly, Name: testName}},
	{"stat", TypeFile, 68, wiretest.Unhex(hexStat, "ff011f00"), statAs(func(s *StatInfo) { s.Access = 0x1f01ff })},
	{"stat_lx", TypeFile, 70, wiretest.Unhex(hexStat, "ff011f00 07000000 e8030000 e9030000 a4810000 01000000 02000000"), statAs(func(s *StatInfo) {
		s.Access, s.Lx.Flags, s.Lx.UID, s.Lx.GID, s.Lx.Mode, s.Lx.DeviceMajor, s.Lx.DeviceMinor = 0x1f01ff, 7, 1000, 1001, 0o100644, 1, 2
	})},
	{"case_sensitive", TypeFile, 71, wiretest.Unhex("01000000"), &CaseSensitiveInfo{1}},
	{"link_ex", TypeFile, 72, wiretest.Unhex("01000000 00000000 0000000000000000 08000000", hexName), &RenameInfo{Flags: RenameReplace, Name: testName}},
	{"stat_basic", TypeFile, 77, wiretest.Unhex(hexStat, "07000000 20000000 00000000 0510000000000000", hexGUID), statAs(func(s *StatInfo) {
		s.DeviceType, s.DeviceCharacteristics, s.Volume, s.FileID128 = 7, 0x20, 0x1005, testGUID
	})},
	{"posix", TypeFile, 100, wiretest.Unhex(hexPosix, "08000000", hexName),
		&PosixInfo{testTimes, 0x1005, 0x2000, AttributeArchive, 9, 1, 2, ReparseSymlink, 0o644, localSys, localSys, testName}},
	{"posix_nameless", TypeFile, 100, wiretest.Unhex(hexPosix),
		&PosixInfo{testTimes, 0x1005, 0x2000, AttributeArchive, 9, 1, 2, ReparseSymlink, 0o644, localSys, localSys, nil}},

	{"fs_volume", TypeFileSystem, 1, wiretest.Unhex("0100000000000000 0d0c0b0a 08000000 01 00", hexName), &FsVolumeInfo{1, 0x0a0b0c0d, true, testName}},
	{"fs_label", TypeFileSystem, 2, wiretest.Unhex("08000000", hexName), &FsLabelInfo{testName}},
	{"fs_size", TypeFileSystem, 3, wiretest.Unhex("0510000000000000 0020000000000000 08000000 00020000"), &FsSizeInfo{0x1005, 0x2000, 8, 512}},
	{"fs_device", TypeFileSystem, 4, wiretest.Unhex("07000000 20000000"), &FsDeviceInfo{7, 0x20}},
	{"fs_attribute", TypeFileSystem, 5, wiretest.Unhex("46000008 ff000000 08000000", hexName), &FsAttributeInfo{0x08000046, 255, testName}},
	{"fs_control", TypeFileSystem, 6, wiretest.Unhex(strings.Repeat("00", 24), "ffffffffffffffff 0510000000000000 22000000 00000000"), &FsControlInfo{1<<64 - 1, 0x1005, 0x22}},
	{"fs_full_size", TypeFileSystem, 7, wiretest.Unhex("0510000000000000 0020000000000000 0120000000000000 08000000 00020000"), &FsFullSizeInfo{0x1005, 0x2000, 0x2001, 8, 512}},
	{"fs_object_id", TypeFileSystem, 8, wiretest.Unhex(hexGUID, hexGUID, hexGUID, hexGUID), &FsObjectIDInfo{testOID}},
	{"fs_driver_path", TypeFileSystem, 9, wiretest.Unhex("01 000000 08000000", hexName), &FsDriverPathInfo{true, testName}},
	{"fs_volume_flags", TypeFileSystem, 10, wiretest.Unhex("01000000"), &FsVolumeFlagsInfo{1}},
	{"fs_sector_size", TypeFileSystem, 11, wiretest.Unhex("00020000 00100000 00100000 00100000 03000000 00000000 ffffffff"),
		&FsSectorSizeInfo{512, 4096, 4096, 4096, 3, 0, 1<<32 - 1}},
	{"fs_posix", TypeFileSystem, 100, wiretest.Unhex("00001000 00100000 0100000000000000 0200000000000000 0300000000000000 0400000000000000 0500000000000000 0600000000000000"),
		&FsPosixInfo{1 << 20, 4096, 1, 2, 3, 4, 5, 6}},

	{"quota_info", TypeQuota, 0, wiretest.Unhex("38000000 0c000000 0100000000000000 0200000000000000 0300000000000000 0400000000000000", hexUsers, "00000000",
		"00000000 0c000000 0100000000000000 0200000000000000 0300000000000000 0400000000000000", hexUsers),
		&QuotaInfo{chained(2, "38000000 0c000000 0100000000000000 0200000000000000 0300000000000000 0400000000000000", hexUsers, "00000000",
			"00000000 0c000000 0100000000000000 0200000000000000 0300000000000000 0400000000000000", hexUsers)}},
	{"quota_query_list", aQuotaQuery, 0, wiretest.Unhex("01 01 0000 28000000 00000000 00000000", "14000000 0c000000", hexUsers, "00000000 0c000000", hexUsers),
		&QuotaQuery{true, true, 40, 0, 0, chained(2, "14000000 0c000000", hexUsers, "00000000 0c000000", hexUsers)}},
	{"quota_query_start", aQuotaQuery, 0, wiretest.Unhex("00 00 0000 00000000 0c000000 04000000 00000000", hexUsers), &QuotaQuery{StartLength: 12, StartOffset: 4}},
	{"get_ea", aGetEA, 0, wiretest.Unhex("08000000 01 4100 00 00000000 01 4200"), &GetEAInfo{chained(2, "08000000 01 4100 00 00000000 01 4200")}},

	{"directory", aDirectory, 1, wiretest.Unhex(hexEntry, hexName), listing(1, hexEntry, hexName)},
	{"full_directory", aDirectory, 2, wiretest.Unhex(hexEntry, "2d000000", hexName), listing(2, hexEntry, "2d000000", hexName)},
	{"both_directory", aDirectory, 3, wiretest.Unhex(hexEntry, "2d000000", hexShort, hexName), listing(3, hexEntry, "2d000000", hexShort, hexName)},
	{"names", aDirectory, 12, wiretest.Unhex("14000000 07000000 08000000", hexName, "00000000 00000000 00000000"),
		&DirectoryInfo{FileNames, chained(2, "14000000 07000000 08000000", hexName, "00000000 00000000 00000000")}},
	{"id_both_directory", aDirectory, 37, wiretest.Unhex(hexEntry, "2d000000", hexShort, "0000 0900000000000000", hexName),
		listing(37, hexEntry, "2d000000", hexShort, "0000 0900000000000000", hexName)},
	{"id_full_directory", aDirectory, 38, wiretest.Unhex(hexEntry, "2d000000 00000000 0900000000000000", hexName),
		listing(38, hexEntry, "2d000000 00000000 0900000000000000", hexName)},
	{"id_global_tx_directory", aDirectory, 50, wiretest.Unhex(hexEntry, "0900000000000000", hexGUID, "01000000", hexName),
		listing(50, hexEntry, "0900000000000000", hexGUID, "01000000", hexName)},
	{"id_extd_directory", aDirectory, 60, wiretest.Unhex(hexEntry, "2d000000 0c0000a0", hexGUID, hexName), listing(60, hexEntry, "2d000000 0c0000a0", hexGUID, hexName)},
	{"id_extd_both_directory", aDirectory, 63, wiretest.Unhex(hexEntry, "2d000000 0c0000a0", hexGUID, hexShort, hexName),
		listing(63, hexEntry, "2d000000 0c0000a0", hexGUID, hexShort, hexName)},
	{"id_64_extd_directory", aDirectory, 78, wiretest.Unhex(hexEntry, "2d000000 0c0000a0 0900000000000000", hexName),
		listing(78, hexEntry, "2d000000 0c0000a0 0900000000000000", hexName)},
	{"id_64_extd_both_directory", aDirectory, 79, wiretest.Unhex(hexEntry, "2d000000 0c0000a0 0900000000000000", hexShort, hexName),
		listing(79, hexEntry, "2d000000 0c0000a0 0900000000000000", hexShort, hexName)},
	{"id_all_extd_directory", aDirectory, 80, wiretest.Unhex(hexEntry, "2d000000 0c0000a0 0900000000000000", hexGUID, hexName),
		listing(80, hexEntry, "2d000000 0c0000a0 0900000000000000", hexGUID, hexName)},
	{"id_all_extd_both_directory", aDirectory, 81, wiretest.Unhex(hexEntry, "2d000000 0c0000a0 0900000000000000", hexGUID, hexShort, hexName),
		listing(81, hexEntry, "2d000000 0c0000a0 0900000000000000", hexGUID, hexShort, hexName)},
	{"posix_directory", aDirectory, 100, wiretest.Unhex("00000000 07000000", hexPosix, "08000000", hexName), listing(100, "00000000 07000000", hexPosix, "08000000", hexName)},
	{"notify", aNotify, 0, wiretest.Unhex("14000000 04000000 08000000", hexName, "00000000 05000000 08000000", hexName),
		&Changes{chained(2, "14000000 04000000 08000000", hexName, "00000000 05000000 08000000", hexName)}},
}

func listing(class FileClass, s ...string) *DirectoryInfo {
	return &DirectoryInfo{class, chained(1, s...)}
}

// TestInfo decodes each sample, keeps its tree in testdata, and sees to it that no
// byte of it lies outside every field.
func TestInfo(t *testing.T) {
	for _, s := range infoSamples {
		var m everything
		var tree wire.Tree
		var got bytes.Buffer
		c := wire.New(s.b, &tree)
		info := m.decode(&c, s.t, s.class)
		if c.Err() != nil || c.Len() != 0 || !reflect.DeepEqual(info, s.want) {
			t.Errorf("%s: %v, %d left, %+v, want %+v", s.name, c.Err(), c.Len(), info, s.want)
		}
		tree.Dump(&got)
		wiretest.Golden(t, s.name, got.Bytes())
		if strings.Contains(got.String(), "gap in buffer") {
			t.Errorf("%s: bytes that no field covers", s.name)
		}
	}
}

// TestInfoPrefixes takes every prefix for a structure that lies, and for one that
// the capture cut. A list is whole wherever an entry ends.
func TestInfoPrefixes(t *testing.T) {
	for _, s := range infoSamples {
		for i := range s.b {
			var m everything
			c := wire.New(s.b[:i], nil)
			if s.name == "posix" && i == len(wiretest.Unhex(hexPosix)) {
				continue // posix_nameless
			}
			if info := m.decode(&c, s.t, s.class); !errors.Is(c.Err(), wire.ErrShort) && !endsEntry(info, s.b[:i]) {
				t.Errorf("%s: %d of %d bytes: %v", s.name, i, len(s.b), c.Err())
			}
			c = wire.NewCut(s.b[:i], len(s.b), nil)
			if m.decode(&c, s.t, s.class); !errors.Is(c.Err(), wire.ErrTruncated) {
				t.Errorf("%s: cut after %d of %d bytes: %v", s.name, i, len(s.b), c.Err())
			}
		}
	}
}

// endsEntry reports whether b ends with the list that info has of it.
func endsEntry(info Info, b []byte) bool {
	v := reflect.ValueOf(info).Elem().FieldByName("Chain")
	return v.IsValid() && bytes.HasSuffix(b, v.Interface().(Chain).Raw)
}

func TestInfoAllocs(t *testing.T) {
	var m everything
	var tree wire.Tree
	for _, s := range infoSamples {
		for name, arena := range map[string]*wire.Tree{"no tree": nil, "a reused tree": &tree} {
			if n := testing.AllocsPerRun(20, func() {
				tree.Reset()
				c := wire.New(s.b, arena)
				m.decode(&c, s.t, s.class)
			}); n != 0 {
				t.Errorf("%s: %v allocations with %s", s.name, n, name)
			}
		}
	}
}

// TestChains walks lists again, entry by entry.
func TestChains(t *testing.T) {
	var m everything
	decode := func(name string) {
		for _, s := range infoSamples {
			if s.name == name {
				c := wire.New(s.b, nil)
				m.decode(&c, s.t, s.class)
			}
		}
	}
	var got []string
	for _, name := range []string{"stream", "full_ea", "get_ea", "hard_link", "quota_info", "quota_query_list", "id_all_extd_both_directory", "posix_directory", "notify"} {
		decode(name)
	}
	for s := range m.file.stream.All() {
		got = append(got, s.Name.String())
	}
	for a := range m.file.fullEA.All() {
		got = append(got, string(a.Name)+hex.EncodeToString(a.Value))
	}
	for a := range m.getEA.All() {
		got = append(got, string(a.Name))
	}
	for l := range m.file.hardLink.All() {
		got = append(got, l.Name.String())
	}
	for q := range m.file.quota.All() {
		got = append(got, q.User.String())
	}
	for q := range m.quotaQuery.All() {
		got = append(got, q.User.String())
	}
	for e := range m.directory.All() {
		got = append(got, e.Name.String(), e.Posix.Owner.String())
	}
	for n := range m.changes.All() {
		got = append(got, n.Action.String(), n.Name.String())
	}
	want := []string{"::$DATA", "name", "Adeadbeef", "B", "A", "B", "name", "", "S-1-5-18", "S-1-5-18", "S-1-5-18", "S-1-5-18",
		"name", "S-1-5-18", "FILE_ACTION_RENAMED_OLD_NAME", "name", "FILE_ACTION_RENAMED_NEW_NAME", "name"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	for range m.directory.All() {
		break // an iterator must let go
	}
}

// TestLyingChain: links go forward only, and what decoded before a lie stays.
func TestLyingChain(t *testing.T) {
	good := "10000000 04000000 02000000 6e000000"
	for _, tt := range []struct {
		next string
		want error
	}{
		{"00000000", nil},
		{"01000000", wire.ErrShort}, // into itself
		{"f0ffffff", wire.ErrShort}, // backwards
		{"ff000000", wire.ErrShort}, // past the end
	} {
		var m Changes
		c := wire.New(wiretest.Unhex(good, tt.next, "05000000 00000000"), nil)
		m.Decode(&c)
		if count := m.Count; !errors.Is(c.Err(), tt.want) || tt.want != nil && count != 1 || tt.want == nil && count != 2 {
			t.Errorf("%s: %v, %d entries", tt.next, c.Err(), count)
		}
	}
}

// FuzzInfo feeds anything to the class that its first two bytes select: no panic, no
// hang, and neither a tree nor what was decoded before changes the outcome.
func FuzzInfo(f *testing.F) {
	for _, s := range infoSamples {
		f.Add(append([]byte{byte(s.t), s.class}, s.b...), uint16(0))
		f.Add(append([]byte{byte(s.t), s.class}, s.b[:len(s.b)/2]...), uint16(len(s.b)))
	}
	var used everything
	f.Fuzz(func(t *testing.T, b []byte, missing uint16) {
		if len(b) < 2 {
			return
		}
		kind, class, b := InfoType(b[0]), b[1], b[2:]
		var fresh everything
		var tree wire.Tree
		c := wire.NewCut(b, len(b)+int(missing), &tree)
		bare := wire.NewCut(b, len(b)+int(missing), nil)
		m1, m2 := fresh.decode(&c, kind, class), used.decode(&bare, kind, class)
		if !reflect.DeepEqual(m1, m2) || !reflect.DeepEqual(c.Err(), bare.Err()) {
			t.Fatalf("%+v, %v\nwithout a tree %+v, %v", m1, c.Err(), m2, bare.Err())
		}
		if missing == 0 && errors.Is(c.Err(), wire.ErrTruncated) {
			t.Fatal(c.Err())
		}
		tree.Dump(new(bytes.Buffer))
		for e := range fresh.directory.All() {
			_ = e.Name.String()
		}
	})
}

package smb2

import (
	"bytes"
	"errors"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// A buffer is one control code's buffer. The tests below are about them alone.
type buffer struct {
	name   string
	code   fscc.Code
	output bool // of a response
	status ntstatus.Status
	b      []byte
	open   bool // good wherever it ends
	want   Buffer
}

func (s *buffer) decode(d *Decoder, c *wire.Cursor) Buffer {
	d.msg.Status = s.status
	if s.output {
		return d.output(c, s.code)
	}
	return d.input(c, s.code)
}

var (
	resumeKey     = "000102030405060708090a0b0c0d0e0f1011121314151617"
	chunk         = "0000100000000000 0000200000000000 00001000 00000000"
	guids         = "00112233445566778899aabbccddeeff 101112131415161718191a1b1c1d1e1f 202122232425262728292a2b2c2d2e2f"
	ranges        = "0000000000000000 0000010000000000 0000020000000000 0010000000000000"
	linkData      = "0000 0400 0400 0200 01000000 61006200 6300"
	address4      = "0200 01bd 0a4d0001" + zeros(120)
	address6      = "1700 01bd 00000000 fd770000000000000000000000000001 03000000" + zeros(100)
	firstPath     = `\a\b`
	pathInHex     = "5c00 6100 5c00 6200 0000"
	testResumeKey = fscc.ResumeKey(wiretest.Unhex(resumeKey))
	zeroToken     = "ffff0001 0000 0000" + zeros(504)
	wholeToken    = wiretest.Unhex(zeroToken)
)

func zeros(n int) string { return string(bytes.Repeat([]byte("00"), n)) }

var testGUIDs = [3]wire.GUID{wire.GUID(wiretest.Unhex(guids)[:16]), wire.GUID(wiretest.Unhex(guids)[16:32]), wire.GUID(wiretest.Unhex(guids)[32:])}

// bufferSamples are the good buffers. To add a control code, add one here.
var bufferSamples = []buffer{
	{name: "offload_read_zero_token", code: fscc.OffloadRead, output: true,
		b: wiretest.Unhex("10020000 01000000 0000100000000000", zeroToken),
		want: &odx.ReadReply{Size: 528, Flags: odx.AllZeroBeyond, TransferLength: 1 << 20,
			Token: odx.Token{Type: odx.ZeroData, ID: []byte{}, Raw: wholeToken}}},
	{name: "offload_read_native_token", code: fscc.OffloadRead, output: true,
		b: wiretest.Unhex("10020000 00000000 0000001000000000", "00010001 0000 0020", nativeID, zeros(504-32)),
		want: &odx.ReadReply{Size: 528, TransferLength: 1 << 28,
			Token: odx.Token{Type: odx.Native, IDLength: 32, ID: wiretest.Unhex(nativeID), Raw: wiretest.Unhex("00010001 0000 0020", nativeID, zeros(504-32))}}},
	{name: "resume_key", code: fscc.RequestResumeKey, output: true, b: wiretest.Unhex(resumeKey, "00000000 00000000"), open: true,
		want: &fscc.ResumeKeyReply{Key: testResumeKey}},
	{name: "copychunk", code: fscc.CopyChunk, b: wiretest.Unhex(resumeKey, "02000000 00000000", chunk, chunk),
		want: &fscc.CopyChunkRequest{Source: testResumeKey, Count: 2, Chunks: wiretest.Unhex(chunk, chunk)}},
	{name: "copychunk_reply", code: fscc.CopyChunkWrite, output: true, b: wiretest.Unhex("02000000 00000000 00002000"),
		want: &fscc.CopyChunkReply{Chunks: 2, TotalBytes: 2 << 20}},
	{name: "copychunk_limits", code: fscc.CopyChunkWrite, output: true, status: ntstatus.InvalidParameter, b: wiretest.Unhex("00010000 00001000 00000001"),
		want: &fscc.CopyChunkLimits{Chunks: 256, ChunkBytes: 1 << 20, TotalBytes: 16 << 20}},
	{name: "duplicate_extents", code: fscc.DuplicateExtents, b: wiretest.Unhex(fileID, "0000010000000000 0000020000000000 0000100000000000"),
		want: &fscc.DuplicateExtentsRequest{Source: wire.GUID(testFile), SourceOffset: 1 << 16, TargetOffset: 2 << 16, Length: 1 << 20}},
	{name: "duplicate_extents_ex", code: fscc.DuplicateExtentsEx, open: true,
		b: wiretest.Unhex("3000000000000000", fileID, "0000010000000000 0000020000000000 0000100000000000 01000000 00000000"),
		want: &fscc.DuplicateExtentsExRequest{Size: 48, Flags: fscc.DuplicateExtentsSourceAtomic,
			DuplicateExtentsRequest: fscc.DuplicateExtentsRequest{Source: wire.GUID(testFile), SourceOffset: 1 << 16, TargetOffset: 2 << 16, Length: 1 << 20}}},
	{name: "set_sparse", code: fscc.SetSparse, b: wiretest.Unhex("01"), want: &fscc.SparseRequest{Sparse: true}},
	{name: "set_zero_data", code: fscc.SetZeroData, b: wiretest.Unhex("0000010000000000 0000020000000000"),
		want: &fscc.ZeroDataRequest{Offset: 1 << 16, Beyond: 2 << 16}},
	{name: "allocated_ranges", code: fscc.QueryAllocatedRanges, b: wiretest.Unhex("0000000000000000 0000100000000000"),
		want: &fscc.AllocatedRangesRequest{Range: fscc.Range{Length: 1 << 20}}},
	{name: "allocated_ranges_reply", code: fscc.QueryAllocatedRanges, output: true, status: ntstatus.BufferOverflow, b: wiretest.Unhex(ranges), open: true,
		want: &fscc.AllocatedRangesReply{Ranges: wiretest.Unhex(ranges)}},
	{name: "file_regions", code: fscc.QueryFileRegions, b: wiretest.Unhex("0000000000000000 0000100000000000 01000000 00000000"),
		want: &fscc.RegionsRequest{Region: fscc.Region{Range: fscc.Range{Length: 1 << 20}, Usage: 1}}},
	{name: "file_regions_reply", code: fscc.QueryFileRegions, output: true,
		b:    wiretest.Unhex("00000000 02000000 01000000 00000000", "0000000000000000 0000100000000000 01000000 00000000"),
		want: &fscc.RegionsReply{Total: 2, Count: 1, Regions: wiretest.Unhex("0000000000000000 0000100000000000 01000000 00000000")}},
	{name: "file_level_trim", code: fscc.FileLevelTrim, b: wiretest.Unhex("00000000 02000000", ranges), want: &fscc.TrimRequest{Count: 2, Ranges: wiretest.Unhex(ranges)}},
	{name: "file_level_trim_reply", code: fscc.FileLevelTrim, output: true, b: wiretest.Unhex("02000000"), want: &fscc.TrimReply{Processed: 2}},
	{name: "set_compression", code: fscc.SetCompression, b: wiretest.Unhex("0100"), want: &fscc.Compression{Format: 1}},
	{name: "get_compression", code: fscc.GetCompression, output: true, b: wiretest.Unhex("0200"), want: &fscc.Compression{Format: 2}},
	{name: "set_integrity", code: fscc.SetIntegrity, b: wiretest.Unhex("0200 0000 01000000"), want: &fscc.IntegrityRequest{Checksum: 2, Flags: fscc.ChecksumEnforcementOff}},
	{name: "get_integrity", code: fscc.GetIntegrity, output: true, b: wiretest.Unhex("0200 0000 00000000 00000100 00100000"),
		want: &fscc.IntegrityReply{Checksum: 2, ChunkSize: 1 << 16, ClusterSize: 4096}},
	{name: "set_object_id", code: fscc.SetObjectID, b: wiretest.Unhex(guids, zeros(16)),
		want: &fscc.ObjectIDBuffer{ID: testGUIDs[0], ObjectIDOrigin: fscc.ObjectIDOrigin{BirthVolume: testGUIDs[1], BirthObject: testGUIDs[2]}}},
	{name: "set_object_id_extended", code: fscc.SetObjectIDExtended, b: wiretest.Unhex(guids),
		want: &fscc.ObjectIDOrigin{BirthVolume: testGUIDs[0], BirthObject: testGUIDs[1], Domain: testGUIDs[2]}},
	{name: "reparse_symlink", code: fscc.SetReparsePoint, b: wiretest.Unhex("0c0000a0 1200 0000", linkData),
		want: &fscc.ReparsePoint{Tag: fscc.ReparseSymlink, Data: wiretest.Unhex(linkData),
			Link: fscc.Symlink{Substitute: wiretest.Unhex("61006200"), Print: wiretest.Unhex("6300"), Flags: fscc.SymlinkRelative}}},
	{name: "reparse_mount_point", code: fscc.GetReparsePoint, output: true,
		b: wiretest.Unhex("030000a0 1200 0000", "0000 0400 0600 0200 61006200 0000 6300 0000"),
		want: &fscc.ReparsePoint{Tag: fscc.ReparseMountPoint, Data: wiretest.Unhex("0000 0400 0600 0200 61006200 0000 6300 0000"),
			Link: fscc.Symlink{Substitute: wiretest.Unhex("61006200"), Print: wiretest.Unhex("6300")}}},
	{name: "reparse_nfs_link", code: fscc.SetReparsePoint, b: wiretest.Unhex("14000080 0a00 0000", "4c4e4b0100000000 6100"),
		want: &fscc.ReparsePoint{Tag: fscc.ReparseNFS, Data: wiretest.Unhex("4c4e4b0100000000 6100"), NFS: fscc.NFSPoint{Type: fscc.NFSLink, Target: wiretest.Unhex("6100")}}},
	{name: "reparse_nfs_device", code: fscc.SetReparsePoint, b: wiretest.Unhex("14000080 1000 0000", "4348520000000000 08000000 01000000"),
		want: &fscc.ReparsePoint{Tag: fscc.ReparseNFS, Data: wiretest.Unhex("4348520000000000 08000000 01000000"), NFS: fscc.NFSPoint{Type: fscc.NFSChar, Major: 8, Minor: 1}}},
	{name: "reparse_wsl_link", code: fscc.GetReparsePoint, output: true, b: wiretest.Unhex("1d0000a0 0700 0000", "02000000 612f62"),
		want: &fscc.ReparsePoint{Tag: fscc.ReparseLxSymlink, Data: wiretest.Unhex("02000000 612f62"), Target: []byte("a/b")}},
	{name: "reparse_vendor", code: fscc.SetReparsePoint, b: wiretest.Unhex("17000000 0200 0000", guids[:32], "cafe"),
		want: &fscc.ReparsePoint{Tag: 0x17, Vendor: testGUIDs[0], Data: wiretest.Unhex("cafe")}},
	{name: "snapshots", code: fscc.EnumerateSnapshots, output: true, open: true,
		b:    wiretest.Unhex("02000000 02000000 0a000000", "6100 0000 6200 0000 0000"),
		want: &fscc.SnapshotsReply{Total: 2, Returned: 2, Size: 10, Names: wiretest.Unhex("6100 0000 6200 0000 0000")}},
	{name: "network_interfaces", code: fscc.QueryNetworkInterfaces, output: true, open: true,
		b: wiretest.Unhex("98000000 02000000 03000000 00000000 00ca9a3b00000000", address4, "00000000 02000000 00000000 00000000 00e40b5402000000", address6),
		want: &fscc.InterfacesReply{
			List: wiretest.Unhex("98000000 02000000 03000000 00000000 00ca9a3b00000000", address4, "00000000 02000000 00000000 00000000 00e40b5402000000", address6)}},
	{name: "validate_negotiate_request", code: fscc.ValidateNegotiate, b: wiretest.Unhex("7f000000", guids[:32], "0300 0200 0202 0003"),
		want: &ValidateNegotiateRequest{Capabilities: 0x7f, ClientGUID: testGUIDs[0], SecurityMode: SigningEnabled | SigningRequired, Dialects: wiretest.Unhex("0202 0003")}},
	{name: "validate_negotiate_response", code: fscc.ValidateNegotiate, output: true, b: wiretest.Unhex("4f000000", guids[:32], "0100 0003"),
		want: &ValidateNegotiateResponse{Capabilities: 0x4f, ServerGUID: testGUIDs[0], SecurityMode: SigningEnabled, Dialect: Dialect300}},
	{name: "resiliency", code: fscc.RequestResiliency, b: wiretest.Unhex("60ea0000 00000000"), want: &fscc.ResiliencyRequest{Timeout: 60000}},
	{name: "pipe_wait", code: fscc.PipeWait, b: wiretest.Unhex("80f0fa0200000000 04000000 01 00 61006200"),
		want: &fscc.PipeWaitRequest{Timeout: 50000000, Specified: true, Name: wiretest.Unhex("61006200")}},
	{name: "pipe_peek", code: fscc.PipePeek, output: true, open: true, b: wiretest.Unhex("03000000 04000000 01000000 04000000 cafebabe"),
		want: &fscc.PipePeekReply{State: 3, Available: 4, Messages: 1, Length: 4, Data: wiretest.Unhex("cafebabe")}},
	{name: "referrals", code: fscc.DFSGetReferrals, open: true, b: wiretest.Unhex("0400", pathInHex),
		want: &fscc.ReferralRequest{MaxLevel: 4, Path: wiretest.Unhex(pathInHex)[:8]}},
	{name: "referrals_ex", code: fscc.DFSGetReferralsEx, b: wiretest.Unhex("0400 0100 0e000000 0800 5c0061005c006200 0200 7300"),
		want: &fscc.ReferralExRequest{ReferralRequest: fscc.ReferralRequest{MaxLevel: 4, Path: wiretest.Unhex(pathInHex)[:8]}, Flags: 1, Site: wiretest.Unhex("7300")}},
	{name: "referrals_reply", code: fscc.DFSGetReferrals, output: true, open: true,
		b:    wiretest.Unhex("0800 0400 03000000", referrals),
		want: &fscc.ReferralReply{Consumed: 8, Count: 4, Flags: 3, List: wiretest.Unhex(referrals)}},
	{name: "no_decoder", code: 0x00090304, b: wiretest.Unhex("cafe"), open: true},
}

// What illumos put into the token of a file of 1879048196 bytes on tree 1.
const nativeID = "805583fefd000000 0300000000000000 0400007000000000 01000000 00000000"

// referrals is one of every version. All but the first share the text behind them.
var referrals = "0100 1200 0100 0000" + pathInHex +
	"0200 1600 0000 0000 00000000 58020000 4a00 4a00 4a00" +
	"0400 2200 0100 0400 58020000 3400 3400 3400" + zeros(16) +
	"0300 1200 0000 0200 58020000 1200 0100 1200" +
	pathInHex

func TestBuffers(t *testing.T) {
	for _, s := range bufferSamples {
		var d Decoder
		c := wire.New(s.b, nil)
		if got := s.decode(&d, &c); c.Err() != nil || !reflect.DeepEqual(got, s.want) {
			t.Errorf("%s: %+v, %v, want %+v", s.name, got, c.Err(), s.want)
		}
	}
}

func TestBufferTrees(t *testing.T) {
	for _, s := range bufferSamples {
		var d Decoder
		var tree wire.Tree
		var got bytes.Buffer
		c := wire.New(s.b, &tree)
		s.decode(&d, &c)
		tree.Dump(&got)
		if gaps := tree.Gaps(0); gaps != nil {
			t.Errorf("%s: gaps %v", s.name, gaps)
		}
		wiretest.Golden(t, filepath.Join("ioctl", s.name), got.Bytes())
	}
}

// TestBufferPrefixes takes every prefix of every buffer for one that lies about what
// it holds, and for one that the capture cut.
func TestBufferPrefixes(t *testing.T) {
	for _, s := range bufferSamples {
		for i := range s.b {
			var d Decoder
			c := wire.New(s.b[:i], nil)
			if s.decode(&d, &c); !s.open && !errors.Is(c.Err(), wire.ErrShort) {
				t.Errorf("%s: %d of %d bytes: %v", s.name, i, len(s.b), c.Err())
			}
			c = wire.NewCut(s.b[:i], len(s.b), nil)
			if s.decode(&d, &c); !errors.Is(c.Err(), wire.ErrTruncated) {
				t.Errorf("%s: cut after %d of %d bytes: %v", s.name, i, len(s.b), c.Err())
			}
		}
	}
}

func TestBufferAllocs(t *testing.T) {
	var d Decoder
	for _, s := range bufferSamples {
		if n := testing.AllocsPerRun(10, func() {
			c := wire.New(s.b, nil)
			s.decode(&d, &c)
		}); n != 0 {
			t.Errorf("%s: %v allocations", s.name, n)
		}
	}
}

// TestLists walks what a reply only points at.
func TestLists(t *testing.T) {
	var d Decoder
	decode := func(name string) Buffer {
		i := slices.IndexFunc(bufferSamples, func(s buffer) bool { return s.name == name })
		c := wire.New(bufferSamples[i].b, nil)
		return bufferSamples[i].decode(&d, &c)
	}
	chunks := decode("copychunk").(*fscc.CopyChunkRequest).Chunks
	if want := (fscc.Chunk{Source: 1 << 20, Target: 2 << 20, Length: 1 << 20}); chunks.Len() != 2 || chunks.At(1) != want {
		t.Errorf("%d chunks, %+v", chunks.Len(), chunks.At(1))
	}
	allocated := decode("allocated_ranges_reply").(*fscc.AllocatedRangesReply).Ranges
	if want := (fscc.Range{Offset: 2 << 16, Length: 4096}); allocated.Len() != 2 || allocated.At(1) != want {
		t.Errorf("%d ranges, %+v", allocated.Len(), allocated.At(1))
	}
	regions := decode("file_regions_reply").(*fscc.RegionsReply).Regions
	if want := (fscc.Region{Range: fscc.Range{Length: 1 << 20}, Usage: 1}); regions.Len() != 1 || regions.At(0) != want {
		t.Errorf("%d regions, %+v", regions.Len(), regions.At(0))
	}
	var addresses []netip.AddrPort
	for i := range decode("network_interfaces").(*fscc.InterfacesReply).Each {
		addresses = append(addresses, i.Address)
	}
	if want := []netip.AddrPort{netip.MustParseAddrPort("10.77.0.1:445"), netip.MustParseAddrPort("[fd77::1]:445")}; !slices.Equal(addresses, want) {
		t.Errorf("addresses %v", addresses)
	}
	var nodes []string
	for r := range decode("referrals_reply").(*fscc.ReferralReply).Each {
		nodes = append(nodes, r.Node.String())
	}
	if want := slices.Repeat([]string{firstPath}, 4); !slices.Equal(nodes, want) {
		t.Errorf("nodes %q", nodes)
	}
}

// FuzzBuffers takes the first byte for the control code and the direction.
func FuzzBuffers(f *testing.F) {
	for i, s := range bufferSamples {
		f.Add(append([]byte{byte(i)}, s.b...), uint16(0))
	}
	var used Decoder
	f.Fuzz(func(t *testing.T, b []byte, missing uint16) {
		if len(b) == 0 {
			return
		}
		s := bufferSamples[int(b[0])%len(bufferSamples)]
		b = b[1:]
		var tree wire.Tree
		var fresh Decoder
		c := wire.NewCut(b, len(b)+int(missing), &tree)
		bare := wire.NewCut(b, len(b)+int(missing), nil)
		if b1, b2 := s.decode(&fresh, &c), s.decode(&used, &bare); !reflect.DeepEqual(b1, b2) || !reflect.DeepEqual(c.Err(), bare.Err()) {
			t.Fatalf("%+v, %v\nwithout a tree %+v, %v", b1, c.Err(), b2, bare.Err())
		}
		if missing == 0 && errors.Is(c.Err(), wire.ErrTruncated) {
			t.Fatal(c.Err())
		}
		for _, n := range tree.Nodes {
			if n.Field.Kind != wire.KindStruct && !n.Generated && uint64(n.Off)+uint64(n.Len) > uint64(len(b)) {
				t.Fatalf("%s at %d+%d of %d", n.Field.Label, n.Off, n.Len, len(b))
			}
		}
		tree.Dump(new(bytes.Buffer))
	})
}

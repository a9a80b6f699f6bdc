package fscc

import (
	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/wire"
)

// Times are the four times of a file. When set, 0 leaves one as it is, all ones stop
// the server from changing it for this handle, and all ones but the last end that.
type Times struct {
	Creation, LastAccess, LastWrite, Change dtyp.FileTime
}

// BasicInfo is FileBasicInformation. [MS-FSCC] 2.4.7
type BasicInfo struct {
	Times
	Attributes Attributes
}

// StandardInfo is FileStandardInformation. [MS-FSCC] 2.4.47
type StandardInfo struct {
	AllocationSize uint64 // bytes
	EndOfFile      uint64 // bytes
	Links          uint32
	DeletePending  bool
	Directory      bool
}

// NetworkOpenInfo is FileNetworkOpenInformation. [MS-FSCC] 2.4.33
type NetworkOpenInfo struct {
	Times
	AllocationSize uint64 // bytes
	EndOfFile      uint64 // bytes
	Attributes     Attributes
}

// AllInfo is FileAllInformation: nine others in a row. [MS-FSCC] 2.4.2
type AllInfo struct {
	BasicInfo
	StandardInfo
	FileID    uint64
	EASize    uint32 // bytes
	Access    dtyp.AccessMask
	Position  uint64 // bytes
	Mode      uint32 // CreateOptions that last
	Alignment uint32 // of buffers: bytes less one
	Name      wire.UTF16
}

var (
	basic       = fields.Section("[MS-FSCC] 2.4.7")
	fBasicInfo  = basic.Struct("smb2.file_basic_info", "SMB2_FILE_BASIC_INFO")
	fCreate     = basic.Time("smb2.create.time", "Create")
	fLastAccess = basic.Time("smb2.last_access.time", "Last Access")
	fLastWrite  = basic.Time("smb2.last_write.time", "Last Write")
	fLastChange = basic.Time("smb2.last_change.time", "Last Change")
	fUnknown    = basic.Bytes("smb2.unknown", "Unknown")
)

func (t *Times) decode(c *wire.Cursor) {
	t.Creation = dtyp.FileTime(c.U64(fCreate))
	t.LastAccess = dtyp.FileTime(c.U64(fLastAccess))
	t.LastWrite = dtyp.FileTime(c.U64(fLastWrite))
	t.Change = dtyp.FileTime(c.U64(fLastChange))
}

func (m *BasicInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fBasicInfo))
	m.decode(c)
}

func (m *BasicInfo) decode(c *wire.Cursor) {
	m.Times.decode(c)
	m.Attributes = FileAttributes(c)
	c.Skip(fUnknown, 4) // reserved; Wireshark's word for it
}

// Wireshark has other names for the same values where it shares code with SMB1.
var (
	standard       = fields.Section("[MS-FSCC] 2.4.47")
	fStandardInfo  = standard.Struct("smb2.file_standard_info", "SMB2_FILE_STANDARD_INFO")
	fAllocation    = standard.Uint("smb.alloc_size64", "Allocation Size")
	fEndOfFile     = standard.Uint("smb.end_of_file", "End Of File")
	fLinkCount     = standard.Uint("smb.link_count", "Link Count")
	fDeletePending = standard.Enum("smb.delete_pending", "Delete Pending", either("Normal, no pending delete", "This object has DELETE PENDING"))
	fIsDirectory   = standard.Enum("smb.is_directory", "Is Directory", either("This is NOT a directory", "This is a DIRECTORY"))
	fReserved      = standard.Bytes("smb2.reserved", "Reserved")
	fSpare         = standard.Bytes("odx.reserved", "Reserved") // where Wireshark has no field
)

func (m *StandardInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fStandardInfo))
	m.AllocationSize = c.U64(fAllocation)
	m.EndOfFile = c.U64(fEndOfFile)
	m.Links = c.U32(fLinkCount)
	m.DeletePending = c.U8(fDeletePending) != 0
	m.Directory = c.U8(fIsDirectory) != 0
	c.Skip(fSpare, 2)
}

var (
	networkOpen      = fields.Section("[MS-FSCC] 2.4.33")
	fNetworkOpenInfo = networkOpen.Struct("smb2.file_network_open_info", "SMB2_FILE_NETWORK_OPEN_INFO")
	fCreated         = networkOpen.Time("smb.create.time", "Created")
	fAccessed        = networkOpen.Time("smb.access.time", "Last Access")
	fWritten         = networkOpen.Time("smb.last_write.time", "Last Write")
	fChanged         = networkOpen.Time("smb.change.time", "Change")
	fAttributes1     = networkOpen.Hex("smb.file_attribute", "File Attributes").Split(
		networkOpen.Flag(0x00000001, "smb.file_attribute.read_only", "Read Only", "NOT read only", "READ ONLY"),
		networkOpen.Flag(0x00000002, "smb.file_attribute.hidden", "Hidden", "NOT hidden", "HIDDEN"),
		networkOpen.Flag(0x00000004, "smb.file_attribute.system", "System", "NOT a system file/dir", "SYSTEM file/dir"),
		networkOpen.Flag(0x00000008, "smb.file_attribute.volume", "Volume ID", "NOT a volume ID", "VOLUME ID"),
		networkOpen.Flag(0x00000010, "smb.file_attribute.directory", "Directory", "NOT a directory", "DIRECTORY"),
		networkOpen.Flag(0x00000020, "smb.file_attribute.archive", "Archive", "Has NOT been modified since last archive", "Modified since last ARCHIVE"),
		networkOpen.Flag(0x00000040, "smb.file_attribute.device", "Device", "NOT a device", "A DEVICE"),
		networkOpen.Flag(0x00000080, "smb.file_attribute.normal", "Normal", "Has some attribute set", "An ordinary file/dir"),
		networkOpen.Flag(0x00000100, "smb.file_attribute.temporary", "Temporary", "NOT a temporary file", "A TEMPORARY file"),
		networkOpen.Flag(0x00000200, "smb.file_attribute.sparse", "Sparse", "NOT a sparse file", "A SPARSE file"),
		networkOpen.Flag(0x00000400, "smb.file_attribute.reparse", "Reparse Point", "Does NOT have an associated reparse point", "Has an associated REPARSE POINT"),
		networkOpen.Flag(0x00000800, "smb.file_attribute.compressed", "Compressed", "Uncompressed", "COMPRESSED"),
		networkOpen.Flag(0x00001000, "smb.file_attribute.offline", "Offline", "Online", "OFFLINE"),
		networkOpen.Flag(0x00002000, "smb.file_attribute.not_content_indexed", "Content Indexed", "NOT content indexed", "CONTENT INDEXED"),
		networkOpen.Flag(0x00004000, "smb.file_attribute.encrypted", "Encrypted", "This is NOT an encrypted file", "This is an ENCRYPTED file"),
	)
	fReserved1 = networkOpen.Bytes("smb.reserved", "Reserved")
)

func (m *NetworkOpenInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fNetworkOpenInfo))
	m.Creation = dtyp.FileTime(c.U64(fCreated))
	m.LastAccess = dtyp.FileTime(c.U64(fAccessed))
	m.LastWrite = dtyp.FileTime(c.U64(fWritten))
	m.Change = dtyp.FileTime(c.U64(fChanged))
	m.AllocationSize = c.U64(fAllocation)
	m.EndOfFile = c.U64(fEndOfFile)
	m.Attributes = Attributes(c.U32(fAttributes1))
	c.Skip(fReserved1, 4)
}

var (
	all             = fields.Section("[MS-FSCC] 2.4.2")
	fAllInfo        = all.Struct("smb2.file_all_info", "SMB2_FILE_ALL_INFO")
	fAllocationSize = all.Uint("smb2.allocation_size", "Allocation Size")
	fEOF            = all.Uint("smb2.eof", "End Of File")
	fLinks          = all.Uint("smb2.nlinks", "Number of Links")
	fPending        = all.Uint("smb2.delete_pending", "Delete Pending")
	fDirectory      = all.Uint("smb2.is_directory", "Is Directory")
	fFileID         = all.Hex("smb2.file_id", "File Id")
	fEASize         = all.Uint("smb2.ea_size", "EA Size")
	fPositionInfo   = all.Uint("smb2.position_info", "Position Information")
	fModeInfo       = all.Hex("smb2.mode_info", "Mode Information").Split(
		all.Hex("smb2.mode.file_write_through", "FILE_WRITE_THROUGH").In(0x2),
		all.Hex("smb2.mode.file_sequential_only", "FILE_SEQUENTIAL_ONLY").In(0x4),
		all.Hex("smb2.mode.file_no_intermediate_buffering", "FILE_NO_INTERMEDIATE_BUFFERING").In(0x8),
		all.Hex("smb2.mode.file_synchronous_io_alert", "FILE_SYNCHRONOUS_IO_ALERT").In(0x10),
		all.Hex("smb2.mode.file_synchronous_io_nonalert", "FILE_SYNCHRONOUS_IO_NONALERT").In(0x20),
		all.Hex("smb2.mode.file_delete_on_close", "FILE_DELETE_ON_CLOSE").In(0x1000))
	fAlignmentInfo  = all.Enum("smb2.alignment_info", "Alignment Information", alignmentText).InHex()
	fFilenameLength = all.Uint("smb2.filename.len", "Filename Length")
	fFilename       = all.String("smb2.filename", "Filename")
)

func alignmentText(v uint64) string {
	switch v {
	case 0x0:
		return "FILE_BYTE_ALIGNMENT"
	case 0x1:
		return "FILE_WORD_ALIGNMENT"
	case 0x3:
		return "FILE_LONG_ALIGNMENT"
	case 0x7:
		return "FILE_QUAD_ALIGNMENT"
	case 0xf:
		return "FILE_OCTA_ALIGNMENT"
	case 0x1f:
		return "FILE_32_BYTE_ALIGNMENT"
	case 0x3f:
		return "FILE_64_BYTE_ALIGNMENT"
	case 0x7f:
		return "FILE_128_BYTE_ALIGNMENT"
	case 0xff:
		return "FILE_256_BYTE_ALIGNMENT"
	case 0x1ff:
		return "FILE_512_BYTE_ALIGNMENT"
	}
	return "Unknown"
}

func (m *AllInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fAllInfo))
	m.BasicInfo.decode(c)
	m.AllocationSize = c.U64(fAllocationSize)
	m.EndOfFile = c.U64(fEOF)
	m.Links = c.U32(fLinks)
	m.DeletePending = c.U8(fPending) != 0
	m.Directory = c.U8(fDirectory) != 0
	c.Skip(fSpare, 2)
	m.FileID = c.U64(fFileID)
	m.EASize = c.U32(fEASize)
	m.Access = dtyp.FileAccess(c)
	m.Position = c.U64(fPositionInfo)
	m.Mode = c.U32(fModeInfo)
	m.Alignment = c.U32(fAlignmentInfo)
	m.Name = c.UTF16(fFilename, int(c.U32(fFilenameLength)))
}

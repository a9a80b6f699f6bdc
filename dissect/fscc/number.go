package fscc

import (
	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/wire"
)

// The classes of this file hold a number or two.

// InternalInfo is FileInternalInformation. [MS-FSCC] 2.4.27
type InternalInfo struct{ FileID uint64 }

// EAInfo is FileEaInformation. [MS-FSCC] 2.4.13
type EAInfo struct{ Size uint32 } // bytes of all extended attributes

// AccessInfo is FileAccessInformation. [MS-FSCC] 2.4.1
type AccessInfo struct{ Access dtyp.AccessMask }

// PositionInfo is FilePositionInformation. [MS-FSCC] 2.4.40
type PositionInfo struct{ Position uint64 } // bytes

// ModeInfo is FileModeInformation. [MS-FSCC] 2.4.31
type ModeInfo struct{ Mode uint32 } // CreateOptions that last

// AlignmentInfo is FileAlignmentInformation. [MS-FSCC] 2.4.3
type AlignmentInfo struct{ Alignment uint32 } // of buffers: bytes less one

// AllocationInfo is FileAllocationInformation. [MS-FSCC] 2.4.4
type AllocationInfo struct{ AllocationSize uint64 } // bytes

// EndOfFileInfo is FileEndOfFileInformation. [MS-FSCC] 2.4.14
type EndOfFileInfo struct{ EndOfFile uint64 } // bytes

// ValidDataLengthInfo is FileValidDataLengthInformation. [MS-FSCC] 2.4.56
type ValidDataLengthInfo struct{ Length uint64 } // bytes; past it the file reads as zeros

// CompressionInfo is FileCompressionInformation. [MS-FSCC] 2.4.9
type CompressionInfo struct {
	Size         uint64 // bytes on disk
	Format       uint16 // 0: none, 2: LZNT1
	UnitShift    uint8  // binary logarithm of bytes, as the next two
	ChunkShift   uint8
	ClusterShift uint8
}

// AttributeTagInfo is FileAttributeTagInformation. [MS-FSCC] 2.4.6
type AttributeTagInfo struct {
	Attributes Attributes
	Tag        ReparseTag // valid if AttributeReparsePoint is set
}

// CaseSensitiveInfo is FileCaseSensitiveInformation. [MS-FSCC] 2.4
type CaseSensitiveInfo struct{ Flags uint32 } // 1: the directory tells cases apart

var (
	internal      = fields.Section("[MS-FSCC] 2.4.27")
	fInternalInfo = internal.Struct("smb2.file_internal_info", "SMB2_FILE_INTERNAL_INFO")
	fIndexNumber  = internal.Hex("smb.index_number", "Index Number")

	ea           = fields.Section("[MS-FSCC] 2.4.13")
	fEAInfo      = ea.Struct("smb2.file_ea_info", "SMB2_FILE_EA_INFO")
	fEAListBytes = ea.Uint("smb.ea.list_length", "EA List Length")

	fAccessInfo = fields.Section("[MS-FSCC] 2.4.1").Struct("smb2.file_access_info", "SMB2_FILE_ACCESS_INFO")

	position           = fields.Section("[MS-FSCC] 2.4.40")
	fFilePositionInfo  = position.Struct("smb2.file_position_info", "SMB2_FILE_POSITION_INFO")
	fPosition          = position.Uint("smb.position", "Position")
	mode               = fields.Section("[MS-FSCC] 2.4.31")
	fFileModeInfo      = mode.Struct("smb2.file_mode_info", "SMB2_FILE_MODE_INFO")
	fMode              = mode.Hex("smb.mode", "Mode")
	alignment          = fields.Section("[MS-FSCC] 2.4.3")
	fFileAlignmentInfo = alignment.Struct("smb2.file_alignment_info", "SMB2_FILE_ALIGNMENT_INFO")
	fAlignment         = alignment.Enum("smb.alignment", "Alignment", boundaryText)

	fAllocationInfo = fields.Section("[MS-FSCC] 2.4.4").Struct("smb2.file_allocation_info", "SMB2_FILE_ALLOCATION_INFO")
	fEndOfFileInfo  = fields.Section("[MS-FSCC] 2.4.14").Struct("smb2.file_endoffile_info", "SMB2_FILE_ENDOFFILE_INFO")

	validData            = fields.Section("[MS-FSCC] 2.4.56")
	fValidDataInfo       = validData.Struct("", "SMB2_FILE_VALID_DATA_LENGTH_INFO")
	fValidDataLength     = validData.Uint("odx.info.valid_data_length", "Valid Data Length")
	compression          = fields.Section("[MS-FSCC] 2.4.9")
	fCompressionInfo     = compression.Struct("smb2.file_compression_info", "SMB2_FILE_COMPRESSION_INFO")
	fCompressedSize      = compression.Uint("smb.compressed.file_size", "Compressed Size")
	fCompressionFormat   = compression.Uint("smb.compressed.format", "Compression Format")
	fUnitShift           = compression.Uint("smb.compressed.unit_shift", "Unit Shift")
	fChunkShift          = compression.Uint("smb.compressed.chunk_shift", "Chunk Shift")
	fClusterShift        = compression.Uint("smb.compressed.cluster_shift", "Cluster Shift")
	attributeTag         = fields.Section("[MS-FSCC] 2.4.6")
	fAttributeTagInfo    = attributeTag.Struct("smb2.file_attribute_tag_info", "SMB2_FILE_ATTRIBUTE_TAG_INFO")
	fAttribute           = attributeTag.Hex("smb.attribute", "Attribute")
	fAttributeReparseTag = attributeTag.Hex("smb.reparse_tag", "Reparse Tag")
	caseSensitive        = fields.Section("[MS-FSCC] 2.4")
	fCaseSensitiveInfo   = caseSensitive.Struct("", "SMB2_FILE_CASE_SENSITIVE_INFO")
	fCaseSensitiveFlags  = caseSensitive.Hex("odx.info.case_sensitive", "Flags").List(
		caseSensitive.Flag(1, "odx.info.case_sensitive.dir", "Case Sensitive", "Names that differ in case only are the same", "Names that differ in case only are DIFFERENT"))
)

func boundaryText(v uint64) string {
	switch v {
	case 0:
		return "Byte alignment"
	case 1:
		return "Word (16bit) alignment"
	case 3:
		return "Long (32bit) alignment"
	case 7:
		return "8 byte boundary alignment"
	case 15:
		return "16 byte boundary alignment"
	case 31:
		return "32 byte boundary alignment"
	case 63:
		return "64 byte boundary alignment"
	case 127:
		return "128 byte boundary alignment"
	case 255:
		return "256 byte boundary alignment"
	case 511:
		return "512 byte boundary alignment"
	}
	return "Unknown"
}

func (m *InternalInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fInternalInfo))
	m.FileID = c.U64(fIndexNumber)
}

func (m *EAInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fEAInfo))
	m.Size = c.U32(fEAListBytes)
}

func (m *AccessInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fAccessInfo))
	m.Access = dtyp.FileAccess(c)
}

func (m *PositionInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFilePositionInfo))
	m.Position = c.U64(fPosition)
}

func (m *ModeInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFileModeInfo))
	m.Mode = c.U32(fMode)
}

func (m *AlignmentInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFileAlignmentInfo))
	m.Alignment = c.U32(fAlignment)
}

func (m *AllocationInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fAllocationInfo))
	m.AllocationSize = c.U64(fAllocation)
}

func (m *EndOfFileInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fEndOfFileInfo))
	m.EndOfFile = c.U64(fEndOfFile)
}

func (m *ValidDataLengthInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fValidDataInfo))
	m.Length = c.U64(fValidDataLength)
}

func (m *CompressionInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fCompressionInfo))
	m.Size = c.U64(fCompressedSize)
	m.Format = c.U16(fCompressionFormat)
	m.UnitShift = c.U8(fUnitShift)
	m.ChunkShift = c.U8(fChunkShift)
	m.ClusterShift = c.U8(fClusterShift)
	c.Skip(fReserved1, 3)
}

func (m *AttributeTagInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fAttributeTagInfo))
	m.Attributes = Attributes(c.U32(fAttribute))
	m.Tag = ReparseTag(c.U32(fAttributeReparseTag))
}

func (m *CaseSensitiveInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fCaseSensitiveInfo))
	m.Flags = c.U32(fCaseSensitiveFlags)
}

package fscc

import (
	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/wire"
)

// StatInfo is FileStatInformation, FileStatLxInformation or FileStatBasicInformation:
// what a stat call wants to know, at once. [MS-FSCC] 2.4
type StatInfo struct {
	FileID uint64
	Times
	AllocationSize uint64 // bytes
	EndOfFile      uint64 // bytes
	Attributes     Attributes
	Tag            ReparseTag // valid if AttributeReparsePoint is set
	Links          uint32

	Access dtyp.AccessMask // not of FileStatBasic

	// Only of FileStatLx.
	Lx struct{ Flags, UID, GID, Mode, DeviceMajor, DeviceMinor uint32 }

	// Only of FileStatBasic.
	DeviceType            uint32
	DeviceCharacteristics uint32
	Volume                uint64
	FileID128             [16]byte
}

var (
	stat            = fields.Section("[MS-FSCC] 2.4")
	fStatInfo       = stat.Struct("", "SMB2_FILE_STAT_INFO")
	fStatLxInfo     = stat.Struct("", "SMB2_FILE_STAT_LX_INFO")
	fStatBasicInfo  = stat.Struct("", "SMB2_FILE_STAT_BASIC_INFO")
	fStatAllocation = stat.Uint("odx.info.allocation_size", "Allocation Size")
	fStatEOF        = stat.Uint("odx.info.eof", "End Of File")
	fLxFlags        = stat.Hex("odx.info.lx.flags", "LX Flags").List(
		stat.Flag(0x01, "odx.info.lx.flags.uid", "Has Uid", "False", "True"),
		stat.Flag(0x02, "odx.info.lx.flags.gid", "Has Gid", "False", "True"),
		stat.Flag(0x04, "odx.info.lx.flags.mode", "Has Mode", "False", "True"),
		stat.Flag(0x08, "odx.info.lx.flags.device", "Has Device", "False", "True"),
		stat.Flag(0x10, "odx.info.lx.flags.case_sensitive", "Case Sensitive Directory", "False", "True"))
	fLxUID   = stat.Uint("odx.info.lx.uid", "LX Uid")
	fLxGID   = stat.Uint("odx.info.lx.gid", "LX Gid")
	fLxMode  = stat.Hex("odx.info.lx.mode", "LX Mode")
	fLxMajor = stat.Uint("odx.info.lx.major", "LX Device Major")
	fLxMinor = stat.Uint("odx.info.lx.minor", "LX Device Minor")
)

func (m *StatInfo) Decode(c *wire.Cursor) {
	*m = StatInfo{}
	defer c.Close(c.Open(fStatInfo))
	m.decode(c)
	m.Access = dtyp.FileAccess(c)
}

func (m *StatInfo) decode(c *wire.Cursor) {
	m.FileID = c.U64(fFileID)
	m.Times.decode(c)
	m.AllocationSize = c.U64(fStatAllocation)
	m.EndOfFile = c.U64(fStatEOF)
	m.Attributes = FileAttributes(c)
	m.Tag = ReparseTag(c.U32(fTag))
	m.Links = c.U32(fLinks)
}

func (m *StatInfo) decodeLx(c *wire.Cursor) {
	*m = StatInfo{}
	defer c.Close(c.Open(fStatLxInfo))
	m.decode(c)
	m.Access = dtyp.FileAccess(c)
	m.Lx.Flags = c.U32(fLxFlags)
	m.Lx.UID = c.U32(fLxUID)
	m.Lx.GID = c.U32(fLxGID)
	m.Lx.Mode = c.U32(fLxMode)
	m.Lx.DeviceMajor = c.U32(fLxMajor)
	m.Lx.DeviceMinor = c.U32(fLxMinor)
}

func (m *StatInfo) decodeBasic(c *wire.Cursor) {
	*m = StatInfo{}
	defer c.Close(c.Open(fStatBasicInfo))
	m.decode(c)
	m.DeviceType = c.U32(fDeviceType)
	m.DeviceCharacteristics = c.U32(fDevice)
	c.Skip(fReserved, 4)
	m.Volume = c.U64(fVolumeSerial)
	copy(m.FileID128[:], c.Bytes(fFileID128, 16))
}

package fscc

import (
	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/wire"
)

// FsVolumeInfo is FileFsVolumeInformation. [MS-FSCC] 2.5.9
type FsVolumeInfo struct {
	Creation        dtyp.FileTime
	Serial          uint32
	SupportsObjects bool
	Label           wire.UTF16
}

// FsLabelInfo is FileFsLabelInformation. [MS-FSCC] 2.5.5
type FsLabelInfo struct{ Label wire.UTF16 }

// FsSizeInfo is FileFsSizeInformation. [MS-FSCC] 2.5.8
type FsSizeInfo struct {
	Total          uint64 // allocation units, of those the user may use
	Available      uint64 // allocation units
	SectorsPerUnit uint32
	BytesPerSector uint32
}

// FsFullSizeInfo is FileFsFullSizeInformation. [MS-FSCC] 2.5.4
type FsFullSizeInfo struct {
	Total           uint64 // allocation units, of those the user may use
	CallerAvailable uint64 // allocation units that the user's quota leaves
	ActualAvailable uint64 // allocation units that are free
	SectorsPerUnit  uint32
	BytesPerSector  uint32
}

// FsDeviceInfo is FileFsDeviceInformation. [MS-FSCC] 2.5.10
type FsDeviceInfo struct {
	Type            uint32
	Characteristics uint32
}

// FsAttributes are properties of a file system. [MS-FSCC] 2.5.1
type FsAttributes uint32

const (
	FsSupportsSparseFiles      FsAttributes = 1 << 6
	FsSupportsReparsePoints    FsAttributes = 1 << 7
	FsSupportsIntegrityStreams FsAttributes = 1 << 26
	FsSupportsBlockRefcounting FsAttributes = 1 << 27 // what FSCTL_DUPLICATE_EXTENTS_TO_FILE needs
	FsSupportsSparseVDL        FsAttributes = 1 << 28
)

// FsAttributeInfo is FileFsAttributeInformation. [MS-FSCC] 2.5.1
type FsAttributeInfo struct {
	Attributes    FsAttributes
	MaxNameLength uint32 // of one component of a path, in characters
	Name          wire.UTF16
}

// FsControlInfo is FileFsControlInformation. [MS-FSCC] 2.5.2
type FsControlInfo struct {
	DefaultThreshold uint64 // bytes; all ones: none, as below
	DefaultLimit     uint64 // bytes
	Flags            uint32
}

// FsObjectIDInfo is FileFsObjectIdInformation. [MS-FSCC] 2.5.6
type FsObjectIDInfo struct{ ObjectIDBuffer }

// FsDriverPathInfo is FileFsDriverPathInformation. [MS-FSCC] 2.5.3
type FsDriverPathInfo struct {
	InPath bool
	Name   wire.UTF16
}

// FsVolumeFlagsInfo is FileFsVolumeFlagsInformation, which is local only. [MS-FSCC] 2.5
type FsVolumeFlagsInfo struct{ Flags uint32 }

// FsSectorSizeInfo is FileFsSectorSizeInformation. [MS-FSCC] 2.5.7
type FsSectorSizeInfo struct {
	Logical             uint32 // bytes, as the next three: what offsets and lengths are multiples of
	PhysicalAtomicity   uint32
	PhysicalPerformance uint32
	EffectiveAtomicity  uint32
	Flags               uint32
	SectorAlignment     uint32 // bytes to the first aligned sector; all ones: unknown, as below
	PartitionAlignment  uint32
}

// FsPosixInfo is FILE_FS_POSIX_INFO of the SMB3 POSIX extensions.
type FsPosixInfo struct {
	OptimalTransfer uint32 // bytes
	BlockSize       uint32 // bytes
	Blocks          uint64
	BlocksFree      uint64
	BlocksAvailable uint64 // to users without privileges
	Files           uint64
	FilesFree       uint64
	ID              uint64
}

var (
	volume       = fields.Section("[MS-FSCC] 2.5.9, 2.5.5")
	fFsVolume    = volume.Struct("smb2.fs_volume_info", "FileFsVolumeInformation")
	fSerial      = volume.Hex("smb.volume.serial", "Volume Serial Number")
	fLabelLength = volume.Uint("smb.volume.label.len", "Label Length")
	fLabel       = volume.String("smb.volume.label", "Label")
	fFsLabel     = volume.Struct("", "FileFsLabelInformation")
	sizes        = fields.Section("[MS-FSCC] 2.5.8, 2.5.4")
	fFsSize      = sizes.Struct("smb2.fs_size_info", "FileFsSizeInformation")
	fFsFullSize  = sizes.Struct("smb2.fs_full_size_info", "FileFsFullSizeInformation")
	fFree        = sizes.Uint("smb.free_alloc_units", "Free Units")
	fCallerFree  = sizes.Uint("smb.caller_free_alloc_units", "Caller Free Units")
	fActualFree  = sizes.Uint("smb.actual_free_alloc_units", "Actual Free Units")
	fSectors     = sizes.Uint("smb.fs_sector_per_unit", "Sectors/Unit")
	fSectorBytes = sizes.Uint("smb.fs_bytes_per_sector", "Bytes per Sector")
	device       = fields.Section("[MS-FSCC] 2.5.10")
	fFsDevice    = device.Struct("smb2.fs_device_info", "FileFsDeviceInformation")
	fDeviceType  = device.Enum("smb.device.type", "Device Type", deviceText).InHex()
	fDevice      = device.Hex("smb.device", "Device Characteristics").Split(
		device.Flag(0x00000001, "smb.device.removable", "Removable", "This is NOT a removable device", "This is a REMOVABLE device"),
		device.Flag(0x00000002, "smb.device.read_only", "Read Only", "This is NOT a read-only device", "This is a READ-ONLY device"),
		device.Flag(0x00000004, "smb.device.floppy", "Floppy", "This is NOT a floppy disk device", "This is a FLOPPY DISK device"),
		device.Flag(0x00000008, "smb.device.write_once", "Write Once", "This is NOT a write-once device", "This is a WRITE-ONCE device"),
		device.Flag(0x00000010, "smb.device.remote", "Remote", "This is NOT a remote device", "This is a REMOTE device"),
		device.Flag(0x00000020, "smb.device.mounted", "Mounted", "This device is NOT mounted", "This device is MOUNTED"),
		device.Flag(0x00000040, "smb.device.virtual", "Virtual", "This is NOT a virtual device", "This is a VIRTUAL device"),
		device.Flag(0x00000100, "smb.device.secure_open", "Secure Open", "This device does NOT support secure open", "This device supports SECURE OPEN"),
		device.Flag(0x00001000, "smb.device.ts", "Terminal Services", "This is NOT a terminal services device", "This is a TERMINAL SERVICES device"),
		device.Flag(0x00002000, "smb.device.webdav", "Webdav", "This is NOT a webdav device", "This is a WEBDAV device"),
		device.Flag(0x00004000, "smb.device.portable", "Portable", "This is NOT a portable device", "This is a PORTABLE device"),
		device.Flag(0x00020000, "smb.device.aat", "Allow Appcontainer Traversal", "This device does NOT allow appcontainer traversal", "This device ALLOWS APPCONTAINER TRAVERSAL"),
	)
	attribute    = fields.Section("[MS-FSCC] 2.5.1")
	fFsAttribute = attribute.Struct("smb2.fs_attribute_info", "FileFsAttributeInformation")
	fFsAttr      = attribute.Hex("smb.fs_attr", "FS Attributes").List(
		attribute.Flag(0x00000001, "smb.fs_attr.css", "Case Sensitive Search", "This FS does NOT support case sensitive searches", "This FS supports CASE SENSITIVE SEARCHes"),
		attribute.Flag(0x00000002, "smb.fs_attr.cpn", "Case Preserving", "This FS does NOT support case preserved names", "This FS supports CASE PRESERVED NAMES"),
		attribute.Flag(0x00000004, "smb.fs_attr.uod", "Unicode On Disk", "This FS does NOT support unicode names", "This FS supports UNICODE NAMES"),
		attribute.Flag(0x00000008, "smb.fs_attr.pacls", "Persistent ACLs", "This FS does NOT support persistent acls", "This FS supports PERSISTENT ACLs"),
		attribute.Flag(0x00000010, "smb.fs_attr.fc", "Compression", "This FS does NOT support compressed files", "This FS supports COMPRESSED FILES"),
		attribute.Flag(0x00000020, "smb.fs_attr.vq", "Volume Quotas", "This FS does NOT support volume quotas", "This FS supports VOLUME QUOTAS"),
		attribute.Flag(0x00000040, "smb.fs_attr.ssf", "Sparse Files", "This FS does NOT support sparse files", "This FS supports SPARSE FILES"),
		attribute.Flag(0x00000080, "smb.fs_attr.srp", "Reparse Points", "This FS does NOT support reparse points", "This FS supports REPARSE POINTS"),
		attribute.Flag(0x00000100, "smb.fs_attr.srs", "Remote Storage", "This FS does NOT support remote storage", "This FS supports REMOTE STORAGE"),
		attribute.Flag(0x00004000, "smb.fs_attr.sla", "LFN APIs", "This FS does NOT support lfn apis", "This FS supports LFN APIs"),
		attribute.Flag(0x00008000, "smb.fs_attr.vis", "Volume Is Compressed", "This FS volume is NOT compressed", "This FS VOLUME IS COMPRESSED"),
		attribute.Flag(0x00010000, "smb.fs_attr.soids", "Supports OIDs", "This FS does NOT support OIDs", "This FS supports OIDs"),
		attribute.Flag(0x00020000, "smb.fs_attr.se", "Supports Encryption", "This FS does NOT support encryption", "This FS supports ENCRYPTION"),
		attribute.Flag(0x00040000, "smb.fs_attr.ns", "Named Streams", "This FS does NOT support named streams", "This FS supports NAMED STREAMS"),
		attribute.Flag(0x00080000, "smb.fs_attr.rov", "Read Only Volume", "This is a read/write volume", "This is a READ ONLY VOLUME"),
		attribute.Flag(0x00100000, "smb.fs_attr.swo", "Sequential Write Once", "This is NOT a sequential write once volume", "This is a SEQUENTIAL WRITE ONCE VOLUME"),
		attribute.Flag(0x00200000, "smb.fs_attr.st", "Transactions", "This filesystem does NOT support transactions", "This filesystem supports TRANSACTIONS"),
		attribute.Flag(0x00400000, "smb.fs_attr.shl", "Hard Links", "This filesystem does NOT support hard links", "This filesystem supports HARD LINKS"),
		attribute.Flag(0x04000000, "smb.fs_attr.sis", "Integrity Streams", "This filesystem does NOT support integrity streams", "This filesystem supports INTEGRITY STREAMS"),
		attribute.Flag(0x08000000, "smb.fs_attr.sbr", "Block Refcounting", "This filesystem does NOT support block refcounting", "This filesystem supports BLOCK REFCOUNTING"),
		attribute.Flag(0x10000000, "smb.fs_attr.ssv", "Sparse VDL", "This filesystem does NOT support sparse vdl", "This filesystem supports SPARSE VDL"),
	)
	fMaxName      = attribute.Uint("smb.fs_max_name_len", "Max name length")
	fFsNameLength = attribute.Uint("smb.fs_name.len", "Label Length")
	fFsName       = attribute.String("smb.fs_name", "FS Name")
	control       = fields.Section("[MS-FSCC] 2.5.2")
	fFsControl    = control.Struct("smb2.fs_control_info", "FileFsControlInformation")
	fFiltering    = control.Bytes("smb.unknown_data", "Unknown Data") // three limits that no file system keeps
	fSoftDefault  = control.Uint("smb.quota.soft.default", "(Soft) Quota Threshold")
	fHardDefault  = control.Uint("smb.quota.hard.default", "(Hard) Quota Limit")
	fQuotaFlags   = control.Hex("smb.quota.flags", "Quota Flags").List(
		control.Flag(0x02, "smb.quota.flags.deny_disk", "Deny Disk", "Do NOT deny disk space for users exceeding quota limit", "DENY DISK SPACE for users exceeding quota limit"),
		control.Flag(0x10, "smb.quota.flags.log_warning", "Log Warning", "Do NOT log event when a user exceeds their warning level", "LOG EVENT when a user exceeds their WARNING LEVEL"),
		control.Flag(0x20, "smb.quota.flags.log_limit", "Log Limit", "Do NOT log event when a user exceeds their quota limit", "LOG EVENT when a user exceeds their QUOTA LIMIT"),
		control.Flag(0x01, "smb.quota.flags.enabled", "Enabled", "Quotas are NOT enabled on this fs", "Quotas are ENABLED of this fs"),
	)
	fFsObjectID    = fields.Section("[MS-FSCC] 2.5.6").Struct("smb2.fs_objectid_info", "FileFsObjectIdInformation")
	driverPath     = fields.Section("[MS-FSCC] 2.5.3")
	fFsDriverPath  = driverPath.Struct("", "FileFsDriverPathInformation")
	fInPath        = driverPath.Hex("", "").Beside(driverPath.Flag(0xff, "odx.info.driver_in_path", "Driver In Path", "False", "True"))
	fDriverLength  = driverPath.Uint("odx.info.driver_name_len", "Driver Name Length")
	fDriverName    = driverPath.String("odx.info.driver_name", "Driver Name")
	volumeFlags    = fields.Section("[MS-FSCC] 2.5")
	fFsVolumeFlags = volumeFlags.Struct("", "FileFsVolumeFlagsInformation")
	fVolumeFlags   = volumeFlags.Hex("odx.info.volume_flags", "Volume Flags")
	sectorSize     = fields.Section("[MS-FSCC] 2.5.7")
	fFsSectorSize  = sectorSize.Struct("", "FileFsSectorSizeInformation")
	fLogical       = sectorSize.Uint("odx.info.sector.logical", "Logical Bytes per Sector")
	fAtomicity     = sectorSize.Uint("odx.info.sector.atomicity", "Physical Bytes per Sector for Atomicity")
	fPerformance   = sectorSize.Uint("odx.info.sector.performance", "Physical Bytes per Sector for Performance")
	fEffective     = sectorSize.Uint("odx.info.sector.effective", "Effective Physical Bytes per Sector for Atomicity")
	fSectorFlags   = sectorSize.Hex("odx.info.sector.flags", "Flags").List(
		sectorSize.Flag(0x1, "odx.info.sector.flags.aligned_device", "Aligned Device", "False", "True"),
		sectorSize.Flag(0x2, "odx.info.sector.flags.aligned_partition", "Partition Aligned On Device", "False", "True"),
		sectorSize.Flag(0x4, "odx.info.sector.flags.no_seek_penalty", "No Seek Penalty", "False", "True"),
		sectorSize.Flag(0x8, "odx.info.sector.flags.trim", "TRIM Enabled", "False", "True"))
	fSectorOffset    = sectorSize.Uint("odx.info.sector.offset", "Byte Offset for Sector Alignment")
	fPartitionOffset = sectorSize.Uint("odx.info.sector.partition_offset", "Byte Offset for Partition Alignment")
	fsPosix          = fields.Section("POSIX-FSCC 2.3")
	fFsPosix         = fsPosix.Struct("", "FileFsPosixInformation")
	fOptimal         = fsPosix.Uint("odx.info.posix.optimal_transfer", "Optimal Transfer Size")
	fBlockSize       = fsPosix.Uint("odx.info.posix.block_size", "Block Size")
	fBlocks          = fsPosix.Uint("odx.info.posix.blocks", "Total Blocks")
	fBlocksFree      = fsPosix.Uint("odx.info.posix.blocks_free", "Blocks Free")
	fBlocksAvailable = fsPosix.Uint("odx.info.posix.blocks_available", "Blocks Available")
	fFiles           = fsPosix.Uint("odx.info.posix.files", "Total File Nodes")
	fFilesFree       = fsPosix.Uint("odx.info.posix.files_free", "Free File Nodes")
	fFsID            = fsPosix.Hex("odx.info.posix.fsid", "File System Identifier")
)

// deviceText has Wireshark's words for 1 to 44.
var deviceText = either("Unknown", "Beep", "CDROM", "CDROM Filesystem", "Controller", "Datalink", "Dfs", "Disk", "Disk Filesystem",
	"Filesystem", "Inport Port", "Keyboard", "Mailslot", "MIDI-In", "MIDI-Out", "Mouse", "Multi UNC Provider", "Named Pipe", "Network",
	"Network Browser", "Network Filesystem", "NULL", "Parallel Port", "Physical card", "Printer", "Scanner", "Serial Mouse port",
	"Serial port", "Screen", "Sound", "Streams", "Tape", "Tape Filesystem", "Transport", "Unknown", "Video", "Virtual Disk", "WAVE-In",
	"WAVE-Out", "8042 Port", "Network Redirector", "Battery", "Bus Extender", "Modem", "VDM")

// fs owns a value for each class of a file system.
type fs struct {
	volume      FsVolumeInfo
	label       FsLabelInfo
	size        FsSizeInfo
	fullSize    FsFullSizeInfo
	device      FsDeviceInfo
	attribute   FsAttributeInfo
	control     FsControlInfo
	objectID    FsObjectIDInfo
	driverPath  FsDriverPathInfo
	volumeFlags FsVolumeFlagsInfo
	sectorSize  FsSectorSizeInfo
	posix       FsPosixInfo
}

func (m *fs) decode(c *wire.Cursor, class FsClass) Info {
	switch class {
	case FsVolume:
		m.volume.Decode(c)
		return &m.volume
	case FsLabel:
		m.label.Decode(c)
		return &m.label
	case FsSize:
		m.size.Decode(c)
		return &m.size
	case FsDevice:
		m.device.Decode(c)
		return &m.device
	case FsAttribute:
		m.attribute.Decode(c)
		return &m.attribute
	case FsControl:
		m.control.Decode(c)
		return &m.control
	case FsFullSize:
		m.fullSize.Decode(c)
		return &m.fullSize
	case FsObjectID:
		m.objectID.Decode(c)
		return &m.objectID
	case FsDriverPath:
		m.driverPath.Decode(c)
		return &m.driverPath
	case FsVolumeFlags:
		m.volumeFlags.Decode(c)
		return &m.volumeFlags
	case FsSectorSize:
		m.sectorSize.Decode(c)
		return &m.sectorSize
	case FsPosix:
		m.posix.Decode(c)
		return &m.posix
	}
	return nil
}

func (m *FsVolumeInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFsVolume))
	m.Creation = dtyp.FileTime(c.U64(fCreated))
	m.Serial = c.U32(fSerial)
	n := c.U32(fLabelLength)
	look := c.Ahead()
	m.SupportsObjects = look.U8(fReserved1) != 0
	c.Skip(fReserved1, 2) // as Wireshark, which does not know that one is not
	m.Label = c.UTF16(fLabel, int(n))
}

func (m *FsLabelInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFsLabel))
	m.Label = c.UTF16(fLabel, int(c.U32(fLabelLength)))
}

func (m *FsSizeInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFsSize))
	m.Total = c.U64(fAllocation) // Wireshark shows units as if they were bytes
	m.Available = c.U64(fFree)
	m.SectorsPerUnit = c.U32(fSectors)
	m.BytesPerSector = c.U32(fSectorBytes)
}

func (m *FsFullSizeInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFsFullSize))
	m.Total = c.U64(fAllocation)
	m.CallerAvailable = c.U64(fCallerFree)
	m.ActualAvailable = c.U64(fActualFree)
	m.SectorsPerUnit = c.U32(fSectors)
	m.BytesPerSector = c.U32(fSectorBytes)
}

func (m *FsDeviceInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFsDevice))
	m.Type = c.U32(fDeviceType)
	m.Characteristics = c.U32(fDevice)
}

func (m *FsAttributeInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFsAttribute))
	m.Attributes = FsAttributes(c.U32(fFsAttr))
	m.MaxNameLength = c.U32(fMaxName)
	m.Name = c.UTF16(fFsName, int(c.U32(fFsNameLength)))
}

func (m *FsControlInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFsControl))
	c.Skip(fFiltering, 24)
	m.DefaultThreshold = c.U64(fSoftDefault)
	m.DefaultLimit = c.U64(fHardDefault)
	look := c.Ahead()
	m.Flags = look.U32(fQuotaFlags)
	c.U8(fQuotaFlags) // as Wireshark, which does not show the other three
	c.Skip(fFiltering, 7)
}

func (m *FsObjectIDInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFsObjectID))
	m.ObjectIDBuffer.Decode(c)
}

func (m *FsDriverPathInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFsDriverPath))
	m.InPath = c.U8(fInPath) != 0
	c.Skip(fReserved, 3)
	m.Name = c.UTF16(fDriverName, int(c.U32(fDriverLength)))
}

func (m *FsVolumeFlagsInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFsVolumeFlags))
	m.Flags = c.U32(fVolumeFlags)
}

func (m *FsSectorSizeInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFsSectorSize))
	m.Logical = c.U32(fLogical)
	m.PhysicalAtomicity = c.U32(fAtomicity)
	m.PhysicalPerformance = c.U32(fPerformance)
	m.EffectiveAtomicity = c.U32(fEffective)
	m.Flags = c.U32(fSectorFlags)
	m.SectorAlignment = c.U32(fSectorOffset)
	m.PartitionAlignment = c.U32(fPartitionOffset)
}

func (m *FsPosixInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fFsPosix))
	m.OptimalTransfer = c.U32(fOptimal)
	m.BlockSize = c.U32(fBlockSize)
	m.Blocks = c.U64(fBlocks)
	m.BlocksFree = c.U64(fBlocksFree)
	m.BlocksAvailable = c.U64(fBlocksAvailable)
	m.Files = c.U64(fFiles)
	m.FilesFree = c.U64(fFilesFree)
	m.ID = c.U64(fFsID)
}

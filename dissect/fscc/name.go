package fscc

import "github.com/odxray/odxray/dissect/wire"

// NameInfo is what FileName, FileAlternateName, FileShortName, FileNormalizedName,
// FileNetworkPhysicalName and FileVolumeName hold. [MS-FSCC] 2.1.7, 2.4.5, 2.4.36, 2.4.46
type NameInfo struct{ Name wire.UTF16 }

// RenameInfo is FileRenameInformation, FileLinkInformation or the Ex form of either.
// [MS-FSCC] 2.4.42, 2.4.28
type RenameInfo struct {
	Flags RenameFlags // the forms without Ex only know RenameReplace
	Root  uint64      // handle of the directory that Name begins at; always 0 in SMB2
	Name  wire.UTF16  // where to, or of the new link
}

// RenameFlags say how to rename or link. [MS-FSCC] 2.4.42.2
type RenameFlags uint32

const (
	RenameReplace        RenameFlags = 1 << 0 // what has the name already
	RenamePosix          RenameFlags = 1 << 1 // even if that is open
	RenameIgnoreReadOnly RenameFlags = 1 << 6
)

// DispositionInfo is FileDispositionInformation or its Ex form. [MS-FSCC] 2.4.11
type DispositionInfo struct {
	Flags DispositionFlags // the form without Ex only knows DispositionDelete
}

// DispositionFlags say whether and how to delete. [MS-FSCC] 2.4.11.2
type DispositionFlags uint32

const (
	DispositionDelete         DispositionFlags = 1 << 0
	DispositionPosix          DispositionFlags = 1 << 1 // gone with this handle, though others be open
	DispositionIgnoreReadOnly DispositionFlags = 1 << 4
)

var (
	names               = fields.Section("[MS-FSCC] 2.1.7")
	fNameInfo           = names.Struct("", "SMB2_FILE_NAME_INFO")
	fAlternateNameInfo  = names.Struct("smb2.file_alternate_name_info", "SMB2_FILE_ALTERNATE_NAME_INFO")
	fShortNameInfo      = names.Struct("", "SMB2_FILE_SHORT_NAME_INFO")
	fNormalizedNameInfo = names.Struct("smb2.file_normalized_name_info", "SMB2_FILE_NORMALIZED_NAME_INFO")
	fPhysicalNameInfo   = names.Struct("", "SMB2_FILE_NETWORK_PHYSICAL_NAME_INFO")
	fVolumeNameInfo     = names.Struct("", "SMB2_FILE_VOLUME_NAME_INFO")
	fNameLength         = names.Uint("smb.file_name_len", "File Name Len")
	fName               = names.String("smb.file", "File Name")
)

func (m *NameInfo) Decode(c *wire.Cursor) { m.decode(c, fNameInfo) }

func (m *NameInfo) decode(c *wire.Cursor, f *wire.Field) {
	defer c.Close(c.Open(f))
	m.Name = c.UTF16(fName, int(c.U32(fNameLength)))
}

var (
	rename        = fields.Section("[MS-FSCC] 2.4.42, 2.4.28")
	fRenameInfo   = rename.Struct("smb2.file_rename_info", "SMB2_FILE_RENAME_INFO")
	fLinkInfo     = rename.Struct("", "SMB2_FILE_LINK_INFO")
	fRenameInfoEx = rename.Struct("", "SMB2_FILE_RENAME_INFO_EX")
	fLinkInfoEx   = rename.Struct("", "SMB2_FILE_LINK_INFO_EX")
	fReplace      = rename.Flag(0xff, "smb2.rename.replace_if", "Replace If", "Fail if the target exists", "Replace the target if it exists")
	fRandom       = rename.Bytes("smb2.reserved.random", "Reserved (Random)")
	fRenameFlags  = rename.Hex("odx.info.rename_flags", "Flags").List(
		rename.Flag(0x001, "odx.info.rename_flags.replace", "Replace", "Fail if the target exists", "Replace the target if it exists"),
		rename.Flag(0x002, "odx.info.rename_flags.posix", "POSIX Semantics", "Not set", "Set"),
		rename.Flag(0x004, "odx.info.rename_flags.no_pin", "Suppress Pin State Inheritance", "Not set", "Set"),
		rename.Flag(0x008, "odx.info.rename_flags.no_reserve", "Suppress Storage Reserve Inheritance", "Not set", "Set"),
		rename.Flag(0x010, "odx.info.rename_flags.no_increase", "No Increase of Available Space", "Not set", "Set"),
		rename.Flag(0x020, "odx.info.rename_flags.no_decrease", "No Decrease of Available Space", "Not set", "Set"),
		rename.Flag(0x040, "odx.info.rename_flags.ignore_readonly", "Ignore Read Only", "Not set", "Set"),
		rename.Flag(0x080, "odx.info.rename_flags.resize_target", "Force Resize of Target Reserve", "Not set", "Set"),
		rename.Flag(0x100, "odx.info.rename_flags.resize_source", "Force Resize of Source Reserve", "Not set", "Set"))
	fRoot = rename.Bytes("smb2.root_directory", "Root Dir Handle (MBZ)")

	// Wireshark does not decode links and the Ex forms, so its filters do not find
	// their names. What it does not find must have a name of its own.
	fNewName = rename.String("odx.info.filename", "Filename")
)

func (m *RenameInfo) Decode(c *wire.Cursor) { m.decode(c, fRenameInfo, false) }

func (m *RenameInfo) decode(c *wire.Cursor, f *wire.Field, ex bool) {
	*m = RenameInfo{}
	defer c.Close(c.Open(f))
	if ex {
		m.Flags = RenameFlags(c.U32(fRenameFlags))
		c.Skip(fReserved, 4)
	} else {
		if c.U8(fReplace) != 0 {
			m.Flags = RenameReplace
		}
		c.Skip(fRandom, 7)
	}
	look := c.Ahead()
	m.Root = look.U64(fRoot)
	c.Skip(fRoot, 8)
	n := c.U32(fFilenameLength)
	if f == fRenameInfo {
		m.Name = c.UTF16(fFilename, int(n))
	} else {
		m.Name = c.UTF16(fNewName, int(n))
	}
}

var (
	disposition        = fields.Section("[MS-FSCC] 2.4.11")
	fDispositionInfo   = disposition.Struct("smb2.file_disposition_info", "SMB2_FILE_DISPOSITION_INFO")
	fDispositionInfoEx = disposition.Struct("", "SMB2_FILE_DISPOSITION_INFO_EX")
	fDelete            = disposition.Hex("", "").Beside(
		disposition.Flag(0x01, "smb2.disposition.delete_on_close", "Delete on close", "Normal access, do not delete on close", "DELETE this file when closed"))
	fDispositionFlags = disposition.Hex("odx.info.disposition", "Flags").List(
		disposition.Flag(0x01, "odx.info.disposition.delete", "Delete", "Do not delete this file", "DELETE this file"),
		disposition.Flag(0x02, "odx.info.disposition.posix", "POSIX Semantics", "Not set", "Set"),
		disposition.Flag(0x04, "odx.info.disposition.check_image", "Force Image Section Check", "Not set", "Set"),
		disposition.Flag(0x08, "odx.info.disposition.on_close", "On Close", "Not set", "Set"),
		disposition.Flag(0x10, "odx.info.disposition.ignore_readonly", "Ignore Read Only", "Not set", "Set"))
)

func (m *DispositionInfo) Decode(c *wire.Cursor) {
	*m = DispositionInfo{}
	defer c.Close(c.Open(fDispositionInfo))
	if c.U8(fDelete) != 0 {
		m.Flags = DispositionDelete
	}
}

func (m *DispositionInfo) decodeEx(c *wire.Cursor) {
	defer c.Close(c.Open(fDispositionInfoEx))
	m.Flags = DispositionFlags(c.U32(fDispositionFlags))
}

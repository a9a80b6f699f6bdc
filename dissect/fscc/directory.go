package fscc

import (
	"iter"

	"github.com/odxray/odxray/dissect/wire"
)

// DirectoryInfo is what a directory holds, in one of the classes that list it.
type DirectoryInfo struct {
	Class FileClass
	Chain
}

// DirectoryEntry is one file of a directory, as far as the class of the listing
// tells of it. [MS-FSCC] 2.4.10, 2.4.17, 2.4.8, 2.4.34 and so on
type DirectoryEntry struct {
	Index uint32 // of no meaning in SMB2
	Times
	EndOfFile      uint64 // bytes
	AllocationSize uint64 // bytes
	Attributes     Attributes
	EASize         uint32     // bytes; 0 for a reparse point without a place of its own for the tag
	Tag            ReparseTag // of a reparse point, if the class has it
	ShortName      wire.UTF16 // at most 12 characters
	FileID         uint64
	FileID128      [16]byte
	Transaction    wire.GUID // FileIDGlobalTxDirectory only, as below
	TxFlags        uint32
	Posix          *PosixInfo // FilePosix only; valid until the next entry
	Name           wire.UTF16
}

var (
	directory      = fields.Section("[MS-FSCC] 2.4.10")
	fFileIndex     = directory.Hex("smb2.file_index", "File Index")
	fShortLength   = directory.Uint("smb2.short_name_len", "Short Name Length")
	fShortName     = directory.String("smb2.shortname", "Short Name")
	fTransaction   = directory.GUID("odx.info.transaction", "Locking Transaction Id")
	fTxFlags       = directory.Hex("odx.info.transaction_flags", "Tx Info Flags")
	fDirectoryOf   = directoryField("smb2.find.file_directory_info", "FileDirectoryInfo")
	fFullOf        = directoryField("smb2.find.full_directory_info", "FullDirectoryInfo")
	fBothOf        = directoryField("smb2.find.both_directory_info", "FileBothDirectoryInfo")
	fIDBothOf      = directoryField("smb2.find.id_both_directory_info", "FileIdBothDirectoryInfo")
	fNamesOf       = directoryField("smb2.find.both_directory_info", "FileNamesInfo") // Wireshark's name, as the next
	fIDFullOf      = directoryField("smb2.find.id_both_directory_info", "FileIdFullDirectoryInfo")
	fGlobalTxOf    = directoryField("", "FileIdGlobalTxDirectoryInfo")
	fExtdOf        = directoryField("", "FileIdExtdDirectoryInfo")
	fExtdBothOf    = directoryField("", "FileIdExtdBothDirectoryInfo")
	f64Of          = directoryField("", "FileId64ExtdDirectoryInfo")
	f64BothOf      = directoryField("", "FileId64ExtdBothDirectoryInfo")
	fAllExtdOf     = directoryField("", "FileIdAllExtdDirectoryInfo")
	fAllExtdBothOf = directoryField("", "FileIdAllExtdBothDirectoryInfo")
	fPosixOf       = directoryField("smb2.find.posix_info", "FilePosixInfo")
)

func directoryField(name, label string) *wire.Field {
	return directory.Struct(name, label).Titled(fFilename)
}

// parts of an entry, in the order that they come in.
const (
	hasEASize uint16 = 1 << iota
	hasTag
	hasReserved // aligns the FileID
	hasID
	hasID128
	hasShortName
	hasLateID // with what aligns it, after the short name
	hasTransaction
)

// layout says what the entries of a class consist of.
type layout struct {
	field *wire.Field
	parts uint16
}

// layoutOf returns a layout without a field if class is no listing, or one that has
// a form of its own.
func layoutOf(class FileClass) layout {
	switch class {
	case FileDirectory:
		return layout{fDirectoryOf, 0}
	case FileFullDirectory:
		return layout{fFullOf, hasEASize}
	case FileBothDirectory:
		return layout{fBothOf, hasEASize | hasShortName}
	case FileIDBothDirectory:
		return layout{fIDBothOf, hasEASize | hasShortName | hasLateID}
	case FileIDFullDirectory:
		return layout{fIDFullOf, hasEASize | hasReserved | hasID}
	case FileIDGlobalTxDirectory:
		return layout{fGlobalTxOf, hasID | hasTransaction}
	case FileIDExtdDirectory:
		return layout{fExtdOf, hasEASize | hasTag | hasID128}
	case FileIDExtdBothDirectory:
		return layout{fExtdBothOf, hasEASize | hasTag | hasID128 | hasShortName}
	case FileID64ExtdDirectory:
		return layout{f64Of, hasEASize | hasTag | hasID}
	case FileID64ExtdBothDirectory:
		return layout{f64BothOf, hasEASize | hasTag | hasID | hasShortName}
	case FileIDAllExtdDirectory:
		return layout{fAllExtdOf, hasEASize | hasTag | hasID | hasID128}
	case FileIDAllExtdBothDirectory:
		return layout{fAllExtdBothOf, hasEASize | hasTag | hasID | hasID128 | hasShortName}
	}
	return layout{}
}

// Lists reports whether c lists a directory in a form that Decode knows.
func (c FileClass) Lists() bool {
	return c == FileNames || c == FilePosix || layoutOf(c).field != nil
}

// Decode reads a listing of m's Class, which must be one that Lists.
func (m *DirectoryInfo) Decode(c *wire.Cursor) {
	m.Chain = Chain{}
	var posix PosixInfo
	e := DirectoryEntry{Posix: &posix}
	for first := c.Ahead(); c.Len() > 0; m.add(first, c) {
		e.decode(c, m.Class)
	}
}

// All yields the entries.
func (m *DirectoryInfo) All() iter.Seq[*DirectoryEntry] {
	return each(&m.Chain, func(e *DirectoryEntry, c *wire.Cursor) {
		e.Posix = new(PosixInfo)
		e.decode(c, m.Class)
	})
}

func (d *DirectoryEntry) decode(c *wire.Cursor, class FileClass) {
	e := link(c, fNext)
	defer end(c, &e)
	switch class {
	case FileNames:
		d.decodeName(&e)
	case FilePosix:
		d.decodePosix(&e)
	default:
		d.decodeLayout(&e, layoutOf(class))
	}
}

func (d *DirectoryEntry) decodeName(e *wire.Cursor) {
	defer e.Close(e.Open(fNamesOf))
	e.U32(fNext)
	d.Index = e.U32(fFileIndex)
	d.Name = e.UTF16(fFilename, int(e.U32(fFilenameLength)))
}

func (d *DirectoryEntry) decodePosix(e *wire.Cursor) {
	defer e.Close(e.Open(fPosixOf))
	e.U32(fNext)
	d.Index = e.U32(fFileIndex)
	p := d.Posix
	p.decode(e)
	d.Times, d.EndOfFile, d.AllocationSize, d.Attributes = p.Times, p.EndOfFile, p.AllocationSize, p.Attributes
	d.Tag, d.FileID = p.Tag, p.Inode
	d.Name = e.UTF16(fFilename, int(e.U32(fFilenameLength)))
}

func (d *DirectoryEntry) decodeLayout(e *wire.Cursor, l layout) {
	defer e.Close(e.Open(l.field))
	has := func(part uint16) bool { return l.parts&part != 0 }
	e.U32(fNext)
	d.Index = e.U32(fFileIndex)
	d.Times.decode(e)
	d.EndOfFile = e.U64(fEOF)
	d.AllocationSize = e.U64(fAllocationSize)
	d.Attributes = FileAttributes(e)
	n := e.U32(fFilenameLength)
	switch {
	case has(hasTag) || has(hasEASize) && d.Attributes&AttributeReparsePoint == 0:
		d.EASize = e.U32(fEASize)
	case has(hasEASize): // "If FILE_ATTRIBUTE_REPARSE_POINT is set", the tag is here
		d.Tag = ReparseTag(e.U32(fTag))
	}
	if has(hasTag) {
		d.Tag = ReparseTag(e.U32(fTag))
	}
	if has(hasReserved) {
		e.Skip(fReserved, 4)
	}
	if has(hasID) {
		d.FileID = e.U64(fFileID)
	}
	if has(hasID128) {
		copy(d.FileID128[:], e.Bytes(fFileID128, 16))
	}
	if has(hasShortName) {
		d.shortName(e)
	}
	if has(hasLateID) {
		e.Skip(fReserved, 2)
		d.FileID = e.U64(fFileID)
	}
	if has(hasTransaction) {
		d.Transaction = e.GUID(fTransaction)
		d.TxFlags = e.U32(fTxFlags)
	}
	d.Name = e.UTF16(fFilename, int(n))
}

// shortName reads a name that takes 24 bytes however long it is.
func (d *DirectoryEntry) shortName(e *wire.Cursor) {
	const room = 24
	n := min(int(e.U8(fShortLength)), room)
	e.Skip(fReserved, 1)
	if d.ShortName = nil; n > 0 {
		d.ShortName = e.UTF16(fShortName, n)
	}
	if n < room {
		e.Skip(fPadding, room-n)
	}
}

package fscc

import (
	"iter"

	"github.com/odxray/odxray/dissect/wire"
)

// HardLinkInfo is FileHardLinkInformation: all names of a file. [MS-FSCC] 2.4.26
type HardLinkInfo struct {
	BytesNeeded uint32 // for all of them
	Returned    uint32 // how many there are, as claimed
	Chain
}

// HardLink is one name of a file.
type HardLink struct {
	Parent uint64 // FileID of the directory
	Name   wire.UTF16
}

// StandardLinkInfo is FileStandardLinkInformation. [MS-FSCC] 2.4.48
type StandardLinkInfo struct {
	Accessible, Total uint32 // names of the file
	DeletePending     bool
	Directory         bool
}

var (
	hardLinks      = fields.Section("[MS-FSCC] 2.4.26")
	fHardLinkInfo  = hardLinks.Struct("", "SMB2_FILE_HARD_LINK_INFO")
	fBytesNeeded   = hardLinks.Uint("odx.info.bytes_needed", "Bytes Needed")
	fEntries       = hardLinks.Uint("odx.info.entries", "Entries Returned")
	fParent        = hardLinks.Hex("odx.info.parent_id", "Parent File Id")
	fCharacters    = hardLinks.Uint("odx.info.name_characters", "Filename Length in characters")
	fHardLink      = hardLinks.Struct("", "Link").Titled(fNewName)
	standardLinks  = fields.Section("[MS-FSCC] 2.4.48")
	fStandardLinks = standardLinks.Struct("", "SMB2_FILE_STANDARD_LINK_INFO")
	fAccessible    = standardLinks.Uint("odx.info.accessible_links", "Number of Accessible Links")
	fTotal         = standardLinks.Uint("odx.info.total_links", "Total Number of Links")
)

func (m *HardLinkInfo) Decode(c *wire.Cursor) {
	*m = HardLinkInfo{}
	defer c.Close(c.Open(fHardLinkInfo))
	m.BytesNeeded = c.U32(fBytesNeeded)
	m.Returned = c.U32(fEntries)
	for first := c.Ahead(); c.Len() > 0; m.add(first, c) {
		var l HardLink
		l.decode(c)
	}
}

// All yields the names.
func (m *HardLinkInfo) All() iter.Seq[*HardLink] { return each(&m.Chain, (*HardLink).decode) }

func (l *HardLink) decode(c *wire.Cursor) {
	e := link(c, fNext)
	defer end(c, &e)
	defer e.Close(e.Open(fHardLink))
	e.U32(fNext)
	e.Skip(fReserved, 4) // aligns what follows
	l.Parent = e.U64(fParent)
	l.Name = e.UTF16(fNewName, 2*int(e.U32(fCharacters)))
}

func (m *StandardLinkInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fStandardLinks))
	m.Accessible = c.U32(fAccessible)
	m.Total = c.U32(fTotal)
	m.DeletePending = c.U8(fPending) != 0
	m.Directory = c.U8(fDirectory) != 0
	c.Skip(fReserved, 2)
}

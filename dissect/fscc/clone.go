package fscc

import "github.com/odxray/odxray/dissect/wire"

// DuplicateExtentsRequest asks for a range of another file to be shared, not copied,
// with the file that the request is for. There is no reply. [MS-FSCC] 2.3.7.2
//
// Over SMB the source is a FileID of 16 bytes; a local caller gives a handle of 8.
type DuplicateExtentsRequest struct {
	Source       wire.GUID // the source's FileID
	SourceOffset uint64    // bytes
	TargetOffset uint64    // bytes
	Length       uint64    // bytes
}

// DuplicateExtentsExRequest is the same with flags. [MS-FSCC] 2.3.9.2
type DuplicateExtentsExRequest struct {
	Size uint64 // of this structure in bytes, as claimed: 48
	DuplicateExtentsRequest
	Flags uint32 // DuplicateExtentsSourceAtomic
}

// DuplicateExtentsSourceAtomic asks that the source does not change on the way.
const DuplicateExtentsSourceAtomic = 1

var (
	clone         = fields.Section("[MS-FSCC] 2.3.7.2")
	fCloneSource  = clone.GUID("copy.clone.source", "Source File Id")
	fCloneFrom    = clone.Uint("copy.clone.source_offset", "SourceFileOffset")
	fCloneTo      = clone.Uint("copy.clone.target_offset", "TargetFileOffset")
	fCloneLength  = clone.Uint("copy.clone.length", "ByteCount")
	cloneEx       = fields.Section("[MS-FSCC] 2.3.9.2")
	fCloneSize    = cloneEx.Uint("copy.clone.size", "StructureSize")
	fCloneFlags   = cloneEx.Hex("copy.clone.flags", "Flags").List(cloneEx.Flag(DuplicateExtentsSourceAtomic, "copy.clone.atomic", "Source atomic", "No", "Yes"))
	fClonePadding = cloneEx.Bytes("smb2.reserved", "Reserved")
)

func (m *DuplicateExtentsRequest) Decode(c *wire.Cursor) {
	m.Source = c.GUID(fCloneSource)
	m.SourceOffset = c.U64(fCloneFrom)
	m.TargetOffset = c.U64(fCloneTo)
	m.Length = c.U64(fCloneLength)
}

func (m *DuplicateExtentsExRequest) Decode(c *wire.Cursor) {
	m.Size = c.U64(fCloneSize)
	m.DuplicateExtentsRequest.Decode(c)
	m.Flags = c.U32(fCloneFlags)
	// Some senders leave out the padding to 8 bytes.
	if n := c.Len(); n > 0 {
		c.Skip(fClonePadding, n)
	}
}

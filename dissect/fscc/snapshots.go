package fscc

import "github.com/odxray/odxray/dissect/wire"

// SnapshotsReply lists the previous versions of a volume. Where they do not fit, it
// says only how many there are. [MS-SMB2] 2.2.32.2
type SnapshotsReply struct {
	Total    uint32 // how many there are
	Returned uint32 // how many are here
	Size     uint32 // bytes that all of them take, or would
	Names    []byte // UTF-16 texts like @GMT-2026.11.20-08.30.00, each with a zero after it, and one more zero; aliases the message
}

var (
	snapshots    = fields.Section("[MS-SMB2] 2.2.32.2")
	fSnapTotal   = snapshots.Uint("smb2.ioctl.enumerate_snapshots.num_snapshots", "Number of snapshots")
	fSnapCount   = snapshots.Uint("smb2.ioctl.enumerate_snapshots.num_snapshots_returned", "Number of snapshots returned")
	fSnapSize    = snapshots.Uint("smb2.ioctl.enumerate_snapshots.array_size", "Array size")
	fSnapshot    = snapshots.String("smb2.ioctl.enumerate_snapshots.snapshot", "Snapshot")
	fSnapPadding = snapshots.Bytes("", "Padding")
)

func (m *SnapshotsReply) Decode(c *wire.Cursor) {
	m.Total = c.U32(fSnapTotal)
	m.Returned = c.U32(fSnapCount)
	m.Size = c.U32(fSnapSize)
	list := c.Ahead()
	m.Names = list.Bytes(fSnapshot, list.Len())
	for range m.Returned {
		if c.Len() == 0 {
			c.Fail(fSnapshot, wire.ErrShort)
			return
		}
		c.UTF16Z(fSnapshot)
	}
	if n := c.Len(); n > 0 {
		c.Skip(fSnapPadding, n)
	}
}

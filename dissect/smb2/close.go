package smb2

import (
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/wire"
)

// ClosePostQuery has the response tell times, sizes and attributes; without it they
// are 0. [MS-SMB2] 2.2.15
const ClosePostQuery = 0x0001

// CloseRequest gives a file back. [MS-SMB2] 2.2.15
type CloseRequest struct {
	Flags uint16
	File  FileID
}

// CloseResponse confirms it. What follows Flags is valid iff that has ClosePostQuery.
// [MS-SMB2] 2.2.16
type CloseResponse struct {
	Flags uint16
	Times
	AllocationSize uint64 // bytes
	EndOfFile      uint64 // bytes
	Attributes     fscc.Attributes
}

func (*CloseRequest) body()  {}
func (*CloseResponse) body() {}

var (
	closing     = fields.Section("[MS-SMB2] 2.2.15, 2.2.16")
	fCloseFlags = closing.Hex("smb2.close.flags", "Close Flags").Split(
		closing.Flag(ClosePostQuery, "smb2.close.pq_attrib", "PostQuery Attrib", "False", "True"))
)

func (m *CloseRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = CloseRequest{}
	size(c, 24)
	m.Flags = c.U16(fCloseFlags)
	c.Skip(fSpare, 4)
	m.File.decode(c, d.ctx)
}

func (m *CloseResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = CloseResponse{}
	size(c, 60)
	m.Flags = c.U16(fCloseFlags)
	c.Skip(fReserved, 4)
	m.Times.decode(c)
	m.AllocationSize = c.U64(fAllocation)
	m.EndOfFile = c.U64(fEndOfFile)
	m.Attributes = fscc.FileAttributes(c)
}

package smb2

import (
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

// QueryDirectoryRequest is the SMB2 QueryDirectory Request. [MS-SMB2] 2.2.33
type QueryDirectoryRequest struct {
	Class        fscc.FileClass
	Flags        FindFlags
	FileIndex    uint32 // valid iff FindIndexSpecified is set
	File         FileID
	OutputLength uint32     // bytes the client takes back at most
	Pattern      wire.UTF16 // aliases the message
}

// FindFlags say where to go on. [MS-SMB2] 2.2.33
type FindFlags uint8

const (
	FindRestart        FindFlags = 1 << 0
	FindSingle         FindFlags = 1 << 1
	FindIndexSpecified FindFlags = 1 << 2
	FindReopen         FindFlags = 1 << 4
)

// QueryDirectoryResponse is the SMB2 QueryDirectory Response. [MS-SMB2] 2.2.34
type QueryDirectoryResponse struct {
	fscc.DirectoryInfo        // of the class that the Context knows; empty if that is 0
	Data               []byte // its bytes; nil if they were not gathered whole
}

func (*QueryDirectoryRequest) body()  {}
func (*QueryDirectoryResponse) body() {}

var (
	find       = fields.Section("[MS-SMB2] 2.2.33, 2.2.34")
	fFindLevel = find.Enum("smb2.find.infolevel", "Info Level", findLevel)
	fFindFlags = find.Hex("smb2.find.flags", "Find Flags").List(
		find.Flag(0x01, "smb2.find.restart_scans", "Restart Scans", "False", "True"),
		find.Flag(0x02, "smb2.find.single_entry", "Single Entry", "False", "True"),
		find.Flag(0x04, "smb2.find.index_specified", "Index Specified", "False", "True"),
		find.Flag(0x10, "smb2.find.reopen", "Reopen", "False", "True"))
	fFileIndex    = find.Hex("smb2.file_index", "File Index")
	fOutputLength = find.Uint("smb2.output_buffer_len", "Output Buffer Length")
	fPattern      = find.String("smb2.find.pattern", "Search Pattern")
	fFindInfo     = find.Bytes("smb2.find.info_blob", "Info")
)

func findLevel(v uint64) string { return fscc.FileClass(v).Level() }

func (m *QueryDirectoryRequest) decode(c *wire.Cursor, d *Decoder) {
	size(c, 33)
	m.Class = fscc.FileClass(c.U8(fFindLevel))
	m.Flags = FindFlags(c.U8(fFindFlags))
	m.FileIndex = c.U32(fFileIndex)
	m.File.decode(c, d.ctx)
	pair := c.Sub(fPattern, 4)
	m.OutputLength = c.U32(fOutputLength)
	m.Pattern = name16(c, &pair, fPattern)
}

func (m *QueryDirectoryResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = QueryDirectoryResponse{DirectoryInfo: fscc.DirectoryInfo{Class: fscc.FileClass(d.ctx.Request.InfoClass)}}
	size(c, 9)
	off, n := uint32(c.U16(fPairOffset)), c.U32(fPairLength)
	if n == 0 {
		return
	}
	out := c.At(fPairOffset, off, n)
	m.Data = out.Peek(out.Len())
	if d.msg.Status == ntstatus.BufferOverflow {
		out.Partial()
	}
	if m.Class.Lists() {
		mark := out.Open(fFindInfo)
		m.Decode(&out)
		out.Close(mark)
	} else {
		out.Skip(fFindInfo, out.Len())
	}
	c.Join(&out)
}

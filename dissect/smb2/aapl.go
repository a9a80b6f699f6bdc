package smb2

import (
	"cmp"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

// AAPL is what Macs and servers for them say of themselves. No specification: as
// Samba and Wireshark have it.
type AAPL struct {
	Command    uint32 // 1: server query, 2: resolve id
	Query      uint64 // server query: 1 ServerCaps, 2 VolumeCaps, 4 Model are there
	ServerCaps uint64
	VolumeCaps uint64
	Model      wire.UTF16 // response; aliases the message
	FileID     uint64     // resolve id, request
	Status     Status     // resolve id, response
	Path       wire.UTF16 // resolve id, response; aliases the message
}

const (
	aaplServerQuery = 1
	aaplResolveID   = 2

	aaplServerCaps = 1
	aaplVolumeCaps = 2
	aaplModel      = 4
)

var (
	aapl         = fields.Section("")
	fAAPLRequest = aapl.Struct("", "AAPL Create Context request")
	fAAPLReply   = aapl.Struct("", "AAPL Create Context response")
	fAAPLCommand = aapl.Enum("smb2.aapl.command_code", "Command code", func(v uint64) string {
		return cmp.Or(map[uint64]string{aaplServerQuery: "Server query", aaplResolveID: "Resolve ID"}[v], "Unknown")
	})
	fAAPLReserved = aapl.Hex("smb2.aapl.reserved", "Reserved")
	fAAPLQuery    = aapl.Hex("smb2.aapl.query_bitmask", "Query bitmask").List(
		aapl.Flag(aaplServerCaps, "smb2.aapl.bitmask.server_caps", "Server capabilities", "False", "True"),
		aapl.Flag(aaplVolumeCaps, "smb2.aapl.bitmask.volume_caps", "Volume capabilities", "False", "True"),
		aapl.Flag(aaplModel, "smb2.aapl.bitmask.model_info", "Model information", "False", "True"))
	fAAPLServer = aapl.Hex("smb2.aapl.caps", "Client/Server capabilities").List(
		aapl.Flag(1, "smb2.aapl.caps.supports_read_dir_addr", "Supports READDIRATTR", "False", "True"),
		aapl.Flag(2, "smb2.aapl.caps.supports_osx_copyfile", "Supports macOS copyfile", "False", "True"),
		aapl.Flag(4, "smb2.aapl.caps.unix_based", "UNIX-based", "False", "True"),
		aapl.Flag(8, "smb2.aapl.supports_nfs_ace", "Supports NFS ACE", "False", "True"))
	fAAPLVolume = aapl.Hex("smb2.aapl.volume_caps", "Volume capabilities").List(
		aapl.Flag(1, "smb2.aapl.volume_caps.supports_resolve_id", "Supports Resolve ID", "False", "True"),
		aapl.Flag(2, "smb2.aapl.volume_caps.case_sensitive", "Case sensitive", "False", "True"),
		aapl.Flag(4, "smb2.aapl.volume_caps.supports_full_sync", "Supports full sync", "False", "True"))
	fAAPLLength = aapl.Uint("", "Length")
	fAAPLModel  = aapl.String("smb2.aapl.model_string", "Model string")
	fAAPLFileID = aapl.Hex("smb2.file_id", "File Id")
	fAAPLStatus = aapl.Enum("smb2.nt_status", "NT Status", wire.Text[Status]).InHex().Among(ntstatus.Numbers)
	fAAPLPath   = aapl.String("smb2.aapl.server_path", "Server path")
)

func (m *AAPL) decodeRequest(c *wire.Cursor) {
	defer c.Close(c.Open(fAAPLRequest))
	m.command(c)
	switch m.Command {
	case aaplServerQuery:
		m.Query = c.U64(fAAPLQuery)
		m.ServerCaps = c.U64(fAAPLServer)
	case aaplResolveID:
		m.FileID = c.U64(fAAPLFileID)
	}
}

func (m *AAPL) decodeResponse(c *wire.Cursor) {
	defer c.Close(c.Open(fAAPLReply))
	m.command(c)
	switch m.Command {
	case aaplServerQuery:
		m.Query = c.U64(fAAPLQuery)
		if m.Query&aaplServerCaps != 0 {
			m.ServerCaps = c.U64(fAAPLServer)
		}
		if m.Query&aaplVolumeCaps != 0 {
			m.VolumeCaps = c.U64(fAAPLVolume)
		}
		if m.Query&aaplModel != 0 {
			c.Skip(fReserved, 4)
			m.Model = c.UTF16(fAAPLModel, int(c.U32(fAAPLLength)))
		}
	case aaplResolveID:
		m.Status = Status(c.U32(fAAPLStatus))
		m.Path = c.UTF16(fAAPLPath, int(c.U32(fAAPLLength)))
	}
}

func (m *AAPL) command(c *wire.Cursor) {
	*m = AAPL{Command: c.U32(fAAPLCommand)}
	c.U32(fAAPLReserved)
}

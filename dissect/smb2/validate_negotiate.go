package smb2

import "github.com/odxray/odxray/dissect/wire"

// ValidateNegotiateRequest repeats what the client said in NEGOTIATE, now signed.
// [MS-SMB2] 2.2.31.4
type ValidateNegotiateRequest struct {
	Capabilities uint32
	Client       wire.GUID
	SecurityMode uint16
	Count        uint16 // of the dialects, as claimed
	Dialects     []byte // two bytes each; aliases the message
}

// ValidateNegotiateResponse is what the server said. [MS-SMB2] 2.2.32.6
type ValidateNegotiateResponse struct {
	Capabilities uint32
	Server       wire.GUID
	SecurityMode uint16
	Dialect      Dialect
}

var (
	validate = fields.Section("[MS-SMB2] 2.2.31.4, 2.2.32.6")
	fValCaps = validate.Hex("smb2.capabilities", "Capabilities").List(
		validate.Flag(0x01, "smb2.capabilities.dfs", "DFS", "This host does NOT support DFS", "This host supports DFS"),
		validate.Flag(0x02, "smb2.capabilities.leasing", "LEASING", "This host does NOT support LEASING", "This host supports LEASING"),
		validate.Flag(0x04, "smb2.capabilities.large_mtu", "LARGE MTU", "This host does NOT support LARGE_MTU", "This host supports LARGE_MTU"),
		validate.Flag(0x08, "smb2.capabilities.multi_channel", "MULTI CHANNEL", "This host does NOT support MULTI CHANNEL", "This host supports MULTI CHANNEL"),
		validate.Flag(0x10, "smb2.capabilities.persistent_handles", "PERSISTENT HANDLES", "This host does NOT support PERSISTENT HANDLES", "This host supports PERSISTENT HANDLES"),
		validate.Flag(0x20, "smb2.capabilities.directory_leasing", "DIRECTORY LEASING", "This host does NOT support DIRECTORY LEASING", "This host supports DIRECTORY LEASING"),
		validate.Flag(0x40, "smb2.capabilities.encryption", "ENCRYPTION", "This host does NOT support ENCRYPTION", "This host supports ENCRYPTION"))
	fValClient = validate.GUID("smb2.client_guid", "Client Guid")
	fValServer = validate.GUID("smb2.server_guid", "Server Guid")
	fValMode   = validate.Hex("smb2.sec_mode", "Security mode").List(
		validate.Flag(1, "smb2.sec_mode.sign_enabled", "Signing enabled", "False", "True"),
		validate.Flag(2, "smb2.sec_mode.sign_required", "Signing required", "False", "True"))
	fValCount   = validate.Uint("smb2.dialect_count", "Dialect count")
	fValDialect = validate.Enum("smb2.dialect", "Dialect", wire.Text[Dialect]).InHex()
)

func (m *ValidateNegotiateRequest) Decode(c *wire.Cursor) {
	m.Capabilities = c.U32(fValCaps)
	m.Client = c.GUID(fValClient)
	m.SecurityMode = uint16(c.U8(fValMode))
	c.Skip(fReserved, 1)
	m.Count = c.U16(fValCount)
	list := c.Ahead()
	m.Dialects = list.Bytes(fValDialect, 2*int(m.Count))
	for range m.Count {
		c.U16(fValDialect)
	}
}

func (m *ValidateNegotiateResponse) Decode(c *wire.Cursor) {
	m.Capabilities = c.U32(fValCaps)
	m.Server = c.GUID(fValServer)
	m.SecurityMode = uint16(c.U8(fValMode))
	c.Skip(fReserved, 1)
	m.Dialect = Dialect(c.U16(fValDialect))
}

package smb2

import "github.com/odxray/odxray/dissect/wire"

// ValidateNegotiateRequest repeats what the client said in NEGOTIATE, now signed.
// [MS-SMB2] 2.2.31.4
type ValidateNegotiateRequest struct {
	Capabilities Capabilities
	ClientGUID   wire.GUID
	SecurityMode SecurityMode
	Dialects     List16 // of Dialect; aliases the message
}

// ValidateNegotiateResponse is what the server said. [MS-SMB2] 2.2.32.6
type ValidateNegotiateResponse struct {
	Capabilities Capabilities
	ServerGUID   wire.GUID
	SecurityMode SecurityMode
	Dialect      Dialect
}

func (m *ValidateNegotiateRequest) Decode(c *wire.Cursor) {
	m.Capabilities = Capabilities(c.U32(fCapabilities))
	m.ClientGUID = c.GUID(fClientGUID)
	m.SecurityMode = SecurityMode(c.U8(fSecurityMode))
	c.Skip(fModeRest, 1)
	m.Dialects = list16(c, fDialect, c.U16(fDialectCount))
}

func (m *ValidateNegotiateResponse) Decode(c *wire.Cursor) {
	m.Capabilities = Capabilities(c.U32(fCapabilities))
	m.ServerGUID = c.GUID(fServerGUID)
	m.SecurityMode = SecurityMode(c.U8(fSecurityMode))
	c.Skip(fModeRest, 1)
	m.Dialect = Dialect(c.U16(fDialect))
}

package smb2

import (
	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/wire"
)

// SecurityMode of NEGOTIATE and SESSION_SETUP. [MS-SMB2] 2.2.3
type SecurityMode uint8

const (
	SigningEnabled  SecurityMode = 1
	SigningRequired SecurityMode = 2
)

// Capabilities of NEGOTIATE. [MS-SMB2] 2.2.3
type Capabilities uint32

const (
	CapDFS               Capabilities = 0x01
	CapLeasing           Capabilities = 0x02
	CapLargeMTU          Capabilities = 0x04
	CapMultiChannel      Capabilities = 0x08
	CapPersistentHandles Capabilities = 0x10
	CapDirectoryLeasing  Capabilities = 0x20
	CapEncryption        Capabilities = 0x40
)

// NegotiateRequest offers dialects and what goes with them. [MS-SMB2] 2.2.3
type NegotiateRequest struct {
	SecurityMode SecurityMode
	Capabilities Capabilities // dialect 3.0 and later
	ClientGUID   wire.GUID
	StartTime    uint64 // ClientStartTime, reserved; set iff Dialects lacks 3.1.1
	Dialects     List16 // of Dialect; aliases the message
	NegotiateContexts
}

// NegotiateResponse is what the server takes of it. [MS-SMB2] 2.2.4
type NegotiateResponse struct {
	SecurityMode    SecurityMode
	Dialect         Dialect
	ServerGUID      wire.GUID
	Capabilities    Capabilities
	MaxTransactSize uint32       // bytes
	MaxReadSize     uint32       // bytes
	MaxWriteSize    uint32       // bytes
	SystemTime      uint64       // FILETIME
	StartTime       uint64       // FILETIME; 0 is none
	SecurityBlob    []byte       // aliases the message
	Auth            auth.Message // what SecurityBlob says
	NegotiateContexts
}

func (*NegotiateRequest) body()  {}
func (*NegotiateResponse) body() {}

var (
	negotiating   = fields.Section("[MS-SMB2] 2.2.3, 2.2.4")
	fDialectCount = negotiating.Uint("smb2.dialect_count", "Dialect count")
	fSecurityMode = negotiating.Hex("smb2.sec_mode", "Security mode").List(
		negotiating.Flag(1, "smb2.sec_mode.sign_enabled", "Signing enabled", "False", "True"),
		negotiating.Flag(2, "smb2.sec_mode.sign_required", "Signing required", "False", "True"))
	fModeRest     = negotiating.Bytes("", "Reserved") // the other half of a SecurityMode of 16 bits
	fCapabilities = negotiating.Hex("smb2.capabilities", "Capabilities").List(
		negotiating.Flag(0x01, "smb2.capabilities.dfs", "DFS", "This host does NOT support DFS", "This host supports DFS"),
		negotiating.Flag(0x02, "smb2.capabilities.leasing", "LEASING", "This host does NOT support LEASING", "This host supports LEASING"),
		negotiating.Flag(0x04, "smb2.capabilities.large_mtu", "LARGE MTU", "This host does NOT support LARGE_MTU", "This host supports LARGE_MTU"),
		negotiating.Flag(0x08, "smb2.capabilities.multi_channel", "MULTI CHANNEL", "This host does NOT support MULTI CHANNEL", "This host supports MULTI CHANNEL"),
		negotiating.Flag(0x10, "smb2.capabilities.persistent_handles", "PERSISTENT HANDLES", "This host does NOT support PERSISTENT HANDLES", "This host supports PERSISTENT HANDLES"),
		negotiating.Flag(0x20, "smb2.capabilities.directory_leasing", "DIRECTORY LEASING", "This host does NOT support DIRECTORY LEASING", "This host supports DIRECTORY LEASING"),
		negotiating.Flag(0x40, "smb2.capabilities.encryption", "ENCRYPTION", "This host does NOT support ENCRYPTION", "This host supports ENCRYPTION"))
	fClientGUID   = negotiating.GUID("smb2.client_guid", "Client Guid")
	fServerGUID   = negotiating.GUID("smb2.server_guid", "Server Guid")
	fClientStart  = negotiating.Time("", "Client Start Time")
	fNegOffset    = negotiating.Hex("smb2.negotiate_context.offset", "NegotiateContextOffset")
	fNegCount     = negotiating.Uint("smb2.negotiate_context.count", "NegotiateContextCount")
	fDialect      = negotiating.Enum("smb2.dialect", "Dialect", wire.Text[Dialect]).InHex()
	fMaxTransact  = negotiating.Uint("smb2.max_trans_size", "Max Transaction Size")
	fMaxRead      = negotiating.Uint("smb2.max_read_size", "Max Read Size")
	fMaxWrite     = negotiating.Uint("smb2.max_write_size", "Max Write Size")
	fSystemTime   = negotiating.Time("smb2.current_time", "Current Time")
	fStartTime    = negotiating.Time("smb2.boot_time", "Boot Time")
	fSecurityBlob = negotiating.Bytes("smb2.security_blob", "Security Blob")
)

func (m *NegotiateRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = NegotiateRequest{}
	size(c, 36)
	count := c.U16(fDialectCount)
	m.SecurityMode = SecurityMode(c.U8(fSecurityMode))
	c.Skip(fModeRest, 1)
	c.Skip(fReserved, 2)
	m.Capabilities = Capabilities(c.U32(fCapabilities))
	m.ClientGUID = c.GUID(fClientGUID)

	// "If the Dialects field contains 0x0311, this field is interpreted as the
	// NegotiateContextOffset, NegotiateContextCount, and Reserved2 fields."
	look := c.Ahead()
	look.Skip(fClientStart, 8)
	offered := List16(look.Bytes(fDialect, min(2*int(count), look.Len())))
	var off uint32
	var contexts uint16
	if offered.Has(uint16(Dialect311)) {
		off, contexts = c.U32(fNegOffset), c.U16(fNegCount)
		c.Skip(fReserved, 2)
	} else {
		m.StartTime = c.U64(fClientStart)
	}
	m.Dialects = list16(c, fDialect, count)
	if contexts > 0 {
		padding(c, headerSize+36+2*uint32(count), off)
	}
	m.NegotiateContexts.decode(c, off, contexts)
}

func (m *NegotiateResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = NegotiateResponse{}
	size(c, 65)
	m.SecurityMode = SecurityMode(c.U8(fSecurityMode))
	c.Skip(fModeRest, 1)
	m.Dialect = Dialect(c.U16(fDialect))
	contexts := c.U16(fNegCount)
	m.ServerGUID = c.GUID(fServerGUID)
	m.Capabilities = Capabilities(c.U32(fCapabilities))
	m.MaxTransactSize = c.U32(fMaxTransact)
	m.MaxReadSize = c.U32(fMaxRead)
	m.MaxWriteSize = c.U32(fMaxWrite)
	m.SystemTime = c.U64(fSystemTime)
	m.StartTime = c.U64(fStartTime)
	pair := c.Sub(fSecurityBlob, 4)
	behind := c.Sub(fNegOffset, 4)
	blobOff, blobLen := look16(pair)
	m.SecurityBlob = securityBlob(c, &pair, &m.Auth)
	off := behind.U32(fNegOffset)
	c.Join(&behind)
	if m.Dialect != Dialect311 { // "The contents of this field are reserved" else
		contexts = 0
	}
	if contexts > 0 && blobLen > 0 {
		padding(c, blobOff+blobLen, off)
	}
	m.NegotiateContexts.decode(c, off, contexts)
}

// securityBlob reads the token that the pair points at, and into m what it says. A
// token that cannot be read is no fault of the message around it.
func securityBlob(c, pair *wire.Cursor, m *auth.Message) (b []byte) {
	off, n := pair16(pair)
	c.Join(pair)
	blob := at(c, fSecurityBlob, off, n)
	token, mark := within(&blob, fSecurityBlob, blob.Len(), &b)
	if !blob.Failed() {
		if len(b) > 0 && b[0] != 'N' { // else NTLMSSP stands without it
			token.Meet("gss-api")
		}
		auth.Decode(&token, m)
	}
	blob.End(mark)
	c.Join(&blob)
	return b
}

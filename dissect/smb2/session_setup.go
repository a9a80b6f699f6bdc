package smb2

import (
	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/wire"
)

// SessionBinding asks for another channel of a session that exists. [MS-SMB2] 2.2.5
const SessionBinding = 0x01

// SessionFlags say who the user turned out to be. [MS-SMB2] 2.2.6
type SessionFlags uint16

const (
	SessionGuest   SessionFlags = 1
	SessionNull    SessionFlags = 2
	SessionEncrypt SessionFlags = 4
)

// SessionSetupRequest brings one token of an authentication. [MS-SMB2] 2.2.5
type SessionSetupRequest struct {
	Flags             uint8
	SecurityMode      SecurityMode
	Capabilities      Capabilities
	Channel           uint32       // reserved
	PreviousSessionID uint64       // of a session that the client has lost
	SecurityBlob      []byte       // aliases the message
	Auth              auth.Message // what SecurityBlob says
}

// SessionSetupResponse brings the server's. [MS-SMB2] 2.2.6
type SessionSetupResponse struct {
	Flags        SessionFlags
	SecurityBlob []byte       // aliases the message
	Auth         auth.Message // what SecurityBlob says
}

func (*SessionSetupRequest) body()  {}
func (*SessionSetupResponse) body() {}

var (
	setup       = fields.Section("[MS-SMB2] 2.2.5, 2.2.6")
	fSetupFlags = setup.Uint("smb2.ses_req_flags", "Flags").List(
		setup.Flag(SessionBinding, "smb2.ses_req_flags.session_binding", "Session Binding Request", "False", "True"))
	fPreviousSession = setup.Hex("smb2.previous_sesid", "Previous Session Id")
	fSessionFlags    = setup.Hex("smb2.session_flags", "Session Flags").List(
		setup.Flag(1, "smb2.ses_flags.guest", "Guest", "False", "True"),
		setup.Flag(2, "smb2.ses_flags.null", "Null", "False", "True"),
		setup.Flag(4, "smb2.ses_flags.encrypt", "Encrypt", "False", "True"))
)

func (m *SessionSetupRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = SessionSetupRequest{}
	size(c, 25)
	m.Flags = c.U8(fSetupFlags)
	m.SecurityMode = SecurityMode(c.U8(fSecurityMode))
	m.Capabilities = Capabilities(c.U32(fCapabilities))
	m.Channel = c.U32(fChannel)
	pair := c.Sub(fSecurityBlob, 4)
	m.PreviousSessionID = c.U64(fPreviousSession)
	m.SecurityBlob = securityBlob(c, &pair, &m.Auth)
}

func (m *SessionSetupResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = SessionSetupResponse{}
	size(c, 9)
	m.Flags = SessionFlags(c.U16(fSessionFlags))
	pair := c.Sub(fSecurityBlob, 4)
	m.SecurityBlob = securityBlob(c, &pair, &m.Auth)
}

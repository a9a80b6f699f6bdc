package smb2

import "github.com/odxray/odxray/dissect/wire"

// SessionSetupRequest is the SMB2 SessionSetup Request. [MS-SMB2] 2.2.5
type SessionSetupRequest struct{}

func (*SessionSetupRequest) body() {}

func (m *SessionSetupRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = SessionSetupRequest{}
	size(c, 25)
}

// SessionSetupResponse is the SMB2 SessionSetup Response. [MS-SMB2] 2.2.6
type SessionSetupResponse struct{}

func (*SessionSetupResponse) body() {}

func (m *SessionSetupResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = SessionSetupResponse{}
	size(c, 9)
}

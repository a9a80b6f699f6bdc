package smb2

import "github.com/odxray/odxray/dissect/wire"

// LogoffRequest is the SMB2 Logoff Request. [MS-SMB2] 2.2.7
type LogoffRequest struct{}

func (*LogoffRequest) body() {}

func (m *LogoffRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = LogoffRequest{}
	size(c, 4)
}

// LogoffResponse is the SMB2 Logoff Response. [MS-SMB2] 2.2.8
type LogoffResponse struct{}

func (*LogoffResponse) body() {}

func (m *LogoffResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = LogoffResponse{}
	size(c, 4)
}

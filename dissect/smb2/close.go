package smb2

import "github.com/odxray/odxray/dissect/wire"

// CloseRequest is the SMB2 Close Request. [MS-SMB2] 2.2.15
type CloseRequest struct{}

func (*CloseRequest) body() {}

func (m *CloseRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = CloseRequest{}
	size(c, 24)
}

// CloseResponse is the SMB2 Close Response. [MS-SMB2] 2.2.16
type CloseResponse struct{}

func (*CloseResponse) body() {}

func (m *CloseResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = CloseResponse{}
	size(c, 60)
}

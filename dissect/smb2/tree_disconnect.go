package smb2

import "github.com/odxray/odxray/dissect/wire"

// TreeDisconnectRequest is the SMB2 TreeDisconnect Request. [MS-SMB2] 2.2.11
type TreeDisconnectRequest struct{}

func (*TreeDisconnectRequest) body() {}

func (m *TreeDisconnectRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = TreeDisconnectRequest{}
	size(c, 4)
}

// TreeDisconnectResponse is the SMB2 TreeDisconnect Response. [MS-SMB2] 2.2.12
type TreeDisconnectResponse struct{}

func (*TreeDisconnectResponse) body() {}

func (m *TreeDisconnectResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = TreeDisconnectResponse{}
	size(c, 4)
}

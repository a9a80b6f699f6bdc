package smb2

import "github.com/odxray/odxray/dissect/wire"

// TreeConnectRequest is the SMB2 TreeConnect Request. [MS-SMB2] 2.2.9
type TreeConnectRequest struct{}

func (*TreeConnectRequest) body() {}

func (m *TreeConnectRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = TreeConnectRequest{}
	size(c, 9)
}

// TreeConnectResponse is the SMB2 TreeConnect Response. [MS-SMB2] 2.2.10
type TreeConnectResponse struct{}

func (*TreeConnectResponse) body() {}

func (m *TreeConnectResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = TreeConnectResponse{}
	size(c, 16)
}

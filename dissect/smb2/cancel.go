package smb2

import "github.com/odxray/odxray/dissect/wire"

// CancelRequest is the SMB2 Cancel Request. [MS-SMB2] 2.2.30
type CancelRequest struct{}

func (*CancelRequest) body() {}

func (m *CancelRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = CancelRequest{}
	size(c, 4)
}

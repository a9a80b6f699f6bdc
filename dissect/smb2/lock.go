package smb2

import "github.com/odxray/odxray/dissect/wire"

// LockRequest is the SMB2 Lock Request. [MS-SMB2] 2.2.26
type LockRequest struct{}

func (*LockRequest) body() {}

func (m *LockRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = LockRequest{}
	size(c, 48)
}

// LockResponse is the SMB2 Lock Response. [MS-SMB2] 2.2.27
type LockResponse struct{}

func (*LockResponse) body() {}

func (m *LockResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = LockResponse{}
	size(c, 4)
}

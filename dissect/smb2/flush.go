package smb2

import "github.com/odxray/odxray/dissect/wire"

// FlushRequest is the SMB2 Flush Request. [MS-SMB2] 2.2.17
type FlushRequest struct{}

func (*FlushRequest) body() {}

func (m *FlushRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = FlushRequest{}
	size(c, 24)
}

// FlushResponse is the SMB2 Flush Response. [MS-SMB2] 2.2.18
type FlushResponse struct{}

func (*FlushResponse) body() {}

func (m *FlushResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = FlushResponse{}
	size(c, 4)
}

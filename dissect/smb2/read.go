package smb2

import "github.com/odxray/odxray/dissect/wire"

// ReadRequest is the SMB2 Read Request. [MS-SMB2] 2.2.19
type ReadRequest struct{}

func (*ReadRequest) body() {}

func (m *ReadRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = ReadRequest{}
	size(c, 49)
}

// ReadResponse is the SMB2 Read Response. [MS-SMB2] 2.2.20
type ReadResponse struct{}

func (*ReadResponse) body() {}

func (m *ReadResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = ReadResponse{}
	size(c, 17)
}

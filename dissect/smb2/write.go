package smb2

import "github.com/odxray/odxray/dissect/wire"

// WriteRequest is the SMB2 Write Request. [MS-SMB2] 2.2.21
type WriteRequest struct{}

func (*WriteRequest) body() {}

func (m *WriteRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = WriteRequest{}
	size(c, 49)
}

// WriteResponse is the SMB2 Write Response. [MS-SMB2] 2.2.22
type WriteResponse struct{}

func (*WriteResponse) body() {}

func (m *WriteResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = WriteResponse{}
	size(c, 17)
}

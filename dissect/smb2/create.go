package smb2

import "github.com/odxray/odxray/dissect/wire"

// CreateRequest is the SMB2 Create Request. [MS-SMB2] 2.2.13
type CreateRequest struct{}

func (*CreateRequest) body() {}

func (m *CreateRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = CreateRequest{}
	size(c, 57)
}

// CreateResponse is the SMB2 Create Response. [MS-SMB2] 2.2.14
type CreateResponse struct{}

func (*CreateResponse) body() {}

func (m *CreateResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = CreateResponse{}
	size(c, 89)
}

package smb2

import "github.com/odxray/odxray/dissect/wire"

// EchoRequest is the SMB2 Echo Request. [MS-SMB2] 2.2.28
type EchoRequest struct{}

func (*EchoRequest) body() {}

func (m *EchoRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = EchoRequest{}
	size(c, 4)
}

// EchoResponse is the SMB2 Echo Response. [MS-SMB2] 2.2.29
type EchoResponse struct{}

func (*EchoResponse) body() {}

func (m *EchoResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = EchoResponse{}
	size(c, 4)
}

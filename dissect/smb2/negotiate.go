package smb2

import "github.com/odxray/odxray/dissect/wire"

// NegotiateRequest is the SMB2 Negotiate Request. [MS-SMB2] 2.2.3
type NegotiateRequest struct{}

func (*NegotiateRequest) body() {}

func (m *NegotiateRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = NegotiateRequest{}
	size(c, 36)
}

// NegotiateResponse is the SMB2 Negotiate Response. [MS-SMB2] 2.2.4
type NegotiateResponse struct{}

func (*NegotiateResponse) body() {}

func (m *NegotiateResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = NegotiateResponse{}
	size(c, 65)
}

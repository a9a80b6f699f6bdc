package smb2

import "github.com/odxray/odxray/dissect/wire"

// QueryInfoRequest is the SMB2 QueryInfo Request. [MS-SMB2] 2.2.37
type QueryInfoRequest struct{}

func (*QueryInfoRequest) body() {}

func (m *QueryInfoRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = QueryInfoRequest{}
	size(c, 41)
}

// QueryInfoResponse is the SMB2 QueryInfo Response. [MS-SMB2] 2.2.38
type QueryInfoResponse struct{}

func (*QueryInfoResponse) body() {}

func (m *QueryInfoResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = QueryInfoResponse{}
	size(c, 9)
}

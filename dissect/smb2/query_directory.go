package smb2

import "github.com/odxray/odxray/dissect/wire"

// QueryDirectoryRequest is the SMB2 QueryDirectory Request. [MS-SMB2] 2.2.33
type QueryDirectoryRequest struct{}

func (*QueryDirectoryRequest) body() {}

func (m *QueryDirectoryRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = QueryDirectoryRequest{}
	size(c, 33)
}

// QueryDirectoryResponse is the SMB2 QueryDirectory Response. [MS-SMB2] 2.2.34
type QueryDirectoryResponse struct{}

func (*QueryDirectoryResponse) body() {}

func (m *QueryDirectoryResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = QueryDirectoryResponse{}
	size(c, 9)
}

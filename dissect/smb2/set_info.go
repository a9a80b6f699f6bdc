package smb2

import "github.com/odxray/odxray/dissect/wire"

// SetInfoRequest is the SMB2 SetInfo Request. [MS-SMB2] 2.2.39
type SetInfoRequest struct{}

func (*SetInfoRequest) body() {}

func (m *SetInfoRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = SetInfoRequest{}
	size(c, 33)
}

// SetInfoResponse is the SMB2 SetInfo Response. [MS-SMB2] 2.2.40
type SetInfoResponse struct{}

func (*SetInfoResponse) body() {}

func (m *SetInfoResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = SetInfoResponse{}
	size(c, 2)
}

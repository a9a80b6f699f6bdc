package smb2

import "github.com/odxray/odxray/dissect/wire"

// ChangeNotifyRequest is the SMB2 ChangeNotify Request. [MS-SMB2] 2.2.35
type ChangeNotifyRequest struct{}

func (*ChangeNotifyRequest) body() {}

func (m *ChangeNotifyRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = ChangeNotifyRequest{}
	size(c, 32)
}

// ChangeNotifyResponse is the SMB2 ChangeNotify Response. [MS-SMB2] 2.2.36
type ChangeNotifyResponse struct{}

func (*ChangeNotifyResponse) body() {}

func (m *ChangeNotifyResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = ChangeNotifyResponse{}
	size(c, 9)
}

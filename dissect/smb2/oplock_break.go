package smb2

import "github.com/odxray/odxray/dissect/wire"

// OplockBreakRequest is the SMB2 OplockBreak Request. [MS-SMB2] 2.2.23, 2.2.24
type OplockBreakRequest struct{}

func (*OplockBreakRequest) body() {}

func (m *OplockBreakRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = OplockBreakRequest{}
	size(c, 24)
}

// OplockBreakResponse is the SMB2 OplockBreak Response. [MS-SMB2] 2.2.25
type OplockBreakResponse struct{}

func (*OplockBreakResponse) body() {}

func (m *OplockBreakResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = OplockBreakResponse{}
	size(c, 24)
}

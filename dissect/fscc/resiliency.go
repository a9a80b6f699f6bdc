package fscc

import "github.com/odxray/odxray/dissect/wire"

// ResiliencyRequest asks the server to keep an open over a lost connection.
// [MS-SMB2] 2.2.31.3
type ResiliencyRequest struct {
	Timeout uint32 // milliseconds
}

var (
	resiliency   = fields.Section("[MS-SMB2] 2.2.31.3")
	fResTimeout  = resiliency.Uint("smb2.ioctl.resiliency.timeout", "Timeout")
	fResReserved = resiliency.Uint("smb2.ioctl.resiliency.reserved", "Reserved")
)

func (m *ResiliencyRequest) Decode(c *wire.Cursor) {
	m.Timeout = c.U32(fResTimeout)
	c.U32(fResReserved)
}

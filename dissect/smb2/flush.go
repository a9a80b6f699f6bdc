package smb2

import "github.com/odxray/odxray/dissect/wire"

// FlushRequest has the server write what it caches of a file. [MS-SMB2] 2.2.17
type FlushRequest struct{ File FileID }

// FlushResponse says that it has. [MS-SMB2] 2.2.18
type FlushResponse struct{}

func (*FlushRequest) body()  {}
func (*FlushResponse) body() {}

func (m *FlushRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = FlushRequest{}
	size(c, 24)
	c.Skip(fUnknownBody, 6)
	m.File.decode(c, d.ctx)
}

func (*FlushResponse) decode(c *wire.Cursor, d *Decoder) { empty(c, fUnknownBody) }

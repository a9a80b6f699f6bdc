package smb2

import "github.com/odxray/odxray/dissect/wire"

// CancelRequest gives up the request of the same MessageID or AsyncID. No response
// answers it. [MS-SMB2] 2.2.30
type CancelRequest struct{}

func (*CancelRequest) body() {}

func (*CancelRequest) decode(c *wire.Cursor, d *Decoder) { empty(c, fUnknownBody) }

// empty reads a body that says nothing: its size, and two reserved bytes that
// Wireshark shows under f.
func empty(c *wire.Cursor, f *wire.Field) {
	size(c, 4)
	c.Skip(f, 2)
}

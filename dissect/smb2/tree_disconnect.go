package smb2

import "github.com/odxray/odxray/dissect/wire"

// TreeDisconnectRequest gives a share back. [MS-SMB2] 2.2.11
type TreeDisconnectRequest struct{}

// TreeDisconnectResponse confirms it. [MS-SMB2] 2.2.12
type TreeDisconnectResponse struct{}

func (*TreeDisconnectRequest) body()  {}
func (*TreeDisconnectResponse) body() {}

func (*TreeDisconnectRequest) decode(c *wire.Cursor, d *Decoder)  { empty(c, fReserved) }
func (*TreeDisconnectResponse) decode(c *wire.Cursor, d *Decoder) { empty(c, fReserved) }

package smb2

import "github.com/odxray/odxray/dissect/wire"

// EchoRequest asks whether the server is alive. [MS-SMB2] 2.2.28
type EchoRequest struct{}

// EchoResponse says so. [MS-SMB2] 2.2.29
type EchoResponse struct{}

func (*EchoRequest) body()  {}
func (*EchoResponse) body() {}

func (*EchoRequest) decode(c *wire.Cursor, d *Decoder)  { empty(c, fUnknownBody) }
func (*EchoResponse) decode(c *wire.Cursor, d *Decoder) { empty(c, fUnknownBody) }

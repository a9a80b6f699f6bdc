package smb2

import "github.com/odxray/odxray/dissect/wire"

// LogoffRequest ends the session. [MS-SMB2] 2.2.7
type LogoffRequest struct{}

// LogoffResponse confirms it. [MS-SMB2] 2.2.8
type LogoffResponse struct{}

func (*LogoffRequest) body()  {}
func (*LogoffResponse) body() {}

func (*LogoffRequest) decode(c *wire.Cursor, d *Decoder)  { empty(c, fSpare) }
func (*LogoffResponse) decode(c *wire.Cursor, d *Decoder) { empty(c, fReserved) }

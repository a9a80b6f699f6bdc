package smb2

import (
	"github.com/odxray/odxray/dissect/rpc"
	"github.com/odxray/odxray/dissect/wire"
)

// PipeData is what the ends of a named pipe say to each other: the buffer of
// PIPE_TRANSCEIVE. Message.RPC has the PDU in it.
type PipeData struct {
	Data []byte // aliases the message
}

// pipe is the data of a message on a named pipe. It is looked into when the message
// has been read, because it is a layer of its own, which tshark shows after SMB2.
type pipe struct {
	there bool
	at    wire.Cursor
	data  PipeData
	pdu   rpc.Header
}

var fPipeData = fields.Section("").Bytes("data.data", "Data")

func (m *PipeData) Decode(c *wire.Cursor) { m.Data = c.Pass(fPipeData, c.Len()) }

// pipeData passes over all of c, for DCE/RPC to be looked for there.
func (d *Decoder) pipeData(c *wire.Cursor) *PipeData {
	d.pipe.there, d.pipe.at = true, *c
	d.pipe.data.Decode(c)
	return &d.pipe.data
}

// rpc decodes what the message carried on a pipe and returns the first PDU, nil if
// there is none. Its failures are none of the message's.
func (d *Decoder) rpc() *rpc.Header {
	if !d.pipe.there {
		return nil
	}
	d.pipe.there = false
	c, h := &d.pipe.at, (*rpc.Header)(nil)
	if looks(c) {
		h = &d.pipe.pdu
		c.Meet("dcerpc")
		rpc.Decode(c, h, &d.ctx.RPC)
	}
	for c.Recording() && looks(c) {
		var next rpc.Header
		rpc.Decode(c, &next, &d.ctx.RPC)
	}
	if n := c.Len(); n > 0 {
		c.Meet("data")
		c.Skip(fPipeData, n)
	}
	return h
}

// looks reports whether c is at a PDU.
func looks(c *wire.Cursor) bool {
	const header = 16
	return c.Len() > 0 && rpc.Looks(c.Peek(header))
}

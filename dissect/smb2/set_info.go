package smb2

import (
	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/wire"
)

// SetInfoRequest is the SMB2 SetInfo Request. [MS-SMB2] 2.2.39
type SetInfoRequest struct {
	Type       fscc.InfoType
	Class      uint8                    // fscc.FileClass or fscc.FsClass, as Type says
	Additional dtyp.SecurityInformation // TypeSecurity only: what parts
	File       FileID
	Info       fscc.Info // nil if empty, or if the class has no decoder
	Data       []byte    // the bytes of Info, whatever they are; nil if they were not gathered whole
}

// SetInfoResponse is the SMB2 SetInfo Response: the server did it. [MS-SMB2] 2.2.40
type SetInfoResponse struct{}

func (*SetInfoRequest) body()  {}
func (*SetInfoResponse) body() {}

var (
	setInfo      = fields.Section("[MS-SMB2] 2.2.39")
	fSetSize     = setInfo.Uint("smb2.setinfo_size", "Setinfo Size")
	fSetOffset   = setInfo.Hex("smb2.setinfo_offset", "Setinfo Offset")
	fSetReserved = setInfo.Uint("smb2.setinfo_reserved", "Reserved")
)

func (m *SetInfoRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = SetInfoRequest{}
	size(c, 33)
	m.Type = fscc.InfoType(c.U8(fClass))
	m.Class = c.U8(levelField(m.Type))
	n := c.U32(fSetSize)
	off := c.U16(fSetOffset)
	c.U16(fSetReserved)
	m.Additional = additional(c, m.Type)
	m.File.decode(c, d.ctx)
	if n > 0 {
		in := c.At(fSetOffset, uint32(off), n)
		m.Data = in.Peek(in.Len())
		m.Info = d.info(&in, m.Type, m.Class)
		unknownRest(&in)
		c.Join(&in)
	}
}

func (m *SetInfoResponse) decode(c *wire.Cursor, d *Decoder) { size(c, 2) }

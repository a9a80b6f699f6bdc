package fscc

import (
	"cmp"
	"encoding/hex"
	"iter"

	"github.com/odxray/odxray/dissect/wire"
)

// FullEAInfo is FileFullEaInformation: extended attributes with their values.
// [MS-FSCC] 2.4.16
type FullEAInfo struct{ Chain }

// EA is an extended attribute.
type EA struct {
	Flags uint8  // 0x80: a server that does not understand it must not open the file
	Name  []byte // 8-bit text without its terminator; aliases the message
	Value []byte // aliases the message
}

// GetEAInfo is FILE_GET_EA_INFORMATION: names of the attributes that a query asks
// for. [MS-FSCC] 2.4.16.1
type GetEAInfo struct{ Chain }

var (
	eas         = fields.Section("[MS-FSCC] 2.4.16")
	fFullEAInfo = eas.Struct("smb2.file_full_ea_info", "SMB2_FILE_FULL_EA_INFO")
	fGetEAInfo  = eas.Struct("", "FILE_GET_EA_INFORMATION")
	fNext       = eas.Uint("smb2.next_offset", "Next Offset")
	fEAFlags    = eas.Hex("smb2.ea.flags", "EA Flags")
	fEANameLen  = eas.Uint("smb2.ea.name_len", "EA Name Length")
	fEADataLen  = eas.Uint("smb2.ea.data_len", "EA Data Length")
	fEAName     = eas.ASCII("smb2.ea.name", "EA Name")
	fEAData     = eas.Bytes("smb2.ea.data", "EA Data").Remarked(quoted)
	fEA         = eas.Struct("", "EA").Remarked(eaText)
	fEAOf       = eas.Struct("", "EA").Titled(fEAName) // of a list without values
	fTerminator = eas.Bytes("", "Terminator")
)

// quoted returns bytes in quotes if all of them print.
func quoted(b []byte) string {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return ""
		}
	}
	return `"` + string(b) + `"`
}

// eaText is what the line of an attribute says: its name and value.
func eaText(b []byte) string {
	c := wire.New(b, nil)
	c.Skip(fNext, 5)
	name := c.U8(fEANameLen)
	value := c.U16(fEADataLen)
	text := ": " + string(c.Bytes(fEAName, int(name))) + " := "
	c.Skip(fTerminator, 1)
	data := c.Bytes(fTerminator, int(value))
	return text + cmp.Or(quoted(data), hex.EncodeToString(data))
}

func (m *FullEAInfo) Decode(c *wire.Cursor) {
	*m = FullEAInfo{}
	defer c.Close(c.Open(fFullEAInfo))
	for first := c.Ahead(); c.Len() > 0; m.add(first, c) {
		var a EA
		a.decode(c)
	}
}

// All yields the attributes.
func (m *FullEAInfo) All() iter.Seq[*EA] { return each(&m.Chain, (*EA).decode) }

func (a *EA) decode(c *wire.Cursor) {
	e := link(c, fNext)
	defer end(c, &e)
	defer e.Close(e.Open(fEA))
	e.U32(fNext)
	a.Flags = e.U8(fEAFlags)
	name := e.U8(fEANameLen)
	value := e.U16(fEADataLen)
	a.Name = e.Bytes(fEAName, int(name))
	e.Skip(fTerminator, 1)
	a.Value = e.Bytes(fEAData, int(value))
}

func (m *GetEAInfo) Decode(c *wire.Cursor) {
	*m = GetEAInfo{}
	defer c.Close(c.Open(fGetEAInfo))
	for first := c.Ahead(); c.Len() > 0; m.add(first, c) {
		var a EA
		a.decodeName(c)
	}
}

// All yields attributes without a value.
func (m *GetEAInfo) All() iter.Seq[*EA] { return each(&m.Chain, (*EA).decodeName) }

func (a *EA) decodeName(c *wire.Cursor) {
	e := link(c, fNext)
	defer end(c, &e)
	defer e.Close(e.Open(fEAOf))
	e.U32(fNext)
	a.Name = e.Bytes(fEAName, int(e.U8(fEANameLen)))
	e.Skip(fTerminator, 1)
}

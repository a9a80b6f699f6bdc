package smb2

import (
	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

// QueryInfoRequest is the SMB2 QueryInfo Request. [MS-SMB2] 2.2.37
type QueryInfoRequest struct {
	Type         fscc.InfoType
	Class        uint8                    // fscc.FileClass or fscc.FsClass, as Type says
	OutputLength uint32                   // bytes the client takes back at most
	Additional   dtyp.SecurityInformation // TypeSecurity only: what parts
	Flags        uint32                   // TypeFile with FileFullEA only
	File         FileID
	Input        fscc.Info // *fscc.QuotaQuery, *fscc.GetEAInfo or nil
	InputData    []byte    // the bytes of Input, whatever they are; nil if they were not gathered whole
}

// QueryInfoResponse is the SMB2 QueryInfo Response. [MS-SMB2] 2.2.38
type QueryInfoResponse struct {
	Type  fscc.InfoType // as Class from the Context; 0 if that does not know
	Class uint8
	Info  fscc.Info // nil if empty, or if the class is unknown or has no decoder
	Data  []byte    // the bytes of Info, whatever they are; nil if they were not gathered whole
}

func (*QueryInfoRequest) body()  {}
func (*QueryInfoResponse) body() {}

// infos owns what classes of information decode into.
type infos struct {
	classes    fscc.Infos
	security   dtyp.SecurityDescriptor
	quotaQuery fscc.QuotaQuery
	getEA      fscc.GetEAInfo
}

var (
	queryInfo   = fields.Section("[MS-SMB2] 2.2.37, 2.2.38")
	fClass      = queryInfo.Enum("smb2.class", "Class", wire.Text[fscc.InfoType]).InHex().Wide(8)
	fFileLevel  = queryInfo.Enum("smb2.file_info.infolevel", "InfoLevel", wire.Text[fscc.FileClass]).InHex().Wide(8)
	fFsLevel    = queryInfo.Enum("smb2.fs_info.infolevel", "InfoLevel", wire.Text[fscc.FsClass]).InHex().Wide(8)
	fSecLevel   = queryInfo.Enum("smb2.sec_info.infolevel", "InfoLevel", securityLevel).InHex().Wide(8)
	fLevel      = queryInfo.Hex("smb2.infolevel", "InfoLevel").Wide(8)
	fMaxReply   = queryInfo.Uint("smb2.max_response_size", "Max Response Size")
	fInfoInput  = queryInfo.Hex("smb2.getinfo_input_offset", "Getinfo Input Offset")
	fInfoSize   = queryInfo.Uint("smb2.getinfo_input_size", "Getinfo Input Size")
	fAdditional = queryInfo.Hex("smb2.getsetinfo_additional", "Additional Info")
	fSecParts   = queryInfo.Hex("smb2.getsetinfo_additionals", "Additional Info").List(
		queryInfo.Flag(0x00000001, "smb2.getsetinfo_additional_secinfo.owner", "Owner", "NOT requesting owner security information", "Requesting OWNER security information"),
		queryInfo.Flag(0x00000002, "smb2.getsetinfo_additional_secinfo.group", "Group", "NOT requesting group security information", "Requesting GROUP security information"),
		queryInfo.Flag(0x00000004, "smb2.getsetinfo_additional_secinfo.dacl", "DACL", "NOT requesting DACL security information", "Requesting DACL security information"),
		queryInfo.Flag(0x00000008, "smb2.getsetinfo_additional_secinfo.sacl", "SACL", "NOT requesting SACL security information", "Requesting SACL security information"),
		queryInfo.Flag(0x00000010, "smb2.getsetinfo_additional_secinfo.label", "Integrity label", "NOT requesting integrity label security information", "Requesting integrity label security information"),
		queryInfo.Flag(0x00000020, "smb2.getsetinfo_additional_secinfo.attribute", "Resource attribute", "NOT requesting resource attribute security information", "Requesting resource attribute security information"),
		queryInfo.Flag(0x00000040, "smb2.getsetinfo_additional_secinfo.scope", "Central access policy", "NOT requesting central access policy security information", "Requesting central access policy security information"),
		queryInfo.Flag(0x00010000, "smb2.getsetinfo_additional_secinfo.backup", "Backup operation", "NOT requesting backup operation security information", "Requesting backup operation security information"),
	)
	fInfoFlags = queryInfo.Hex("smb2.getinfo_flags", "Flags")
	fSecInfo   = queryInfo.Struct("smb2.sec_info_00", "SMB2_SEC_INFO_00")
)

func securityLevel(v uint64) string {
	if v == 0 {
		return "SMB2_SEC_INFO_00"
	}
	return "Unknown"
}

// levelField returns the field of the class: Wireshark has one for each type.
func levelField(t fscc.InfoType) *wire.Field {
	switch t {
	case fscc.TypeFile:
		return fFileLevel
	case fscc.TypeFileSystem:
		return fFsLevel
	case fscc.TypeSecurity:
		return fSecLevel
	}
	return fLevel
}

// noteClass repeats below a response what class its request asked for.
func (d *Decoder) noteClass(c *wire.Cursor) {
	if d.ctx.RequestFrame == 0 {
		return // nobody knows
	}
	t, class := d.ctx.Request.InfoType, d.ctx.Request.InfoClass
	switch d.msg.Command {
	case QueryInfo, SetInfo:
		c.Note(fClass, uint64(t), "")
		c.Note(levelField(fscc.InfoType(t)), uint64(class), "")
	case QueryDirectory:
		c.Note(fFindLevel, uint64(class), "")
	}
}

// additional reads which parts of a security descriptor are meant.
func additional(c *wire.Cursor, t fscc.InfoType) dtyp.SecurityInformation {
	f := fAdditional
	if t == fscc.TypeSecurity {
		f = fSecParts
	}
	return dtyp.SecurityInformation(c.U32(f))
}

func (m *QueryInfoRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = QueryInfoRequest{}
	size(c, 41)
	m.Type = fscc.InfoType(c.U8(fClass))
	m.Class = c.U8(levelField(m.Type))
	m.OutputLength = c.U32(fMaxReply)
	off := c.U16(fInfoInput)
	c.Skip(fReserved, 2)
	n := c.U32(fInfoSize)
	m.Additional = additional(c, m.Type)
	m.Flags = c.U32(fInfoFlags)
	m.File.decode(c, d.ctx)
	if n > 0 {
		in := c.At(fInfoInput, uint32(off), n)
		m.InputData = in.Peek(in.Len())
		m.Input = d.queryInput(&in, m.Type, fscc.FileClass(m.Class))
		unknownRest(&in)
		c.Join(&in)
	}
}

// queryInput decodes what narrows a query down.
func (d *Decoder) queryInput(c *wire.Cursor, t fscc.InfoType, class fscc.FileClass) fscc.Info {
	switch {
	case t == fscc.TypeQuota:
		d.quotaQuery.Decode(c)
		return &d.quotaQuery
	case t == fscc.TypeFile && class == fscc.FileFullEA:
		d.getEA.Decode(c)
		return &d.getEA
	}
	return nil
}

func (m *QueryInfoResponse) decode(c *wire.Cursor, d *Decoder) {
	r := &d.ctx.Request
	*m = QueryInfoResponse{Type: fscc.InfoType(r.InfoType), Class: r.InfoClass}
	size(c, 9)
	off, n := uint32(c.U16(fPairOffset)), c.U32(fPairLength)
	if n == 0 {
		c.Title(d.mark, d.title, "NO DATA")
		return
	}
	out := c.At(fPairOffset, off, n)
	m.Data = out.Peek(out.Len())
	if d.msg.Status == ntstatus.BufferOverflow {
		out.Partial()
	}
	m.Info = d.info(&out, m.Type, m.Class)
	unknownRest(&out)
	c.Join(&out)
}

// info decodes the content of a class, if it has a decoder.
func (d *Decoder) info(c *wire.Cursor, t fscc.InfoType, class uint8) fscc.Info {
	switch t {
	case fscc.TypeFile:
		return d.classes.File(c, fscc.FileClass(class))
	case fscc.TypeFileSystem:
		return d.classes.FileSystem(c, fscc.FsClass(class))
	case fscc.TypeSecurity:
		defer c.Close(c.Open(fSecInfo))
		d.security.Decode(c)
		return &d.security
	case fscc.TypeQuota:
		return d.classes.Quota(c)
	}
	return nil
}

// unknownRest passes over what no decoder took.
func unknownRest(c *wire.Cursor) {
	if c.Len() > 0 {
		c.Skip(fUnknown, c.Len())
	}
}

package smb2

import (
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/wire"
)

// ChangeNotifyRequest is the SMB2 ChangeNotify Request. [MS-SMB2] 2.2.35
type ChangeNotifyRequest struct {
	Flags        uint16 // 1: of directories below, too
	OutputLength uint32 // bytes the client takes back at most
	File         FileID
	Filter       fscc.NotifyFilter
}

// ChangeNotifyResponse is the SMB2 ChangeNotify Response. [MS-SMB2] 2.2.36
type ChangeNotifyResponse struct {
	fscc.Changes        // none with STATUS_NOTIFY_ENUM_DIR: there were too many
	Data         []byte // their bytes; nil if they were not gathered whole
}

func (*ChangeNotifyRequest) body()  {}
func (*ChangeNotifyResponse) body() {}

var (
	changeNotify = fields.Section("[MS-SMB2] 2.2.35, 2.2.36")
	fNotifyFlags = changeNotify.Hex("smb2.notify.flags", "Notify Flags").Split(
		changeNotify.Flag(0x0001, "smb2.notify.watch_tree", "Watch Tree", "False", "True"))
	fNotifyOut = changeNotify.Struct("smb2.notify.out", "Out Data")
)

func (m *ChangeNotifyRequest) decode(c *wire.Cursor, d *Decoder) {
	size(c, 32)
	m.Flags = c.U16(fNotifyFlags)
	m.OutputLength = c.U32(fOutputLength)
	m.File.decode(c, d.ctx)
	m.Filter = fscc.Filter(c)
	c.Skip(fReserved, 4)
}

func (m *ChangeNotifyResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = ChangeNotifyResponse{}
	size(c, 9)
	off, n := uint32(c.U16(fPairOffset)), c.U32(fPairLength)
	if n == 0 { // off then means nothing
		mark := c.Open(fNotifyOut)
		c.Title(mark, 0, "NO DATA")
		c.Close(mark)
		return
	}
	out := c.At(fPairOffset, off, n)
	m.Data = out.Peek(out.Len())
	mark := out.Open(fNotifyOut)
	m.Changes.Decode(&out)
	out.Close(mark)
	c.Join(&out)
}

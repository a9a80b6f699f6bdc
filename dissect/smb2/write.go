package smb2

import "github.com/odxray/odxray/dissect/wire"

// Flags of a WRITE. [MS-SMB2] 2.2.21
const (
	WriteThrough    = 0x00000001
	WriteUnbuffered = 0x00000002
)

// WriteRequest writes to a file or into a pipe. [MS-SMB2] 2.2.21
type WriteRequest struct {
	DataOffset     uint16 // bytes from the beginning of the message
	Length         uint32 // bytes in the message
	Offset         uint64 // bytes, in the file
	File           FileID
	Channel        Channel // dialect 3.0 and later
	RemainingBytes uint32  // bytes to be fetched by RDMA
	Flags          uint32
	Descriptors    Descriptors   // where the data lies; aliases the message
	Transform      RDMATransform // valid iff Channel is ChannelRDMATransform
	Data           []byte        // as much as was gathered; aliases the message
}

// WriteResponse says how much was written. [MS-SMB2] 2.2.22
type WriteResponse struct {
	Count     uint32 // bytes
	Remaining uint32 // reserved, and so 0
}

func (*WriteRequest) body()  {}
func (*WriteResponse) body() {}

var (
	writing      = fields.Section("[MS-SMB2] 2.2.21, 2.2.22")
	fDataOffset  = writing.Hex("smb2.data_offset", "Data Offset")
	fWriteLength = writing.Uint("smb2.write_length", "Write Length")
	fWriteFlags  = writing.Hex("smb2.write.flags", "Write Flags").List(
		writing.Flag(WriteThrough, "smb2.write.flags.write_through", "Write through", "Client is NOT asking for WRITE_THROUGH", "Client is asking for WRITE_THROUGH"),
		writing.Flag(WriteUnbuffered, "smb2.write.flags.unbuffered", "Unbuffered", "Client is NOT asking for UNBUFFERED write", "Client is asking for UNBUFFERED write"))
	fWriteData      = writing.Bytes("smb2.write_data", "Write Data")
	fWriteCount     = writing.Uint("smb2.write.count", "Write Count")
	fWriteRemaining = writing.Uint("smb2.write.remaining", "Write Remaining")
	fChannelOffset  = writing.Uint("smb2.channel_info_offset", "Channel Info Offset")
	fChannelLength  = writing.Uint("smb2.channel_info_length", "Channel Info Length")
)

func (m *WriteRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = WriteRequest{}
	size(c, 49)
	m.DataOffset = c.U16(fDataOffset)
	m.Length = c.U32(fWriteLength)
	m.Offset = c.U64(fFileOffset)
	m.File.decode(c, d.ctx)
	m.Channel = Channel(c.U32(fChannel))
	m.RemainingBytes = c.U32(fRemaining)
	pair := c.Sub(fBlob, 4)
	m.Flags = c.U32(fWriteFlags)
	m.Descriptors = channelBlob(c, &pair, m.Channel, &m.Transform)
	data := at(c, fWriteData, uint32(m.DataOffset), m.Length)
	m.Data = d.payload(&data, fWriteData)
	c.Join(&data)
}

func (m *WriteResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = WriteResponse{}
	size(c, 17)
	c.Skip(fReserved, 2)
	m.Count = c.U32(fWriteCount)
	m.Remaining = c.U32(fWriteRemaining)
	c.U16(fChannelOffset)
	c.U16(fChannelLength)
}

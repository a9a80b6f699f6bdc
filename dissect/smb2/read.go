package smb2

import "github.com/odxray/odxray/dissect/wire"

// ReadRequest reads a file, or what a pipe holds. [MS-SMB2] 2.2.19
type ReadRequest struct {
	Padding        uint8  // offset that the client would like the data to have in the response
	Flags          uint8  // 1: unbuffered, 2: may be compressed; dialect 3.0.2 and later
	Length         uint32 // bytes
	Offset         uint64 // bytes
	File           FileID
	MinimumCount   uint32  // bytes; less is an error
	Channel        Channel // dialect 3.0 and later
	RemainingBytes uint32
	Descriptors    Descriptors   // where the data shall go; aliases the message
	Transform      RDMATransform // valid iff Channel is ChannelRDMATransform
}

// ReadTransformed says that a transform stands in the data's place, which went by RDMA.
// [MS-SMB2] 2.2.20
const ReadTransformed = 0x00000001

// ReadResponse brings the data, or says how much of it went to the client's memory.
// [MS-SMB2] 2.2.20
type ReadResponse struct {
	DataOffset    uint8  // bytes from the beginning of the message
	DataLength    uint32 // bytes in the message
	DataRemaining uint32 // bytes that went by RDMA
	Flags         uint32 // ReadTransformed; dialect 3.1.1
	Data          []byte // as much as was gathered; aliases the message

	Transform RDMATransform // valid iff ReadTransformed is set and DataRemaining is not 0: then there is no Data
}

func (*ReadRequest) body()  {}
func (*ReadResponse) body() {}

var (
	reading      = fields.Section("[MS-SMB2] 2.2.19, 2.2.20")
	fReadPadding = reading.Hex("smb2.read_padding", "Padding")
	fReadFlags   = reading.Hex("smb2.read_flags", "Flags").List(
		reading.Flag(1, "smb2.read_flags.unbuffered", "Unbuffered", "Client is NOT asking for UNBUFFERED read", "Client is asking for UNBUFFERED read"),
		reading.Flag(2, "smb2.read_flags.compressed", "Compressed", "Client is NOT asking for COMPRESSED data", "Client is asking for COMPRESSED data"))
	fReadLength    = reading.Uint("smb2.read_length", "Read Length")
	fFileOffset    = reading.Uint("smb2.file_offset", "File Offset")
	fMinimumCount  = reading.Uint("smb2.min_count", "Min Count")
	fReadRemaining = reading.Uint("smb2.read_remaining", "Read Remaining")
	fReadReply     = reading.Bytes("smb2.reserved", "Reserved") // dialect 3.1.1: Flags
	fReadData      = reading.Bytes("smb2.read.blob", "Info")
)

func (m *ReadRequest) decode(c *wire.Cursor, d *Decoder) {
	*m = ReadRequest{}
	size(c, 49)
	m.Padding = c.U8(fReadPadding)
	m.Flags = c.U8(fReadFlags)
	m.Length = c.U32(fReadLength)
	m.Offset = c.U64(fFileOffset)
	m.File.decode(c, d.ctx)
	m.MinimumCount = c.U32(fMinimumCount)
	m.Channel = Channel(c.U32(fChannel))
	m.RemainingBytes = c.U32(fRemaining)
	pair := c.Sub(fBlob, 4)
	m.Descriptors = channelBlob(c, &pair, m.Channel, &m.Transform)
}

func (m *ReadResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = ReadResponse{}
	size(c, 17)
	pair := c.Sub(fReadData, 6)
	m.DataRemaining = c.U32(fReadRemaining)
	m.Flags = c.U32(fReadReply)
	m.DataOffset = pair.U8(fPairOffset)
	pair.Skip(fReserved, 1)
	m.DataLength = pair.U32(fPairLength)
	c.Join(&pair)
	data := at(c, fReadData, uint32(m.DataOffset), m.DataLength)
	if m.Flags&ReadTransformed != 0 && m.DataRemaining > 0 && data.Len() > 0 {
		m.Transform.decode(&data)
	} else {
		m.Data = d.payload(&data, fReadData)
	}
	c.Join(&data)
}

// payload passes over what READ and WRITE carry: the data of a file, which no decoder
// looks at, or what a pipe's two ends say to each other.
func (d *Decoder) payload(c *wire.Cursor, f *wire.Field) []byte {
	if d.ctx.Pipe {
		return d.pipeData(c).Data
	}
	if c.Len() > 0 {
		c.Meet("data")
	}
	return c.Payload(f, c.Len())
}

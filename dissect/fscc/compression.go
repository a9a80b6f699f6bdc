package fscc

import "github.com/odxray/odxray/dissect/wire"

// Compression is the state of SET_COMPRESSION requests and GET_COMPRESSION replies.
// [MS-FSCC] 2.3.67, 2.3.18
type Compression struct{ Format CompressionFormat }

// CompressionFormat is how a file is compressed.
type CompressionFormat uint16

func (f CompressionFormat) String() string {
	if int(f) < len(compressionFormats) {
		return compressionFormats[f]
	}
	return "Unknown"
}

var compressionFormats = [...]string{"COMPRESSION_FORMAT_NONE", "COMPRESSION_FORMAT_DEFAULT", "COMPRESSION_FORMAT_LZNT1"}

var fCompression = fields.Section("[MS-FSCC] 2.3.67, 2.3.18").Enum("smb2.compression_format", "Compression Format", wire.Text[CompressionFormat])

func (m *Compression) Decode(c *wire.Cursor) { m.Format = CompressionFormat(c.U16(fCompression)) }

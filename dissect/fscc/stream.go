package fscc

import (
	"iter"

	"github.com/odxray/odxray/dissect/wire"
)

// StreamInfo is FileStreamInformation. [MS-FSCC] 2.4.49
type StreamInfo struct{ Chain }

// Stream is one stream of a file, or the data of the file itself.
type Stream struct {
	Size           uint64     // bytes
	AllocationSize uint64     // bytes
	Name           wire.UTF16 // ":name:$DATA"
}

var (
	streams       = fields.Section("[MS-FSCC] 2.4.49")
	fStreamInfo   = streams.Struct("smb2.file_stream_info", "SMB2_FILE_STREAM_INFO")
	fNextEntry    = streams.Uint("smb.next_entry_offset", "Next Entry Offset")
	fStreamLength = streams.Uint("smb.stream_name_len", "Stream Name Length")
	fStreamSize   = streams.Uint("smb.stream_size", "Stream Size")
	fStreamName   = streams.String("smb.stream_name", "Stream Name")
	fStream       = streams.Struct("", "Stream Info").Titled(fStreamName)
)

func (m *StreamInfo) Decode(c *wire.Cursor) {
	*m = StreamInfo{}
	defer c.Close(c.Open(fStreamInfo))
	for first := c.Ahead(); c.Len() > 0; m.add(first, c) {
		var s Stream
		s.decode(c)
	}
}

// All yields the streams.
func (m *StreamInfo) All() iter.Seq[*Stream] { return each(&m.Chain, (*Stream).decode) }

func (s *Stream) decode(c *wire.Cursor) {
	e := link(c, fNextEntry)
	defer end(c, &e)
	defer e.Close(e.Open(fStream))
	e.U32(fNextEntry)
	n := e.U32(fStreamLength)
	s.Size = e.U64(fStreamSize)
	s.AllocationSize = e.U64(fAllocation)
	s.Name = e.UTF16(fStreamName, int(n))
}

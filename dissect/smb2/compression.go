package smb2

import (
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

// CompressionHeader stands before compressed messages, in one of two forms.
// [MS-SMB2] 2.2.42.1, 2.2.42.2
type CompressionHeader struct {
	OriginalSize uint32 // bytes; of an unchained one, of what Data becomes
	Chained      bool

	// Unchained.
	Algorithm Compression
	Offset    uint32 // bytes of Plain
	Plain     []byte // what is not compressed; aliases the message
	Data      []byte // what is; aliases the message

	// Chained.
	Payloads Payloads
}

// Payloads are the links of a chained message as they lie on the wire.
type Payloads []byte

// Payload is one of them. [MS-SMB2] 2.2.42.2.1
type Payload struct {
	Algorithm    Compression
	Flags        uint16
	Length       uint32 // bytes behind the header, with OriginalSize
	OriginalSize uint32 // bytes that Data becomes; only some algorithms say so
	Data         []byte // aliases the message

	// PatternV1. [MS-SMB2] 2.2.42.2.2
	Pattern     uint8
	Repetitions uint32
}

// Each calls yield with each payload.
func (l Payloads) Each(yield func(Payload) bool) {
	c := wire.New(l, nil)
	for c.Len() > 0 {
		var p Payload
		if p.decode(&c); c.Failed() || !yield(p) {
			return
		}
	}
}

// chained is the flag of a first payload, and tells the forms apart.
const chained = 1

var (
	compressed        = fields.Section("[MS-SMB2] 2.2.42")
	fCompressedHeader = compressed.Struct("", "SMB2 Compression Transform Header")
	fOriginalSize     = compressed.Uint("smb2.header.comp_transform.original_size", "OriginalSize")
	fAlgorithm        = compressed.Enum("smb2.header.comp_transform.comp_alg", "CompressionAlgorithm", wire.Text[Compression]).InHex()
	fChained          = compressed.Enum("smb2.header.comp_transform.flags", "Flags", func(v uint64) string {
		switch v {
		case 0:
			return "None"
		case chained:
			return "Chained"
		}
		return "Unknown"
	}).InHex()
	fPlainLength    = compressed.Hex("smb2.header.comp_transform.offset", "Offset")
	fDecompressed   = compressed.Struct("", "Decompressed SMB3 data")
	fPlain          = compressed.Bytes("", "Uncompressed data")
	fCompressed     = compressed.Struct("", "Compressed SMB3 data")
	fCompressedData = compressed.Bytes("smb2.header.comp_transform.data", "CompressedData")

	payload      = fields.Section("[MS-SMB2] 2.2.42.2.1, 2.2.42.2.2")
	fPayload     = payload.Struct("", "COMPRESSION_PAYLOAD_HEADER")
	fPayloadLen  = payload.Hex("smb2.header.comp_transform.length", "Length")
	fPayloadSize = payload.Uint("smb2.header.comp_transform.orig_payload_size", "OriginalPayloadSize")
	fPatternV1   = payload.Struct("", "Pattern").Formatted(func(v uint64) string {
		return fmt.Sprintf(" 0x%02x repeated %d times", v>>32, uint32(v))
	})
	fRunPattern  = payload.Hex("smb2.pattern_v1.pattern", "Pattern")
	fPatternRes1 = payload.Hex("smb2.pattern_v1.reserved1", "Reserved1")
	fPatternRes2 = payload.Hex("smb2.pattern_v1.reserved2", "Reserved2")
	fRepetitions = payload.Uint("smb2.pattern_v1.repetitions", "Repetitions")
)

// Compressed decodes the compressed message that is the rest of c. The result is valid
// until the next call.
func (d *Decoder) Compressed(c *wire.Cursor) *CompressionHeader {
	return d.Decompressed(c, nil)
}

// Decompressed is Compressed that shows below the header what inner decodes, if that
// is not nil.
func (d *Decoder) Decompressed(c *wire.Cursor, inner func()) *CompressionHeader {
	mark := c.Open(fMessage)
	d.compressed.decode(c, inner)
	c.Close(mark)
	return &d.compressed
}

// AppendInfo appends what Wireshark's Info column says of what it cannot decompress.
func (h *CompressionHeader) AppendInfo(b []byte) []byte {
	if h.Chained || h.Algorithm <= PatternV1 {
		return append(b, "Comp. SMB3"...)
	}
	return append(b, "Comp. SMB3 (unknown)"...)
}

func (h *CompressionHeader) decode(c *wire.Cursor, inner func()) {
	*h = CompressionHeader{}
	defer c.Close(c.Open(fCompressedHeader))
	if Protocol(c.BE32(fTransformProtocol)) != ProtocolCompressed {
		c.Fail(fTransformProtocol, ErrProtocol)
	}
	h.OriginalSize = c.U32(fOriginalSize)
	if inner != nil {
		defer func() {
			mark := c.Note(fDecompressed, 0, "")
			inner()
			c.Close(mark)
		}()
	}
	look := c.Ahead()
	look.U16(fAlgorithm)
	if h.Chained = look.U16(fChained) == chained; h.Chained {
		look = c.Ahead()
		h.Payloads = look.Pass(fPayload, look.Len())
		for c.Len() > 0 {
			var p Payload
			p.decode(c)
		}
		return
	}
	h.Algorithm = Compression(c.U16(fAlgorithm))
	c.U16(fChained)
	h.Offset = c.U32(fPlainLength)
	defer c.Close(c.Open(fCompressed))
	if h.Offset > 0 {
		h.Plain = c.Bytes(fPlain, int(h.Offset))
	}
	h.Data = c.Payload(fCompressedData, c.Len())
}

func (p *Payload) decode(c *wire.Cursor) {
	defer c.Close(c.Open(fPayload))
	p.Algorithm = Compression(c.U16(fAlgorithm))
	p.Flags = c.U16(fChained)
	p.Length = c.U32(fPayloadLen)
	data := c.Sub(fCompressedData, int(p.Length))
	switch p.Algorithm {
	case LZNT1, LZ77, LZ77Huffman, LZ4:
		p.OriginalSize = data.U32(fPayloadSize)
		p.Data = data.Bytes(fCompressedData, data.Len())
	case PatternV1:
		p.pattern(&data)
	default:
		p.Data = data.Bytes(fCompressedData, data.Len())
	}
	c.Join(&data)
}

func (p *Payload) pattern(c *wire.Cursor) {
	mark := c.Open(fPatternV1)
	p.Pattern = c.U8(fRunPattern)
	c.U8(fPatternRes1)
	c.U16(fPatternRes2)
	p.Repetitions = c.U32(fRepetitions)
	c.Title(mark, uint64(p.Pattern)<<32|uint64(p.Repetitions), "")
	c.Close(mark)
	if c.Len() > 0 {
		p.Data = c.Bytes(fCompressedData, c.Len())
	}
}

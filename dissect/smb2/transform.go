package smb2

import "github.com/odxray/odxray/dissect/wire"

// Protocol is what a message begins with, as Wireshark prints it.
type Protocol uint32

const (
	ProtocolSMB1       Protocol = 0xff534d42
	ProtocolSMB2       Protocol = 0xfe534d42
	ProtocolTransform  Protocol = 0xfd534d42 // encrypted
	ProtocolCompressed Protocol = 0xfc534d42
)

// ProtocolOf looks at what c is at: 0 if there are not even four bytes.
func ProtocolOf(c *wire.Cursor) Protocol {
	b := c.Peek(4)
	if b == nil {
		return 0
	}
	return Protocol(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]))
}

// TransformHeader stands before encrypted messages. [MS-SMB2] 2.2.41
type TransformHeader struct {
	Signature    []byte // 16 bytes; aliases the message, as do the others
	Nonce        []byte // 16 bytes, of which the cipher uses the first 11 (CCM) or 12 (GCM)
	OriginalSize uint32 // bytes of Data
	Flags        uint16 // 1: encrypted; in dialect 3.0 and 3.0.2 EncryptionAlgorithm
	SessionID    uint64
	Associated   []byte // what is signed but not encrypted: the header from Nonce on
	Data         []byte // encrypted; as much as was gathered
}

const transformSize = 52

var (
	transform          = fields.Section("[MS-SMB2] 2.2.41")
	fTransformHeader   = transform.Struct("", "SMB2 Transform Header")
	fTransformProtocol = transform.Hex("smb2.protocol_id", "ProtocolId")
	fTransformSign     = transform.Bytes("smb2.header.transform.signature", "Signature")
	fTransformNonce    = transform.Bytes("smb2.header.transform.nonce", "Nonce")
	fTransformSize     = transform.Uint("smb2.header.transform.msg_size", "Message size")
	fTransformReserved = transform.Bytes("smb2.header.transform.reserved", "Reserved")
	fTransformFlags    = transform.Hex("smb2.header.transform.flags", "Flags").List(
		transform.Flag(1, "smb2.header.transform.flags.encrypted", "Encrypted", "False", "True"))
	fEncrypted = transform.Struct("", "Encrypted SMB3 data")
	fEncData   = transform.Bytes("smb2.header.transform.enc_data", "Data")
)

// Transform decodes the encrypted message that c is at and leaves c behind it. Of ctx
// it shows the session. The result is valid until the next call.
func (d *Decoder) Transform(c *wire.Cursor, ctx *Context) *TransformHeader {
	return d.Opened(c, ctx, nil)
}

// WrappedSession returns the SessionId of the transform header that c is at, 0 if it has
// none.
func WrappedSession(c *wire.Cursor) uint64 {
	look := c.Ahead()
	look.Skip(fTransformHeader, transformSize-8)
	return look.U64(fSessionID)
}

// Opened is Transform for who has a key: inner decrypts what the header stands before
// and decodes that in place of the encrypted bytes, or returns false if it cannot. An
// inner of nil cannot.
func (d *Decoder) Opened(c *wire.Cursor, ctx *Context, inner func(*TransformHeader) bool) *TransformHeader {
	if ctx == nil {
		ctx = &unknown
	}
	mark := c.Open(fMessage)
	d.transform.decode(c, ctx, inner)
	c.Close(mark)
	return &d.transform
}

// AppendInfo appends what Wireshark's Info column says of what it has no key for.
func (*TransformHeader) AppendInfo(b []byte) []byte { return append(b, "Encrypted SMB3"...) }

func (h *TransformHeader) decode(c *wire.Cursor, ctx *Context, inner func(*TransformHeader) bool) {
	*h = TransformHeader{}
	mark := c.Open(fTransformHeader)
	if Protocol(c.BE32(fTransformProtocol)) != ProtocolTransform {
		c.Fail(fTransformProtocol, ErrProtocol)
	}
	h.Signature = c.Bytes(fTransformSign, 16)
	look := c.Ahead()
	h.Associated = look.Pass(fTransformNonce, transformSize-20)
	h.Nonce = c.Bytes(fTransformNonce, 16)
	h.OriginalSize = c.U32(fTransformSize)
	c.Skip(fTransformReserved, 2)
	h.Flags = c.U16(fTransformFlags)
	h.SessionID = c.U64(fSessionID)
	ctx.noteSession(c)
	c.Close(mark)

	mark = c.Open(fEncrypted)
	look = c.Ahead()
	h.Data = look.Payload(fEncData, int(h.OriginalSize))
	if inner != nil && !look.Failed() && inner(h) {
		c.Pass(fEncData, int(h.OriginalSize))
	} else {
		c.Payload(fEncData, int(h.OriginalSize))
	}
	c.Close(mark)
}

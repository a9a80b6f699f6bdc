// Package smb1 decodes as much of SMB 1 as a client of SMB 2 still sends: the NEGOTIATE
// that offers both. Of any other message it decodes the header. [MS-CIFS]
package smb1

import (
	"bytes"
	"fmt"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

// Message is a decoded message. [MS-CIFS] 2.2.3
type Message struct {
	Command   Command
	Status    ntstatus.Status // if FlagNTStatus is set in Flags2, else a DOS error
	Flags     uint8
	Flags2    uint16
	TreeID    uint16
	ProcessID uint32
	UserID    uint16
	ID        uint16     // MultiplexID: pairs request and response
	Negotiate *Negotiate // nil unless it is a NEGOTIATE request; belongs to the Message's owner
}

const (
	FlagResponse = 0x80   // Flags
	FlagNTStatus = 0x4000 // Flags2
)

// Negotiate is an SMB_COM_NEGOTIATE request. [MS-CIFS] 2.2.4.52.1
type Negotiate struct {
	Dialects []byte // a byte 2, then text that a zero ends, each; aliases the message
}

// Each calls yield with each dialect.
func (n *Negotiate) Each(yield func(name []byte) bool) {
	c := wire.New(n.Dialects, nil)
	for c.Len() > 0 {
		if name := dialect(&c); c.Failed() || !yield(name) {
			return
		}
	}
}

var fields wire.Set

// Fields lists what this package decodes.
func Fields() []*wire.Field { return fields.All() }

var (
	header    = fields.Section("[MS-CIFS] 2.2.3.1")
	fMessage  = header.Struct("smb", "SMB (Server Message Block Protocol)")
	fHeader   = header.Struct("", "SMB Header")
	fProtocol = header.Hex("smb.server_component", "Server Component").Formatted(func(uint64) string { return "SMB" })
	fCommand  = header.Enum("smb.cmd", "SMB Command", wire.Text[Command]).InHex()
	fStatus   = header.Enum("smb.nt_status", "NT Status", wire.Text[ntstatus.Status]).InHex().Among(ntstatus.Numbers)
	fFlags    = header.Hex("smb.flags", "Flags").List(
		header.Flag(0x80, "smb.flags.response", "Request/Response", "Message is a request to the server", "Message is a response to the client/redirector"),
		header.Flag(0x40, "smb.flags.notify", "Notify", "Notify client only on open", "Notify client on all modifications"),
		header.Flag(0x20, "smb.flags.oplock", "Oplocks", "OpLock not requested/granted", "OpLock requested/granted"),
		header.Flag(0x10, "smb.flags.canon", "Canonicalized Pathnames", "Pathnames are not canonicalized", "Pathnames are canonicalized"),
		header.Flag(0x08, "smb.flags.caseless", "Case Sensitivity", "Path names are case sensitive", "Path names are caseless"),
		header.Flag(0x02, "smb.flags.receive_buffer", "Receive Buffer Posted", "Receive buffer has not been posted", "Receive buffer has been posted"),
		header.Flag(0x01, "smb.flags.lock", "Lock and Read", "Lock&Read, Write&Unlock are not supported", "Lock&Read, Write&Unlock are supported"))
	fFlags2 = header.Hex("smb.flags2", "Flags2").List(
		header.Flag(0x8000, "smb.flags2.string", "Unicode Strings", "Strings are ASCII", "Strings are Unicode"),
		header.Flag(0x4000, "smb.flags2.nt_error", "Error Code Type", "Error codes are DOS error codes", "Error codes are NT error codes"),
		header.Flag(0x2000, "smb.flags2.roe", "Execute-only Reads", "Don't permit reads if execute-only", "Permit reads if execute-only"),
		header.Flag(0x1000, "smb.flags2.dfs", "Dfs", "Don't resolve pathnames with Dfs", "Resolve pathnames with Dfs"),
		header.Flag(0x0800, "smb.flags2.esn", "Extended Security Negotiation", "Extended security negotiation is not supported", "Extended security negotiation is supported"),
		header.Flag(0x0400, "smb.flags2.reparse_path", "Reparse Path", "The request does not use a @GMT reparse path", "The request uses a @GMT reparse path"),
		header.Flag(0x0040, "smb.flags2.long_names_used", "Long Names Used", "Path names in request are not long file names", "Path names in request are long file names"),
		header.Flag(0x0010, "smb.flags2.sec_sig_required", "Security Signatures Required", "Security signatures are not required", "Security signatures are required"),
		header.Flag(0x0008, "smb.flags2.compressed", "Compressed", "Compression is not requested", "Compression is requested"),
		header.Flag(0x0004, "smb.flags2.sec_sig", "Security Signatures", "Security signatures are not supported", "Security signatures are supported"),
		header.Flag(0x0002, "smb.flags2.ea", "Extended Attributes", "Extended attributes are not supported", "Extended attributes are supported"),
		header.Flag(0x0001, "smb.flags2.long_names_allowed", "Long Names Allowed", "Long file names are not allowed in the response", "Long file names are allowed in the response"))
	fPIDHigh   = header.Uint("smb.pid.high", "Process ID High")
	fSignature = header.Bytes("smb.signature", "Signature")
	fReserved  = header.Bytes("smb.reserved", "Reserved")
	fTreeID    = header.Uint("smb.tid", "Tree ID")
	fPID       = header.Uint("smb.pid", "Process ID")
	fUserID    = header.Uint("smb.uid", "User ID")
	fID        = header.Uint("smb.mid", "Multiplex ID")

	body       = fields.Section("[MS-CIFS] 2.2.3.2, 2.2.3.3")
	fBody      = body.Struct("", "").Formatted(bodyText)
	fWordCount = body.Uint("smb.wct", "Word Count (WCT)")
	fWords     = body.Bytes("", "Words")
	fByteCount = body.Uint("smb.bcc", "Byte Count (BCC)")
	fBytes     = body.Bytes("", "Bytes")
	fAndX      = body.Bytes("", "Messages that follow")

	negotiate     = fields.Section("[MS-CIFS] 2.2.4.52.1")
	fDialects     = negotiate.Struct("", "Requested Dialects")
	fBufferFormat = negotiate.Enum("smb.buffer_format", "Buffer Format", func(v uint64) string {
		if v == 2 {
			return "Dialect"
		}
		return "Unknown"
	})
	fDialectName = negotiate.ASCII("smb.dialect.name", "Name")
	fDialect     = negotiate.ASCII("smb.dialect", "Dialect")
)

// bodyText is what the line of a body says: whether it is a response, above the command.
func bodyText(v uint64) string {
	what := "Request"
	if v>>8 != 0 {
		what = "Response"
	}
	return fmt.Sprintf("%s %s (0x%02x)", Command(v), what, uint8(v))
}

// Decoder decodes messages into values that it owns and uses again. The zero Decoder
// is ready.
type Decoder struct {
	msg       Message
	negotiate Negotiate
}

// Decode decodes the message that is the rest of c. What it returns is valid until the
// next call, and as long as the bytes.
func (d *Decoder) Decode(c *wire.Cursor) *Message {
	defer c.Close(c.Open(fMessage))
	m := &d.msg
	*m = Message{}
	m.header(c)
	response := m.Flags&FlagResponse != 0
	mark := c.Open(fBody)
	title := uint64(m.Command)
	if response {
		title |= 1 << 8
	}
	c.Title(mark, title, "")
	if words := int(c.U8(fWordCount)); words > 0 {
		c.Skip(fWords, 2*words)
	}
	n := int(c.U16(fByteCount))
	switch {
	case n == 0:
	case m.Command == NegotiateCommand && !response:
		m.Negotiate = &d.negotiate
		m.Negotiate.decode(c, n)
	default:
		c.Skip(fBytes, n)
	}
	c.Close(mark)
	if c.Len() > 0 {
		c.Skip(fAndX, c.Len())
	}
	return m
}

func (m *Message) header(c *wire.Cursor) {
	defer c.Close(c.Open(fHeader))
	c.U32(fProtocol)
	m.Command = Command(c.U8(fCommand))
	m.Status = ntstatus.Status(c.U32(fStatus))
	m.Flags = c.U8(fFlags)
	m.Flags2 = c.U16(fFlags2)
	m.ProcessID = uint32(c.U16(fPIDHigh)) << 16
	c.Skip(fSignature, 8)
	c.Skip(fReserved, 2)
	m.TreeID = c.U16(fTreeID)
	m.ProcessID |= uint32(c.U16(fPID))
	m.UserID = c.U16(fUserID)
	m.ID = c.U16(fID)
}

func (n *Negotiate) decode(c *wire.Cursor, size int) {
	outer := *c
	list := outer.Sub(fDialects, size)
	n.Dialects = c.Pass(fDialects, size)
	mark := list.Open(fDialects)
	for list.Len() > 0 {
		dialect(&list)
	}
	list.Close(mark)
	c.Join(&list)
}

// dialect reads one dialect: a byte that says it is one, and text that a zero ends.
func dialect(c *wire.Cursor) []byte {
	look := c.Ahead()
	look.U8(fBufferFormat)
	from := look
	n := 1
	for look.U8(fDialectName) != 0 {
		n++
	}
	text := bytes.TrimSuffix(from.Pass(fDialectName, n), []byte{0})
	var mark wire.Mark = -1
	if c.Recording() {
		mark = c.Fact(fDialect, 0, string(text))
	}
	c.U8(fBufferFormat)
	c.Bytes(fDialectName, n)
	c.Close(mark)
	return text
}

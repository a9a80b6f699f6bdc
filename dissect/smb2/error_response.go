package smb2

import (
	"cmp"
	"slices"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

const errorSize = 9

// ErrorResponse takes the place of a response's body. [MS-SMB2] 2.2.2
type ErrorResponse struct {
	Function     fscc.Code // control code of the request, from the Context
	ContextCount uint8     // dialect 3.1.1: how many contexts Data is made of
	Data         []byte    // depends on the status; aliases the message
	Required     uint32    // bytes that the client's buffer lacked; 0 unless the status is STATUS_BUFFER_TOO_SMALL
	Symlink      Symlink   // valid iff the status is STATUS_STOPPED_ON_SYMLINK
	Redirect     Redirect  // valid iff a context says so
}

// Symlink is the link that opening a path met. [MS-SMB2] 2.2.2.2.1
type Symlink struct {
	Unparsed   uint16     // bytes of the path behind the link
	Relative   bool       // to the directory that holds the link
	Substitute wire.UTF16 // where it leads; aliases the message
	Print      wire.UTF16 // the same for people; aliases the message
}

// Redirect is the server that the client shall connect to instead. [MS-SMB2] 2.2.2.2.2
type Redirect struct {
	Resource wire.UTF16 // aliases the message
	Count    uint32     // of addresses, as claimed; the tree holds them
}

// errorID tells error contexts apart. [MS-SMB2] 2.2.2.1
type errorID uint32

const (
	errorDefault       errorID = 0
	errorShareRedirect errorID = 0x72645253
)

func (id errorID) String() string {
	return cmp.Or(map[errorID]string{errorDefault: "ERROR_ID_DEFAULT", errorShareRedirect: "ERROR_ID_SHARE_REDIRECT"}[id], "Unknown")
}

func (*ErrorResponse) body() {}

var (
	errorBody     = fields.Section("[MS-SMB2] 2.2.2")
	fContexts     = errorBody.Uint("smb2.error.context_count", "Error Context Count")
	fErrorRes     = errorBody.Hex("smb2.error.reserved", "Reserved")
	fByteCount    = errorBody.Uint("smb2.error.byte_count", "Byte Count")
	fErrorData    = errorBody.Bytes("smb2.error.data", "Error Data")
	fErrorOf      = errorBody.Enum("smb2.ioctl.function", "Function", wire.Text[fscc.Code]).InHex().Among(wire.Numbers(slices.Values(fscc.Codes())))
	fRequiredSize = errorBody.Uint("smb2.required_size", "Required Buffer Size")

	errorContext  = fields.Section("[MS-SMB2] 2.2.2.1")
	fErrorContext = errorContext.Bytes("smb2.error.context", "Error Context")
	fErrorLength  = errorContext.Uint("smb2.error.context.length", "Type")
	fErrorID      = errorContext.Enum("smb2.error.context.id", "Type", wire.Text[errorID]).InHex()
	fErrorPadding = errorContext.Bytes("", "Padding")

	symlink        = fields.Section("[MS-SMB2] 2.2.2.2.1")
	fSymlink       = symlink.Struct("smb2.symlink_error_response", "Symbolic Link Error Response")
	fSymlinkLength = symlink.Uint("smb2.symlink.length", "SymLink Length")
	fSymlinkTag    = symlink.Hex("smb2.symlink.error_tag", "SymLink Error Tag")
	fReparseTag    = symlink.Enum("smb2.reparse_tag", "Reparse Tag", func(v uint64) string {
		return cmp.Or(map[uint64]string{0xa000000c: "REPARSE_TAG_SYMLINK"}[v], "Unknown")
	}).InHex()
	fReparseLength = symlink.Uint("smb2.reparse_data_length", "Reparse Data Length")
	fUnparsed      = symlink.Uint("smb2.symlink.unparsed_path_length", "Unparsed Path Length")
	fSymlinkFlags  = symlink.Uint("smb2.symlink.flags", "Flags")
	fSubstitute    = symlink.String("smb2.symlink.substitute_name", "Substitute Name")
	fPrint         = symlink.String("smb2.symlink.print_name", "Print Name")

	redirect        = fields.Section("[MS-SMB2] 2.2.2.2.2")
	fRedirect       = redirect.Struct("smb2.error.share_redirect", "Share Redirect")
	fRedirectSize   = redirect.Uint("smb2.error.share_redirect.struct_size", "Struct Size")
	fRedirectType   = redirect.Uint("smb2.error.share_redirect.notif_type", "Notification Type")
	fRedirectFlags  = redirect.Hex("smb2.error.share_redirect.flags", "Flags")
	fRedirectTarget = redirect.Hex("smb2.error.share_redirect.target_type", "Target Type")
	fRedirectCount  = redirect.Uint("smb2.error.share_redirect.ip_count", "IP Addr Count")
	fRedirectList   = redirect.Struct("smb2.error.share_redirect.ip_list", "IP Addr List")
	fRedirectName   = redirect.String("smb2.error.share_redirect.res_name", "Resource Name")

	moveAddress = fields.Section("[MS-SMB2] 2.2.2.2.2.1")
	fAddress    = moveAddress.Struct("", "Address")
	fFamily     = moveAddress.Uint("", "Type")
	fIPv4       = moveAddress.Address("smb2.windows.sockaddr.in.addr", "Socket IPv4").Wide(32)
	fIPv6       = moveAddress.Address("smb2.windows.sockaddr.in6.addr", "Socket IPv6").Wide(128)
)

func (m *ErrorResponse) decode(c *wire.Cursor, d *Decoder) {
	*m = ErrorResponse{Function: d.ctx.Request.Function}
	size(c, errorSize)
	m.ContextCount = c.U8(fContexts)
	c.U8(fErrorRes)
	if n := int(c.U32(fByteCount)); n == 0 {
		// "If the ByteCount field is zero then the server MUST supply an ErrorData
		// field that is one byte in length." Not all do.
		m.Data = c.Bytes(fErrorData, min(1, c.Len()))
	} else {
		data, mark := within(c, fErrorData, n, &m.Data)
		m.inside(&data, d.msg.Status)
		c.End(mark)
		c.Join(&data)
	}
	if m.Function != 0 {
		c.Note(fErrorOf, uint64(m.Function), "")
	}
}

// inside reads what the error data holds: contexts, or before dialect 3.1.1 what would
// be in the only one.
func (m *ErrorResponse) inside(c *wire.Cursor, status Status) {
	if m.ContextCount == 0 {
		m.data(c, status)
	}
	for range m.ContextCount {
		if c.Len() > 0 {
			m.context(c, status)
		}
	}
}

// context reads one error context. All but the last are filled up to 8 bytes.
func (m *ErrorResponse) context(c *wire.Cursor, status Status) {
	look := c.Ahead()
	n := look.U32(fErrorLength)
	var whole []byte
	ctx, mark := within(c, fErrorContext, int(min(uint64(n)+8, uint64(c.Len()))), &whole)
	ctx.U32(fErrorLength)
	id := errorID(ctx.U32(fErrorID))
	var raw []byte
	data, inner := within(&ctx, fErrorData, int(n), &raw)
	switch {
	case id == errorShareRedirect:
		m.Redirect.decode(&data)
	case id == errorDefault:
		m.data(&data, status)
	}
	ctx.End(inner)
	ctx.Join(&data)
	c.End(mark)
	c.Join(&ctx)
	if c.Len() > 0 {
		c.Skip(fErrorPadding, min(int(-n&7), c.Len()))
	}
}

// data reads what the two statuses that have any say.
func (m *ErrorResponse) data(c *wire.Cursor, status Status) {
	switch status {
	case ntstatus.StoppedOnSymlink:
		m.Symlink.decode(c)
	case ntstatus.BufferTooSmall:
		m.Required = c.U32(fRequiredSize)
	}
}

func (m *Symlink) decode(c *wire.Cursor) {
	defer c.Close(c.Open(fSymlink))
	c.U32(fSymlinkLength)
	c.U32(fSymlinkTag)
	c.U32(fReparseTag)
	c.U16(fReparseLength)
	m.Unparsed = c.U16(fUnparsed)
	substitute := c.Sub(fSubstitute, 4)
	name := c.Sub(fPrint, 4)
	m.Relative = c.U32(fSymlinkFlags)&1 != 0
	paths := c.Sub(fSubstitute, c.Len()) // the offsets count from here
	m.Substitute = name16(&paths, &substitute, fSubstitute)
	m.Print = name16(&paths, &name, fPrint)
	c.Join(&paths)
}

func (m *Redirect) decode(c *wire.Cursor) {
	defer c.Close(c.Open(fRedirect))
	whole := c.Sub(fRedirect, c.Len()) // the offset counts from here
	whole.U32(fRedirectSize)
	whole.U32(fRedirectType)
	pair := whole.Sub(fRedirectName, 8)
	whole.U16(fRedirectFlags)
	whole.U16(fRedirectTarget)
	m.Count = whole.U32(fRedirectCount)
	mark := whole.Open(fRedirectList)
	for i := uint32(0); i < m.Count && !whole.Failed(); i++ {
		address(&whole)
	}
	whole.Close(mark)
	m.Resource = name32(&whole, &pair, fRedirectName)
	c.Join(&whole)
}

// address reads an address of the server to connect to.
func address(c *wire.Cursor) {
	defer c.Close(c.Open(fAddress))
	family := c.U32(fFamily)
	c.Skip(fReserved, 4)
	if family == 1 {
		c.Bytes(fIPv4, 4)
		c.Skip(fReserved, 12)
	} else {
		c.Bytes(fIPv6, 16)
	}
}

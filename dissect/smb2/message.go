// Package smb2 decodes SMB2 messages. [MS-SMB2]
//
// One command a file, request and response together; package wire's documentation
// says how to add one.
package smb2

import (
	"fmt"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

// Message is a decoded message.
type Message struct {
	Header
	Body Body // nil if the command has no decoder, or the header did not decode
}

// Body is *IoctlRequest, *IoctlResponse or *ErrorResponse.
type Body interface{ body() }

// Decoder decodes messages into values that it owns and uses again: a message is
// valid until the next Decode, and as long as the bytes it was decoded from. So
// nothing is allocated, and whoever keeps a message copies what it keeps. The zero
// Decoder is ready. Not for use by several goroutines at once.
type Decoder struct {
	msg Message
	ctx *Context

	negotiateRequest       NegotiateRequest
	negotiateResponse      NegotiateResponse
	sessionSetupRequest    SessionSetupRequest
	sessionSetupResponse   SessionSetupResponse
	logoffRequest          LogoffRequest
	logoffResponse         LogoffResponse
	treeConnectRequest     TreeConnectRequest
	treeConnectResponse    TreeConnectResponse
	treeDisconnectRequest  TreeDisconnectRequest
	treeDisconnectResponse TreeDisconnectResponse
	createRequest          CreateRequest
	createResponse         CreateResponse
	closeRequest           CloseRequest
	closeResponse          CloseResponse
	flushRequest           FlushRequest
	flushResponse          FlushResponse
	readRequest            ReadRequest
	readResponse           ReadResponse
	writeRequest           WriteRequest
	writeResponse          WriteResponse
	lockRequest            LockRequest
	lockResponse           LockResponse
	ioctlRequest           IoctlRequest
	ioctlResponse          IoctlResponse
	cancelRequest          CancelRequest
	echoRequest            EchoRequest
	echoResponse           EchoResponse
	queryDirectoryRequest  QueryDirectoryRequest
	queryDirectoryResponse QueryDirectoryResponse
	changeNotifyRequest    ChangeNotifyRequest
	changeNotifyResponse   ChangeNotifyResponse
	queryInfoRequest       QueryInfoRequest
	queryInfoResponse      QueryInfoResponse
	setInfoRequest         SetInfoRequest
	setInfoResponse        SetInfoResponse
	oplockBreakRequest     OplockBreakRequest
	oplockBreakResponse    OplockBreakResponse
	errorResponse          ErrorResponse
	buffers
}

var unknown Context // never written

// Decode decodes the message that c is at and leaves c at the next of its chain,
// which the caller decodes while c.Len() > 0. It keeps no state between messages;
// ctx is only read, and may be nil.
//
// After a failure, which c.Err tells, the message holds what was read before it,
// and zero for the rest: ErrShort, ErrTruncated, ErrProtocol or ErrStructureSize.
func (d *Decoder) Decode(c *wire.Cursor, ctx *Context) *Message {
	if ctx == nil {
		ctx = &unknown
	}
	d.ctx = ctx

	look := c.Ahead()
	look.Skip(fHeader, 16)
	response := Flags(look.U32(fFlags))&FlagResponse != 0
	size := c.Len()
	if next := look.U32(fNextCommand); next != 0 {
		size = int(next)
	}

	m := c.Sub(fNextCommand, size)
	d.msg.decode(&m, response, ctx)
	d.msg.Body = nil
	if m.Err() == nil {
		d.body(&m, response)
	}
	c.Join(&m)
	return &d.msg
}

// body decodes what follows the header. Its calls name concrete types; see input.
func (d *Decoder) body(c *wire.Cursor, response bool) {
	h := &d.msg.Header
	if int(h.Command) < len(commands) {
		f := fRequest[h.Command]
		if response {
			f = fResponse[h.Command]
		}
		defer c.Close(c.Open(f))
	}
	switch {
	case !response:
		d.request(c)
	case failed(c, h.Status):
		d.errorResponse.decode(c, d.ctx)
		d.msg.Body = &d.errorResponse
	default:
		d.response(c)
	}
}

func (d *Decoder) request(c *wire.Cursor) {
	switch d.msg.Command {
	case Negotiate:
		d.negotiateRequest.decode(c, d)
		d.msg.Body = &d.negotiateRequest
	case SessionSetup:
		d.sessionSetupRequest.decode(c, d)
		d.msg.Body = &d.sessionSetupRequest
	case Logoff:
		d.logoffRequest.decode(c, d)
		d.msg.Body = &d.logoffRequest
	case TreeConnect:
		d.treeConnectRequest.decode(c, d)
		d.msg.Body = &d.treeConnectRequest
	case TreeDisconnect:
		d.treeDisconnectRequest.decode(c, d)
		d.msg.Body = &d.treeDisconnectRequest
	case Create:
		d.createRequest.decode(c, d)
		d.msg.Body = &d.createRequest
	case Close:
		d.closeRequest.decode(c, d)
		d.msg.Body = &d.closeRequest
	case Flush:
		d.flushRequest.decode(c, d)
		d.msg.Body = &d.flushRequest
	case Read:
		d.readRequest.decode(c, d)
		d.msg.Body = &d.readRequest
	case Write:
		d.writeRequest.decode(c, d)
		d.msg.Body = &d.writeRequest
	case Lock:
		d.lockRequest.decode(c, d)
		d.msg.Body = &d.lockRequest
	case Ioctl:
		d.ioctlRequest.decode(c, d)
		d.msg.Body = &d.ioctlRequest
	case Cancel:
		d.cancelRequest.decode(c, d)
		d.msg.Body = &d.cancelRequest
	case Echo:
		d.echoRequest.decode(c, d)
		d.msg.Body = &d.echoRequest
	case QueryDirectory:
		d.queryDirectoryRequest.decode(c, d)
		d.msg.Body = &d.queryDirectoryRequest
	case ChangeNotify:
		d.changeNotifyRequest.decode(c, d)
		d.msg.Body = &d.changeNotifyRequest
	case QueryInfo:
		d.queryInfoRequest.decode(c, d)
		d.msg.Body = &d.queryInfoRequest
	case SetInfo:
		d.setInfoRequest.decode(c, d)
		d.msg.Body = &d.setInfoRequest
	case OplockBreak:
		d.oplockBreakRequest.decode(c, d)
		d.msg.Body = &d.oplockBreakRequest
	}
}

func (d *Decoder) response(c *wire.Cursor) {
	switch d.msg.Command {
	case Negotiate:
		d.negotiateResponse.decode(c, d)
		d.msg.Body = &d.negotiateResponse
	case SessionSetup:
		d.sessionSetupResponse.decode(c, d)
		d.msg.Body = &d.sessionSetupResponse
	case Logoff:
		d.logoffResponse.decode(c, d)
		d.msg.Body = &d.logoffResponse
	case TreeConnect:
		d.treeConnectResponse.decode(c, d)
		d.msg.Body = &d.treeConnectResponse
	case TreeDisconnect:
		d.treeDisconnectResponse.decode(c, d)
		d.msg.Body = &d.treeDisconnectResponse
	case Create:
		d.createResponse.decode(c, d)
		d.msg.Body = &d.createResponse
	case Close:
		d.closeResponse.decode(c, d)
		d.msg.Body = &d.closeResponse
	case Flush:
		d.flushResponse.decode(c, d)
		d.msg.Body = &d.flushResponse
	case Read:
		d.readResponse.decode(c, d)
		d.msg.Body = &d.readResponse
	case Write:
		d.writeResponse.decode(c, d)
		d.msg.Body = &d.writeResponse
	case Lock:
		d.lockResponse.decode(c, d)
		d.msg.Body = &d.lockResponse
	case Ioctl:
		d.ioctlResponse.decode(c, d)
		d.msg.Body = &d.ioctlResponse
	case Echo:
		d.echoResponse.decode(c, d)
		d.msg.Body = &d.echoResponse
	case QueryDirectory:
		d.queryDirectoryResponse.decode(c, d)
		d.msg.Body = &d.queryDirectoryResponse
	case ChangeNotify:
		d.changeNotifyResponse.decode(c, d)
		d.msg.Body = &d.changeNotifyResponse
	case QueryInfo:
		d.queryInfoResponse.decode(c, d)
		d.msg.Body = &d.queryInfoResponse
	case SetInfo:
		d.setInfoResponse.decode(c, d)
		d.msg.Body = &d.setInfoResponse
	case OplockBreak:
		d.oplockBreakResponse.decode(c, d)
		d.msg.Body = &d.oplockBreakResponse
	}
}

var (
	bodies         = fields.Section("[MS-SMB2] 2.2")
	fStructureSize = bodies.Hex("smb2.buffer_code", "StructureSize").Split(
		bodies.Uint("smb2.buffer_code.length", "Fixed Part Length").In(0xfffe),
		bodies.Flag(1, "smb2.buffer_code.dynamic", "Dynamic Part", "False", "True"))
	fRequest, fResponse = named("Request"), named("Response")
)

// named declares the structure of every command's request or response.
func named(what string) (fs [len(commands)]*wire.Field) {
	for i, s := range commands {
		fs[i] = bodies.Struct("", fmt.Sprintf("%s %s (0x%02x)", s, what, i))
	}
	return fs
}

// size reads the StructureSize that every body begins with.
func size(c *wire.Cursor, want uint16) {
	if c.U16(fStructureSize) != want {
		c.Fail(fStructureSize, ErrStructureSize)
	}
}

// ErrorResponse takes the place of a response's body. [MS-SMB2] 2.2.2
type ErrorResponse struct {
	Function fscc.Code // control code of the request, from the Context
	Data     []byte    // depends on the status; aliases the message
}

func (*ErrorResponse) body() {}

var (
	errorBody  = fields.Section("[MS-SMB2] 2.2.2")
	fContexts  = errorBody.Uint("smb2.error.context_count", "Error Context Count")
	fErrorRes  = errorBody.Hex("smb2.error.reserved", "Reserved")
	fByteCount = errorBody.Uint("smb2.error.byte_count", "Byte Count")
	fErrorData = errorBody.Bytes("smb2.error.data", "Error Data")
)

// failed reports whether the body of a response with status s is an ErrorResponse.
// Three statuses come with the command's own body, which may be of the same size.
func failed(c *wire.Cursor, s Status) bool {
	switch s {
	case ntstatus.Success, ntstatus.NotifyEnumDir, ntstatus.BufferOverflow, ntstatus.MoreProcessingRequired:
		return false
	}
	look := c.Ahead()
	return look.U16(fStructureSize) == 9
}

func (m *ErrorResponse) decode(c *wire.Cursor, ctx *Context) {
	*m = ErrorResponse{Function: ctx.Request.Function}
	size(c, 9)
	c.U8(fContexts)
	c.U8(fErrorRes)
	n := c.U32(fByteCount)
	// "If the ByteCount field is zero then the server MUST supply an ErrorData
	// field that is one byte in length."
	m.Data = c.Bytes(fErrorData, int(max(n, 1)))
	if m.Function != 0 {
		c.Note(fFunction, uint64(m.Function), "")
	}
}

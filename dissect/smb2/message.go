// Package smb2 decodes SMB2 messages. [MS-SMB2]
//
// One command a file, request and response together; package wire's documentation
// says how to add one.
package smb2

import (
	"github.com/odxray/odxray/dissect/rpc"
	"github.com/odxray/odxray/dissect/wire"
)

// Message is a decoded message.
type Message struct {
	Header
	Body Body  // nil if the command is unknown, or the header did not decode
	Err  error // nil, or the *wire.Error that ended the decoding of header or body

	RPC *rpc.Header // the first PDU of what the message carries on a named pipe, or nil
}

// Body is a pointer to a command's request or response, or to an ErrorResponse.
type Body interface{ body() }

// Decoder decodes messages into values that it owns and uses again: a message is
// valid until the next Decode, and as long as the bytes it was decoded from. So
// nothing is allocated, and whoever keeps a message copies what it keeps. The zero
// Decoder is ready. Not for use by several goroutines at once.
type Decoder struct {
	HeaderOnly bool // nobody wants BodyFields: leave bodies alone, but for those of CREATE, which may hold a status

	msg Message
	ctx *Context

	brevity brevity

	// The body's node, for a decoder that has more to say on its line.
	mark  wire.Mark
	title uint64

	negotiateRequest          NegotiateRequest
	negotiateResponse         NegotiateResponse
	sessionSetupRequest       SessionSetupRequest
	sessionSetupResponse      SessionSetupResponse
	logoffRequest             LogoffRequest
	logoffResponse            LogoffResponse
	treeConnectRequest        TreeConnectRequest
	treeConnectResponse       TreeConnectResponse
	treeDisconnectRequest     TreeDisconnectRequest
	treeDisconnectResponse    TreeDisconnectResponse
	createRequest             CreateRequest
	createResponse            CreateResponse
	closeRequest              CloseRequest
	closeResponse             CloseResponse
	flushRequest              FlushRequest
	flushResponse             FlushResponse
	readRequest               ReadRequest
	readResponse              ReadResponse
	writeRequest              WriteRequest
	writeResponse             WriteResponse
	lockRequest               LockRequest
	lockResponse              LockResponse
	ioctlRequest              IoctlRequest
	ioctlResponse             IoctlResponse
	cancelRequest             CancelRequest
	echoRequest               EchoRequest
	echoResponse              EchoResponse
	queryDirectoryRequest     QueryDirectoryRequest
	queryDirectoryResponse    QueryDirectoryResponse
	changeNotifyRequest       ChangeNotifyRequest
	changeNotifyResponse      ChangeNotifyResponse
	queryInfoRequest          QueryInfoRequest
	queryInfoResponse         QueryInfoResponse
	setInfoRequest            SetInfoRequest
	setInfoResponse           SetInfoResponse
	oplockBreakNotification   OplockBreakNotification
	oplockBreakAcknowledgment OplockBreakAcknowledgment
	oplockBreakResponse       OplockBreakResponse
	leaseBreakNotification    LeaseBreakNotification
	leaseBreakAcknowledgment  LeaseBreakAcknowledgment
	leaseBreakResponse        LeaseBreakResponse
	notification              ServerToClientNotification
	errorResponse             ErrorResponse
	transform                 TransformHeader
	compressed                CompressionHeader
	buffers
	infos
	pipe pipe
}

var unknown Context // never written

var fMessage = header.Struct("smb2", "SMB2 (Server Message Block Protocol version 2)")

// Decode decodes the message that c is at and leaves c at the next of its chain,
// which the caller decodes while c.Len() > 0. It keeps no state between messages;
// ctx is only read, and may be nil.
//
// A failure within the body is the message's own: Message.Err tells it, the message
// holds what was read before it, and zero for the rest. Only where the chain itself
// cannot be followed does c fail: ErrProtocol, ErrStructureSize, or ErrShort or
// ErrTruncated in the header, ErrShort at a NextCommand that points nowhere.
func (d *Decoder) Decode(c *wire.Cursor, ctx *Context) *Message {
	if ctx == nil {
		ctx = &unknown
	}
	d.ctx = ctx
	d.msg.Body, d.msg.Err, d.msg.RPC = nil, nil, nil
	if d.short(c) {
		return &d.msg
	}

	var response bool
	var next uint32
	size := c.Len()
	if b := wholeHeader(c); b != nil {
		response, next = b[16]&byte(FlagResponse) != 0, wire.GetU32(b[20:])
	} else {
		look := c.Ahead()
		look.Skip(fHeader, 16)
		response, next = Flags(look.U32(fFlags))&FlagResponse != 0, look.U32(fNextCommand)
	}
	lost := next != 0 && (next < headerSize || uint64(next) > uint64(size))
	if next != 0 && !lost {
		size = int(next)
	}

	var m wire.Cursor
	c.Split(&m, fNextCommand, size)
	mark := m.Open(fMessage)
	if d.msg.Header.decode(&m, response, ctx); m.Failed() {
		c.Join(&m)
	} else if !d.HeaderOnly || d.msg.Command == Create {
		d.body(&m, response)
	}
	d.msg.Err = m.Err()
	m.Close(mark)
	d.msg.RPC = d.rpc()
	if lost {
		c.Fail(fNextCommand, wire.ErrShort)
	}
	return &d.msg
}

// Peek sets h to the header of the message that c is at; c stays where it is. It reports
// false if there is none.
func (h *Header) Peek(c *wire.Cursor) bool {
	if b := wholeHeader(c); b != nil {
		h.read(b, b[16]&byte(FlagResponse) != 0)
		return true
	}
	look := c.Ahead()
	look.Skip(fHeader, 16)
	response := Flags(look.U32(fFlags))&FlagResponse != 0
	look = c.Ahead()
	h.decode(&look, response, &unknown)
	return !look.Failed()
}

// body decodes what follows the header. Its calls name concrete types because a call
// through Body would move the cursor to the heap.
func (d *Decoder) body(c *wire.Cursor, response bool) {
	h := &d.msg.Header
	mark := c.Open(fBody)
	defer c.Close(mark)
	d.mark, d.title = mark, bodyTitle(c, h, response)
	c.Title(mark, d.title, "")
	if response {
		d.noteClass(c)
	}
	switch {
	case h.Command > Notification:
		c.Skip(fUnknownBody, c.Len())
	case !response:
		d.request(c)
	case failed(c, h):
		d.errorResponse.decode(c, d)
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
		if isLease(c) {
			d.leaseBreakAcknowledgment.decode(c, d)
			d.msg.Body = &d.leaseBreakAcknowledgment
		} else {
			d.oplockBreakAcknowledgment.decode(c, d)
			d.msg.Body = &d.oplockBreakAcknowledgment
		}
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
		d.oplockBreak(c)
	case Notification:
		d.notification.decode(c, d)
		d.msg.Body = &d.notification
	}
}

package smb2

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

// Command is an SMB2 command. [MS-SMB2] 2.2.1.2
type Command uint16

const (
	Negotiate Command = iota
	SessionSetup
	Logoff
	TreeConnect
	TreeDisconnect
	Create
	Close
	Flush
	Read
	Write
	Lock
	Ioctl
	Cancel
	Echo
	QueryDirectory
	ChangeNotify
	QueryInfo
	SetInfo
	OplockBreak
	Notification // SERVER_TO_CLIENT_NOTIFICATION
)

// commands holds the words that Wireshark users know, which are not always the
// specification's: Find is QUERY_DIRECTORY, Notify CHANGE_NOTIFY, KeepAlive ECHO.
var commands = [...]string{
	"Negotiate Protocol", "Session Setup", "Session Logoff", "Tree Connect", "Tree Disconnect", "Create", "Close",
	"Flush", "Read", "Write", "Lock", "Ioctl", "Cancel", "KeepAlive", "Find", "Notify", "GetInfo", "SetInfo", "Break",
	"Server to Client Notification",
}

func (c Command) String() string {
	if int(c) < len(commands) {
		return commands[c]
	}
	return fmt.Sprintf("unknown-0x%02X", uint8(c))
}

// names are the commands as [MS-SMB2] 2.2.1 names them, without SMB2.
var names = [...]string{
	"NEGOTIATE", "SESSION_SETUP", "LOGOFF", "TREE_CONNECT", "TREE_DISCONNECT", "CREATE", "CLOSE", "FLUSH", "READ",
	"WRITE", "LOCK", "IOCTL", "CANCEL", "ECHO", "QUERY_DIRECTORY", "CHANGE_NOTIFY", "QUERY_INFO", "SET_INFO",
	"OPLOCK_BREAK", "SERVER_TO_CLIENT_NOTIFICATION",
}

// Name returns the specification's name of a command, or "".
func (c Command) Name() string {
	if int(c) < len(names) {
		return names[c]
	}
	return ""
}

// Status is an NTSTATUS. [MS-ERREF] 2.3.1
type Status = ntstatus.Status

// Flags of the header. [MS-SMB2] 2.2.1.2
type Flags uint32

const (
	FlagResponse Flags = 1 << 0
	FlagAsync    Flags = 1 << 1
	FlagRelated  Flags = 1 << 2 // goes on with the previous message's session, tree and file
	FlagSigned   Flags = 1 << 3
	FlagReplay   Flags = 1 << 29 // the request was sent before, on another channel perhaps
)

// Header is the SMB2 header, in both forms. [MS-SMB2] 2.2.1.1 (async), 2.2.1.2 (sync)
type Header struct {
	CreditCharge    uint16
	Status          Status // responses only
	ChannelSequence uint16 // requests only; 0 before dialect 3.0
	Command         Command
	Credits         uint16 // asked for, or granted
	Flags           Flags
	NextCommand     uint32 // bytes to the next message of the chain; 0 in the last
	MessageID       uint64 // pairs request and responses within a connection
	AsyncID         uint64 // valid iff FlagAsync is set
	TreeID          uint32 // valid iff it is not
	SessionID       uint64
	Signature       []byte // 16 bytes; aliases the message
}

const headerSize = 64

var (
	// ErrProtocol reports a message that is not SMB2, or is encrypted or compressed.
	ErrProtocol = errors.New("is not that of SMB2")
	// ErrStructureSize reports a header or body of a size that is not its own: what
	// follows would be misread.
	ErrStructureSize = errors.New("is not what the specification demands")
)

var fields wire.Set

// Fields lists what this package decodes.
func Fields() []*wire.Field { return fields.All() }

// BodyFields lists those of Fields that bodies have under names of their own.
func BodyFields() []*wire.Field {
	return slices.DeleteFunc(slices.Clone(fields.All()), func(f *wire.Field) bool {
		return f.Spec == headerSpec || f == fAsyncID || f == fAAPLStatus
	})
}

// DataFields lists the fields that hold the data of files, or the whole of a message that
// was encrypted or compressed.
func DataFields() []*wire.Field {
	return []*wire.Field{fReadData, fWriteData, fEncData, fCompressedData}
}

const headerSpec = "[MS-SMB2] 2.2.1.2"

var (
	header      = fields.Section(headerSpec)
	fHeader     = header.Struct("", "SMB2 Header")
	fProtocolID = header.Hex("smb2.protocol_id", "ProtocolId")
	fHeaderSize = header.Uint("smb2.header_len", "Header Length")
	fCharge     = header.Uint("smb2.credit.charge", "Credit Charge")
	fStatus     = header.Enum("smb2.nt_status", "NT Status", wire.Text[Status]).InHex().Among(ntstatus.Numbers)
	fChannelSeq = header.Uint("smb2.channel_sequence", "Channel Sequence")
	fReserved   = header.Bytes("smb2.reserved", "Reserved")
	fSpare      = header.Bytes("odx.reserved", "Reserved") // where Wireshark has no field
	fCommand    = header.Enum("smb2.cmd", "Command", wire.Text[Command]).Named(func(v uint64) string { return Command(v).Name() })
	fRequested  = header.Uint("smb2.credits.requested", "Credits requested")
	fGranted    = header.Uint("smb2.credits.granted", "Credits granted")
	fFlags      = header.Hex("smb2.flags", "Flags").List(
		header.Flag(0x00000001, "smb2.flags.response", "Response", "This is a REQUEST", "This is a RESPONSE"),
		header.Flag(0x00000002, "smb2.flags.async", "Async command", "This is a SYNC command", "This is an ASYNC command"),
		header.Flag(0x00000004, "smb2.flags.chained", "Chained", "This pdu is NOT a chained command", "This pdu is a CHAINED command"),
		header.Flag(0x00000008, "smb2.flags.signature", "Signing", "This pdu is NOT signed", "This pdu is SIGNED"),
		header.Flag(0x00000070, "smb2.flags.priority_mask", "Priority", "This pdu does NOT contain a PRIORITY", "This pdu contains a PRIORITY"),
		header.Flag(0x10000000, "smb2.flags.dfs", "DFS operation", "This is a normal operation", "This is a DFS OPERATION"),
		header.Flag(0x20000000, "smb2.flags.replay", "Replay operation", "This is NOT a replay operation", "This is a REPLAY OPERATION"),
	)
	fNextCommand = header.Hex("smb2.chain_offset", "Chain Offset")
	fMessageID   = header.Uint("smb2.msg_id", "Message ID").Formatted(messageIDText)
	fProcessID   = header.Hex("smb2.pid", "Process Id")
	fTreeID      = header.Hex("smb2.tid", "Tree Id")
	fAsyncID     = fields.Section("[MS-SMB2] 2.2.1.1").Hex("smb2.aid", "Async Id")
	fSessionID   = header.Hex("smb2.sesid", "Session Id")
	fSignature   = header.Bytes("smb2.signature", "Signature")
)

func messageIDText(v uint64) string {
	if v == unsolicited {
		return fmt.Sprintf("unsolicited response (%d)", v)
	}
	return strconv.FormatUint(v, 10)
}

// What other messages said; the header does not hold it.
var (
	known         = fields.Section("")
	fRequestIn    = known.Frame("smb2.response_to", "Response to")
	fResponseIn   = known.Frame("smb2.response_in", "Response in")
	fElapsed      = known.Duration("smb2.time", "Time from request")
	fShare        = known.String("smb2.tree", "Tree").InBrief("  ")
	fShareKind    = known.Enum("smb2.share_type", "Share Type", wire.Text[ShareType]).Wide(8).InHex()
	fShareFrame   = known.Frame("smb2.tcon_frame", "Connected in Frame")
	fAccount      = known.String("smb2.acct", "Account").InBrief(" Acct:")
	fDomain       = known.String("smb2.domain", "Domain").InBrief(" Domain:")
	fHost         = known.String("smb2.host", "Host").InBrief(" Host:")
	fSessionFrame = known.Frame("smb2.auth_frame", "Authenticated in Frame")
)

// decode reads a header. The form of its third field depends on a bit that comes
// later, so the caller says whether it is a response.
func (h *Header) decode(c *wire.Cursor, response bool, ctx *Context) {
	if !c.Recording() {
		if b := wholeHeader(c); b != nil {
			h.read(b, response)
			c.Pass(fHeader, headerSize)
			return
		}
	}
	defer c.Close(c.Open(fHeader))
	*h = Header{}
	if id := c.BE32(fProtocolID); id != 0xfe534d42 {
		c.Fail(fProtocolID, ErrProtocol)
	}
	if c.U16(fHeaderSize) != headerSize {
		c.Fail(fHeaderSize, ErrStructureSize)
	}
	h.CreditCharge = c.U16(fCharge)
	if response {
		h.Status = Status(c.U32(fStatus))
	} else {
		h.ChannelSequence = c.U16(fChannelSeq)
		c.Skip(fReserved, 2)
	}
	h.Command = Command(c.U16(fCommand))
	if response {
		h.Credits = c.U16(fGranted)
	} else {
		h.Credits = c.U16(fRequested)
	}
	h.Flags = Flags(c.U32(fFlags))
	h.NextCommand = c.U32(fNextCommand)
	h.MessageID = c.U64(fMessageID)
	if h.Flags&FlagAsync != 0 {
		h.AsyncID = c.U64(fAsyncID)
	} else {
		c.U32(fProcessID)
		h.TreeID = c.U32(fTreeID)
		if h.TreeID != ^uint32(0) { // the tree of the message before
			ctx.noteTree(c)
		}
	}
	h.SessionID = c.U64(fSessionID)
	if h.SessionID != ^uint64(0) { // of the message before it
		ctx.noteSession(c)
	}
	h.Signature = c.Bytes(fSignature, 16)
	switch {
	case ctx.RequestFrame != 0:
		c.Note(fRequestIn, uint64(ctx.RequestFrame), "")
		c.Note(fElapsed, uint64(ctx.Elapsed), "")
	case ctx.ResponseFrame != 0:
		c.Note(fResponseIn, uint64(ctx.ResponseFrame), "")
	}
}

// wholeHeader returns the header that c is at; nil unless all of it is there and it begins as
// one.
func wholeHeader(c *wire.Cursor) *[headerSize]byte {
	b := c.Peek(headerSize)
	if len(b) < headerSize || wire.GetU32(b) != 0x424d53fe || wire.GetU16(b[4:]) != headerSize {
		return nil
	}
	return (*[headerSize]byte)(b)
}

// read is decode of a header that is whole, where nobody looks at its fields: in one step. A
// test holds that both say the same.
func (h *Header) read(b *[headerSize]byte, response bool) {
	h.CreditCharge, h.Command, h.Credits = wire.GetU16(b[6:]), Command(wire.GetU16(b[12:])), wire.GetU16(b[14:])
	h.Status, h.ChannelSequence = 0, 0
	if response {
		h.Status = Status(wire.GetU32(b[8:]))
	} else {
		h.ChannelSequence = wire.GetU16(b[8:])
	}
	h.Flags, h.NextCommand, h.MessageID = Flags(wire.GetU32(b[16:])), wire.GetU32(b[20:]), wire.GetU64(b[24:])
	h.AsyncID, h.TreeID = 0, 0
	if h.Flags&FlagAsync != 0 {
		h.AsyncID = wire.GetU64(b[32:])
	} else {
		h.TreeID = wire.GetU32(b[36:])
	}
	h.SessionID, h.Signature = wire.GetU64(b[40:]), b[48:64:64]
}

// noteTree says below the tree id which share it stands for.
func (ctx *Context) noteTree(c *wire.Cursor) {
	if ctx.ShareFrame == 0 && ctx.Share == "" {
		return
	}
	mark := c.Below(fTreeID)
	c.Note(fShare, 0, ctx.Share)
	c.Note(fShareKind, uint64(ctx.ShareType), "")
	c.Note(fShareFrame, uint64(ctx.ShareFrame), "")
	c.End(mark)
}

// noteSession says below the session id whose it is.
func (ctx *Context) noteSession(c *wire.Cursor) {
	if ctx.SessionFrame == 0 && ctx.Account == "" {
		return
	}
	mark := c.Below(fSessionID)
	c.Note(fAccount, 0, ctx.Account)
	c.Note(fDomain, 0, ctx.Domain)
	c.Note(fHost, 0, ctx.Host)
	c.Note(fSessionFrame, uint64(ctx.SessionFrame), "")
	c.End(mark)
}

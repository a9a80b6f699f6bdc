package smb2

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

// AppendInfo appends what Wireshark's Info column says of the message. The messages
// of a chain are joined with semicolons. ctx may be nil.
func (m *Message) AppendInfo(b []byte, ctx *Context) []byte {
	if ctx == nil {
		ctx = &unknown
	}
	if m.RPC != nil {
		return m.RPC.AppendInfo(b)
	}
	if m.Signature == nil { // not even a header
		return m.appendFailure(b)
	}
	b = m.appendTitle(b)
	if m.Flags&FlagResponse != 0 && m.Status != ntstatus.Success {
		b = append(b, ", Error: "...)
		b = appendStatus(b, m.Status)
	}
	if m.Command == QueryDirectory && m.Flags&FlagResponse != 0 && ctx.Request.InfoClass != 0 {
		b = appendLevel(b, fscc.FileClass(ctx.Request.InfoClass)) // even of an error
		b = append(b, " Pattern: "...)
		b = append(b, ctx.Request.Name...)
	}
	switch body := m.Body.(type) {
	case *SessionSetupRequest:
		b = body.Auth.AppendInfo(b)
	case *SessionSetupResponse:
		b = body.Auth.AppendInfo(b)
	case *TreeConnectRequest:
		b = append(b, " Tree: "...)
		b = body.Path.AppendTo(b)
	case *CreateRequest:
		if body.Name == nil { // cut before it
			break
		}
		b = append(b, " File: "...)
		b = body.Name.AppendTo(b)
		if body.Contexts.Has(ContextTimeWarp) {
			b = append(b, '@')
			b = wire.AppendFileTime(b, body.TimeWarp)
		}
	case *CreateResponse:
		if m.Err == nil || body.File != (FileID{}) { // else it was cut before that
			b = ctx.appendCreated(b)
		}
	case *CloseRequest:
		b = ctx.appendFile(b, body.File)
	case *FlushRequest:
		b = ctx.appendFile(b, body.File)
	case *ReadRequest:
		b = ctx.appendFile(appendRange(b, body.Length, body.Offset), body.File)
	case *WriteRequest:
		b = ctx.appendFile(appendRange(b, body.Length, body.Offset), body.File)
	case *LockRequest:
		b = ctx.appendFile(b, body.File)
	case *IoctlRequest:
		b = ctx.appendFile(appendFunction(b, body.Function), body.File)
		if r, ok := body.Input.(*fscc.ReferralRequest); ok && r.Path != nil {
			b = append(b, ", File: "...)
			b = r.Path.AppendTo(b)
		}
	case *IoctlResponse:
		b = ctx.appendFile(appendFunction(b, body.Function), body.File)
	case *QueryInfoRequest:
		b = ctx.appendFile(appendClass(b, body.Type, body.Class), body.File)
	case *SetInfoRequest:
		b = ctx.appendFile(appendClass(b, body.Type, body.Class), body.File)
		if r, ok := body.Info.(*fscc.RenameInfo); ok && body.Class == uint8(fscc.FileRename) {
			b = append(b, " NewName:"...)
			b = r.Name.AppendTo(b)
		}
	case *QueryDirectoryRequest:
		b = appendLevel(ctx.appendFile(b, body.File), body.Class)
		b = append(b, " Pattern: "...)
		b = body.Pattern.AppendTo(b)
	case *ChangeNotifyRequest:
		b = ctx.appendFile(b, body.File)
	case *OplockBreakNotification:
		b = ctx.appendFile(b, body.File)
	case *OplockBreakAcknowledgment:
		b = ctx.appendFile(b, body.File)
	case *OplockBreakResponse:
		b = ctx.appendFile(b, body.File)
	}
	return m.appendFailure(b)
}

// appendFailure appends that the message could not be read to its end.
func (m *Message) appendFailure(b []byte) []byte {
	switch {
	case m.Err == nil:
		return b
	case errors.Is(m.Err, wire.ErrTruncated):
		return append(b, "[Packet size limited during capture]"...)
	}
	return append(b, "[Malformed Packet]"...)
}

// appendTitle appends the command and what kind of message of it this is.
func (m *Message) appendTitle(b []byte) []byte {
	switch m.Body.(type) {
	case *OplockBreakNotification:
		return append(b, "Oplock Break Notification"...)
	case *OplockBreakAcknowledgment:
		return append(b, "Oplock Break Acknowledgment"...)
	case *OplockBreakResponse:
		return append(b, "Oplock Break Response"...)
	case *LeaseBreakNotification:
		return append(b, "Lease Break Notification"...)
	case *LeaseBreakAcknowledgment:
		return append(b, "Lease Break Acknowledgment"...)
	case *LeaseBreakResponse:
		return append(b, "Lease Break Response"...)
	case *ServerToClientNotification:
		return append(b, m.Command.String()...)
	}
	b = append(b, m.Command.String()...)
	if m.Flags&FlagResponse != 0 {
		return append(b, " Response"...)
	}
	return append(b, " Request"...)
}

// appendStatus appends the name of a status, or its number.
func appendStatus(b []byte, s Status) []byte {
	if name := s.String(); name != "Unknown" {
		return append(b, name...)
	}
	return fmt.Appendf(b, "Unknown (0x%08X)", uint32(s))
}

// appendFile appends the name of an open file, if that is known and the message says
// which file it means: in a chain it may leave that to the message before.
func (ctx *Context) appendFile(b []byte, id FileID) []byte {
	if id == sameFile || ctx.File == "" && ctx.OpenFrame == 0 {
		return b
	}
	b = append(b, " File: "...)
	return append(b, ctx.File...)
}

// sameFile in a related message of a chain is the file of the message before.
var sameFile = FileID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// appendCreated appends the name of the file that a CREATE has opened.
func (ctx *Context) appendCreated(b []byte) []byte {
	if ctx.File != "" || ctx.OpenFrame != 0 {
		return ctx.appendFile(b, FileID{})
	}
	if ctx.RequestFrame != 0 {
		b = append(b, " File: "...)
		b = append(b, ctx.Request.Name...)
	}
	return b
}

// appendRange appends what READ and WRITE are about.
func appendRange(b []byte, n uint32, off uint64) []byte {
	b = append(b, " Len:"...)
	b = strconv.AppendUint(b, uint64(n), 10)
	b = append(b, " Off:"...)
	return strconv.AppendUint(b, off, 10)
}

// appendClass appends what QUERY_INFO and SET_INFO are about.
func appendClass(b []byte, t fscc.InfoType, class uint8) []byte {
	b = append(b, ' ')
	var name string
	switch t {
	case fscc.TypeFile:
		name = fscc.FileClass(class).String()
	case fscc.TypeFileSystem:
		name = fscc.FsClass(class).String()
	case fscc.TypeSecurity:
		name = securityLevel(uint64(class))
	default:
		name = "Unknown"
	}
	if s := t.String(); s != "Unknown" {
		b = append(b, s...)
	} else {
		b = fmt.Appendf(b, "(Class:0x%02x)", uint8(t))
	}
	b = append(b, '/')
	return appendLevelName(b, name, class)
}

// appendLevel appends in which form a directory is listed.
func appendLevel(b []byte, c fscc.FileClass) []byte {
	return appendLevelName(append(b, ' '), c.Level(), uint8(c))
}

func appendLevelName(b []byte, name string, class uint8) []byte {
	if name != "Unknown" {
		return append(b, name...)
	}
	return fmt.Appendf(b, "(Level:0x%02x)", class)
}

// appendFunction appends the name of a control code, or what its parts say.
func appendFunction(b []byte, c fscc.Code) []byte {
	b = append(b, ' ')
	if name := c.String(); name != "Unknown" {
		return append(b, name...)
	}
	device := fscc.Device(c & fscc.DeviceMask >> 16)
	if name := device.String(); name != "Unknown" {
		b = append(b, name...)
	} else {
		b = fmt.Appendf(b, "Unknown (0x%08X)", uint32(device))
	}
	return fmt.Appendf(b, " Function:0x%04x", uint32(c&fscc.FunctionMask>>2))
}

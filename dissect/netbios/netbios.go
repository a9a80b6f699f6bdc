// Package netbios decodes the session service that carries SMB in a TCP stream: four
// bytes that say how long the next message is. RFC 1002 4.3 on port 139, and the form
// of it that [MS-SMB2] 2.1 uses directly over TCP.
package netbios

import (
	"github.com/odxray/odxray/dissect/wire"
)

// Type says what a session service packet is. RFC 1002 4.3.1
type Type = uint8

const (
	Message   Type = 0x00
	Request   Type = 0x81
	Positive  Type = 0x82
	Negative  Type = 0x83
	Retarget  Type = 0x84
	KeepAlive Type = 0x85
)

// HeaderLen is the length of a header, in bytes.
const HeaderLen = 4

// Header is the header of a session service packet, and of packets other than a
// Message what follows it. It is reused: every Decode sets all of it.
type Header struct {
	Type   Type
	Length uint32 // of what follows, in bytes: 17 bits on port 139, 24 directly over TCP

	Called, Calling Name  // valid for a Request; they alias the stream
	Code            uint8 // valid for Negative: the reason
}

var fields wire.Set

// Fields lists what this package decodes.
func Fields() []*wire.Field { return fields.All() }

var (
	session   = fields.Section("RFC 1002 4.3.1")
	fSession  = session.Struct("nbss", "NetBIOS Session Service")
	fType     = session.Enum("nbss.type", "Message Type", typeName).InHex()
	fFlags    = session.Hex("nbss.flags", "Flags").List(session.Flag(0x01, "nbss.flags.e", "Extend", "Add 0 to length", "Add 65536 to length"))
	fLength   = session.Uint("nbss.length", "Length")
	fLow      = session.Uint("", "Length")
	fCalled   = session.Text("nbss.called_name", "Called name", showName).Remarked(remarkName)
	fCalling  = session.Text("nbss.calling_name", "Calling name", showName).Remarked(remarkName)
	fCode     = session.Enum("nbss.error_code", "Error code", codeName).InHex()
	fAddress  = session.Address("nbss.retarget_ip_address", "Retarget IP address").Wide(32)
	fPort     = session.Uint("nbss.retarget_port", "Retarget port")
	fTrailer  = session.Bytes("", "Unknown data")
	fContinue = session.Bytes("nbss.continuation_data", "Continuation data")
)

// Decode decodes the packet that c is at, and leaves c at what a Message carries, or
// behind any other packet. direct: there is no NetBIOS between SMB and TCP.
func Decode(c *wire.Cursor, h *Header, direct bool) {
	*h = Header{}
	m := c.Open(fSession)
	h.Type = c.U8(fType)
	if h.Type != Message || !direct && !smbFollows(c) {
		look := c.Ahead()
		extend := uint32(look.U8(fFlags) & 1)
		h.Length = extend<<16 | uint32(look.BE16(fLow))
		c.U8(fFlags)
		c.OverlayValue(fLength, 2, uint64(h.Length))
		c.Pass(fLength, 2)
	} else { // [MS-SMB2] 2.1: StreamProtocolLength
		c.Overlay(fLength, 3)
		if b := c.Pass(fLength, 3); b != nil {
			h.Length = uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
		}
	}
	if h.Type != Message && h.Length > 0 && c.Cause() == nil {
		body := c.Sub(fTrailer, int(h.Length))
		h.control(&body)
		c.Join(&body)
	}
	c.Close(m)
}

// smbFollows tells whether an SMB message follows the header whose type c has passed.
// Then its length has 24 bits on either port: Windows sends more than 128 KiB there.
func smbFollows(c *wire.Cursor) bool {
	look := c.Ahead()
	look.Pass(fLength, 3)
	switch look.BE32(fSession) {
	case 0xfe534d42, 0xfd534d42, 0xfc534d42, 0xff534d42: // SMB2, encrypted, compressed, SMB1
		return true
	}
	return false
}

// control decodes what follows the header of a packet other than a Message.
func (h *Header) control(c *wire.Cursor) {
	switch {
	case h.Type == Request:
		h.Called = name(c, fCalled)
		h.Calling = name(c, fCalling)
	case h.Type == Negative:
		h.Code = c.U8(fCode)
	case h.Type == Retarget:
		c.Bytes(fAddress, 4)
		c.BE16(fPort)
	}
	if c.Len() > 0 {
		c.Skip(fTrailer, c.Len())
	}
}

// Continuation shows bytes of a stream in which no packet begins, such as those after
// a hole.
func Continuation(c *wire.Cursor) {
	m := c.Open(fSession)
	c.Rest(fContinue)
	c.Close(m)
}

// AppendInfo appends what the Info column says of a packet.
func AppendInfo(b []byte, h *Header) []byte {
	b = append(b, typeName(uint64(h.Type))...)
	switch h.Type {
	case Request:
		b = h.Called.AppendTo(append(b, ", to "...))
		b = h.Calling.AppendTo(append(b, " from "...))
	case Negative:
		b = append(append(b, ", "...), codeName(uint64(h.Code))...)
	}
	return b
}

func typeName(v uint64) string {
	switch Type(v) {
	case Message:
		return "Session message"
	case Request:
		return "Session request"
	case Positive:
		return "Positive session response"
	case Negative:
		return "Negative session response"
	case Retarget:
		return "Retarget session response"
	case KeepAlive:
		return "Session keep-alive"
	}
	return "Unknown"
}

// codeName is the reason for a refusal. RFC 1002 4.3.4
func codeName(v uint64) string {
	switch v {
	case 0x80:
		return "Not listening on called name"
	case 0x81:
		return "Not listening for calling name"
	case 0x82:
		return "Called name not present"
	case 0x83:
		return "Called name present, but insufficient resources"
	case 0x8f:
		return "Unspecified error"
	}
	return "Unknown"
}

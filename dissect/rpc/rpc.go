// Package rpc decodes the PDUs of connection-oriented DCE/RPC, which named pipes
// carry: who is called, which procedure, and how that ended. Arguments stay opaque.
//
// What a READ, a WRITE or a PIPE_TRANSCEIVE brings is a PDU if [Looks] says so; several
// may follow each other, and one may go on in the next message ([Header.Partial]). What
// was bound and asked on the pipe before comes in a [Context], which package flows
// keeps. Tokens in trailers are for package auth.
//
// [C706] 12.6, [MS-RPCE] 2.2.2
package rpc

import (
	"encoding/hex"
	"fmt"
	"math"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/wire"
)

// headerSize is the size in bytes of what all PDUs begin with.
const headerSize = 16

// Flags of a PDU. [C706] 12.6.3.1
type Flags uint8

const (
	FirstFrag     Flags = 1 << 0
	LastFrag      Flags = 1 << 1
	CancelPending Flags = 1 << 2 // in a Bind and its answer: the header is to be signed. [MS-RPCE] 2.2.2.3
	Multiplex     Flags = 1 << 4
	DidNotExecute Flags = 1 << 5
	Maybe         Flags = 1 << 6
	HasObject     Flags = 1 << 7
)

// fragment is what a PDU is of its call: fragments of one call follow each other.
func (f Flags) fragment() string {
	return [...]string{"Mid", "1st", "Last", "Single"}[f&(FirstFrag|LastFrag)]
}

// Syntax is an interface, or an encoding of arguments, and its version.
type Syntax struct {
	UUID         wire.GUID // in little-endian form, whatever the PDU's
	Major, Minor uint16
}

// Offer is a presentation context that a Bind or AlterContext offers: an interface
// and the encodings to choose from.
type Offer struct {
	ContextID uint16
	Interface Syntax
	Transfer  wire.GUID // the last of those offered
}

// Answer is what became of an Offer at the same place.
type Answer struct {
	Result Result
	Reason Reason // valid iff Result is a rejection
}

// Header is a PDU, but for the arguments of a call. What is not of its type is zero.
// Slices alias the message.
type Header struct {
	Version, Minor uint8
	Type           PacketType
	Flags          Flags
	BigEndian      bool
	FragLength     uint16 // of the PDU in bytes
	AuthLength     uint16 // of Auth's token in bytes
	CallID         uint32
	Partial        bool // the message ends before the PDU does: the next has the rest

	ContextID uint16    // Request, Response, Fault
	AllocHint uint32    // Request, Response, Fault: bytes of the arguments that are still to come, or 0
	Opnum     uint16    // Request; of the others if the Context knows the request
	Object    wire.GUID // Request; valid iff Flags has HasObject
	Interface Syntax    // of ContextID; zero if the Context does not know
	Status    Status    // Fault
	Stub      []byte    // Request, Response: arguments, encrypted if Auth.Level is Privacy
	paired    bool      // Opnum of a Response is known

	MaxXmit, MaxRecv uint16 // Bind, AlterContext and their answers: bytes of a fragment
	AssocGroup       uint32
	Items            int       // offers or answers, of which the first are kept:
	Offers           [8]Offer  // Bind, AlterContext
	Answers          [8]Answer // BindAck, AlterContextResp
	Address          []byte    // BindAck: the pipe's name, without the terminating zero
	Reject           RejectReason

	Auth Auth
}

// Auth is the trailer of a PDU; zero if there is none. [MS-RPCE] 2.2.2.11
type Auth struct {
	Type      AuthType
	Level     AuthLevel
	PadLength uint8 // bytes between the arguments and the trailer
	ContextID uint32
	Message   auth.Message // of a PDU that negotiates
}

// Context is what a PDU does not hold. It is only read, and may be nil.
type Context struct {
	Bound []Offer // contexts that the pipe's server has accepted
	Calls []Call  // requests on the pipe before this PDU, in their order
	Time  int64   // of this PDU, in nanoseconds since 1970
}

// Call is what an answer needs to know of its request.
type Call struct {
	ID    uint32 // CallID
	Opnum uint16
	Frame uint32
	Time  int64 // as in Context
}

// bound returns the interface behind a context id, or zero.
func (ctx *Context) bound(id uint16) Syntax {
	if ctx != nil {
		for i := range ctx.Bound {
			if ctx.Bound[i].ContextID == id {
				return ctx.Bound[i].Interface
			}
		}
	}
	return Syntax{}
}

// call returns the latest request with that id, or nil.
func (ctx *Context) call(id uint32) *Call {
	if ctx != nil {
		for i := range ctx.Calls {
			if c := &ctx.Calls[len(ctx.Calls)-1-i]; c.ID == id {
				return c
			}
		}
	}
	return nil
}

var fields wire.Set

// Fields lists what this package decodes.
func Fields() []*wire.Field { return fields.All() }

var (
	header   = fields.Section("[C706] 12.6.3.1")
	fPDU     = header.Struct("dcerpc", "Distributed Computing Environment / Remote Procedure Call (DCE/RPC)").Formatted(title)
	fVersion = header.Uint("dcerpc.ver", "Version")
	fMinor   = header.Uint("dcerpc.ver_minor", "Version (minor)")
	fType    = header.Enum("dcerpc.pkt_type", "Packet type", wire.Text[PacketType])
	fFlags   = header.Hex("dcerpc.cn_flags", "Packet Flags").Split(
		packetFlag(0x80, "object", "Object"),
		packetFlag(0x40, "maybe", "Maybe"),
		packetFlag(0x20, "dne", "Did Not Execute"),
		packetFlag(0x10, "mpx", "Multiplex"),
		packetFlag(0x08, "reserved", "Reserved"),
		packetFlag(0x04, "cancel_pending", "Cancel Pending"),
		packetFlag(0x02, "last_frag", "Last Frag"),
		packetFlag(0x01, "first_frag", "First Frag"))
	fFragLength = header.Uint("dcerpc.cn_frag_len", "Frag Length")
	fAuthLength = header.Uint("dcerpc.cn_auth_len", "Auth Length")
	fCallID     = header.Uint("dcerpc.cn_call_id", "Call ID")
	fReserved   = header.Bytes("dcerpc.reserved", "Reserved")
	fUnknown    = header.Bytes("dcerpc.unknown", "Unknown")
)

func packetFlag(mask uint64, name, label string) *wire.Field {
	return header.Flag(mask, "dcerpc.cn_flags."+name, label, "Not set", "Set")
}

var (
	drep       = fields.Section("[C706] 14.1")
	fDRep      = drep.Text("dcerpc.drep", "Data Representation", hex.AppendEncode).Remarked(drepText)
	fByteOrder = drep.Enum("dcerpc.drep.byteorder", "Byte order", oneOf("Big-endian", "Little-endian"))
	fCharacter = drep.Enum("dcerpc.drep.character", "Character", oneOf("ASCII", "EBCDIC"))
	fFloat     = drep.Enum("dcerpc.drep.fp", "Floating-point", oneOf("IEEE", "VAX", "Cray", "IBM"))
)

// oneOf is the Format of a number that counts names.
func oneOf(names ...string) func(uint64) string {
	return func(v uint64) string {
		if v < uint64(len(names)) {
			return names[v]
		}
		return "Unknown"
	}
}

// A pdu is a cursor over one, which reads numbers in its byte order.
type pdu struct {
	*wire.Cursor
	big bool
}

func (p *pdu) u16(f *wire.Field) uint16 {
	if p.big {
		return p.BE16(f)
	}
	return p.U16(f)
}

func (p *pdu) u32(f *wire.Field) uint32 {
	if p.big {
		return p.BE32(f)
	}
	return p.U32(f)
}

// Looks reports whether b begins as a PDU does: pipes carry other things, too, and
// the rest of PDUs that took more than one message.
func Looks(b []byte) bool {
	c := wire.New(b, nil)
	var h Header
	size := h.head(&c)
	t := h.Type
	known := t == Request || t == Response || t == Fault || t >= Bind && t <= Orphaned
	return c.Err() == nil && h.Version == 5 && h.Minor <= 1 && known && size >= headerSize &&
		b[4]&0xee == 0 && b[5] <= 3 && (h.AuthLength == 0 || int(h.AuthLength) <= size-headerSize-trailerSize)
}

// Decode decodes the PDU that c is at, and leaves c at the next. It sets all of h.
//
// A PDU that cannot be read makes c fail. That is no fault of the message around it:
// the caller reads the pipe's data through a cursor of its own, and should not Join
// that.
func Decode(c *wire.Cursor, h *Header, ctx *Context) {
	*h = Header{}
	look := c.Ahead()
	size := h.head(&look)
	if size > c.Len() && c.Len() >= headerSize {
		h.Partial = true
		size = c.Len()
	}
	mark := c.Open(fPDU)
	s := c.Sub(fFragLength, max(size, headerSize))
	p := pdu{&s, h.BigEndian}
	h.decode(&p, ctx)
	c.Join(&s)
	if mark >= 0 {
		c.Title(mark, h.packed(), h.suffix(ctx))
	}
	c.Close(mark)
}

// suffix is the end of the line of a PDU.
func (h *Header) suffix(ctx *Context) string {
	var b []byte
	if h.Type == Request || h.Type == Response {
		b = appendNumber(b, ", Ctx: ", h.ContextID)
	}
	if h.Type == Response || h.Type == Fault {
		if call := ctx.call(h.CallID); call != nil {
			b = fmt.Appendf(b, ", [Req: #%d]", call.Frame)
		}
	}
	return string(b)
}

// head reads what decides how to read on, and returns the PDU's size.
func (h *Header) head(c *wire.Cursor) int {
	h.Version = c.U8(fVersion)
	h.Minor = c.U8(fMinor)
	h.Type = PacketType(c.U8(fType))
	h.Flags = Flags(c.U8(fFlags))
	h.BigEndian = c.U8(fDRep)>>4 == 0
	c.Pass(fDRep, 3)
	p := pdu{c, h.BigEndian}
	h.FragLength = p.u16(fFragLength)
	h.AuthLength = p.u16(fAuthLength)
	h.CallID = p.u32(fCallID)
	return int(h.FragLength)
}

func (h *Header) decode(p *pdu, ctx *Context) {
	p.U8(fVersion)
	p.U8(fMinor)
	p.U8(fType)
	p.U8(fFlags)
	representation(p.Cursor)
	if p.u16(fFragLength) < headerSize {
		p.Fail(fFragLength, wire.ErrShort)
	}
	p.u16(fAuthLength)
	p.u32(fCallID)

	rest, trailer := p.Len(), 0
	if h.AuthLength > 0 && !h.Partial {
		trailer = int(h.AuthLength) + trailerSize
		if trailer > rest {
			p.Fail(fAuthLength, wire.ErrShort)
		}
	}
	b := p.Sub(fAuthLength, rest-trailer)
	if trailer > 0 {
		look := p.Ahead()
		look.U8(fAuthType)
		h.Auth.Level = AuthLevel(look.U8(fAuthLevel))
		h.Auth.PadLength = look.U8(fAuthPad)
	}
	body := pdu{&b, p.big}
	h.body(&body, ctx)
	p.Join(&b)
	if trailer > 0 {
		h.trailer(p)
	}
}

// fixed returns how many bytes of the body a partial PDU must have to be read.
func (h *Header) fixed() int {
	switch {
	case h.Type == Request && h.Flags&HasObject != 0:
		return 24
	case h.Type == Request, h.Type == Response:
		return 8
	}
	return math.MaxInt
}

func (h *Header) body(p *pdu, ctx *Context) {
	if h.Partial && p.Len() < h.fixed() {
		if n := p.Len(); n > 0 {
			p.Skip(fUnknown, n)
		}
		return
	}
	switch h.Type {
	case Request:
		h.request(p, ctx)
	case Response:
		h.response(p, ctx)
	case Fault:
		h.fault(p, ctx)
	case Bind, AlterContext:
		h.bind(p)
	case BindAck, AlterContextResp:
		h.bindAck(p)
	case BindNak:
		h.bindNak(p)
	}
	if n := p.Len(); n > 0 {
		pad := min(n, int(h.Auth.PadLength))
		if n > pad {
			p.Skip(fReserved, n-pad)
		}
		if pad > 0 {
			p.Skip(fAuthPadding, pad)
		}
	}
}

// representation reads the data representation label: the byte order and the
// character set share a byte, then comes the form of floating-point numbers.
func representation(c *wire.Cursor) {
	again := *c
	c.Bytes(fDRep, 4)
	mark := c.Below(fDRep)
	look := again.Ahead()
	first, second := look.U8(fDRep), look.U8(fDRep)
	again.OverlayValue(fByteOrder, 1, uint64(first>>4))
	again.OverlayValue(fCharacter, 1, uint64(first&0x0f))
	again.Pass(fDRep, 1)
	again.OverlayValue(fFloat, 1, uint64(second))
	c.End(mark)
}

// drepText names the parts of a data representation label.
func drepText(b []byte) string {
	if len(b) < 2 {
		return ""
	}
	return fmt.Sprintf(" (Order: %s, Char: %s, Float: %s)",
		fByteOrder.Format(uint64(b[0]>>4)), fCharacter.Format(uint64(b[0]&0x0f)), fFloat.Format(uint64(b[1])))
}

// packed is what title needs of h: the flags, the type, the length and the call.
func (h *Header) packed() uint64 {
	return uint64(h.Flags)<<56 | uint64(h.Type)<<48 | uint64(h.FragLength)<<32 | uint64(h.CallID)
}

// title is the line of a PDU.
func title(v uint64) string {
	return fmt.Sprintf(" %s, Fragment: %s, FragLen: %d, Call: %d", PacketType(v>>48), Flags(v>>56).fragment(), uint16(v>>32), uint32(v))
}

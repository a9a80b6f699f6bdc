package inet

import (
	"fmt"

	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/dissect/wire"
)

var (
	frames       = fields.Section("")
	fFrame       = frames.Struct("frame", "Frame")
	fComment     = frames.ASCII("frame.comment", "Comment")
	fSectionNum  = frames.Uint("frame.section_number", "Section number")
	fInterface   = frames.Uint("frame.interface_id", "Interface id")
	fIfName      = frames.ASCII("frame.interface_name", "Interface name")
	fEncap       = frames.Enum("frame.encap_type", "Encapsulation type", encapName)
	fTime        = frames.Timestamp("frame.time", "Arrival Time")
	fEpoch       = frames.Duration("frame.time_epoch", "Epoch Time")
	fDelta       = frames.Duration("frame.time_delta", "Time delta from previous captured frame")
	fRelative    = frames.Duration("frame.time_relative", "Time since reference or first frame")
	fFrameNumber = frames.Uint("frame.number", "Frame Number")
	fFrameLen    = frames.Uint("frame.len", "Frame Length").Formatted(bitsToo)
	fCaptureLen  = frames.Uint("frame.cap_len", "Capture Length").Formatted(bitsToo)
	fProtocols   = frames.ASCII("frame.protocols", "Protocols in frame")
)

func bitsToo(v uint64) string {
	if v == 1 {
		return "1 byte (8 bits)"
	}
	return fmt.Sprintf("%d bytes (%d bits)", v, 8*v)
}

// frame shows what the capture file says of the frame, and returns the node for the
// protocols in it, which are known only at the end.
func frame(c *wire.Cursor, link linktype.Type, ctx *Context) wire.Mark {
	if ctx.Frame == 0 {
		return -1
	}
	look := c.Ahead()
	size, captured := c.Len(), len(look.Rest(fFrame))
	title := ""
	if c.Wants(fFrame) {
		title = fmt.Sprintf(" %d: %d bytes on wire (%d bits), %d bytes captured (%d bits)", ctx.Frame, size, 8*size, captured, 8*captured)
	}
	m := c.Fact(fFrame, 0, title)
	if ctx.Comment != "" {
		c.Fact(fComment, 0, ctx.Comment)
	}
	if ctx.Section != 0 {
		c.Fact(fSectionNum, uint64(ctx.Section), "")
		c.Fact(fInterface, uint64(ctx.InterfaceID), "")
		if ctx.Interface != "" {
			c.Fact(fIfName, 0, ctx.Interface)
		}
	}
	c.Fact(fEncap, encapNumber(link), "")
	c.Fact(fTime, uint64(ctx.Time), "")
	c.Fact(fEpoch, uint64(ctx.Time), "")
	if ctx.Frame == 1 {
		c.Note(fDelta, 0, "")
	} else {
		since(c, fDelta, ctx.Time, ctx.PrevTime)
	}
	since(c, fRelative, ctx.Time, ctx.FirstTime)
	c.Fact(fFrameNumber, uint64(ctx.Frame), "")
	c.Fact(fFrameLen, uint64(size), "")
	c.Fact(fCaptureLen, uint64(captured), "")
	protocols := c.Note(fProtocols, 0, "")
	c.Close(m)
	return protocols
}

// since notes the time passed since then, if that is known.
func since(c *wire.Cursor, f *wire.Field, now, then int64) {
	if then != 0 {
		c.Note(f, uint64(now-then), "")
	}
}

// encapNumber is Wireshark's own number for a link type, which frame.encap_type shows.
func encapNumber(link linktype.Type) uint64 {
	switch link {
	case linktype.Ethernet:
		return 1
	case linktype.PPP, linktype.PPPHDLC:
		return 4
	case linktype.Raw, linktype.Raw12, linktype.Raw14:
		return 7
	case linktype.Null:
		return 15
	case linktype.LinuxSLL:
		return 25
	case linktype.IPv4:
		return 129
	case linktype.IPv6:
		return 130
	case linktype.NFLOG:
		return 141
	case linktype.Loop:
		return 174
	case linktype.IPoIB:
		return 180
	case linktype.LinuxSLL2:
		return 210
	}
	return 0
}

func encapName(v uint64) string {
	switch v {
	case 1:
		return "Ethernet"
	case 4:
		return "PPP"
	case 7:
		return "Raw IP"
	case 15:
		return "NULL/Loopback"
	case 25:
		return "Linux cooked-mode capture v1"
	case 129:
		return "Raw IPv4"
	case 130:
		return "Raw IPv6"
	case 141:
		return "NFLOG"
	case 174:
		return "OpenBSD loopback"
	case 180:
		return "IP over IB"
	case 210:
		return "Linux cooked-mode capture v2"
	}
	return "Unknown"
}

package inet

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	tcp       = fields.Section("RFC 9293 3.1")
	fTCP      = tcp.Struct("tcp", "Transmission Control Protocol")
	fSrcPort  = tcp.Uint("tcp.srcport", "Source Port")
	fDstPort  = tcp.Uint("tcp.dstport", "Destination Port")
	_         = tcp.Any("tcp.port", "Source or Destination Port", fSrcPort, fDstPort)
	fStream   = tcp.Uint("tcp.stream", "Stream index")
	fComplete = tcp.Uint("tcp.completeness", "Conversation completeness").Formatted(completeness)
	fTCPLen   = tcp.Uint("tcp.len", "TCP Segment Len")
	fSeq      = tcp.Uint("tcp.seq", "Sequence Number")
	fSeqRel   = tcp.Uint("tcp.seq", "Sequence Number").Formatted(relative("sequence"))
	fSeqRaw   = tcp.Uint("tcp.seq_raw", "Sequence Number (raw)")
	fNext     = tcp.Uint("tcp.nxtseq", "Next Sequence Number")
	fNextRel  = tcp.Uint("tcp.nxtseq", "Next Sequence Number").Formatted(relative("sequence"))
	fAck      = tcp.Uint("tcp.ack", "Acknowledgment Number")
	fAckRel   = tcp.Uint("tcp.ack", "Acknowledgment Number").Formatted(relative("ack"))
	fAckRaw   = tcp.Uint("tcp.ack_raw", "Acknowledgment number (raw)")
	fHdrLen   = tcp.Uint("tcp.hdr_len", "Header Length").In(0xf0).Times(4).Formatted(inWords)
	fFlags    = tcp.Hex("tcp.flags", "Flags").Wide(12).Formatted(func(v uint64) string {
		return fmt.Sprintf("0x%03x (%s)", v, TCPFlags(v))
	})
	fFlagsText     = tcp.ASCII("tcp.flags.str", "TCP Flags")
	fOffset        = tcp.Hex("", "Header Length and Flags").Beside()
	fWindow        = tcp.Uint("tcp.window_size_value", "Window")
	fWindowIs      = tcp.Uint("tcp.window_size", "Calculated window size")
	fFactor        = tcp.Int("tcp.window_size_scalefactor", "Window size scaling factor").Formatted(factorText)
	fTCPSum        = tcp.Hex("tcp.checksum", "Checksum").Formatted(sumUnverified)
	fTCPStatus     = tcp.Uint("tcp.checksum.status", "Checksum Status").Formatted(sumStatus)
	fUrgent        = tcp.Uint("tcp.urgent_pointer", "Urgent Pointer")
	fPayload       = tcp.Bytes("tcp.payload", "TCP payload").Formatted(byteCount)
	fAckUnused     = tcp.Struct("tcp.ack.nonzero", "The acknowledgment number field is nonzero while the ACK flag is not set")
	fReassembledIn = tcp.Frame("tcp.reassembled_in", "Reassembled PDU in frame")
	fBadHdrLen     = tcp.Struct("tcp.bogus_header_length", "Bogus TCP header length")

	fSynRemark    = tcp.Struct("tcp.connection.syn", "Connection establish request (SYN)")
	fSynAckRemark = tcp.Struct("tcp.connection.synack", "Connection establish acknowledge (SYN+ACK)")
	fFinRemark    = tcp.Struct("tcp.connection.fin", "Connection finish (FIN)")
	fFinActive    = tcp.Struct("tcp.connection.fin_active", "This frame initiates the connection closing")
	fFinPassive   = tcp.Struct("tcp.connection.fin_passive", "This frame undergoes the connection closing")
	fRstRemark    = tcp.Struct("tcp.connection.rst", "Connection reset (RST)")
)

// flagFields is the bits of fFlags, in tshark's order, which is that of the letters.
var flagFields = [...]*wire.Field{
	flag(0xe00, "res", "Reserved"),
	flag(0x100, "ae", "Accurate ECN"),
	flag(0x080, "cwr", "Congestion Window Reduced"),
	flag(0x040, "ece", "ECN-Echo"),
	flag(0x020, "urg", "Urgent"),
	flag(0x010, "ack", "Acknowledgment"),
	flag(0x008, "push", "Push"),
	flag(0x004, "reset", "Reset"),
	flag(0x002, "syn", "Syn"),
	flag(0x001, "fin", "Fin"),
}

func flag(mask uint64, name, label string) *wire.Field {
	return tcp.Flag(mask, "tcp.flags."+name, label, "Not set", "Set").Wide(12)
}

func relative(what string) func(uint64) string {
	return func(v uint64) string { return fmt.Sprintf("%d    (relative %s number)", v, what) }
}

// Values of tcp.window_size_scalefactor that are no factor.
const (
	factorUnknown = -1
	factorUnused  = -2
)

func factorText(v uint64) string {
	switch int32(v) {
	case factorUnknown:
		return "-1 (unknown)"
	case factorUnused:
		return "-2 (no window scaling used)"
	}
	return fmt.Sprint(int32(v))
}

// String lists the flags as the Info column does.
func (f TCPFlags) String() string {
	return string(f.appendTo(nil))
}

func (f TCPFlags) appendTo(b []byte) []byte {
	if f == 0 {
		return append(b, "<None>"...)
	}
	start := len(b)
	for i, name := range [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE", "Reserved"} {
		if f>>i&1 != 0 || i == 9 && f>>9 != 0 {
			if len(b) > start {
				b = append(b, ", "...)
			}
			b = append(b, name...)
		}
	}
	return b
}

// drawn is what letters has drawn: few sets of flags are in use.
var drawn [1 << 12]atomic.Pointer[string]

// letters draws the flags, the highest first: "·······AP···".
func (f TCPFlags) letters() string {
	if s := drawn[f].Load(); s != nil {
		return *s
	}
	text := f.draw()
	drawn[f].Store(&text)
	return text
}

func (f TCPFlags) draw() string {
	var s strings.Builder
	for i, letter := range "RRRACEUAPRSF" {
		if f>>(11-i)&1 != 0 {
			s.WriteRune(letter)
		} else {
			s.WriteRune('·')
		}
	}
	return s.String()
}

// leastTCP is the length of a TCP header without options.
const leastTCP = 20

// tcp decodes a TCP header. A header whose options are bad or cut still is one.
func (w *walk) tcp(c *wire.Cursor) {
	h, ctx := w.h, w.ctx
	w.met(c, "tcp")
	left := c.Len()
	m := c.Open(fTCP)
	h.SrcPort = c.BE16(fSrcPort)
	h.DstPort = c.BE16(fDstPort)
	if c.Recording() {
		w.stream(c, left)
		w.sequence(c)
	}
	h.Seq = c.BE32(fSeqRaw)
	if c.Recording() {
		w.acknowledgment(c, left)
	}
	h.Ack = c.BE32(fAckRaw)
	if c.Recording() {
		headerLength(c)
		w.flags(c)
	}
	v := c.BE16(fOffset)
	size := int(v>>12) * 4
	h.Flags = TCPFlags(v & 0x0fff)
	h.Window = c.BE16(fWindow)
	if c.Recording() {
		w.window(c)
	}
	c.BE16(fTCPSum)
	if c.Recording() {
		c.Note(fTCPStatus, unverifiedStatus, "")
	}
	h.Urgent = c.BE16(fUrgent)
	if c.Failed() {
		c.Close(m)
		h.finish(c, fPayload)
		return
	}
	h.Kind = TCP
	if size < 20 {
		h.Malformed = true
		w.tcpTitle(c, m, 0)
		c.Close(m)
		w.data(c)
		h.Payload, h.PayloadLen = nil, 0 // nobody knows where it begins
		return
	}
	if size > 20 {
		w.tcpOptions(c, size-20)
	}
	if c.Recording() {
		w.tcpTitle(c, m, max(left-size, 0))
		w.timestamps(c)
		if ctx.HasStream {
			analysis(c, &ctx.Analysis)
		}
	}
	h.finish(c, fPayload)
	if ctx.ReassembledIn != 0 && h.PayloadLen > 0 {
		c.Note(fReassembledIn, uint64(ctx.ReassembledIn), "")
	}
	c.Close(m)
}

// segmentLen returns the length of the payload before the header's own length is
// read, for the fields that tshark shows above it. left is what IP gives TCP.
func segmentLen(c *wire.Cursor, off, left int) int {
	look := c.Ahead()
	look.Pass(fHdrLen, off)
	size := int(look.U8(fHdrLen)>>4) * 4
	if look.Cause() != nil {
		return 0
	}
	return max(left-size, 0)
}

// stream notes what the conversation is, after the ports.
func (w *walk) stream(c *wire.Cursor, left int) {
	if w.ctx.HasStream {
		c.Note(fStream, uint64(w.ctx.Stream), "")
		c.Note(fComplete, uint64(w.ctx.Completeness), "")
	}
	if c.Cause() == nil && !w.quote {
		c.Note(fTCPLen, uint64(segmentLen(c, 8, left)), "")
	}
}

func (w *walk) sequence(c *wire.Cursor) {
	look := c.Ahead()
	if seq := look.BE32(fSeq); w.ctx.SeqKnown {
		c.OverlayValue(fSeqRel, 4, uint64(seq-w.ctx.SeqBase))
	} else {
		c.OverlayValue(fSeq, 4, uint64(seq))
	}
}

// acknowledgment shows the next sequence number and the acknowledged one, which is
// relative only if the flag says that there is one.
func (w *walk) acknowledgment(c *wire.Cursor, left int) {
	look := c.Ahead()
	ack := look.BE32(fAck)
	flags := TCPFlags(look.BE16(fFlags))
	if look.Cause() != nil {
		return
	}
	next := w.h.Seq + uint32(segmentLen(c, 4, left))
	if flags&(SYN|FIN) != 0 {
		next++
	}
	switch {
	case w.quote: // nobody knows how long the segment was
	case w.ctx.SeqKnown:
		c.Note(fNextRel, uint64(next-w.ctx.SeqBase), "")
	default:
		c.Note(fNext, uint64(next), "")
	}
	if w.ctx.AckKnown && flags&ACK != 0 {
		c.OverlayValue(fAckRel, 4, uint64(ack-w.ctx.AckBase))
		return
	}
	m := c.OverlayValue(fAck, 4, uint64(ack))
	if flags&ACK == 0 && ack != 0 {
		remark(c, fAckUnused, severityNote, groupProtocol, "")
	}
	c.Close(m)
}

// headerLength shows the header length that c is at.
func headerLength(c *wire.Cursor) {
	m := c.Overlay(fHdrLen, 1)
	if b := c.Peek(1); b != nil && b[0]>>4 < 5 {
		remark(c, fBadHdrLen, severityError, groupProtocol, fmt.Sprintf(" (%d, must be at least 20)", b[0]>>4*4))
	}
	c.Close(m)
}

// flags shows the flags that c is at, and remarks on those that begin and end
// connections.
func (w *walk) flags(c *wire.Cursor) {
	h := w.h
	look := c.Ahead()
	v := TCPFlags(look.BE16(fFlags)) & 0xfff
	if look.Cause() != nil {
		return
	}
	m := c.Overlay(fFlags, 2)
	for _, f := range flagFields {
		bit := c.Overlay(f, 2)
		switch v & TCPFlags(f.Mask) {
		case RST:
			remark(c, fRstRemark, severityWarning, groupSequence, "")
		case SYN:
			if v&ACK == 0 {
				remark(c, fSynRemark, severityChat, groupSequence, fmt.Sprintf("server port %d", h.DstPort))
			} else {
				remark(c, fSynAckRemark, severityChat, groupSequence, fmt.Sprintf("server port %d", h.SrcPort))
			}
		case FIN:
			remark(c, fFinRemark, severityChat, groupSequence, "")
			switch w.ctx.Closing {
			case First:
				remark(c, fFinActive, severityNote, groupSequence, "")
			case Second:
				remark(c, fFinPassive, severityNote, groupSequence, "")
			}
		}
		c.Close(bit)
	}
	c.Note(fFlagsText, 0, v.letters())
	c.Close(m)
}

// windowSize returns the window in bytes, as far as the scale is known.
func (h *Headers) windowSize(ctx *Context) uint32 {
	if ctx.WindowFactor > 0 && h.Flags&SYN == 0 {
		return uint32(h.Window) * uint32(ctx.WindowFactor)
	}
	return uint32(h.Window)
}

func (w *walk) window(c *wire.Cursor) {
	c.Note(fWindowIs, uint64(w.h.windowSize(w.ctx)), "")
	if w.h.Flags&SYN != 0 {
		return
	}
	factor := w.ctx.WindowFactor
	if factor == 0 {
		factor = factorUnknown
	}
	c.Note(fFactor, uint64(uint32(factor)), "")
}

func (w *walk) tcpTitle(c *wire.Cursor, m wire.Mark, size int) {
	if m < 0 {
		return
	}
	h, ctx := w.h, w.ctx
	var b strings.Builder
	fmt.Fprintf(&b, ", Src Port: %d, Dst Port: %d, Seq: %d", h.SrcPort, h.DstPort, h.seq(ctx))
	if h.Flags&ACK != 0 {
		fmt.Fprintf(&b, ", Ack: %d", h.ack(ctx))
	}
	if !w.quote {
		fmt.Fprintf(&b, ", Len: %d", size)
	}
	c.Title(m, 0, b.String())
}

// seq and ack return the numbers relative to the beginning of the stream, as far as
// that is known.
func (h *Headers) seq(ctx *Context) uint32 {
	if ctx.SeqKnown {
		return h.Seq - ctx.SeqBase
	}
	return h.Seq
}

func (h *Headers) ack(ctx *Context) uint32 {
	if ctx.AckKnown {
		return h.Ack - ctx.AckBase
	}
	return h.Ack
}

// completeness says in words what of a connection has been seen.
func completeness(v uint64) string {
	const syn, synAck, ack, data, fin, rst = 1, 2, 4, 8, 16, 32
	word := "Incomplete"
	switch {
	case v&(syn|synAck|ack) == syn|synAck|ack && v&(fin|rst) != 0 && v&data != 0:
		word = "Complete, WITH_DATA"
	case v&(syn|synAck|ack) == syn|synAck|ack && v&(fin|rst) != 0:
		word = "Complete, NO_DATA"
	case v&(syn|synAck|ack|data) == syn|synAck|ack|data:
		word = "Incomplete, DATA"
	case v&(syn|synAck|ack) == syn|synAck|ack:
		word = "Incomplete, ESTABLISHED"
	case v&(syn|synAck|ack) == syn|synAck:
		word = "Incomplete, CLIENT_ESTABLISHED"
	case v == syn:
		word = "Incomplete, SYN_SENT"
	}
	return fmt.Sprintf("%s (%d)", word, v)
}

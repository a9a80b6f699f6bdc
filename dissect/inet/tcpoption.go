package inet

import (
	"fmt"
	"strings"

	"github.com/odxray/odxray/dissect/wire"
)

// Kinds of TCP options. RFC 9293 3.2, RFC 7323, RFC 2018
const (
	optionEnd = iota
	optionNOP
	optionMSS
	optionScale
	optionSACKPermitted
	optionSACK
	_
	_
	optionTimestamps
)

var (
	tcpOption  = fields.Section("RFC 9293 3.2")
	fOptions   = tcpOption.Bytes("tcp.options", "Options").Remarked(optionNames)
	fTCPOption = tcpOption.Struct("", "TCP Option").Formatted(func(v uint64) string { return " - " + tcpOptionName(v) })
	fKind      = tcpOption.Enum("tcp.option_kind", "Kind", tcpKindName)
	fOptionLen = tcpOption.Uint("tcp.option_len", "Length")
	fMSS       = tcpOption.Uint("tcp.options.mss_val", "MSS Value")
	fShift     = tcpOption.Uint("tcp.options.wscale.shift", "Shift count")
	fMultiply  = tcpOption.Uint("tcp.options.wscale.multiplier", "Multiplier")
	fLeft      = tcpOption.Uint("tcp.options.sack_le", "left edge").Formatted(plain)
	fLeftRel   = tcpOption.Uint("tcp.options.sack_le", "left edge").Formatted(plainRelative)
	fRight     = tcpOption.Uint("tcp.options.sack_re", "right edge").Formatted(plain)
	fRightRel  = tcpOption.Uint("tcp.options.sack_re", "right edge").Formatted(plainRelative)
	fSACKCount = tcpOption.Uint("tcp.options.sack.count", "TCP SACK Count")
	fDupLeft   = tcpOption.Uint("tcp.options.sack.dsack_le", "D-SACK Left Edge").Formatted(plain)
	fDupLeftR  = tcpOption.Uint("tcp.options.sack.dsack_le", "D-SACK Left Edge").Formatted(plainRelative)
	fDupRight  = tcpOption.Uint("tcp.options.sack.dsack_re", "D-SACK Right Edge").Formatted(plain)
	fDupRightR = tcpOption.Uint("tcp.options.sack.dsack_re", "D-SACK Right Edge").Formatted(plainRelative)
	fDupSeq    = tcpOption.Struct("", "D-SACK Sequence")
	fDupRemark = tcpOption.Struct("tcp.options.sack.dsack", "D-SACK Sequence")
	fTSval     = tcpOption.Uint("tcp.options.timestamp.tsval", "Timestamp value")
	fTSecr     = tcpOption.Uint("tcp.options.timestamp.tsecr", "Timestamp echo reply")
	fUnknown   = tcpOption.Bytes("tcp.options.unknown.payload", "Payload")
	fBadOption = tcpOption.Struct("tcp.option.len.invalid", "Invalid length for option")
)

func plain(v uint64) string         { return fmt.Sprintf(" = %d", v) }
func plainRelative(v uint64) string { return fmt.Sprintf(" = %d (relative)", v) }

// tcpOptions decodes n bytes of options. Whatever is wrong with them ends them, and
// is not the failure of c: what follows the header can be read all the same.
func (w *walk) tcpOptions(c *wire.Cursor, n int) {
	h := w.h
	if n > c.Len() {
		h.Malformed = true
		n = c.Len()
	}
	if !c.Recording() && w.stampsOnly(c, n) {
		return
	}
	o := c.Sub(fOptions, n)
	all := o.Ahead()
	h.Options = all.Rest(fOptions)
	m := o.Open(fOptions)
	for o.Len() > 0 {
		w.tcpOption(&o)
	}
	o.Close(m)
	switch o.Cause() {
	case nil:
	case wire.ErrTruncated:
		h.Truncated = true
	default:
		h.Malformed = true
	}
}

// stampsOnly reads the options if they are those of nearly every segment between hosts
// that use time stamps, which RFC 7323 A wants laid out so: NOP, NOP, Timestamps.
func (w *walk) stampsOnly(c *wire.Cursor, n int) bool {
	const size, layout = 12, 0x0101080a
	if n != size {
		return false
	}
	b := c.Peek(size)
	if b == nil || b[0] != layout>>24 || b[1] != layout>>16&0xff || b[2] != layout>>8&0xff || b[3] != layout&0xff {
		return false
	}
	c.Pass(fOptions, 4)
	h := w.h
	h.Options, h.HasTimestamp = b, true
	h.TSval, h.TSecr = c.BE32(fTSval), c.BE32(fTSecr)
	return true
}

// optionNames lists what the options b are: "(12 bytes), No-Operation (NOP), …".
func optionNames(b []byte) string {
	names := fmt.Sprintf(": (%d bytes)", len(b))
	c := wire.New(b, nil)
	for c.Len() > 0 {
		kind := c.U8(fKind)
		if kind > optionNOP {
			c.Skip(fTCPOption, int(c.U8(fOptionLen))-2)
		}
		if c.Failed() {
			break
		}
		names += ", " + tcpOptionName(uint64(kind))
		if b := c.Peek(1); kind == optionEnd && b != nil && b[0] != optionEnd {
			break
		}
	}
	return names[2:]
}

// tcpOption decodes one option.
func (w *walk) tcpOption(c *wire.Cursor) {
	h := w.h
	m := c.Open(fTCPOption)
	kind := c.U8(fKind)
	c.Title(m, uint64(kind), "")
	switch kind {
	case optionEnd:
		c.Close(m)
		if b := c.Peek(1); b != nil && b[0] != optionEnd { // not the padding of RFC 9293 3.1
			c.Rest(fUnknown)
		}
		return
	case optionNOP:
		c.Close(m)
		return
	}
	size := int(c.U8(fOptionLen)) - 2
	if c.Failed() {
		c.Close(m)
		return
	}
	if size < 0 || size > c.Len() {
		h.Malformed = true
		if c.Recording() {
			remark(c, fBadOption, severityWarning, groupProtocol, "")
		}
		c.Rest(fUnknown)
		c.Close(m)
		return
	}
	switch {
	case kind == optionMSS && size == 2:
		h.MSS = c.BE16(fMSS)
		if m >= 0 {
			c.Title(m, uint64(kind), fmt.Sprintf("%d bytes", h.MSS))
		}
	case kind == optionScale && size == 1:
		shift := c.U8(fShift)
		h.WindowShift = int8(min(shift, 14)) // RFC 7323 2.3: a larger one counts as 14
		c.Note(fMultiply, 1<<h.WindowShift, "")
		if m >= 0 {
			c.Title(m, uint64(kind), fmt.Sprintf("%d (multiply by %d)", shift, 1<<h.WindowShift))
		}
	case kind == optionSACKPermitted && size == 0:
		h.SACKPermitted = true
	case kind == optionSACK && size%8 == 0:
		w.sack(c, m, size/8)
	case kind == optionTimestamps && size == 8:
		h.HasTimestamp = true
		h.TSval, h.TSecr = c.BE32(fTSval), c.BE32(fTSecr)
		if m >= 0 {
			c.Title(m, uint64(kind), fmt.Sprintf("TSval %d, TSecr %d", h.TSval, h.TSecr))
		}
	case size > 0:
		c.Skip(fUnknown, size)
	}
	c.Close(m)
}

func (w *walk) sack(c *wire.Cursor, m wire.Mark, n int) {
	h := w.h
	for i := range n {
		look := c.Ahead()
		left, right := look.BE32(fLeft), look.BE32(fRight)
		if i < len(h.SACK) && look.Cause() == nil {
			h.SACK[i] = [2]uint32{left, right}
			h.NSACK++
		}
		if c.Recording() {
			w.edge(c, left, fLeft, fLeftRel)
			w.edge(c, right, fRight, fRightRel)
		} else {
			c.Pass(fLeft, 8)
		}
	}
	if !c.Recording() {
		return
	}
	if m >= 0 {
		var text strings.Builder
		for _, s := range h.SACK[:h.NSACK] {
			fmt.Fprintf(&text, " %d-%d", w.acked(s[0]), w.acked(s[1]))
		}
		c.Title(m, optionSACK, text.String())
	}
	c.Note(fSACKCount, uint64(n), "")
	if !h.DSACK() {
		return
	}
	fl, fr := fDupLeft, fDupRight
	if w.ctx.AckKnown {
		fl, fr = fDupLeftR, fDupRightR
	}
	c.Note(fl, uint64(w.acked(h.SACK[0][0])), "")
	c.Note(fr, uint64(w.acked(h.SACK[0][1])), "")
	dup := c.Fact(fDupSeq, 0, "")
	remark(c, fDupRemark, severityWarning, groupSequence, "")
	c.Close(dup)
}

// DSACK tells whether the first block reports a duplicate: it lies below what is
// acknowledged, or within the second block. RFC 2883 4
func (h *Headers) DSACK() bool {
	if h.NSACK == 0 {
		return false
	}
	first := h.SACK[0]
	if int32(first[0]-h.Ack) < 0 {
		return true
	}
	second := h.SACK[1]
	return h.NSACK > 1 && int32(first[0]-second[0]) >= 0 && int32(first[1]-second[1]) <= 0
}

// edge shows an edge of a block, relative if the beginning of the stream is known.
func (w *walk) edge(c *wire.Cursor, v uint32, f, relative *wire.Field) {
	if w.ctx.AckKnown {
		f = relative
	}
	c.OverlayValue(f, 4, uint64(w.acked(v)))
	c.Pass(f, 4)
}

// acked counts v, of the stream that h acknowledges, from that stream's beginning.
func (w *walk) acked(v uint32) uint32 {
	if w.ctx.AckKnown {
		return v - w.ctx.AckBase
	}
	return v
}

// tcpOptionName is Wireshark's word in the line of an option, tcpKindName that for its
// number.
func tcpOptionName(v uint64) string {
	switch v {
	case optionEnd:
		return "End of Option List (EOL)"
	case optionNOP:
		return "No-Operation (NOP)"
	case optionMSS:
		return "Maximum segment size"
	case optionScale:
		return "Window scale"
	case optionSACKPermitted:
		return "SACK permitted"
	case optionSACK:
		return "SACK"
	case optionTimestamps:
		return "Timestamps"
	case 19:
		return "TCP MD5 signature"
	case 29:
		return "TCP AO"
	case 30:
		return "MPTCP"
	case 34:
		return "TCP Fast Open"
	}
	return "Unknown"
}

func tcpKindName(v uint64) string {
	switch v {
	case optionEnd:
		return "End of Option List"
	case optionNOP:
		return "No-Operation"
	case optionMSS:
		return "Maximum Segment Size"
	case optionScale:
		return "Window Scale"
	case optionSACKPermitted:
		return "SACK Permitted"
	case optionTimestamps:
		return "Time Stamp Option"
	case 19:
		return "MD5 Signature Option"
	case 29:
		return "TCP Authentication Option"
	case 30:
		return "Multipath TCP"
	case 34:
		return "TCP Fast Open Cookie"
	}
	return tcpOptionName(v)
}

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
	fOptions   = tcpOption.Struct("tcp.options", "Options")
	fTCPOption = tcpOption.Struct("", "TCP Option").Formatted(func(v uint64) string { return " - " + tcpOptionName(v) })
	fKind      = tcpOption.Enum("tcp.option_kind", "Kind", tcpKindName)
	fOptionLen = tcpOption.Uint("tcp.option_len", "Length")
	fMSS       = tcpOption.Uint("tcp.options.mss_val", "MSS Value")
	fShift     = tcpOption.Uint("tcp.options.wscale.shift", "Shift count")
	fMultiply  = tcpOption.Uint("tcp.options.wscale.multiplier", "Multiplier")
	fLeft      = tcpOption.Uint("tcp.options.sack_le", "left edge")
	fLeftRel   = tcpOption.Uint("tcp.options.sack_le", "left edge").Formatted(plainRelative)
	fRight     = tcpOption.Uint("tcp.options.sack_re", "right edge")
	fRightRel  = tcpOption.Uint("tcp.options.sack_re", "right edge").Formatted(plainRelative)
	fSACKCount = tcpOption.Uint("tcp.options.sack.count", "TCP SACK Count")
	fTSval     = tcpOption.Uint("tcp.options.timestamp.tsval", "Timestamp value")
	fTSecr     = tcpOption.Uint("tcp.options.timestamp.tsecr", "Timestamp echo reply")
	fUnknown   = tcpOption.Bytes("tcp.options.unknown.payload", "Payload")
	fBadOption = tcpOption.Struct("tcp.option.len.invalid", "Invalid length for option")
)

func plainRelative(v uint64) string { return fmt.Sprintf("%d (relative)", v) }

// tcpOptions decodes n bytes of options. Whatever is wrong with them ends them, and
// is not the failure of c: what follows the header can be read all the same.
func (w *walk) tcpOptions(c *wire.Cursor, n int) {
	h := w.h
	if n > c.Len() {
		h.Malformed = true
		n = c.Len()
	}
	o := c.Sub(fOptions, n)
	all := o.Ahead()
	h.Options = all.Rest(fOptions)
	m := o.Open(fOptions)
	var names []string
	for o.Len() > 0 {
		kind := w.tcpOption(&o)
		if m >= 0 && o.Cause() == nil {
			names = append(names, tcpOptionName(uint64(kind)))
		}
	}
	if m >= 0 {
		c.Title(m, 0, fmt.Sprintf("(%d bytes), %s", n, strings.Join(names, ", ")))
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

// tcpOption decodes one option and returns its kind.
func (w *walk) tcpOption(c *wire.Cursor) uint8 {
	h := w.h
	m := c.Open(fTCPOption)
	kind := c.U8(fKind)
	c.Title(m, uint64(kind), "")
	switch kind {
	case optionEnd:
		c.Close(m)
		c.Rest(fUnknown) // RFC 9293 3.2: padding of zeros
		return kind
	case optionNOP:
		c.Close(m)
		return kind
	}
	size := int(c.U8(fOptionLen)) - 2
	if size < 0 || size > c.Len() {
		if c.Recording() && c.Cause() == nil {
			remark(c, fBadOption, severityWarning, "Protocol", "")
		}
		c.Fail(fOptionLen, wire.ErrShort)
		c.Close(m)
		return kind
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
		if m >= 0 {
			c.Note(fMultiply, 1<<h.WindowShift, "")
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
	return kind
}

func (w *walk) sack(c *wire.Cursor, m wire.Mark, n int) {
	h, ctx := w.h, w.ctx
	var text strings.Builder
	for i := range n {
		look := c.Ahead()
		left, right := look.BE32(fLeft), look.BE32(fRight)
		if c.Recording() {
			fl, fr := fLeft, fRight
			if ctx.AckKnown {
				fl, fr = fLeftRel, fRightRel
			}
			c.OverlayValue(fl, 4, uint64(left-ctx.AckBase))
			c.Pass(fl, 4)
			c.OverlayValue(fr, 4, uint64(right-ctx.AckBase))
			c.Pass(fr, 4)
			fmt.Fprintf(&text, " %d-%d", left-ctx.AckBase, right-ctx.AckBase)
		} else {
			c.Pass(fLeft, 8)
		}
		if i < len(h.SACK) && c.Cause() == nil {
			h.SACK[i] = [2]uint32{left, right}
			h.NSACK++
		}
	}
	if m >= 0 {
		c.Note(fSACKCount, uint64(n), "")
		c.Title(m, optionSACK, text.String())
	}
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
		return "Multipath TCP"
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
	case 34:
		return "TCP Fast Open Cookie"
	}
	return tcpOptionName(v)
}

package wire

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// GUID is a GUID or another 16-byte identifier as it lies on the wire.
type GUID [16]byte

// String is the form of [MS-DTYP] 2.3.4.3, without braces.
func (g GUID) String() string { return string(g.AppendTo(nil)) }

// AppendTo appends what String returns.
func (g GUID) AppendTo(dst []byte) []byte {
	dst = append(appendDigits(dst, uint64(le.Uint32(g[:])), 8), '-')
	dst = append(appendDigits(dst, uint64(le.Uint16(g[4:])), 4), '-')
	dst = append(appendDigits(dst, uint64(le.Uint16(g[6:])), 4), '-')
	dst = append(hex.AppendEncode(dst, g[8:10]), '-')
	return hex.AppendEncode(dst, g[10:])
}

// UTF16 is little-endian UTF-16 as it lies on the wire.
type UTF16 []byte

// String converts; a lone surrogate becomes U+FFFD, an odd last byte is dropped.
func (s UTF16) String() string { return string(s.AppendTo(nil)) }

// AppendTo appends what String returns.
func (s UTF16) AppendTo(dst []byte) []byte {
	for ; len(s) >= 2; s = s[2:] {
		r := rune(le.Uint16(s))
		if utf16.IsSurrogate(r) {
			low := rune(unicode.ReplacementChar)
			if len(s) >= 4 {
				low = rune(le.Uint16(s[2:]))
			}
			if r = utf16.DecodeRune(r, low); r != unicode.ReplacementChar {
				s = s[2:]
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// timeFormat is how tshark prints times, in the local zone.
const timeFormat = "Jan _2, 2006 15:04:05.000000000 MST"

// Value returns the bare value of node i, as -T fields prints it.
func (t *Tree) Value(i int) string { return string(t.AppendValue(nil, i)) }

// AppendValue appends the bare value of node i to dst, for lists that print one a frame.
func (t *Tree) AppendValue(dst []byte, i int) []byte {
	n := &t.Nodes[i]
	if f := n.Field; (f.Kind == KindUint || f.Kind == KindEnum) && !f.Hex && !f.Raw && n.Text == "" && int64(n.Val) >= 0 { // as most are
		return strconv.AppendUint(dst, n.Val, 10)
	}
	switch {
	case n.Field.Raw:
		return hex.AppendEncode(dst, t.Bytes(i))
	case n.Field.Kind == KindStruct: // it is there; what its line says is no value
		return append(dst, '1')
	case n.Text != "":
		return append(dst, n.Text...)
	}
	var b []byte // what the node covers and was gathered; Off and Len were checked when it was read
	if !n.Generated {
		b = t.Bytes(i)
	}
	switch n.Field.Kind {
	case KindBytes:
		return hex.AppendEncode(dst, b)
	case KindString:
		for len(b) > 1 && b[len(b)-1]|b[len(b)-2] == 0 { // what ends a text is no part of it
			b = b[:len(b)-2]
		}
		return UTF16(b).AppendTo(dst)
	case KindASCII:
		return append(dst, bytes.TrimRight(b, "\x00")...)
	case KindGUID:
		var g GUID
		copy(g[:], b)
		return g.AppendTo(dst)
	case KindAddress:
		if a, ok := netip.AddrFromSlice(b); ok {
			return a.AppendTo(dst)
		}
		return appendMAC(dst, b)
	case KindOID:
		return OID(b).AppendTo(dst)
	case KindText:
		return n.Field.Show(dst, b)
	case KindTime:
		if n.Val == 0 {
			return time.Unix(0, 0).AppendFormat(dst, timeFormat) // as Wireshark's filters see it
		}
		return fileTime(n.Val).AppendFormat(dst, timeFormat)
	case KindTimestamp:
		return time.Unix(0, int64(n.Val)).AppendFormat(dst, timeFormat)
	case KindDuration:
		v := n.Val
		if int64(v) < 0 { // a clock that was set back
			dst, v = append(dst, '-'), -v
		}
		dst = strconv.AppendUint(dst, v/1e9, 10)
		point := len(dst)
		dst = strconv.AppendUint(dst, 1e9+v%1e9, 10)
		dst[point] = '.' // in place of the 1 that kept the zeros
		return dst
	case KindInt:
		return strconv.AppendInt(dst, n.Int(), 10)
	case KindBool:
		if n.Val != 0 {
			return append(dst, '1')
		}
		return append(dst, '0')
	}
	if n.Field.Kind == KindEnum && int64(n.Val) < 0 { // from Integer
		return strconv.AppendInt(dst, int64(n.Val), 10)
	}
	if n.Field.Hex {
		width := n.bits()
		if n.Len > 0 && n.Len <= 8 { // of the bytes, whatever part of them the field is
			width = max(width, 8*int(n.Len))
		}
		return appendHex(dst, n.Val, width)
	}
	return strconv.AppendUint(dst, n.Val, 10)
}

// appendHex appends v with as many digits as a number of width bits has.
func appendHex(dst []byte, v uint64, width int) []byte {
	return appendDigits(append(dst, "0x"...), v, (width+3)/4)
}

// appendDigits appends v in hex, with zeros before it up to the given number of digits.
func appendDigits(dst []byte, v uint64, digits int) []byte {
	for i := max(digits, (bits.Len64(v)+3)/4, 1) - 1; i >= 0; i-- {
		dst = append(dst, "0123456789abcdef"[v>>(4*i)&15])
	}
	return dst
}

// appendMAC appends bytes in the form of an Ethernet address.
func appendMAC(dst, b []byte) []byte {
	for i := range b {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = hex.AppendEncode(dst, b[i:i+1])
	}
	return dst
}

// Bytes returns what node i covers, as far as its buffer was gathered.
func (t *Tree) Bytes(i int) []byte {
	n, b := &t.Nodes[i], t.Bufs[t.Nodes[i].Buf]
	size := uint64(len(b))
	return b[min(uint64(n.Off), size):min(uint64(n.Off)+uint64(n.Len), size)]
}

// Int returns the value of an Int with its sign.
func (n *Node) Int() int64 {
	unused := 64 - n.bits()
	return int64(n.Val<<unused) >> unused
}

// bits returns how wide the number of n is. A generated one counts as 32 bits:
// codes and frame numbers are that wide, and must print alike everywhere.
func (n *Node) bits() int {
	switch {
	case n.Field.Width != 0 && n.Field.Mask == 0:
		return int(n.Field.Width)
	case n.Field.Mask != 0 && !n.Field.Whole:
		return bits.Len64(n.Field.Mask >> bits.TrailingZeros64(n.Field.Mask)) // with the holes, if it has any
	case n.Generated:
		return 32
	}
	return 8 * int(n.Len)
}

// Line returns node i as the detail pane shows it: label and value, in brackets
// if generated, with a picture of the bits if it is a part of a number.
func (t *Tree) Line(i int) string {
	n := &t.Nodes[i]
	f, v := n.Field, t.Value(i)
	if f.Hex && n.Text == "" && n.bits() < 8*int(n.Len) {
		v = string(appendHex(nil, n.Val, n.bits())) // a part of the bytes has fewer digits here
	}
	switch {
	case f.Kind == KindStruct:
		v = ""
		if f.Title != nil {
			v = after(t.title(i))
		}
		if f.Format != nil {
			v += f.Format(n.Val)
		}
		if n.Text != "" {
			v += after(n.Text)
		}
		v += t.remark(i)
	case f.Kind == KindEnum && n.Text == "":
		v = ": " + f.Format(n.Val) + " (" + v + ")"
	case f.Kind == KindBool:
		v = ": " + f.Format(n.Val)
	case f.Kind == KindOID:
		v = ": " + v
		if name := f.Format(n.Val); name != "" {
			v += " (" + name + ")"
		}
	case f.Kind == KindText:
		v = ": " + v + t.remark(i)
	case f.Kind == KindDuration:
		v = ": " + v + " seconds"
	case f.Kind == KindBytes && f.Format != nil:
		v = after(f.Format(uint64(n.Len)))
	case f.Format != nil && n.Text == "":
		v = after(f.Format(n.Val))
	case f.Kind == KindBytes && t.remark(i) != "":
		v = after(t.remark(i))
	case f.Kind == KindBytes && len(v) > 72:
		v = ": " + v[:72] + "…"
	case f.Kind == KindTime && special[n.Val] != "":
		v = ": " + special[n.Val]
	default:
		v = ": " + v
	}
	raw := n.Val / f.scale() << bits.TrailingZeros64(max(f.Mask, 1))
	if f.Kind != KindStruct {
		for k := i + 1; k < int(n.End); k++ {
			if brief := t.Nodes[k].Field.Brief; brief != "" {
				v += brief + t.Value(k)
			}
		}
	}
	if f.Listed {
		for _, b := range f.Bits {
			if b.Kind == KindBool && raw&b.Mask != 0 {
				v += ", " + b.Label
			}
		}
	}
	line := printable(f.Label + v)
	switch {
	case n.Generated:
		return "[" + line + "]"
	case f.Mask != 0 && !f.Whole:
		width := 8 * int(n.Len)
		if f.Width != 0 {
			width = int(f.Width)
		}
		return picture(raw, f.Mask, width) + " = " + line
	}
	return line
}

// after puts a text behind a label: ", Src: 10.0.0.1" and " (20 bytes)" as they are,
// anything else after a colon.
func after(text string) string {
	if strings.HasPrefix(text, ",") || strings.HasPrefix(text, " ") {
		return text
	}
	return ": " + text
}

// title returns the value that the line of the structure at node i begins with.
func (t *Tree) title(i int) string {
	for k := i + 1; k < int(t.Nodes[i].End); k++ {
		if t.Nodes[k].Field == t.Nodes[i].Field.Title {
			return t.Value(k) + t.remark(k)
		}
	}
	return ""
}

// fileTime converts a FILETIME.
func fileTime(v uint64) time.Time {
	const unix = 11644473600 // seconds from 1601 to 1970
	return time.Unix(int64(v/1e7)-unix, int64(v%1e7)*100)
}

// AppendFileTime appends a FILETIME, in the local zone but without its name: tshark
// has the time of a snapshot so behind the name of a file.
func AppendFileTime(dst []byte, v uint64) []byte {
	return fileTime(v).AppendFormat(dst, strings.TrimSuffix(timeFormat, " MST"))
}

// special are the FILETIMEs that are no time.
var special = map[uint64]string{
	0:         "No time specified (0)",
	1 << 63:   "Infinity (relative time)",
	1<<63 - 1: "Infinity (absolute time)",
}

// remark returns what the line of node i says of its value.
func (t *Tree) remark(i int) string {
	if f := t.Nodes[i].Field; f.Remark != nil {
		return f.Remark(t.Bytes(i))
	}
	return ""
}

// picture draws the bits of v that mask selects: ".... ..1." for bit 1 of 8.
func picture(v, mask uint64, width int) string {
	var b []byte
	for i := width - 1; i >= 0; i-- {
		digit := byte('.')
		if mask>>i&1 != 0 {
			digit = '0' + byte(v>>i&1)
		}
		b = append(b, digit)
		if i%4 == 0 && i > 0 {
			b = append(b, ' ')
		}
	}
	return string(b)
}

// printable replaces what a hostile file name could do to a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// Text writes the tree, a line a node, four spaces a level.
func (t *Tree) Text(w io.Writer) error { return t.write(w, false) }

// Dump is Text with the offset in hex and the length of every node, in bytes, and
// then the gaps: the form of golden files, where no byte is invisible.
func (t *Tree) Dump(w io.Writer) error { return t.write(w, true) }

func (t *Tree) write(w io.Writer, dump bool) error {
	out := bufio.NewWriter(w)
	for i, depth := range t.All() {
		if dump {
			fmt.Fprintf(out, "%04x +%-4d ", t.Nodes[i].Off, t.Nodes[i].Len)
		}
		fmt.Fprintf(out, "%*s%s\n", 4*depth, "", t.Line(i))
	}
	for buf := 0; dump && buf < len(t.Bufs); buf++ {
		for _, g := range t.Gaps(buf) {
			fmt.Fprintf(out, "%04x +%-4d gap in buffer %d\n", g.Off, g.Len, buf)
		}
	}
	if t.Dropped > 0 {
		fmt.Fprintf(out, "[%d more fields]\n", t.Dropped)
	}
	return out.Flush()
}

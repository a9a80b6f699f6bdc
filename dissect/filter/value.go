package filter

import (
	"bytes"
	"cmp"

	"github.com/odxray/odxray/dissect/wire"
)

// class is what values compare as: values of different classes never do.
type class uint8

const (
	number   class = iota // also of bools
	octets                // bytes, addresses, GUIDs, structures
	text                  // strings, and what only prints
	instant               // a time
	duration              // a span of time
	classes
)

var classNames = [classes]string{"a number", "bytes", "text", "a time", "a duration"}

// classSet is a set of classes: fields may share a name.
type classSet uint8

func (s classSet) has(c class) bool { return s>>c&1 != 0 }

// String lists the classes in words.
func (s classSet) String() string {
	words := ""
	for c := range classes {
		if s.has(c) {
			if words != "" {
				words += " or "
			}
			words += classNames[c]
		}
	}
	return words
}

// classOf returns what values of f compare as.
func classOf(f *wire.Field) class {
	switch f.Kind {
	case wire.KindBytes, wire.KindGUID, wire.KindAddress, wire.KindStruct:
		return octets
	case wire.KindString, wire.KindASCII, wire.KindText, wire.KindOID:
		return text
	case wire.KindTime, wire.KindTimestamp:
		return instant
	case wire.KindDuration:
		return duration
	}
	return number
}

// value is a value of any class. Numbers are 128 bits wide, two's complement: hi is
// their sign. Times and durations are seconds and nanoseconds.
type value struct {
	class   class
	network bool  // addresses compare by as many bits
	bits    uint8 // of a network
	hi      int64
	lo      uint64
	b       []byte
}

func unsigned(v uint64) value { return value{lo: v} }

func signed(v int64) value { return value{hi: v >> 63, lo: uint64(v)} }

// seconds makes a time or duration.
func seconds(c class, s, ns int64) value {
	if ns < 0 {
		s, ns = s-1, ns+1e9
	}
	return value{class: c, hi: s, lo: uint64(ns)}
}

// compare compares values of one class.
func compare(x, y value) int {
	switch x.class {
	case octets, text:
		if y.network && len(x.b) == len(y.b) {
			return comparePrefix(x.b, y.b, int(y.bits))
		}
		return bytes.Compare(x.b, y.b)
	}
	return cmp.Or(cmp.Compare(x.hi, y.hi), cmp.Compare(x.lo, y.lo))
}

// comparePrefix compares the first bits of addresses of one length.
func comparePrefix(x, y []byte, bits int) int {
	n := min(bits/8, len(x))
	if c := bytes.Compare(x[:n], y[:n]); c != 0 || bits%8 == 0 || n == len(x) {
		return c
	}
	unused := 8 - bits%8
	return cmp.Compare(x[n]>>unused, y[n]>>unused)
}

// valueOf returns the value of node i. What is no bytes of the tree goes to scratch.
func (r *run) valueOf(i int) value {
	n := &r.tree.Nodes[i]
	c := classOf(n.Field)
	switch n.Field.Kind {
	case wire.KindStruct:
		return value{class: c, b: r.covered(n)}
	case wire.KindBytes, wire.KindGUID, wire.KindAddress:
		if n.Generated {
			return value{class: c}
		}
		return value{class: c, b: r.tree.Bytes(i)}
	case wire.KindTime:
		const unix = 11644473600 // seconds from 1601 to 1970
		if n.Val == 0 {
			return value{class: c} // Wireshark takes "none" for 1970
		}
		return seconds(c, int64(n.Val/1e7)-unix, int64(n.Val%1e7)*100)
	case wire.KindTimestamp, wire.KindDuration:
		return seconds(c, int64(n.Val)/1e9, int64(n.Val)%1e9)
	case wire.KindInt:
		return signed(n.Int())
	case wire.KindEnum:
		if int64(n.Val) < 0 { // an ASN.1 integer
			return signed(int64(n.Val))
		}
	}
	if c == text {
		return value{class: c, b: r.print(i)}
	}
	return unsigned(n.Val)
}

// print puts the text of node i into scratch.
func (r *run) print(i int) []byte {
	start := len(r.scratch)
	r.scratch = r.tree.AppendValue(r.scratch, i)
	return r.scratch[start:len(r.scratch):len(r.scratch)]
}

// covered returns the bytes that a structure stands for: those of a protocol go, as
// Wireshark has it, to the end of the buffer.
func (r *run) covered(n *wire.Node) []byte {
	b := r.tree.Bufs
	if int(n.Buf) >= len(b) {
		return nil
	}
	whole := b[n.Buf]
	from, to := min(int(n.Off), len(whole)), len(whole)
	if !isProtocol(n.Field) {
		to = min(int(n.Off)+int(n.Len), len(whole))
	}
	return whole[from:to:to]
}

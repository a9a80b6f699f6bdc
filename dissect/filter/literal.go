package filter

import (
	"math/bits"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/odxray/odxray/dissect/wire"
)

// literal reads token t as what x can be compared with.
func (p *parser) literal(x operand, t token) *literal {
	var l literal
	fields := fieldsOf(x)
	for _, c := range [...]class{number, octets, instant, duration, text} {
		if !x.types().has(c) || c == text && t.kind == word && l.valid != 0 { // 8 is a number where it can be
			continue
		}
		var v value
		var ok bool
		switch c {
		case number:
			v, ok = p.number(fields, t)
		case octets:
			v, ok = octetsOf(fields, t)
		case text:
			v, ok = value{b: []byte(t.text)}, true
		case instant:
			v, ok = timeOf(t.text)
		case duration:
			v, ok = durationOf(t)
		}
		if ok {
			v.class = c
			l.as[c], l.valid = v, l.valid|1<<c
		}
	}
	if l.valid == 0 {
		p.wrong(x, fields, t)
	}
	return &l
}

// wrong fails because t is nothing that x can be compared with.
func (p *parser) wrong(x operand, fields []*wire.Field, t token) {
	e := &Error{Source: p.src, Pos: t.pos, Len: t.end - t.pos, Expected: expected(x, fields)}
	e.Problem = "not a value of " + p.src[p.left.pos:p.left.end]
	known := valueNames(fields)
	if e.Nearest = Nearest(t.text, known); e.Nearest == "" && t.kind == word && strings.Contains(t.text, ".") {
		e.Nearest = Nearest(t.text, p.fieldNames())
	}
	panic(e)
}

// expected says what x can be compared with.
func expected(x operand, fields []*wire.Field) string {
	if len(fields) == 0 {
		return x.types().String()
	}
	switch f := fields[0]; f.Kind {
	case wire.KindBool:
		return "true or false"
	case wire.KindEnum:
		return "a number or the name of a value"
	case wire.KindGUID:
		return "a GUID"
	case wire.KindAddress:
		return addressName(f)
	case wire.KindTime, wire.KindTimestamp:
		return `a time such as 2016-06-03T14:47:22Z or "2016-06-03 14:47:22"`
	case wire.KindDuration:
		return "seconds, or a duration such as 20ms"
	case wire.KindBytes, wire.KindStruct:
		return "bytes such as fe:53:4d:42, or a string"
	}
	return x.types().String()
}

func addressName(f *wire.Field) string {
	switch f.Width {
	case 32:
		return "an IPv4 address or network"
	case 48:
		return "an Ethernet address"
	case 128:
		return "an IPv6 address or network"
	}
	return "an address"
}

// fieldsOf returns the fields whose values x has unchanged, or nil.
func fieldsOf(x operand) []*wire.Field {
	switch x := x.(type) {
	case *field:
		return x.of
	case *masked:
		return fieldsOf(x.of)
	}
	return nil
}

// size is a number with a unit of bytes.
var size = regexp.MustCompile(`^([0-9]+)([kKMGTP])(i?B)?$`)

// number reads t as a number, as a truth or as the name of a value.
func (p *parser) number(fields []*wire.Field, t token) (value, bool) {
	truth := len(fields) > 0
	for _, f := range fields {
		truth = truth && f.Kind == wire.KindBool
	}
	if t.kind != quoted {
		v, ok := numberOf(t)
		if !ok && truth {
			v, ok = value{}, strings.EqualFold(t.text, "false")
			if strings.EqualFold(t.text, "true") {
				v, ok = unsigned(1), true
			}
		}
		if ok {
			if truth && !v.zero() {
				v = unsigned(1)
			}
			return v, true
		}
	}
	n, ok := p.names.lookup(fields, t.text)
	return unsigned(n), ok
}

func numberOf(t token) (value, bool) {
	if t.kind == char {
		return unsigned(uint64(t.text[0])), true
	}
	if strings.Contains(t.text, "_") { // Go allows them
		return value{}, false
	}
	if m := size.FindStringSubmatch(t.text); m != nil {
		n, err := strconv.ParseUint(m[1], 10, 64)
		unit := uint64(1)
		for range strings.Index("kMGTP", strings.Replace(m[2], "K", "k", 1)) + 1 {
			if m[3] == "B" {
				unit *= 1000
			} else {
				unit *= 1024
			}
		}
		hi, lo := bits.Mul64(n, unit)
		return unsigned(lo), err == nil && hi == 0
	}
	digits, minus := strings.CutPrefix(t.text, "-")
	n, err := strconv.ParseUint(digits, 0, 64)
	if err != nil {
		return value{}, false
	}
	if minus && n > 0 {
		return value{hi: -1, lo: -n}, n <= 1<<63
	}
	return unsigned(n), true
}

// appendNumber appends a number in decimal.
func appendNumber(dst []byte, v value) []byte {
	if v.hi < 0 {
		return strconv.AppendUint(append(dst, '-'), -v.lo, 10)
	}
	return strconv.AppendUint(dst, v.lo, 10)
}

// octetsOf reads t as bytes: as an address or a GUID if a field is one.
func octetsOf(fields []*wire.Field, t token) (value, bool) {
	if t.kind == char {
		return value{b: []byte(t.text)}, true
	}
	plain := len(fields) == 0
	for _, f := range fields {
		switch f.Kind {
		case wire.KindAddress:
			if v, ok := addressOf(t.text, int(f.Width)); ok && t.kind == word {
				return v, true
			}
		case wire.KindGUID:
			if v, ok := guidOf(t.text); ok {
				return v, true
			}
		default:
			plain = true
		}
	}
	switch {
	case !plain:
		return value{}, false
	case t.kind == quoted:
		return value{b: []byte(t.text)}, true
	}
	return hexOf(t.text)
}

// addressOf reads an address of so many bits, or of any if width is 0.
func addressOf(s string, width int) (value, bool) {
	if p, err := netip.ParsePrefix(s); err == nil && fits(p.Addr().BitLen(), width) {
		return value{b: p.Addr().AsSlice(), network: true, bits: uint8(p.Bits())}, true
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" && fits(a.BitLen(), width) {
		return value{b: a.AsSlice()}, true
	}
	v, ok := hexOf(s)
	return v, ok && len(v.b) == 6 && fits(48, width)
}

func fits(bits, width int) bool { return width == 0 || bits == width }

// guidOf reads a GUID into the order of its bytes on the wire. [MS-DTYP] 2.3.4.2
func guidOf(s string) (value, bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return value{}, false
	}
	v, ok := hexOf(strings.ReplaceAll(s, "-", ""))
	if !ok || len(v.b) != 16 {
		return value{}, false
	}
	g := v.b
	for _, swap := range [...][2]int{{0, 3}, {1, 2}, {4, 5}, {6, 7}} {
		g[swap[0]], g[swap[1]] = g[swap[1]], g[swap[0]]
	}
	return v, true
}

// hexOf reads bytes: aa:bb:c, aa-bb, aa.bb, aabb, or 0xaa for a single one.
func hexOf(s string) (value, bool) {
	if digits, ok := strings.CutPrefix(s, "0x"); ok {
		n, err := strconv.ParseUint(digits, 16, 8)
		return value{b: []byte{byte(n)}}, err == nil
	}
	var b []byte
	if i := strings.IndexAny(s, ":.-"); i >= 0 {
		for part := range strings.SplitSeq(strings.TrimSuffix(s, s[i:i+1]), s[i:i+1]) {
			n, err := strconv.ParseUint(part, 16, 8)
			if err != nil || len(part) > 2 {
				return value{}, false
			}
			b = append(b, byte(n))
		}
		return value{b: b}, true
	}
	if len(s) == 1 {
		s = "0" + s
	}
	for i := 0; i+2 <= len(s); i += 2 {
		n, err := strconv.ParseUint(s[i:i+2], 16, 8)
		if err != nil {
			return value{}, false
		}
		b = append(b, byte(n))
	}
	return value{b: b}, len(s) > 0 && len(s)%2 == 0
}

// timeForms are the forms of times, without what a zone adds.
var timeForms = [...]string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02", "Jan _2, 2006 15:04:05", "Jan _2, 2006"}

// timeOf reads a time, in the local zone if it names none.
func timeOf(s string) (value, bool) {
	zone := time.Local
	if short, ok := strings.CutSuffix(s, "UTC"); ok {
		s, zone = strings.TrimRight(short, " "), time.UTC
	}
	for _, form := range timeForms {
		for _, offset := range [...]string{"", "Z07:00", " Z07:00", "-0700", " -0700"} {
			if t, err := time.ParseInLocation(form+offset, s, zone); err == nil {
				return seconds(instant, t.Unix(), int64(t.Nanosecond())), true
			}
		}
	}
	return value{}, false
}

// decimal is seconds with a fraction.
var decimal = regexp.MustCompile(`^(-?)([0-9]{0,18})(?:\.([0-9]{0,9}))?$`)

// durationOf reads seconds, or a duration with units.
func durationOf(t token) (value, bool) {
	if t.kind == quoted {
		return value{}, false
	}
	if m := decimal.FindStringSubmatch(t.text); m != nil {
		s, _ := strconv.ParseInt("0"+m[2], 10, 64) // at most 18 digits
		ns, _ := strconv.ParseInt((m[3] + "000000000")[:9], 10, 64)
		if m[1] != "" {
			s, ns = -s, -ns
		}
		return seconds(duration, s, ns), m[2]+m[3] != ""
	}
	d, err := time.ParseDuration(t.text)
	return seconds(duration, int64(d/time.Second), int64(d%time.Second)), err == nil
}

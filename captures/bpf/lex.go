package bpf

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// kind is the kind of a token.
type kind uint8

const (
	end kind = iota
	word
	number
	address // IPv4 or IPv6
	part    // of an IPv4 address: 10.1
	mac
	sign
)

// A token is a piece of an expression.
type token struct {
	kind kind
	text string
	at   int // offset in the expression
	num  uint64
	addr netip.Addr
	mac  [6]byte
}

func (t token) String() string {
	if t.kind == end {
		return "the end"
	}
	return strconv.Quote(t.text)
}

var signs = []string{"&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", "!", "=", "<", ">", "&", "/", ":", "-"}

// next splits the first token off what is left of the expression.
func (p *parser) next() (token, error) {
	for p.pos < len(p.expr) && strings.IndexByte(" \t\r\n", p.expr[p.pos]) >= 0 {
		p.pos++
	}
	rest := p.expr[p.pos:]
	t := token{at: p.pos}
	if rest == "" {
		return t, nil
	}
	if n := literal(rest); n > 0 {
		t.text = rest[:n]
		p.pos += n
		return t, p.value(&t)
	}
	for _, s := range signs {
		if strings.HasPrefix(rest, s) {
			t.kind, t.text = sign, s
			p.pos += len(s)
			return t, nil
		}
	}
	n := 0
	for n < len(rest) && (letter(rest[n]) || n > 0 && (digit(rest[n]) || rest[n] == '-' || rest[n] == '_') || n == 0 && rest[n] == '\\') {
		n++
	}
	if n == 0 {
		return t, p.wrong(p.pos, "%q means nothing here", rest[:1])
	}
	t.kind, t.text = word, rest[:n]
	p.pos += n
	return t, nil
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }
func hex(c byte) bool    { return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// literal returns how long the number or address is that s begins with; 0 if none.
func literal(s string) int {
	n := 0
	for n < len(s) && (hex(s[n]) || s[n] == '.' || s[n] == ':' || s[n] == 'x' || s[n] == 'X') {
		n++
	}
	run := s[:n]
	switch {
	case strings.Count(run, ":") >= 2 && (n == len(s) || !letter(s[n])):
		return n // IPv6 or MAC
	case n > 0 && digit(s[0]):
		if i := strings.IndexByte(run, ':'); i >= 0 {
			return i // [6:2]
		}
		return n
	}
	return 0
}

// value says what a literal is.
func (p *parser) value(t *token) error {
	s := t.text
	switch {
	case strings.Count(s, ":") >= 2:
		if a, err := netip.ParseAddr(s); err == nil {
			t.kind, t.addr = address, a
			return nil
		}
		if f := strings.Split(s, ":"); len(f) == 6 {
			t.kind = mac
			for i, b := range f {
				v, err := strconv.ParseUint(b, 16, 8)
				if err != nil {
					return p.wrong(t.at, "%q is no address", s)
				}
				t.mac[i] = byte(v)
			}
			return nil
		}
		return p.wrong(t.at, "%q is no address", s)
	case strings.Contains(s, "."):
		if a, err := netip.ParseAddr(s); err == nil {
			t.kind, t.addr = address, a
			return nil
		}
		t.kind = part
		return nil
	}
	v, err := strconv.ParseUint(s, 0, 32)
	if err != nil {
		return p.wrong(t.at, "%q is no number", s)
	}
	t.kind, t.num = number, v
	return nil
}

func (p *parser) wrong(at int, format string, args ...any) error {
	return &Error{p.expr, at + 1, fmt.Sprintf(format, args...)}
}

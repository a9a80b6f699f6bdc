package filter

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	end    tokenKind = iota
	word             // a name, a number, an address: whatever needs no quotes
	quoted           // a string
	char             // 'x'
	symbol
)

// token is a piece of the source.
type token struct {
	kind     tokenKind
	text     string // of a quoted one what it means, of any other what it says
	pos, end int
}

// is reports whether t is one of the given symbols or words.
func (t token) is(texts ...string) bool {
	if t.kind != symbol && t.kind != word {
		return false
	}
	for _, s := range texts {
		if t.text == s {
			return true
		}
	}
	return false
}

// symbols, those first that begin with another.
var symbols = []string{"===", "!==", "==", "!=", "~=", ">=", "<=", "&&", "||", "^^", "..", "!", "~", ">", "<", "&", "(", ")", "{", "}", "[", "]", ","}

// next reads the token at p.at.
func (p *parser) next() {
	for p.at < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.at]) >= 0 {
		p.at++
	}
	t := token{pos: p.at}
	rest := p.src[p.at:]
	switch {
	case rest == "":
	case rest[0] == '"':
		t.kind, t.text = quoted, p.quoted()
	case len(rest) > 1 && (rest[0] == 'r' || rest[0] == 'R') && rest[1] == '"':
		t.kind, t.text = quoted, p.raw()
	case rest[0] == '\'':
		t.kind, t.text = char, p.char()
	case isWord(rest[0]) && !strings.HasPrefix(rest, ".."):
		n := 1
		for n < len(rest) && isWord(rest[n]) && !strings.HasPrefix(rest[n:], "..") {
			n++
		}
		t.kind, t.text = word, rest[:n]
		p.at += n
	default:
		t.kind = symbol
		for _, s := range symbols {
			if strings.HasPrefix(rest, s) {
				t.text = s
				break
			}
		}
		if t.text == "" {
			_, n := utf8.DecodeRuneInString(rest)
			p.fail(token{pos: p.at, end: p.at + n}, "unexpected character", instead[rest[0]])
		}
		p.at += len(t.text)
	}
	t.end = p.at
	p.tok = t
}

// instead says what characters of other languages are here.
var instead = map[byte]string{
	'=': "==",
	'|': "||",
	'^': "^^",
	'#': "a filter without layers",
	'$': "a filter without references",
	'+': "a filter without arithmetic",
	'*': "a filter without arithmetic",
	'%': "a filter without arithmetic",
}

// isWord reports whether c may be in a word. Letters beyond ASCII may: in file names.
func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_.:/-", c) >= 0 || c >= utf8.RuneSelf
}

// quoted reads a string with escapes.
func (p *parser) quoted() string {
	start := p.at
	var b []byte
	for p.at++; p.at < len(p.src); {
		switch p.src[p.at] {
		case '"':
			p.at++
			return string(b)
		case '\\':
			b = p.escape(b)
		default:
			b = append(b, p.src[p.at])
			p.at++
		}
	}
	p.fail(token{pos: start, end: len(p.src)}, "the string does not end", `a closing "`)
	return ""
}

// raw reads r"…", where a backslash is a backslash, though it keeps a quote from
// ending the string.
func (p *parser) raw() string {
	start := p.at
	for p.at += 2; p.at < len(p.src); p.at++ {
		switch p.src[p.at] {
		case '"':
			p.at++
			return p.src[start+2 : p.at-1]
		case '\\':
			p.at++
		}
	}
	p.at = len(p.src)
	p.fail(token{pos: start, end: len(p.src)}, "the string does not end", `a closing "`)
	return ""
}

// char reads 'x', or an escape between such quotes.
func (p *parser) char() string {
	start := p.at
	var b []byte
	for p.at++; p.at < len(p.src) && p.src[p.at] != '\''; {
		if p.src[p.at] == '\\' {
			b = p.escape(b)
		} else {
			b = append(b, p.src[p.at])
			p.at++
		}
	}
	p.at = min(p.at+1, len(p.src))
	if len(b) != 1 {
		p.fail(token{pos: start, end: p.at}, "not a character", "one character between '")
	}
	return string(b)
}

var escapes = map[byte]byte{'\'': '\'', '"': '"', '\\': '\\', 'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// escape appends what the escape at p.at means.
func (p *parser) escape(b []byte) []byte {
	start := p.at
	p.at++
	if p.at >= len(p.src) {
		return b // an unfinished string, which the caller reports
	}
	c := p.src[p.at]
	if v, ok := escapes[c]; ok {
		p.at++
		return append(b, v)
	}
	digits, base, least, most := 1, 16, 1, 2
	switch {
	case c >= '0' && c <= '7':
		digits, base, most = 0, 8, 3
	case c == 'x':
	case c == 'u':
		least, most = 4, 4
	case c == 'U':
		least, most = 8, 8
	default:
		_, n := utf8.DecodeRuneInString(p.src[p.at:])
		p.fail(token{pos: start, end: p.at + n}, "no such escape", `one of \\ \" \' \a \b \f \n \r \t \v \NNN \xNN \uNNNN \UNNNNNNNN`)
	}
	p.at += digits
	n := 0
	for n < most && p.at+n < len(p.src) && isDigit(p.src[p.at+n], base) {
		n++
	}
	v, err := strconv.ParseUint(p.src[p.at:p.at+n], base, 32)
	p.at += n
	wide := c == 'u' || c == 'U'
	if err != nil || n < least || !wide && v > 0xff || wide && !utf8.ValidRune(rune(v)) {
		p.fail(token{pos: start, end: p.at}, "not a valid escape", "")
	}
	if wide {
		return utf8.AppendRune(b, rune(v))
	}
	return append(b, byte(v))
}

func isDigit(c byte, base int) bool {
	_, err := strconv.ParseUint(string(rune(c)), base, 8)
	return err == nil && c < utf8.RuneSelf
}

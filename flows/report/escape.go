package report

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Escape returns s, a name or a string from a capture, so that it can do nothing
// to a terminal and stays on its line: what is not printable becomes an escape, as
// tshark prints it: \n and \033 for control characters, \u202e for marks that turn
// the direction of writing, \xff for bytes that are no UTF-8. Printable Unicode stays.
func Escape(s string) string {
	if clean(s) {
		return s
	}
	return string(AppendEscaped(nil, s))
}

// clean reports whether s may go to a terminal as it is.
func clean[S string | []byte](s S) bool {
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c <= '~' {
			i++
			continue
		}
		if s[i] < utf8.RuneSelf {
			return false
		}
		r, size := decodeRune(s[i:])
		if !unicode.IsPrint(r) || r == utf8.RuneError && size == 1 {
			return false
		}
		i += size
	}
	return true
}

// AppendEscaped appends what Escape returns.
func AppendEscaped[S string | []byte](dst []byte, s S) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c <= '~' {
			dst = append(dst, c)
			i++
			continue
		}
		r, size := decodeRune(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = appendHex(append(dst, `\x`...), rune(s[i]), 2)
		case unicode.IsPrint(r):
			dst = append(dst, s[i:i+size]...)
		case r < 0x80:
			dst = appendControl(dst, byte(r))
		case r < 0x10000:
			dst = appendHex(append(dst, `\u`...), r, 4)
		default:
			dst = appendHex(append(dst, `\U`...), r, 8)
		}
		i += size
	}
	return dst
}

// letters are the escapes of control characters that have one.
var letters = map[byte]byte{'\a': 'a', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v'}

// appendControl appends the escape of an ASCII control character.
func appendControl(dst []byte, c byte) []byte {
	if letter, ok := letters[c]; ok {
		return append(dst, '\\', letter)
	}
	return append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
}

// appendLine appends s for a program to read, as tshark -T fields does: a line stays
// a line, a cell a cell, and all else is as it was.
func appendLine(dst, s []byte) []byte {
	for _, c := range s {
		if letter, ok := letters[c]; ok && c != '\a' && c != '\v' { // which tshark leaves alone
			dst = append(dst, '\\', letter)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// decodeRune decodes the first rune of s without making a string of bytes.
func decodeRune[S string | []byte](s S) (rune, int) {
	var b [utf8.UTFMax]byte
	return utf8.DecodeRune(b[:copy(b[:], s)])
}

func appendHex(dst []byte, r rune, digits int) []byte { return fmt.Appendf(dst, "%0*x", digits, r) }

// escapeJSON rewrites what encoding/json leaves alone but a terminal may not:
// DEL, C1 controls and marks of direction, as \u escapes, which change nothing in
// what the JSON means.
func escapeJSON(dst, doc []byte) []byte {
	for i := 0; i < len(doc); {
		r, size := rune(doc[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(doc[i:])
		}
		switch {
		case unicode.IsPrint(r) || r == '\n':
			dst = append(dst, doc[i:i+size]...)
		case r < 0x10000:
			dst = appendHex(append(dst, `\u`...), r, 4)
		default: // a surrogate pair
			r -= 0x10000
			dst = appendHex(append(dst, `\u`...), 0xd800+r>>10, 4)
			dst = appendHex(append(dst, `\u`...), 0xdc00+r&0x3ff, 4)
		}
		i += size
	}
	return dst
}

package filter

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error says what is wrong with a filter, and where.
type Error struct {
	Source   string // the filter
	Pos, Len int    // bytes of Source that are wrong; Len is 0 at its end
	Problem  string // what is wrong with them
	Expected string // what would be right; "" if Problem says it
	Nearest  string // the name that was probably meant; "" if none is near
}

// Error returns one line, without Source.
func (e *Error) Error() string {
	s := fmt.Sprintf("filter, character %d: %s", utf8.RuneCountInString(e.Source[:e.Pos])+1, e.Problem)
	if e.Expected != "" {
		s += "; expected " + e.Expected
	}
	if e.Nearest != "" {
		s += fmt.Sprintf("; did you mean %q?", e.Nearest)
	}
	return s
}

// Caret returns two lines: Source, and marks below what is wrong.
func (e *Error) Caret() string {
	marks := max(utf8.RuneCountInString(e.Source[e.Pos:e.Pos+e.Len]), 1)
	return oneLine(e.Source) + "\n" + strings.Repeat(" ", utf8.RuneCountInString(e.Source[:e.Pos])) + strings.Repeat("^", marks)
}

// oneLine makes every character of s take one place.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

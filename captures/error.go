package captures

import (
	"errors"
	"fmt"
)

// What can be wrong with a capture file. An [Error] wraps one of these, or what
// the operating system said.
var (
	// ErrCut: the file ends inside a record, as after a full disk or a killed
	// capture. Everything before has been read.
	ErrCut = errors.New("the file ends inside a record")
	// ErrDamaged: a record cannot be what it says. What follows is unreadable.
	ErrDamaged = errors.New("the file is damaged")
	// ErrNotCapture: the file is no capture.
	ErrNotCapture = errors.New("not a capture file")
	// ErrForeign: the file is a capture of another kind, and the message names
	// the command that converts it.
	ErrForeign = errors.New("a capture in a format that must be converted")
)

// Error says what is wrong with a file, and where.
type Error struct {
	File string
	Off  int64  // offset in the file (uncompressed); -1 if the whole file is meant
	What string // one phrase for people
	Err  error  // ErrCut, ErrDamaged, ErrNotCapture, ErrForeign or a system's error
}

func (e *Error) Error() string {
	what := e.What
	if what == "" {
		what = e.Err.Error()
	}
	if e.Off < 0 {
		return fmt.Sprintf("%s: %s", e.File, what)
	}
	return fmt.Sprintf("%s: offset %#x: %s", e.File, e.Off, what)
}

// Unwrap makes errors.Is(err, ErrCut) work.
func (e *Error) Unwrap() error { return e.Err }

// damage is what a walker reports: the reader adds file and offset.
func damage(format string, args ...any) error {
	return &Error{What: fmt.Sprintf(format, args...), Err: ErrDamaged}
}

package client

import (
	"errors"
	"fmt"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

var (
	// ErrClosed says that the connection is gone; it is wrapped together with the reason.
	ErrClosed = errors.New("the connection is closed")
	// ErrNoCredits says that a request needs more credits than there are, and that no
	// answer is on its way that could bring any.
	ErrNoCredits = errors.New("the server grants no credits")
	// ErrSignature says that an answer is not signed as it should be.
	ErrSignature = errors.New("the signature of the answer does not fit")
	// ErrNotEncrypted says that an answer to an encrypted request came in the clear, or
	// that one came encrypted with no key of this connection's.
	ErrNotEncrypted = errors.New("the answer is not encrypted as it should be")
	// ErrProtocol says that the server sent what is no answer.
	ErrProtocol = errors.New("the server does not speak SMB2 as it should")
	// ErrDowngrade says that somebody changed the NEGOTIATE on its way.
	ErrDowngrade = errors.New("the negotiation was tampered with")
	// ErrGuest says that the server let an unknown user in as a guest.
	ErrGuest = errors.New("the server does not know the user and would take them as a guest")
)

// StatusError is a refusal.
type StatusError struct {
	Command smb2.Command
	Status  smb2.Status
	What    string // what was asked for, such as a path; may be empty
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("%s: %s (%#08x)", e.Command.Name(), e.Status, uint32(e.Status))
	if e.What != "" {
		s = e.What + ": " + s
	}
	return s
}

// StatusOf returns the status that an error is about, and whether it is about one.
func StatusOf(err error) (smb2.Status, bool) {
	var e *StatusError
	if errors.As(err, &e) {
		return e.Status, true
	}
	return ntstatus.Success, false
}

// protocolError is an ErrProtocol with what was wrong.
func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrProtocol}, args...)...)
}

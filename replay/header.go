package replay

// The fixed part of a message, read and written in place.

import (
	"encoding/binary"

	"github.com/odxray/odxray/dissect/smb2"
)

const headerSize = 64

// Header is what replay needs of a request's header. [MS-SMB2] 2.2.1.2
type Header struct {
	Command   smb2.Command
	Flags     smb2.Flags
	Charge    uint16
	Credits   uint16 // asked for
	Sequence  uint16 // ChannelSequence
	MessageID uint64
	AsyncID   uint64 // valid iff Flags has FlagAsync
	TreeID    uint32
	SessionID uint64
}

var le = binary.LittleEndian

// readHeader reads the header of b; ok is false if it is too short.
func readHeader(b []byte) (h Header, ok bool) {
	if len(b) < headerSize {
		return h, false
	}
	h = Header{
		Command: smb2.Command(le.Uint16(b[12:])), Flags: smb2.Flags(le.Uint32(b[16:])), Charge: le.Uint16(b[6:]),
		Credits: le.Uint16(b[14:]), Sequence: le.Uint16(b[8:]), MessageID: le.Uint64(b[24:]), SessionID: le.Uint64(b[40:]),
	}
	if h.Flags&smb2.FlagAsync != 0 {
		h.AsyncID = le.Uint64(b[32:])
	} else {
		h.TreeID = le.Uint32(b[36:])
	}
	return h, true
}

// statusOf returns the status of an answer.
func statusOf(b []byte) smb2.Status {
	if len(b) < 12 {
		return 0
	}
	return smb2.Status(le.Uint32(b[8:]))
}

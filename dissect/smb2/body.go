package smb2

import (
	"fmt"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

var (
	bodies       = fields.Section("[MS-SMB2] 2.2")
	fBody        = bodies.Struct("", "").Formatted(titleText)
	fUnknownBody = bodies.Bytes("smb2.unknown", "Unknown")

	fStructureSize = bodies.Hex("smb2.buffer_code", "StructureSize").Split(
		bodies.Uint("smb2.buffer_code.length", "Fixed Part Length").In(0xfffe),
		bodies.Flag(1, "smb2.buffer_code.dynamic", "Dynamic Part", "False", "True"))
	fSizeWanted = bodies.Uint("", "The specification demands a StructureSize of")
)

// size reads the StructureSize that every body begins with. One that is not what the
// specification demands is said, and what follows is read all the same: the fields
// stand where they stand, and senders are known to get this wrong.
func size(c *wire.Cursor, want uint16) {
	if n := c.U16(fStructureSize); n != want && !c.Failed() {
		c.Note(fSizeWanted, uint64(want), "")
	}
}

// bodySize looks at the StructureSize.
func bodySize(c *wire.Cursor) uint16 {
	look := c.Ahead()
	return look.U16(fStructureSize)
}

// A body's title is its command and what kind of message of that command it is.
const (
	titleRequest = iota << 16
	titleResponse
	titleOplockNotification
	titleOplockAcknowledgment
	titleOplockResponse
	titleLeaseNotification
	titleLeaseAcknowledgment
	titleLeaseResponse
)

// bodyTitle tells the messages of one command apart. OPLOCK_BREAK has six, and what
// is a response by its flag may answer nothing.
func bodyTitle(c *wire.Cursor, h *Header, response bool) uint64 {
	title := uint64(titleRequest)
	switch {
	case h.Command == OplockBreak:
		lease := isLease(c)
		switch {
		case !response && lease:
			title = titleLeaseAcknowledgment
		case !response:
			title = titleOplockAcknowledgment
		case bodySize(c) == leaseNotificationSize:
			title = titleLeaseNotification
		case lease:
			title = titleLeaseResponse
		case h.MessageID == unsolicited:
			title = titleOplockNotification
		default:
			title = titleOplockResponse
		}
	case response:
		title = titleResponse
	}
	return title | uint64(h.Command)
}

func titleText(v uint64) string {
	command := Command(v & 0xffff)
	what := command.String()
	switch v &^ 0xffff {
	case titleRequest:
		what += " Request"
	case titleResponse:
		what += " Response"
	case titleOplockNotification:
		what = "Oplock Break Notification"
	case titleOplockAcknowledgment:
		what = "Oplock Break Acknowledgment"
	case titleOplockResponse:
		what = "Oplock Break Response"
	case titleLeaseNotification:
		what = "Lease Break Notification"
	case titleLeaseAcknowledgment:
		what = "Lease Break Acknowledgment"
	case titleLeaseResponse:
		what = "Lease Break Response"
	}
	return fmt.Sprintf("%s (0x%02x)", what, uint16(command))
}

// failed reports whether the body of a response is an ErrorResponse. "An error code
// other than one of the following indicates a failure"; the exceptions that have a
// size of their own are told by that, so only those of the same size are listed.
// [MS-SMB2] 3.3.4.4
func failed(c *wire.Cursor, h *Header) bool {
	switch h.Status {
	case ntstatus.Success:
		return false
	case ntstatus.MoreProcessingRequired:
		if h.Command == SessionSetup {
			return false
		}
	case ntstatus.BufferOverflow:
		if h.Command == QueryInfo {
			return false
		}
	case ntstatus.NotifyEnumDir:
		if h.Command == ChangeNotify {
			return false
		}
	}
	return bodySize(c) == errorSize
}

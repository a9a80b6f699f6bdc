// Package ntstatus names the status codes that servers answer with. [MS-ERREF] 2.3.1
package ntstatus

import "cmp"

// Status is an NTSTATUS. [MS-ERREF] 2.3
type Status uint32

// The codes that change how a response is read.
const (
	Success                Status = 0x00000000
	Pending                Status = 0x00000103 // interim: the answer follows
	NotifyEnumDir          Status = 0x0000010c
	BufferOverflow         Status = 0x80000005 // a warning: the buffer holds what fitted
	MoreProcessingRequired Status = 0xc0000016 // SESSION_SETUP goes on
)

var names = map[Status]string{
	Success:                "STATUS_SUCCESS",
	Pending:                "STATUS_PENDING",
	NotifyEnumDir:          "STATUS_NOTIFY_ENUM_DIR",
	BufferOverflow:         "STATUS_BUFFER_OVERFLOW",
	MoreProcessingRequired: "STATUS_MORE_PROCESSING_REQUIRED",
}

func (s Status) String() string { return cmp.Or(names[s], "Unknown") }

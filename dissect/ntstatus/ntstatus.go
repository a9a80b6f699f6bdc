// Package ntstatus names the status codes that servers answer with. [MS-ERREF] 2.3.1
package ntstatus

import (
	"cmp"
	"iter"
	"slices"
)

//go:generate go run gen.go .

// Status is an NTSTATUS. [MS-ERREF] 2.3
type Status uint32

// The codes that decoding, pairing and the audit look at.
const (
	Success                       Status = 0x00000000
	Pending                       Status = 0x00000103 // interim: the answer follows
	NotifyCleanup                 Status = 0x0000010b
	NotifyEnumDir                 Status = 0x0000010c
	BufferOverflow                Status = 0x80000005 // a warning: the buffer holds what fitted
	NoMoreFiles                   Status = 0x80000006
	StoppedOnSymlink              Status = 0x8000002d
	Unsuccessful                  Status = 0xc0000001
	NotImplemented                Status = 0xc0000002
	InvalidInfoClass              Status = 0xc0000003
	InfoLengthMismatch            Status = 0xc0000004
	InvalidHandle                 Status = 0xc0000008
	InvalidParameter              Status = 0xc000000d
	NoSuchFile                    Status = 0xc000000f
	InvalidDeviceRequest          Status = 0xc0000010
	EndOfFile                     Status = 0xc0000011
	MoreProcessingRequired        Status = 0xc0000016 // SESSION_SETUP goes on
	AccessDenied                  Status = 0xc0000022
	BufferTooSmall                Status = 0xc0000023
	ObjectNameInvalid             Status = 0xc0000033
	ObjectNameNotFound            Status = 0xc0000034
	ObjectNameCollision           Status = 0xc0000035
	ObjectPathNotFound            Status = 0xc000003a
	SharingViolation              Status = 0xc0000043
	FileLockConflict              Status = 0xc0000054
	LockNotGranted                Status = 0xc0000055
	DeletePending                 Status = 0xc0000056
	WrongPassword                 Status = 0xc000006a
	LogonFailure                  Status = 0xc000006d
	RangeNotLocked                Status = 0xc000007e
	DiskFull                      Status = 0xc000007f
	InsufficientResources         Status = 0xc000009a
	MediaWriteProtected           Status = 0xc00000a2
	IOTimeout                     Status = 0xc00000b5
	FileIsADirectory              Status = 0xc00000ba
	NotSupported                  Status = 0xc00000bb
	UnexpectedNetworkError        Status = 0xc00000c4
	NetworkNameDeleted            Status = 0xc00000c9
	BadNetworkName                Status = 0xc00000cc
	RequestNotAccepted            Status = 0xc00000d0
	PipeEmpty                     Status = 0xc00000d9
	InvalidOplockProtocol         Status = 0xc00000e3
	InternalError                 Status = 0xc00000e5
	DirectoryNotEmpty             Status = 0xc0000101
	NotADirectory                 Status = 0xc0000103
	Cancelled                     Status = 0xc0000120
	FileDeleted                   Status = 0xc0000123
	FileClosed                    Status = 0xc0000128
	InvalidLevel                  Status = 0xc0000148
	UserSessionDeleted            Status = 0xc0000203
	InsufficientServerResources   Status = 0xc0000205
	NotFound                      Status = 0xc0000225
	PathNotCovered                Status = 0xc0000257
	NetworkSessionExpired         Status = 0xc000035c
	DeviceFeatureNotSupported     Status = 0xc0000463
	DeviceUnreachable             Status = 0xc0000464
	InvalidToken                  Status = 0xc0000465
	FileNotAvailable              Status = 0xc0000467
	BlockTooManyReferences        Status = 0xc000048c
	HashNotSupported              Status = 0xc000a100
	OffloadReadFilterUnsupported  Status = 0xc000a2a1
	OffloadWriteFilterUnsupported Status = 0xc000a2a2
	OffloadReadFileUnsupported    Status = 0xc000a2a3
	OffloadWriteFileUnsupported   Status = 0xc000a2a4
)

// entry is a line of ntstatus.txt.
type entry struct {
	code Status
	name string
	text string
}

func (s Status) entry() entry {
	if i, ok := slices.BinarySearchFunc(table[:], s, func(e entry, s Status) int { return cmp.Compare(e.code, s) }); ok {
		return table[i]
	}
	return entry{name: "Unknown"}
}

// String returns the code's name. The number is printed beside it everywhere, so
// one without a name is just "Unknown".
func (s Status) String() string { return s.entry().name }

// Text returns what the specification says of the code, "" if it says nothing.
func (s Status) Text() string { return s.entry().text }

// Lookup returns the code of a name such as "STATUS_END_OF_FILE".
func Lookup(name string) (Status, bool) {
	for _, e := range table {
		if e.name == name {
			return e.code, true
		}
	}
	return 0, false
}

// All yields every code that has a name, in order.
func All() iter.Seq[Status] {
	return func(yield func(Status) bool) {
		for i := range table {
			if !yield(table[i].code) {
				return
			}
		}
	}
}

// Numbers yields the same codes as All, as filters want them.
func Numbers(yield func(uint64) bool) {
	for i := range table {
		if !yield(uint64(table[i].code)) {
			return
		}
	}
}

// IsError reports whether the severity is that of an error, and not of success,
// information or warning.
func (s Status) IsError() bool { return s>>30 == 3 }

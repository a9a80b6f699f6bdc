package server

import "github.com/odxray/odxray/dissect/ntstatus"

type status = ntstatus.Status

// Codes that only a server needs by name. [MS-ERREF] 2.3.1
const (
	statusInvalidViewSize  status = 0xc000001f
	statusInvalidLockRange status = 0xc00001a1
	statusCannotDelete     status = 0xc0000121
	statusNotSameDevice    status = 0xc00000d4
	statusNotReparsePoint  status = 0xc0000275
	statusNoEAs            status = 0xc0000052
	statusNoSecurity       status = 0xc00000d7
	statusOutOfSequence    status = 0xc000042a
	statusForcedClosed     status = 0xc00000b6

	statusNoMoreEAs         status = 0x80000012
	statusInvalidEAName     status = 0x80000013
	statusEATooLarge        status = 0xc0000050
	statusDuplicateObjectID status = 0xc000022a
)

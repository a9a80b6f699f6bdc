package smb2

import "github.com/odxray/odxray/dissect/wire"

var breakSamples = []sample{
	{name: "oplock_break_notification", b: unasked(OplockBreak, "1800 01 00 00000000", fileID),
		want: &OplockBreakNotification{OplockII, testFile}},
	{name: "oplock_break_acknowledgment", b: request(OplockBreak, "1800 01 00 00000000", fileID),
		want: &OplockBreakAcknowledgment{OplockII, testFile}},
	{name: "oplock_break_response", b: response(OplockBreak, "1800 00 00 00000000", fileID),
		want: &OplockBreakResponse{OplockNone, testFile}},
	{name: "lease_break_notification", b: unasked(OplockBreak, "2c00 0500 01000000", fileID, "07000000 03000000 00000000 00000000 00000000"),
		want: &LeaseBreakNotification{Epoch: 5, Flags: 1, Key: wire.GUID(testFile), Current: LeaseRead | LeaseHandle | LeaseWrite, New: LeaseRead | LeaseHandle}},
	{name: "lease_break_acknowledgment", b: request(OplockBreak, "2400 0000 00000000", fileID, "03000000 0000000000000000"),
		want: &LeaseBreakAcknowledgment{Key: wire.GUID(testFile), State: LeaseRead | LeaseHandle}},
	{name: "lease_break_response", b: response(OplockBreak, "2400 0000 00000000", fileID, "01000000 0000000000000000"),
		want: &LeaseBreakResponse{Key: wire.GUID(testFile), State: LeaseRead}},
	{name: "server_to_client_notification", b: unasked(Notification, "0400 0000 00000000 00000000"),
		want: &ServerToClientNotification{}},
}

// unasked is a response that answers nothing.
func unasked(command Command, body ...string) []byte {
	b := response(command, body...)
	for i := range 8 {
		b[24+i] = 0xff
	}
	return b
}

package smb2

import (
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

const (
	noData   = "00 00 00000000 00"
	symlink1 = "30000000 53594d4c 0c0000a0 2400 0400 0000 1000 1000 0800 01000000" +
		"5c003f003f005c0043003a005c007400 43003a005c007400"
)

var errorSamples = []sample{
	{
		name: "error_response",
		b:    wiretest.Unhex(failedHeader, "0900 00 00 00000000 00"),
		ctx:  &Context{RequestFrame: 48, Elapsed: time.Millisecond, Request: Request{Function: fscc.OffloadWrite}},
		want: &ErrorResponse{Function: fscc.OffloadWrite, Data: []byte{0}}, spare: 1,
	},
	{name: "interim_response", b: refused(Lock, ntstatus.Pending, noData), want: &ErrorResponse{Data: []byte{0}}, spare: 1},
	{name: "buffer_too_small_response", b: refused(QueryInfo, ntstatus.BufferTooSmall, "00 00 04000000 78000000"),
		want: &ErrorResponse{Data: wiretest.Unhex("78000000"), Required: 120}},
	{name: "symlink_response", b: refused(Create, ntstatus.StoppedOnSymlink, "00 00 34000000", symlink1),
		want: &ErrorResponse{Data: wiretest.Unhex(symlink1), Symlink: testSymlink}},
	{name: "symlink_response_311", b: refused(Create, ntstatus.StoppedOnSymlink, "01 00 3c000000 34000000 00000000", symlink1),
		want: &ErrorResponse{ContextCount: 1, Data: wiretest.Unhex("34000000 00000000", symlink1), Symlink: testSymlink}},
	{name: "share_redirect_response", b: refused(TreeConnect, ntstatus.BadNetworkName, "01 00 58000000 50000000 53526472", redirect1),
		want: &ErrorResponse{ContextCount: 1, Data: wiretest.Unhex("50000000 53526472", redirect1), Redirect: Redirect{wiretest.Unhex("730072007600 3200"), 2}}},
	{name: "error_response_two_contexts", b: refused(Create, ntstatus.AccessDenied, "02 00 1c000000 03000000 11000000 61626300 00000000 04000000 12000000 64656667"),
		want: &ErrorResponse{ContextCount: 2, Data: wiretest.Unhex("03000000 11000000 61626300 00000000 04000000 12000000 64656667")}},
}

const redirect1 = "50000000 03000000 48000000 08000000 0000 0000 02000000" +
	"01000000 00000000 0a000009 000000000000000000000000" +
	"02000000 00000000 fe80000000000000000000000000000a" + "7300720076003200"

// TestErrorWithoutData: some servers leave the one byte out, and some fill the reserved
// byte that became the number of contexts.
func TestErrorWithoutData(t *testing.T) {
	for _, body := range []string{"00 00 00000000", "48 00 00000000 00"} {
		var d Decoder
		c := wire.New(refused(Ioctl, ntstatus.NotSupported, body), nil)
		if m := d.Decode(&c, nil); m.Err != nil || c.Err() != nil {
			t.Errorf("%s: %v, %v", body, m.Err, c.Err())
		}
	}
}

var testSymlink = Symlink{Unparsed: 4, Relative: true,
	Substitute: wiretest.Unhex("5c003f003f005c0043003a005c007400"), Print: wiretest.Unhex("43003a005c007400")}

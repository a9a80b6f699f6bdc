package smb2

import (
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

var ioctlSamples = []sample{
	{
		name: "offload_read_request",
		b: wiretest.Unhex(requestHeader,
			"3900 0000 64420900", fileID,
			"78000000 20000000 00000000", // input: offset, count, most back
			"78000000 00000000 10020000", // output
			"01000000 00000000",          // an FSCTL
			"20000000 00000000 10270000 00000000 0000100000000000 0000000100000000"),
		want: &IoctlRequest{Function: fscc.OffloadRead, File: testFile, MaxOutput: 528, Flags: 1, InputOffset: 120, InputCount: 32, OutputOffset: 120,
			Input: &odx.ReadRequest{Size: 32, TTL: 10000, FileOffset: 1 << 20, CopyLength: 1 << 24}},
	},
	{
		name: "offload_read_response",
		b: wiretest.Unhex(responseHeader,
			"3100 0000 64420900", fileID,
			"70000000 00000000 70000000 10020000 00000000 00000000",
			"10020000 00000000 0000100000000000", token, tokenRest),
		ctx: &Context{RequestFrame: 45, Elapsed: 27334 * time.Microsecond, File: "sparse1", OpenFrame: 17},
		want: &IoctlResponse{Function: fscc.OffloadRead, File: testFile, InputOffset: 112, OutputOffset: 112, OutputCount: 528,
			Output: &odx.ReadReply{Size: 528, TransferLength: 1 << 20, Token: testToken}},
	},
	{
		name: "offload_write_request",
		b:    offloadWrite,
		ctx:  &Context{File: "sparse1 - Copy (3)", OpenFrame: 40},
		want: &IoctlRequest{Function: fscc.OffloadWrite, File: testFile, MaxOutput: 16, Flags: 1, InputOffset: 120, InputCount: 544, OutputOffset: 120,
			Input: &odx.WriteRequest{Size: 544, FileOffset: 1 << 24, CopyLength: 1 << 28, TransferOffset: 1 << 16, Token: testToken}},
	},
	{
		name: "offload_write_response",
		b: wiretest.Unhex(responseHeader,
			"3100 0000 68820900", fileID,
			"70000000 00000000 70000000 10000000 00000000 00000000",
			"10000000 00000000 0000000100000000"),
		want: &IoctlResponse{Function: fscc.OffloadWrite, File: testFile, InputOffset: 112, OutputOffset: 112, OutputCount: 16,
			Output: &odx.WriteReply{Size: 16, LengthWritten: 1 << 24}},
	},
	{
		name: "ioctl_request_without_decoder",
		b: wiretest.Unhex(requestHeader,
			"3900 0000 78001400", fileID, "78000000 04000000 00000000 00000000 00000000 20000000 01000000 00000000", "deadbeef"),
		want: &IoctlRequest{Function: fscc.RequestResumeKey, File: testFile, MaxOutput: 32, Flags: 1, InputOffset: 120, InputCount: 4},
	},
}

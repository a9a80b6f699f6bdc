package smb2

import (
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// Everything that is done to an open file and is not a command of many kinds.
var ioSamples = []sample{
	{
		name: "close_request",
		b:    request(Close, "1800 0100 00000000", fileID),
		ctx:  &Context{File: "sparse1", OpenFrame: 17, CloseFrame: 52, Share: `\\server\share`, ShareType: 1, ShareFrame: 14, Account: "alice", Domain: "LAB", Host: "WS1", SessionFrame: 12, ResponseFrame: 53},
		want: &CloseRequest{Flags: ClosePostQuery, File: testFile},
	},
	{
		name: "close_response",
		b: response(Close, "3c00 0100 00000000", "00803ed5deb19d01 00803ed5deb19d01 00803ed5deb19d01 0000000000000000",
			"0010000000000000 e803000000000000 20020000"),
		want: &CloseResponse{Flags: ClosePostQuery, Times: Times{epoch, epoch, epoch, 0}, AllocationSize: 4096, EndOfFile: 1000,
			Attributes: fscc.AttributeArchive | fscc.AttributeSparse},
	},
	{name: "flush_request", b: request(Flush, "1800 0000 00000000", fileID), want: &FlushRequest{testFile}},
	{name: "flush_response", b: response(Flush, "0400 0000"), want: &FlushResponse{}},
	{
		name: "read_request",
		b:    request(Read, "3100 50 01 00000100 0010000000000000", fileID, "01000000 00000000 00000000 0000 0000"),
		want: &ReadRequest{Padding: 0x50, Flags: 1, Length: 65536, Offset: 4096, File: testFile, MinimumCount: 1},
	},
	{
		name: "read_request_rdma",
		b: request(Read, "3100 50 00 00001000 0000000000000000", fileID, "00000000 02000000 00000000 7000 2000",
			"0010000000000000 07000000 00000800", "0000100000000000 08000000 00000800"),
		want: &ReadRequest{Padding: 0x50, Length: 1 << 20, File: testFile, Channel: ChannelRDMAInvalidate,
			Descriptors: wiretest.Unhex("0010000000000000 07000000 00000800", "0000100000000000 08000000 00000800")},
	},
	{
		name: "read_request_rdma_transform",
		b: request(Read, "3100 50 00 00001000 0000000000000000", fileID, "00000000 03000000 00000000 7000 4000",
			"3000 1000 01000000 0100 000000000000", "0100 1000 0400 0000 000102030405060708090a0b0c0d0e0f a1a2a3a4 00000000",
			"0010000000000000 07000000 00000800"),
		want: &ReadRequest{Padding: 0x50, Length: 1 << 20, File: testFile, Channel: ChannelRDMATransform,
			Descriptors: wiretest.Unhex("0010000000000000 07000000 00000800"),
			Transform: RDMATransform{Channel: ChannelRDMA, Count: 1, Type: 1,
				Signature: wiretest.Unhex("000102030405060708090a0b0c0d0e0f"), Nonce: wiretest.Unhex("a1a2a3a4")}},
	},
	{
		name: "read_response",
		b:    response(Read, "1100 50 00 04000000 00000000 00000000", "64617461"),
		want: &ReadResponse{DataOffset: 80, DataLength: 4, Data: []byte("data")},
	},
	{
		name: "read_response_rdma",
		b:    response(Read, "1100 50 00 00000000 00001000 00000000"),
		want: &ReadResponse{DataOffset: 80, DataRemaining: 1 << 20, Data: []byte{}},
	},
	{
		name: "read_response_rdma_transform",
		b: response(Read, "1100 50 00 28000000 00001000 01000000",
			"0000 0000 00000000 0100 000000000000", "0200 1000 0000 0000 000102030405060708090a0b0c0d0e0f"),
		want: &ReadResponse{DataOffset: 80, DataLength: 40, DataRemaining: 1 << 20, Flags: ReadTransformed,
			Transform: RDMATransform{Count: 1, Type: 2, Signature: wiretest.Unhex("000102030405060708090a0b0c0d0e0f"), Nonce: []byte{}}},
	},
	{
		name: "write_request",
		b:    request(Write, "3100 7000 04000000 0000000001000000", fileID, "00000000 00000000 0000 0000 01000000", "64617461"),
		want: &WriteRequest{DataOffset: 112, Length: 4, Offset: 1 << 32, File: testFile, Flags: WriteThrough, Data: []byte("data")},
	},
	{
		name: "write_request_rdma",
		b: request(Write, "3100 0000 00000000 0000000000000000", fileID, "01000000 00001000 7000 1000 00000000",
			"0010000000000000 07000000 00001000"),
		want: &WriteRequest{File: testFile, Channel: ChannelRDMA, RemainingBytes: 1 << 20,
			Descriptors: wiretest.Unhex("0010000000000000 07000000 00001000"), Data: []byte{}},
	},
	{name: "write_response", b: response(Write, "1100 0000 04000000 00000000 0000 0000"), want: &WriteResponse{Count: 4}},
	{
		name: "lock_request",
		b: request(Lock, "3000 0200 12000000", fileID, "6400000000000000 0a00000000000000 12000000 00000000",
			"0000000000000080 0100000000000000 04000000 00000000"),
		want: &LockRequest{Count: 2, Sequence: 0x12, File: testFile, First: LockElement{100, 10, LockExclusive | LockFailImmediately}},
	},
	{name: "lock_response", b: response(Lock, "0400 0000"), want: &LockResponse{}},
	{name: "cancel_request", b: request(Cancel, "0400 0000"), want: &CancelRequest{}},
	{name: "echo_request", b: request(Echo, "0400 0000"), want: &EchoRequest{}},
	{name: "echo_response", b: response(Echo, "0400 0000"), want: &EchoResponse{}},
}

const epoch = 116444736000000000 // 1970-01-01 as a FILETIME

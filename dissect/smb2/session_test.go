package smb2

import (
	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// Every negotiate context, each but the last filled up to 8 bytes.
const negotiateContexts = "0100 2600 00000000 0100 2000 0100 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 0000" +
	"0200 0600 00000000 0200 0200 0100 0000" +
	"0300 0e00 00000000 0300 0000 01000000 0100 0400 0500 0000" +
	"0500 0600 00000000 730072007600 0000" +
	"0600 0400 00000000 01000000 00000000" +
	"0700 0c00 00000000 0200 0000 00000000 0100 0200 00000000" +
	"0800 0600 00000000 0200 0200 0100 0000" +
	"0001 1000 00000000 93ad25509cb411e7b42383de968bcd7c" +
	"7700 0300 00000000 616263"

var negotiated = NegotiateContexts{
	Hashes: wiretest.Unhex("0100"), Salt: wiretest.Unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
	Ciphers: wiretest.Unhex("0200 0100"), Compressions: wiretest.Unhex("0100 0400 0500"), CompressionFlags: 1, Netname: wiretest.Unhex("730072007600"),
	Transport: 1, RDMATransforms: wiretest.Unhex("0100 0200"), Signings: wiretest.Unhex("0200 0100"), POSIX: true,
}

var sessionSamples = []sample{
	{
		name: "negotiate_request",
		b:    request(Negotiate, "2400 0500 01 00 0000 7f000000", guid, "70000000 0900 0000", "0202 1002 0003 0203 1103 0000", negotiateContexts),
		want: &NegotiateRequest{SecurityMode: SigningEnabled, Capabilities: 0x7f, ClientGUID: testGUID,
			Dialects: wiretest.Unhex("0202 1002 0003 0203 1103"), NegotiateContexts: negotiated},
	},
	{
		name: "negotiate_request_210",
		b:    request(Negotiate, "2400 0200 03 00 0000 00000000", guid, "00803ed5deb19d01", "0202 1002"),
		want: &NegotiateRequest{SecurityMode: SigningEnabled | SigningRequired, ClientGUID: testGUID, StartTime: epoch, Dialects: wiretest.Unhex("0202 1002")},
	},
	{
		name: "negotiate_response",
		b: response(Negotiate, "4100 01 00 1103 0900", guid, "2f000000 00008000 00008000 00008000 00803ed5deb19d01 0000000000000000",
			"8000 0200 88000000", "6002 000000000000", negotiateContexts),
		want: &NegotiateResponse{SecurityMode: SigningEnabled, Dialect: Dialect311, ServerGUID: testGUID, Capabilities: 0x2f,
			MaxTransactSize: 8 << 20, MaxReadSize: 8 << 20, MaxWriteSize: 8 << 20, SystemTime: epoch, SecurityBlob: wiretest.Unhex("6002"), NegotiateContexts: negotiated},
	},
	{
		name: "session_setup_request",
		b:    request(SessionSetup, "1900 01 01 01000000 00000000 5800 0200 0700000000000000", "6002"),
		want: &SessionSetupRequest{Flags: SessionBinding, SecurityMode: SigningEnabled, Capabilities: CapDFS, PreviousSessionID: 7, SecurityBlob: wiretest.Unhex("6002")},
	},
	{
		name: "session_setup_response",
		b:    challenge,
		want: &SessionSetupResponse{Flags: SessionGuest, SecurityBlob: wiretest.Unhex("6002")},
	},
	{name: "logoff_request", b: request(Logoff, "0400 0000"), want: &LogoffRequest{}},
	{name: "logoff_response", b: response(Logoff, "0400 0000"), want: &LogoffResponse{}},
	{name: "tree_connect_request", b: request(TreeConnect, "0900 0000 4800 1400", utf16le(`\\srv\share`[:10])),
		want: &TreeConnectRequest{Path: wiretest.Unhex(utf16le(`\\srv\share`[:10]))}},
	{
		name: "tree_connect_request_extension",
		b: request(TreeConnect, "0900 0400 5800 1000 28000000 0100 00000000000000000000", utf16le(`\\srv\it`),
			"0100 2000 00000000", "0100 2000 1c00 1c00 1c00 1c00 1c00 1c00 1c00 1c00 1c00 1c00 1c00 1c00 deadbeef"),
		want: &TreeConnectRequest{Flags: TreeConnectExtension, Path: wiretest.Unhex(utf16le(`\\srv\it`))},
	},
	{name: "tree_connect_response", b: response(TreeConnect, "1000 01 00 30080000 10000000 ff011f00"),
		want: &TreeConnectResponse{ShareType: ShareDisk, ShareFlags: 0x830, Capabilities: 0x10, MaximalAccess: dtyp.AccessMask(0x1f01ff)}},
	{name: "tree_disconnect_request", b: request(TreeDisconnect, "0400 0000"), want: &TreeDisconnectRequest{}},
	{name: "tree_disconnect_response", b: response(TreeDisconnect, "0400 0000"), want: &TreeDisconnectResponse{}},
}

// challenge is a SESSION_SETUP response whose status is an error but whose body is not.
var challenge = withStatus(response(SessionSetup, "0900 0100 4800 0200", "6002"), ntstatus.MoreProcessingRequired)

package smb2

import "github.com/odxray/odxray/dissect/dtyp"

var sessionSamples = []sample{
	{name: "logoff_request", b: request(Logoff, "0400 0000"), want: &LogoffRequest{}},
	{name: "logoff_response", b: response(Logoff, "0400 0000"), want: &LogoffResponse{}},
	{name: "tree_connect_request", b: request(TreeConnect, "0900 0000 4800 1400", utf16le(`\\srv\share`[:10])),
		want: &TreeConnectRequest{Path: unhex(utf16le(`\\srv\share`[:10]))}},
	{
		name: "tree_connect_request_extension",
		b: request(TreeConnect, "0900 0400 5800 1000 28000000 0100 00000000000000000000", utf16le(`\\srv\it`),
			"0100 2000 00000000", "0100 2000 1c00 1c00 1c00 1c00 1c00 1c00 1c00 1c00 1c00 1c00 1c00 1c00 deadbeef"),
		want: &TreeConnectRequest{Flags: TreeConnectExtension, Path: unhex(utf16le(`\\srv\it`))},
	},
	{name: "tree_connect_response", b: response(TreeConnect, "1000 01 00 30080000 10000000 ff011f00"),
		want: &TreeConnectResponse{ShareType: ShareDisk, ShareFlags: 0x830, Capabilities: 0x10, MaximalAccess: dtyp.AccessMask(0x1f01ff)}},
	{name: "tree_disconnect_request", b: request(TreeDisconnect, "0400 0000"), want: &TreeDisconnectRequest{}},
	{name: "tree_disconnect_response", b: response(TreeDisconnect, "0400 0000"), want: &TreeDisconnectResponse{}},
}

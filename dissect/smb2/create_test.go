package smb2

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

const (
	leaseKey = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
	leaseV1  = leaseKey + "07000000 00000000 0000000000000000"
	leaseV2  = leaseKey + "05000000 04000000 0000000000000000 b0b1b2b3b4b5b6b7b8b9babbbcbdbebf 0300 0000"
	guid     = "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
	ownerSID = "01050000000000051500000001020304050607080900000010000000"
)

var testOwner = dtyp.SID{Revision: 1, Authority: 5, Count: 5, Sub: [15]uint32{21, 0x04030201, 0x08070605, 9, 16}}

// context is one create context, 8-byte aligned with what comes after it.
func contexts(list ...[2]string) string {
	var b strings.Builder
	for i, e := range list {
		tag, data := hex.EncodeToString([]byte(e[0])), strings.ReplaceAll(e[1], " ", "")
		head := 16 + len(tag)/2
		pad := -head & 7
		off, n := head+pad, len(data)/2
		next, rest := off+n, -n&7
		if i == len(list)-1 {
			next, rest = 0, 0
		} else {
			next += rest
		}
		if n == 0 {
			off = 0
		}
		fmt.Fprintf(&b, "%s 1000 %s 0000 %s %s", le32(next), le16(len(tag)/2), le16(off), le32(n))
		b.WriteString(tag + strings.Repeat("00", pad) + data + strings.Repeat("00", rest))
	}
	return b.String()
}

func le16(v int) string { return fmt.Sprintf("%02x%02x", v&0xff, v>>8) }
func le32(v int) string { return le16(v&0xffff) + le16(v>>16) }

func createRequest(name string, list ...[2]string) []byte {
	c, n := contexts(list...), utf16le(name)
	pad := strings.Repeat("00", -len(n)/2&7)
	size := len(wiretest.Unhex(c))
	off := 120 + len(n)/2 + len(pad)/2
	if size == 0 {
		off, pad = 0, ""
	}
	return request(Create, "3900 00 ff 02000000 0000000000000000 0000000000000000 89001200 80000000 07000000 01000000 40000000",
		"7800", le16(len(n)/2), le32(off), le32(size), n, pad, c)
}

func createResponse(list ...[2]string) []byte {
	c := contexts(list...)
	return response(Create, "5900 09 01 01000000 00803ed5deb19d01 00803ed5deb19d01 00803ed5deb19d01 00803ed5deb19d01",
		"0010000000000000 e803000000000000 20000000 00000000", fileID, "98000000", le32(len(wiretest.Unhex(c))), c)
}

func bare(c RequestContexts, name string) *CreateRequest {
	return &CreateRequest{OplockLevel: OplockLease, Impersonation: 2, DesiredAccess: 0x120089, FileAttributes: fscc.AttributeNormal,
		ShareAccess: ShareRead | ShareWrite | ShareDelete, Disposition: Open, Options: OptionNonDirectory, Name: wiretest.Unhex(utf16le(name)), RequestContexts: c}
}

func reply(c ResponseContexts) *CreateResponse {
	return &CreateResponse{OplockLevel: OplockBatch, Flags: 1, Action: ActionOpened, Times: Times{epoch, epoch, epoch, epoch},
		AllocationSize: 4096, EndOfFile: 1000, Attributes: fscc.AttributeArchive, File: testFile, ResponseContexts: c}
}

var (
	testKey    = wire.GUID(wiretest.Unhex(leaseKey))
	testParent = wire.GUID(wiretest.Unhex("b0b1b2b3b4b5b6b7b8b9babbbcbdbebf"))
	testGUID   = wire.GUID(wiretest.Unhex(guid))
	tagID      = contextNames[11].tag
	tagVersion = contextNames[12].tag
	tagSVHDX   = contextNames[13].tag
	tagPOSIX   = contextNames[14].tag
	host       = utf16le("host") + strings.Repeat("00", 118)
)

var createSamples = []sample{
	{name: "create_request", b: createRequest(`dir\file`), want: bare(RequestContexts{}, `dir\file`)},
	{
		name: "create_request_lease",
		b:    createRequest("file", [2]string{"RqLs", leaseV1}, [2]string{"QFid", ""}, [2]string{"DHnQ", strings.Repeat("00", 16)}),
		want: bare(RequestContexts{Contexts: ContextLease | ContextDiskID | ContextDurable, Lease: Lease{Key: testKey, State: 7}}, "file"),
	},
	{
		name: "create_request_durable",
		b: createRequest("f", [2]string{"DH2Q", "60ea0000 02000000 0000000000000000" + guid}, [2]string{"RqLs", leaseV2},
			[2]string{tagID, "1400 0000" + guid}, [2]string{tagVersion, "1800 0000 00000000 0500000000000000 0600000000000000"}),
		want: bare(RequestContexts{Contexts: ContextDurableV2 | ContextLease | ContextAppInstanceID | ContextAppInstanceVersion,
			Lease:   Lease{Key: testKey, State: 5, Flags: 4, Version2: true, ParentKey: testParent, Epoch: 3},
			Durable: Durable{60000, DurablePersistent, testGUID}, AppInstanceID: testGUID, AppVersion: [2]uint64{5, 6}}, "f"),
	},
	{
		name: "create_request_reconnect",
		b:    createRequest("f", [2]string{"DHnC", fileID}, [2]string{"DH2C", fileID + guid + "02000000"}),
		want: bare(RequestContexts{Contexts: ContextReconnect | ContextReconnectV2, Reconnect: Reconnect{testFile, testGUID, DurablePersistent}}, "f"),
	},
	{
		name: "create_request_more",
		b: createRequest("", [2]string{"AlSi", "0010000000000000"}, [2]string{"MxAc", "00803ed5deb19d01"}, [2]string{"TWrp", "00803ed5deb19d01"},
			[2]string{tagPOSIX, "ed010000"}, [2]string{"AAPL", "01000000 00000000 0700000000000000 0f00000000000000"},
			[2]string{tagSVHDX, "02000000 01 000000" + guid + "03000000 04000000 4d00000000000000 0800" + host + "01000000 02000000 00020000 00100000 0000004000000000"},
			[2]string{"WXYZ", "010203"}),
		want: bare(RequestContexts{Contexts: ContextAllocation | ContextMaximalAccess | ContextTimeWarp | ContextPOSIX | ContextAAPL | ContextSVHDX | ContextUnknown,
			AllocationSize: 4096, AccessTime: epoch, TimeWarp: epoch, POSIXMode: 0o755, AAPL: AAPL{Command: 1, Query: 7, ServerCaps: 15},
			SVHDX: SVHDX{Version: 2, HasInitiator: true, InitiatorID: testGUID, Flags: 3, Originator: 4, RequestID: 77, Host: wiretest.Unhex(utf16le("host")),
				Initialized: 1, ServiceVersion: 2, VirtualSector: 512, PhysicalSector: 4096, VirtualSize: 1 << 30}}, ""),
	},
	{
		name: "create_request_ea_sd",
		b: createRequest("f", [2]string{"ExtA", "00000000 00 01 0100 4100 ff"},
			[2]string{"SecD", "0100 0080 14000000 00000000 00000000 00000000" + ownerSID}),
		want: bare(RequestContexts{Contexts: ContextEA | ContextSD, EA: fscc.FullEAInfo{Chain: fscc.Chain{Count: 1, Raw: wiretest.Unhex("00000000 00 01 0100 4100 ff")}},
			SD: dtyp.SecurityDescriptor{Revision: 1, Control: dtyp.SelfRelative, OffsetOwner: 20, Owner: testOwner}}, "f"),
	},
	{
		name: "create_request_aapl_resolve",
		b:    createRequest("", [2]string{"AAPL", "02000000 00000000 0700000000000000"}),
		want: bare(RequestContexts{Contexts: ContextAAPL, AAPL: AAPL{Command: 2, FileID: 7}}, ""),
	},
	{name: "create_response", b: createResponse(), ctx: &Context{File: "sparse1", OpenFrame: 17}, want: reply(ResponseContexts{})},
	{
		name: "create_response_contexts",
		b: createResponse([2]string{"MxAc", "00000000 ff011f00"}, [2]string{"QFid", "0100000000000000 0200000000000000" + strings.Repeat("00", 16)},
			[2]string{"RqLs", leaseV2}, [2]string{"DHnQ", "0000000000000000"}, [2]string{"DH2Q", "60ea0000 02000000"}),
		want: reply(ResponseContexts{Contexts: ContextMaximalAccess | ContextDiskID | ContextLease | ContextDurable | ContextDurableV2,
			MaximalAccess: dtyp.AccessMask(0x1f01ff), DiskFileID: 1, VolumeID: 2, Durable: Durable{Timeout: 60000, Flags: DurablePersistent},
			Lease: Lease{Key: testKey, State: 5, Flags: 4, Version2: true, ParentKey: testParent, Epoch: 3}}),
	},
	{
		name: "create_response_more",
		b: createResponse([2]string{tagPOSIX, "01000000 00000000 ed010000" + ownerSID + ownerSID},
			[2]string{"AAPL", "01000000 00000000 0700000000000000 0f00000000000000 0700000000000000 00000000 06000000" + utf16le("Mac")},
			[2]string{tagSVHDX, "01000000 00 000000" + guid + "03000000 01000000 4d00000000000000 0800" + host}, [2]string{"TWrp", "0102"}),
		want: reply(ResponseContexts{Contexts: ContextPOSIX | ContextAAPL | ContextSVHDX | ContextTimeWarp,
			POSIX: POSIX{Links: 1, Mode: 0o755, Owner: testOwner, Group: testOwner}, AAPL: AAPL{Command: 1, Query: 7, ServerCaps: 15, VolumeCaps: 7, Model: wiretest.Unhex(utf16le("Mac"))},
			SVHDX: SVHDX{Version: 1, InitiatorID: testGUID, Flags: 3, Originator: 1, RequestID: 77, Host: wiretest.Unhex(utf16le("host"))}}),
	},
	{
		name: "create_response_aapl_resolve",
		b:    createResponse([2]string{"AAPL", "02000000 00000000 00000000 06000000" + utf16le("a/b")}),
		want: reply(ResponseContexts{Contexts: ContextAAPL, AAPL: AAPL{Command: 2, Path: wiretest.Unhex(utf16le("a/b"))}}),
	},
}

package smb2

import (
	"strings"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// queryInfoRequest, queryInfoResponse and setInfoRequest are messages of a type, a
// class and a buffer.

func queryInfoRequest(t fscc.InfoType, class uint8, additional string, input ...string) []byte {
	in := wiretest.Unhex(input...)
	return request(QueryInfo, "2900", hex8(uint8(t)), hex8(class), "00000100", "6800 0000", hex8(uint8(len(in))), "000000",
		additional, "00000000", fileID, strings.Join(input, ""))
}

func queryInfoResponse(buffer ...string) []byte {
	return response(QueryInfo, "0900 4800", hex8(uint8(len(wiretest.Unhex(buffer...)))), "000000", strings.Join(buffer, ""))
}

func setInfoRequest(t fscc.InfoType, class uint8, buffer ...string) []byte {
	return request(SetInfo, "2100", hex8(uint8(t)), hex8(class), hex8(uint8(len(wiretest.Unhex(buffer...)))), "000000 6000 0000 00000000", fileID,
		strings.Join(buffer, ""))
}

func hex8(v uint8) string { return string("0123456789abcdef"[v>>4]) + string("0123456789abcdef"[v&15]) }

// asked is the context of a response to a request for a class.
func asked(t fscc.InfoType, class uint8) *Context {
	return &Context{RequestFrame: 18, Request: Request{InfoType: uint8(t), InfoClass: class}}
}

// truncated is a response whose status says that the buffer was too small.
func truncated(b []byte) []byte {
	b[8], b[11] = 0x05, 0x80
	return b
}

const fourTimes = "eac95c5323b5d101 035e49d723b5d101 beec5c5323b5d101 beec5c5323b5d101"

var (
	someTimes = fscc.Times{Creation: 0x1d1b523535cc9ea, LastAccess: 0x1d1b523d7495e03, LastWrite: 0x1d1b523535cecbe, Change: 0x1d1b523535cecbe}
	sparse1   = wire.UTF16(wiretest.Unhex(utf16le("sparse1")))
	entry     = "00000000 00000000" + fourTimes + "0400007000000000 0002007000000000 20000000 0e000000" + // to the length of the name
		"00000000 00 00" + strings.Repeat("00", 24) + "0000 d702000000000000" + utf16le("sparse1")
)

var infoSamples = []sample{
	{
		name: "query_info_request",
		b:    queryInfoRequest(fscc.TypeFile, uint8(fscc.FileEA), "00000000"),
		ctx:  &Context{File: "sparse1", OpenFrame: 17},
		want: &QueryInfoRequest{Type: fscc.TypeFile, Class: uint8(fscc.FileEA), OutputLength: 65536, File: testFile},
	},
	{
		name: "query_info_request_security",
		b:    queryInfoRequest(fscc.TypeSecurity, 0, "07000000"),
		want: &QueryInfoRequest{Type: fscc.TypeSecurity, OutputLength: 65536, File: testFile,
			Additional: dtyp.OwnerSecurity | dtyp.GroupSecurity | dtyp.DACLSecurity},
	},
	{
		name: "query_info_request_get_ea",
		b:    queryInfoRequest(fscc.TypeFile, uint8(fscc.FileFullEA), "00000000", "00000000 03 414243 00"),
		want: &QueryInfoRequest{Type: fscc.TypeFile, Class: uint8(fscc.FileFullEA), OutputLength: 65536, File: testFile,
			Input: &fscc.GetEAInfo{Chain: fscc.Chain{Count: 1, Raw: wiretest.Unhex("00000000 03 414243 00")}}},
	},
	{
		name: "query_info_request_quota",
		b:    queryInfoRequest(fscc.TypeQuota, 0, "00000000", "01 00 0000 00000000 0c000000 00000000", everyone),
		want: &QueryInfoRequest{Type: fscc.TypeQuota, OutputLength: 65536, File: testFile,
			Input: &fscc.QuotaQuery{ReturnSingle: true, StartLength: 12}},
	},
	{
		name: "query_info_response",
		b:    queryInfoResponse(fourTimes, "20000000 00000000"),
		ctx:  asked(fscc.TypeFile, uint8(fscc.FileBasic)),
		want: &QueryInfoResponse{Type: fscc.TypeFile, Class: uint8(fscc.FileBasic),
			Info: &fscc.BasicInfo{Times: someTimes, Attributes: fscc.AttributeArchive}},
	},
	{
		name: "query_info_response_fs",
		b:    queryInfoResponse("00020000 00100000 00100000 00100000 03000000 00000000 00000000"),
		ctx:  asked(fscc.TypeFileSystem, uint8(fscc.FsSectorSize)),
		want: &QueryInfoResponse{Type: fscc.TypeFileSystem, Class: uint8(fscc.FsSectorSize),
			Info: &fscc.FsSectorSizeInfo{Logical: 512, PhysicalAtomicity: 4096, PhysicalPerformance: 4096, EffectiveAtomicity: 4096, Flags: 3}},
	},
	{
		name: "query_info_response_partial",
		b:    truncated(queryInfoResponse("16000000", utf16le("bufsize.tx"), "74")),
		ctx:  asked(fscc.TypeFile, uint8(fscc.FileAlternateName)),
		want: &QueryInfoResponse{Type: fscc.TypeFile, Class: uint8(fscc.FileAlternateName),
			Info: &fscc.NameInfo{Name: wiretest.Unhex(utf16le("bufsize.tx"), "74")}},
	},
	{
		name: "query_info_response_unknown",
		b:    queryInfoResponse("deadbeef"),
		want: &QueryInfoResponse{},
	},
	{
		name: "query_info_response_empty",
		b:    queryInfoResponse(),
		ctx:  asked(fscc.TypeFile, uint8(fscc.FileStream)),
		want: &QueryInfoResponse{Type: fscc.TypeFile, Class: uint8(fscc.FileStream)},
	},
	{
		name: "query_info_refused",
		b:    refused(QueryInfo, ntstatus.BufferTooSmall, "00 00 04000000 14000000"),
		ctx:  asked(fscc.TypeSecurity, 0),
		want: &ErrorResponse{Data: wiretest.Unhex("14000000"), Required: 20},
	},
	{
		name: "set_info_request",
		b:    setInfoRequest(fscc.TypeFile, uint8(fscc.FileRename), "01", strings.Repeat("00", 15), "0e000000", utf16le("sparse1"), "0000"),
		want: &SetInfoRequest{Type: fscc.TypeFile, Class: uint8(fscc.FileRename), File: testFile,
			Info: &fscc.RenameInfo{Flags: fscc.RenameReplace, Name: sparse1}},
	},
	{
		name: "set_info_response",
		b:    response(SetInfo, "0200"),
		ctx:  asked(fscc.TypeFile, uint8(fscc.FileEndOfFile)),
		want: &SetInfoResponse{},
	},
	{
		name: "query_directory_request",
		b:    request(QueryDirectory, "2100 25 02 00000000", fileID, "6000 0e00 00000100", utf16le("sparse1")),
		want: &QueryDirectoryRequest{Class: fscc.FileIDBothDirectory, Flags: FindSingle, File: testFile, OutputLength: 65536, Pattern: sparse1},
	},
	{
		name: "query_directory_response",
		b:    response(QueryDirectory, "0900 4800 76000000", entry),
		ctx:  asked(0, uint8(fscc.FileIDBothDirectory)),
		want: &QueryDirectoryResponse{DirectoryInfo: fscc.DirectoryInfo{Class: fscc.FileIDBothDirectory, Chain: fscc.Chain{Count: 1, Raw: wiretest.Unhex(entry)}}},
	},
	{
		name: "query_directory_response_unknown",
		b:    response(QueryDirectory, "0900 4800 04000000 deadbeef"),
		want: &QueryDirectoryResponse{},
	},
	{
		name: "change_notify_request",
		b:    request(ChangeNotify, "2000 0100 00000100", fileID, "03000000 00000000"),
		want: &ChangeNotifyRequest{Flags: 1, OutputLength: 65536, File: testFile, Filter: 3},
	},
	{
		name: "change_notify_response_empty",
		b:    response(ChangeNotify, "0900 0000 00000000"),
		want: &ChangeNotifyResponse{},
	},
	{
		name: "change_notify_response",
		b:    response(ChangeNotify, "0900 4800 2c000000", changes),
		want: &ChangeNotifyResponse{Changes: fscc.Changes{Chain: fscc.Chain{Count: 2, Raw: wiretest.Unhex(changes)}}},
	},
}

var (
	everyone = "01 01 000000000001 00000000"
	changes  = "14000000 04000000 06000000" + utf16le("old") + "0000" + "00000000 05000000 0c000000" + utf16le("newest")
)

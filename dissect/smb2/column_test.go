package smb2

import (
	"testing"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

func TestInfo(t *testing.T) {
	sparse := &Context{File: "sparse1", OpenFrame: 17}
	root := &Context{OpenFrame: 17}
	opening := &Context{RequestFrame: 3, Request: Request{Name: "new"}}
	for _, tt := range []struct {
		b    []byte
		ctx  *Context
		want string
	}{
		{sampleOf("negotiate_request"), nil, "Negotiate Protocol Request"},
		{challenge, nil, "Session Setup Response, Error: STATUS_MORE_PROCESSING_REQUIRED"},
		{sampleOf("tree_connect_request_extension"), nil, `Tree Connect Request Tree: \\srv\it`},
		{sampleOf("create_request"), nil, `Create Request File: dir\file`},
		{sampleOf("create_request_more"), nil, `Create Request File: @Jan  1, 1970 00:00:00.000000000`},
		{sampleOf("create_response"), opening, "Create Response File: new"},
		{sampleOf("create_response"), sparse, "Create Response File: sparse1"},
		{sampleOf("create_response"), nil, "Create Response"},
		{refused(Create, ntstatus.ObjectNameNotFound, noData), opening, "Create Response, Error: STATUS_OBJECT_NAME_NOT_FOUND"},
		{refused(Create, 0xfb314b1c, noData), nil, "Create Response, Error: Unknown (0xFB314B1C)"},
		{sampleOf("close_request"), root, "Close Request File: "},
		{sampleOf("close_request"), nil, "Close Request"},
		{request(Close, "1800 0100 00000000 ffffffffffffffffffffffffffffffff"), sparse, "Close Request"},
		{sampleOf("read_request"), sparse, "Read Request Len:65536 Off:4096 File: sparse1"},
		{sampleOf("write_request"), nil, "Write Request Len:4 Off:4294967296"},
		{sampleOf("interim_response"), sparse, "Lock Response, Error: STATUS_PENDING"},
		{sampleOf("offload_write_request"), sparse, "Ioctl Request FSCTL_OFFLOAD_WRITE File: sparse1"},
		{sampleOf("offload_write_response"), nil, "Ioctl Response FSCTL_OFFLOAD_WRITE"},
		{ioctlOf("fc3f0900"), nil, "Ioctl Request FILE_SYSTEM Function:0x0fff"},
		{ioctlOf("00008483"), nil, "Ioctl Request Unknown (0x00008384) Function:0x0000"},
		{queryInfoRequest(fscc.TypeFile, uint8(fscc.FileEA), "00000000"), sparse, "GetInfo Request FILE_INFO/SMB2_FILE_EA_INFO File: sparse1"},
		{queryInfoRequest(fscc.TypeFile, 0xff, "00000000"), nil, "GetInfo Request FILE_INFO/(Level:0xff)"},
		{queryInfoRequest(9, 1, "00000000"), nil, "GetInfo Request (Class:0x09)/(Level:0x01)"},
		{refused(QueryDirectory, ntstatus.NoMoreFiles, noData), &Context{Request: Request{InfoClass: 37, Name: "*"}},
			"Find Response, Error: STATUS_NO_MORE_FILES SMB2_FIND_ID_BOTH_DIRECTORY_INFO Pattern: *"},
		{sampleOf("echo_request"), nil, "KeepAlive Request"},
		{sampleOf("oplock_break_notification"), nil, "Oplock Break Notification"},
		{sampleOf("oplock_break_acknowledgment"), sparse, "Oplock Break Acknowledgment File: sparse1"},
		{sampleOf("lease_break_response"), nil, "Lease Break Response"},
		{refused(OplockBreak, ntstatus.InvalidParameter, noData), nil, "Break Response, Error: STATUS_INVALID_PARAMETER"},
		{response(0xff, "0900"), nil, "unknown-0xFF Response"},
		{sampleOf("server_to_client_notification"), nil, "Server to Client Notification"},
	} {
		var d Decoder
		c := wire.New(tt.b, nil)
		if got := string(d.Decode(&c, tt.ctx).AppendInfo(nil, tt.ctx)); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// TestInfoCut: what was captured is said, and that the rest is missing.
func TestInfoCut(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    int
		want string
	}{
		{"create_request", 130, "Create Request[Packet size limited during capture]"},
		{"create_response", 100, "Create Response[Packet size limited during capture]"},
		{"read_request", 100, "Read Request Len:65536 Off:4096 File: f[Packet size limited during capture]"},
		{"read_request", 40, "[Packet size limited during capture]"},
	} {
		var d Decoder
		ctx := &Context{File: "f"}
		b := sampleOf(tt.name)
		c := wire.NewCut(b[:tt.n], len(b), nil)
		if got := string(d.Decode(&c, ctx).AppendInfo(nil, ctx)); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	var d Decoder
	c := wire.New(sampleOf("lock_request")[:100], nil)
	if got, want := string(d.Decode(&c, nil).AppendInfo(nil, nil)), "Lock Request[Malformed Packet]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestInfoAllocs: a list has a line a message.
func TestInfoAllocs(t *testing.T) {
	var d Decoder
	b := make([]byte, 0, 200)
	for _, s := range samples {
		c := wire.New(s.b, nil)
		m := d.Decode(&c, s.ctx)
		if n := testing.AllocsPerRun(20, func() { m.AppendInfo(b, s.ctx) }); n != 0 {
			t.Errorf("%s: %v allocations", s.name, n)
		}
	}
}

func sampleOf(name string) []byte {
	for _, s := range samples {
		if s.name == name {
			return s.b
		}
	}
	panic("no sample " + name)
}

// ioctlOf is an IOCTL request without buffers.
func ioctlOf(code string) []byte {
	return request(Ioctl, "3900 0000", code, fileID, "00000000 00000000 00000000 00000000 00000000 00000000 01000000 00000000")
}

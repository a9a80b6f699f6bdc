package smb2

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/wire"
)

// answers are bodies of every response that a server sends, with the command they answer.
var answers = []struct {
	command Command
	body    Appender
}{
	{Negotiate, &NegotiateResponse{
		SecurityMode: SigningEnabled, Dialect: Dialect302, ServerGUID: wire.GUID{1}, Capabilities: CapLeasing, MaxTransactSize: 1, MaxReadSize: 2,
		MaxWriteSize: 3, SystemTime: 4, StartTime: 5, SecurityBlob: []byte{9},
	}},
	{Negotiate, &NegotiateResponse{
		Dialect: Dialect311, SecurityBlob: []byte("abc"),
		NegotiateContexts: NegotiateContexts{Hashes: Codes(SHA512), Salt: []byte("salt"), Ciphers: Codes(AES256GCM), Signings: Codes(AESGMAC)},
	}},
	{SessionSetup, &SessionSetupResponse{Flags: SessionEncrypt, SecurityBlob: []byte("blob")}},
	{Logoff, &LogoffResponse{}},
	{TreeConnect, &TreeConnectResponse{ShareType: SharePipe, ShareFlags: 0x30, Capabilities: 8, MaximalAccess: 0x1f01ff}},
	{TreeDisconnect, &TreeDisconnectResponse{}},
	{Create, &CreateResponse{
		OplockLevel: OplockBatch, Action: ActionCreated, Times: Times{1, 2, 3, 4}, AllocationSize: 5, EndOfFile: 6, Attributes: 7, File: FileID{8},
	}},
	{Create, &CreateResponse{OplockLevel: OplockLease, ResponseContexts: ResponseContexts{
		Contexts: ContextMaximalAccess | ContextDiskID | ContextLease | ContextDurable | ContextDurableV2, MaximalAccess: 0x1f01ff, DiskFileID: 1, VolumeID: 2,
		Lease: Lease{Key: wire.GUID{3}, State: LeaseRead, Version2: true, Epoch: 4}, Durable: Durable{Timeout: 5},
	}}},
	{Close, &CloseResponse{Flags: ClosePostQuery, Times: Times{1, 2, 3, 4}, AllocationSize: 5, EndOfFile: 6, Attributes: 7}},
	{Flush, &FlushResponse{}},
	{Read, &ReadResponse{DataOffset: 80, DataLength: 4, Data: []byte("data")}},
	{Write, &WriteResponse{Count: 7}},
	{Lock, &LockResponse{}},
	{Echo, &EchoResponse{}},
	{SetInfo, &SetInfoResponse{}},
	{OplockBreak, &OplockBreakResponse{OplockLevel: OplockII, File: FileID{1}}},
	{OplockBreak, &LeaseBreakResponse{Key: wire.GUID{1}, State: LeaseRead}},
	{OplockBreak, &LeaseBreakNotification{Epoch: 1, Flags: 1, Key: wire.GUID{2}, Current: 7, New: 3}},
}

// TestAppendResponse: what Append makes of a response, Decode reads as that.
func TestAppendResponse(t *testing.T) {
	for _, a := range answers {
		h := Header{Command: a.command, Flags: FlagResponse, MessageID: 7, Credits: 1}
		if _, ok := a.body.(*LeaseBreakNotification); ok {
			h.MessageID = ^uint64(0)
		}
		b := a.body.Append(h.Append(nil))
		c := wire.New(b, nil)
		var d Decoder
		m := d.Decode(&c, nil)
		if m.Err != nil || c.Failed() {
			t.Errorf("%v: %v, %v", a.command, m.Err, c.Err())
			continue
		}
		ignore := cmpopts.IgnoreFields
		diff := cmp.Diff(a.body, m.Body, cmpopts.EquateEmpty(),
			ignore(NegotiateResponse{}, "Auth"), ignore(SessionSetupResponse{}, "Auth"), ignore(CreateResponse{}, "List"),
			cmp.AllowUnexported(LogoffResponse{}, ReadResponse{}))
		if diff != "" {
			t.Errorf("%v: %s", a.command, diff)
		}
	}
}

// TestAppendOutputs: the buffers of IOCTL and QUERY_INFO, and errors with data.
func TestAppendOutputs(t *testing.T) {
	decode := func(command Command, status Status, body []byte) Body {
		h := Header{Command: command, Flags: FlagResponse, Status: status}
		c := wire.New(append(h.Append(nil), body...), nil)
		d := new(Decoder)
		m := d.Decode(&c, &Context{Dialect: Dialect311, Request: Request{Function: fscc.RequestResumeKey, InfoType: 1, InfoClass: uint8(fscc.FileInternal)}})
		if m.Err != nil {
			t.Fatal(command, m.Err)
		}
		return m.Body
	}
	key := fscc.ResumeKeyReply{Key: fscc.ResumeKey{1, 2, 3}}
	body := (&IoctlResponse{Function: fscc.RequestResumeKey, File: FileID{9}}).Append(nil, key.Append(nil))
	if r := decode(Ioctl, 0, body).(*IoctlResponse); r.File != (FileID{9}) || r.OutputCount != 32 || *r.Output.(*fscc.ResumeKeyReply) != key {
		t.Errorf("ioctl: %+v", r)
	}
	info := (&fscc.InternalInfo{FileID: 5}).Append(nil)
	if r := decode(QueryInfo, 0, AppendOutput(nil, info)).(*QueryInfoResponse); r.Info.(*fscc.InternalInfo).FileID != 5 {
		t.Errorf("query info: %+v", r)
	}
	const tooSmall Status = 0xc0000023
	for contexts := range uint8(2) {
		e := &ErrorResponse{ContextCount: contexts, Data: wire.AppendU32(nil, 77)}
		if r := decode(QueryInfo, tooSmall, e.Append(nil)).(*ErrorResponse); r.Required != 77 {
			t.Errorf("error with %d contexts: %+v", contexts, r)
		}
	}
	if r := decode(Read, 0xc0000011, new(ErrorResponse).Append(nil)).(*ErrorResponse); r.ContextCount != 0 {
		t.Errorf("error: %+v", r)
	}
}

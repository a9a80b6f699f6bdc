package smb2

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/wire"
)

// placed clears what says where something lies, and what encoding is known to leave
// out; it returns false if it leaves out too much to compare.
func placed(b Body) bool {
	switch b := b.(type) {
	case *IoctlRequest:
		b.InputOffset, b.OutputOffset = 0, 0
	case *WriteRequest:
		b.DataOffset = 0
		return b.Channel != ChannelRDMATransform
	case *ReadRequest:
		return b.Channel != ChannelRDMATransform
	case *TreeConnectRequest:
		return b.Flags&TreeConnectExtension == 0
	}
	return true
}

// appended is the message of a header and its body's encoding.
func appended(m *Message) []byte {
	return m.Body.(Appender).Append(m.Header.Append(nil))
}

// roundTrip decodes what appending a decoded message gives, and compares.
func roundTrip(t *testing.T, m *Message, ctx *Context) {
	t.Helper()
	if _, ok := m.Body.(Appender); !ok || m.Err != nil || m.Flags&FlagResponse != 0 {
		return
	}
	m.NextCommand = 0
	b := appended(m)
	if !placed(m.Body) {
		return
	}
	var d Decoder
	c := wire.New(b, nil)
	again := d.Decode(&c, ctx)
	placed(again.Body)
	if again.Err != nil || !reflect.DeepEqual(m.Header, again.Header) || !reflect.DeepEqual(m.Body, again.Body) {
		t.Fatalf("%+v %+v\nbecame %v, %+v %+v\n%x", m.Header, m.Body, again.Err, again.Header, again.Body, b)
	}
}

// TestAppend encodes every request that decodes, and has the very bytes again wherever
// the sender laid them out as we do.
func TestAppend(t *testing.T) {
	same, n := 0, 0
	seen := make(map[Command]bool)
	for _, s := range samples {
		var d Decoder
		c := wire.New(s.b, nil)
		m := d.Decode(&c, s.ctx)
		if _, ok := m.Body.(Appender); !ok || m.Flags&FlagResponse != 0 {
			continue
		}
		n++
		seen[m.Command] = true
		if bytes.Equal(appended(m), s.b) {
			same++
		}
		t.Run(s.name, func(t *testing.T) { roundTrip(t, m, s.ctx) })
	}
	t.Logf("%d of %d are the bytes that they were", same, n)
	if same < n/2 {
		t.Errorf("%d of %d are the bytes that they were", same, n)
	}
	for c := Negotiate; c < Notification; c++ {
		if !seen[c] {
			t.Errorf("no sample of a %v", c)
		}
	}
}

// TestChainAdd builds a compound and takes it apart again, by both ways there are.
func TestChainAdd(t *testing.T) {
	bodies := []Appender{
		&CreateRequest{Name: wire.AppendUTF16(nil, "odd"), Disposition: Open},
		&QueryInfoRequest{Type: fscc.TypeFile, Class: uint8(fscc.FileStandard), OutputLength: 24},
		&CloseRequest{Flags: ClosePostQuery},
	}
	commands := []Command{Create, QueryInfo, Close}
	chain := Chain{Bytes: []byte{0, 0, 0, 0}} // room for the session service
	for i, b := range bodies {
		chain.Add(&Header{Command: commands[i], MessageID: uint64(i), SessionID: 7, TreeID: 9, Signature: bytes.Repeat([]byte{9}, 16)}, b.Append(nil))
	}
	var d Decoder
	c := wire.New(chain.Bytes[4:], nil)
	rest := chain.Bytes[4:]
	for i, want := range commands {
		m := d.Decode(&c, nil)
		if m.Err != nil || m.Command != want || m.MessageID != uint64(i) || m.TreeID != 9 || m.SessionID != 7 || m.Signature[15] != 9 {
			t.Errorf("message %d: %+v", i, m)
		}
		one, more, err := Split(rest)
		if rest = more; err != nil || len(one)%8 != 0 && i < 2 || one[12] != byte(want) {
			t.Errorf("message %d: %v, %x", i, err, one)
		}
	}
	if c.Len() != 0 || c.Err() != nil || len(rest) != 0 {
		t.Errorf("left over: %d, %v, %d", c.Len(), c.Err(), len(rest))
	}
}

// TestSplitHostile: a chain that goes nowhere is an error, and so is what is no SMB2.
func TestSplitHostile(t *testing.T) {
	good := append((&Header{Command: Echo}).Append(nil), 4, 0, 0, 0)
	for name, change := range map[string]func(b []byte) []byte{
		"backwards":       func(b []byte) []byte { b[20] = 8; return b },
		"not aligned":     func(b []byte) []byte { b[20] = 65; return append(b, make([]byte, 100)...) },
		"past the end":    func(b []byte) []byte { b[20] = 72; return b },
		"no next header":  func(b []byte) []byte { b[20] = 64; return b },
		"another magic":   func(b []byte) []byte { b[0] = 0xff; return b },
		"cut header":      func(b []byte) []byte { return b[:63] },
		"nothing":         func([]byte) []byte { return nil },
		"of another size": func(b []byte) []byte { b[4] = 65; return b },
	} {
		var e *wire.Error
		if _, _, err := Split(change(bytes.Clone(good))); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestContextList builds contexts and reads them back, by both ways there are.
func TestContextList(t *testing.T) {
	lease := Lease{Key: wire.GUID{1}, State: LeaseRead | LeaseHandle, Version2: true, ParentKey: wire.GUID{2}, Epoch: 3, Flags: 4}
	list := ContextList(nil).
		Append(ContextDurable.Name(), make([]byte, 16)).
		Append(ContextMaximalAccess.Name(), nil).
		Append(ContextLease.Name(), lease.Append(nil)).
		Append(ContextAppInstanceID.Name(), append([]byte{20, 0, 0, 0}, make([]byte, 16)...)).
		Append(ContextTimeWarp.Name(), []byte{1, 2, 3, 4, 5, 6, 7, 8})
	m := CreateRequest{Name: wire.AppendUTF16(nil, "name"), List: list}
	var d Decoder
	c := wire.New(m.Append((&Header{Command: Create}).Append(nil)), nil)
	got := d.Decode(&c, nil)
	r := got.Body.(*CreateRequest)
	want := ContextDurable | ContextMaximalAccess | ContextLease | ContextAppInstanceID | ContextTimeWarp
	if got.Err != nil || r.Contexts != want || r.Lease != lease || r.TimeWarp != 0x0807060504030201 || r.Name.String() != "name" {
		t.Errorf("%v, %+v", got.Err, r)
	}
	var names []string
	for name, data := range r.List.Each {
		names = append(names, name)
		if name == "RqLs" && !bytes.Equal(data, lease.Append(nil)) {
			t.Errorf("lease %x", data)
		}
	}
	if !slices.Equal(names, []string{"DHnQ", "MxAc", "RqLs", ContextAppInstanceID.Name(), "TWrp"}) {
		t.Errorf("%q", names)
	}
	for i := range list {
		for range list[:i].Each { // ends, and does not panic
		}
	}
}

// TestLockList: all ranges of a LOCK are there, not only the first.
func TestLockList(t *testing.T) {
	want := []LockElement{{1, 2, LockShared}, {3, 4, LockUnlock}}
	m := LockRequest{Sequence: 5}
	for _, e := range want {
		m.Locks = m.Locks.Append(e)
	}
	var d Decoder
	c := wire.New(m.Append((&Header{Command: Lock}).Append(nil)), nil)
	got := d.Decode(&c, nil)
	r := got.Body.(*LockRequest)
	if got.Err != nil || r.Count != 2 || r.Locks.Len() != 2 || r.Locks.At(0) != want[0] || r.Locks.At(1) != want[1] {
		t.Errorf("%v, %+v", got.Err, r)
	}
}

// TestNegotiateAppend: every context that a client or a server can say.
func TestNegotiateAppend(t *testing.T) {
	want := NegotiateRequest{
		SecurityMode: SigningEnabled, Capabilities: CapLargeMTU, ClientGUID: wire.GUID{1, 2, 3},
		Dialects: Codes(Dialect210, Dialect311),
		NegotiateContexts: NegotiateContexts{
			Hashes: Codes(SHA512), Salt: []byte("salt!"), Ciphers: Codes(AES128GCM, AES256GCM, AES128CCM),
			Compressions: Codes(LZ77), CompressionFlags: 1, Signings: Codes(AESGMAC), RDMATransforms: Codes(RDMASigning),
			Netname: wire.AppendUTF16(nil, "server"), Transport: 1, POSIX: true,
		},
	}
	var d Decoder
	c := wire.New(want.Append((&Header{Command: Negotiate}).Append(nil)), nil)
	got := d.Decode(&c, nil)
	if got.Err != nil || !reflect.DeepEqual(got.Body, &want) {
		t.Errorf("%v\n%+v\n%+v", got.Err, got.Body, &want)
	}
}

// The contexts of a response come out as they went in, where others look for them.
func TestResponseContexts(t *testing.T) {
	m := CreateResponse{OplockLevel: OplockLease}
	m.Contexts = ContextMaximalAccess | ContextDiskID | ContextLease | ContextDurableV2
	m.MaximalAccess, m.DiskFileID, m.VolumeID, m.Durable.Timeout = 0x1f01ff, 7, 8, 9
	m.Lease.Key, m.Lease.State = [16]byte{1, 2}, LeaseRead
	h := Header{Command: Create, Flags: FlagResponse}
	var d Decoder
	c := wire.New(m.Append(h.Append(nil)), nil)
	got := d.Decode(&c, nil)
	r, ok := got.Body.(*CreateResponse)
	if !ok || got.Err != nil {
		t.Fatal(got.Err)
	}
	if r.MaximalAccess != m.MaximalAccess || r.QueryStatus != 0 || r.DiskFileID != 7 || r.VolumeID != 8 || r.Durable.Timeout != 9 || r.Lease.Key != m.Lease.Key || r.Lease.State != LeaseRead {
		t.Errorf("%+v", r.ResponseContexts)
	}
}

package server

import (
	"context"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/replay/client"
)

// patient bounds a test that hangs.
func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// logOn connects to the share.
func logOn(t testing.TB, port string, o client.Options) *client.Tree {
	t.Helper()
	ctx := patient(t)
	transport, err := client.DialTCP(ctx, "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := client.Negotiate(ctx, transport, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	session, err := conn.Login(ctx, &client.Credentials{User: "lab", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := session.TreeConnect(ctx, `\\127.0.0.1\share`)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// opening says how to open a file.
type opening struct {
	access      dtyp.AccessMask
	share       smb2.ShareAccess
	disposition smb2.Disposition
	options     smb2.CreateOptions
	oplock      smb2.OplockLevel
	lease       *smb2.Lease
}

const everything = client.ReadAccess | client.WriteAccess | client.DeleteAccess

func (o opening) request() *smb2.CreateRequest {
	m := &smb2.CreateRequest{
		Impersonation: 2, DesiredAccess: o.access, ShareAccess: o.share, Disposition: o.disposition, Options: o.options, OplockLevel: o.oplock,
	}
	if o.access == 0 {
		m.DesiredAccess = everything
	}
	if o.lease != nil {
		m.OplockLevel = smb2.OplockLease
		m.List = m.List.Append("RqLs", o.lease.Append(nil))
	}
	return m
}

func openAs(t testing.TB, tree *client.Tree, name string, o opening) *client.File {
	t.Helper()
	f, err := tree.Open(patient(t), name, o.request())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f
}

const shareAll = smb2.ShareRead | smb2.ShareWrite | smb2.ShareDelete

// created makes a file with contents.
func created(t testing.TB, tree *client.Tree, name string, data []byte) *client.File {
	t.Helper()
	f := openAs(t, tree, name, opening{share: shareAll, disposition: smb2.OverwriteIf})
	put(t, f, data, 0)
	return f
}

func put(t testing.TB, f *client.File, data []byte, off int64) {
	t.Helper()
	if len(data) == 0 {
		return
	}
	if _, err := f.WriteAt(patient(t), data, off); err != nil {
		t.Fatal(err)
	}
}

func contents(t testing.TB, f *client.File, n int) []byte {
	t.Helper()
	b := make([]byte, n+1)
	n, err := f.ReadAt(patient(t), b, 0)
	if err == nil {
		t.Fatalf("the file is longer than %d bytes", n-1)
	}
	return b[:n]
}

// statusFrom is the status that err is about.
func statusFrom(t testing.TB, err error) smb2.Status {
	t.Helper()
	if err == nil {
		return ntstatus.Success
	}
	st, ok := client.StatusOf(err)
	if !ok {
		t.Fatal(err)
	}
	return st
}

func wantStatus(t testing.TB, what string, err error, want smb2.Status) {
	t.Helper()
	if got := statusFrom(t, err); got != want {
		t.Errorf("%s: %v (%#x), want %v (%#x)", what, got, uint32(got), want, uint32(want))
	}
}

// offloadRead asks for a token.
func offloadRead(t testing.TB, f *client.File, m odx.ReadRequest, most uint32) (odx.ReadReply, error) {
	t.Helper()
	if m.Size == 0 {
		m.Size = 32
	}
	out, err := f.Ioctl(patient(t), fscc.OffloadRead, m.Append(nil), most)
	var reply odx.ReadReply
	if err == nil {
		c := wire.New(out, nil)
		if reply.Decode(&c); c.Err() != nil {
			t.Fatal(c.Err())
		}
	}
	return reply, err
}

// mint asks for a token and gets it.
func mint(t testing.TB, f *client.File, off, n uint64) odx.ReadReply {
	t.Helper()
	reply, err := offloadRead(t, f, odx.ReadRequest{FileOffset: off, CopyLength: n}, 528)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// offloadWrite spends one, and returns how many bytes were written.
func offloadWrite(t testing.TB, f *client.File, token []byte, off, n, from uint64) (uint64, error) {
	t.Helper()
	return offloadWriteAs(t, f, odx.WriteRequest{Size: 544, FileOffset: off, CopyLength: n, TransferOffset: from, Token: odx.Token{Raw: token}}, 16)
}

func offloadWriteAs(t testing.TB, f *client.File, m odx.WriteRequest, most uint32) (uint64, error) {
	t.Helper()
	out, err := f.Ioctl(patient(t), fscc.OffloadWrite, m.Append(nil), most)
	var reply odx.WriteReply
	if err == nil {
		c := wire.New(out, nil)
		if reply.Decode(&c); c.Err() != nil {
			t.Fatal(c.Err())
		}
	}
	return reply.LengthWritten, err
}

package client

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/flowtest"
	"github.com/odxray/odxray/replay/smbdtest"
)

// recorder makes a capture of what a connection says and hears.
type recorder struct {
	mu   sync.Mutex
	made flowtest.Capture
	conn *flowtest.Conn
}

func (r *recorder) tap(u *Unit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == nil {
		r.conn = r.made.Dial("10.0.0.1:40000", "10.0.0.2:445")
	}
	from := 0
	if !u.Sent {
		from = 1
	}
	r.conn.Send(from, append(wire.AppendBE32(nil, uint32(len(u.Plain))), u.Plain...))
}

// file writes the capture.
func (r *recorder) file(t *testing.T) string {
	return flowtest.Write(t, "run.pcapng", r.made.Packets)
}

// everything says something of every kind that a client can say.
func everything(t *testing.T, session *Session) {
	ctx := within(t)
	tree := share(t, session, smbdtest.Shared)
	m := smb2.CreateRequest{
		DesiredAccess: ReadAccess | WriteAccess | DeleteAccess, Disposition: smb2.OverwriteIf, OplockLevel: smb2.OplockLease,
	}
	m.List = m.List.Append(smb2.ContextLease.Name(), (&smb2.Lease{Key: wire.GUID{9}, State: smb2.LeaseRead | smb2.LeaseHandle}).Append(nil)).
		Append(smb2.ContextMaximalAccess.Name(), nil).Append(smb2.ContextDiskID.Name(), nil)
	f, err := tree.Open(ctx, "everything", &m)
	if err != nil {
		t.Fatal(err)
	}
	if !f.Contexts.Has(smb2.ContextLease | smb2.ContextMaximalAccess | smb2.ContextDiskID) {
		t.Errorf("contexts %b", f.Contexts)
	}
	data := make([]byte, 200_000)
	_, err = f.WriteAt(ctx, data, 0)
	check(t, err)
	_, err = f.ReadAt(ctx, data, 0)
	check(t, err)
	check(t, f.Flush(ctx))
	_, err = f.QueryInfo(ctx, fscc.TypeFile, uint8(fscc.FileAll), 4096)
	check(t, err)
	_, err = f.QueryInfo(ctx, fscc.TypeFileSystem, uint8(fscc.FsVolume), 4096)
	check(t, err)
	check(t, f.Truncate(ctx, 100_000))
	lock := smb2.LockRequest{File: f.File, Locks: smb2.LockList(nil).Append(smb2.LockElement{Length: 1, Flags: smb2.LockExclusive | smb2.LockFailImmediately}).
		Append(smb2.LockElement{Offset: 5, Length: 1, Flags: smb2.LockExclusive | smb2.LockFailImmediately})}
	_, err = f.must(ctx, smb2.Lock, lock.Append(nil))
	check(t, err)
	out, err := f.Ioctl(ctx, fscc.RequestResumeKey, nil, 32)
	check(t, err)
	key := fscc.CopyChunkRequest{Source: fscc.ResumeKey(out[:24]), Chunks: fscc.Chunks(nil).Append(fscc.Chunk{Source: 10, Target: 20000, Length: 10000})}
	_, err = f.Ioctl(ctx, fscc.CopyChunk, key.Append(nil), 12)
	check(t, err)
	_, err = f.Ioctl(ctx, fscc.OffloadRead, (&odx.ReadRequest{Size: odx.ReadRequestSize, CopyLength: 65536}).Append(nil), 528)
	if _, refused := StatusOf(err); !refused {
		t.Error(err)
	}
	_, err = f.Ioctl(ctx, fscc.OffloadWrite, (&odx.WriteRequest{Size: odx.WriteRequestSize, Token: odx.Token{Raw: make([]byte, 512)}}).Append(nil), 16)
	if _, refused := StatusOf(err); !refused {
		t.Error(err)
	}
	dir, call := watch(t, tree)
	_, err = dir.List(ctx, "*", 1000)
	check(t, err)
	check(t, call.Cancel(ctx))
	_, err = call.Wait(ctx)
	check(t, err)
	check(t, dir.Close(ctx))
	check(t, f.Close(ctx))
	check(t, tree.Remove(ctx, "everything"))
	_, err = session.Do(ctx, echo())
	check(t, err)
	check(t, tree.Disconnect(ctx))
	check(t, session.Logoff(ctx))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// TestTsharkRun: what the client sent and Samba answered, as odxray and tshark see it:
// nothing is malformed, and every request has its answer.
func TestTsharkRun(t *testing.T) {
	s := smbdtest.Start(t)
	for _, d := range []smb2.Dialect{smb2.Dialect210, smb2.Dialect311} {
		var r recorder
		session := login(t, s, &Options{Dialects: []smb2.Dialect{d}, Tap: r.tap, ServerName: "127.0.0.1"}, Credentials{Sign: true, Workstation: "HERE"})
		everything(t, session)
		session.Conn.Close()
		file := r.file(t)

		c, err := flows.Open([]string{file}, flows.Options{Index: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := c.Results(); got.Problems != nil || got.Exchanges < 25 || len(got.Connections) != 1 || got.Connections[0].Dialect != d {
			t.Errorf("%v: %q, %d exchanges, %+v", d, got.Problems, got.Exchanges, got.Connections)
		}
		seen := make(map[string]bool)
		for i := range c.Exchanges() {
			var x flows.Exchange
			if c.Exchange(i, &x); x.AnswerFrame == 0 && x.Command != smb2.Cancel {
				t.Errorf("%v: exchange %d has no answer: %+v", d, i, x)
			}
			seen[x.Command.Name()] = true
		}
		if len(seen) < 17 {
			t.Errorf("%v: commands %v", d, seen)
		}
		// The first line is there so that tshark prints something.
		bad := wiretest.Tshark(t, "-r", file, "-Y", "frame.number == 1 || _ws.malformed || _ws.unreassembled")
		if lines := strings.Split(strings.TrimSpace(bad), "\n"); len(lines) != 1 {
			t.Errorf("%v: tshark finds fault with\n%s", d, bad)
		}
		fields := wiretest.Tshark(t, "-r", file, "-Y", "smb2.flags.response == 0 && smb2.cmd == 9", "-T", "fields", "-e", "smb2.credit.charge", "-e", "smb2.write_length")
		if fields != "4\t200000\n" {
			t.Errorf("%v: WRITE %q", d, fields)
		}
	}
}

package captured

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/replay/client"
	"github.com/odxray/odxray/replay/copies"
	"github.com/odxray/odxray/replay/server"
	"github.com/odxray/odxray/replay/server/servertest"
)

// within bounds a test that hangs.
func within(t testing.TB) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(stop)
	return ctx
}

// person is a client with what was broken to it.
type person struct {
	*client.Tree
	breaks chan *client.Break
}

func arrives(t testing.TB, address, share string) *person {
	t.Helper()
	ctx := within(t)
	p := &person{breaks: make(chan *client.Break, 10)}
	transport, err := client.DialTCP(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := client.Negotiate(ctx, transport, &client.Options{OnBreak: func(b *client.Break) { p.breaks <- b }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	session, err := conn.Login(ctx, &client.Credentials{User: "lab", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	if p.Tree, err = session.TreeConnect(ctx, `\\127.0.0.1\`+share); err != nil {
		t.Fatal(err)
	}
	return p
}

// start sends a request whose answer may take its time.
func (p *person) start(t testing.TB, command smb2.Command, body []byte) *client.Call {
	t.Helper()
	calls, err := p.Session.Start(within(t), &client.Request{Command: command, TreeID: p.ID, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return calls[0]
}

// story is what two clients do that wait for one another: it returns what they saw.
func story(t *testing.T, address, share string) (seen []string) {
	see := func(format string, args ...any) { seen = append(seen, fmt.Sprintf(format, args...)) }
	status := func(what string, k *client.Call) *client.Answer {
		t.Helper()
		a, err := k.Wait(within(t))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		see("%s: %v, waited %v", what, a.Status, a.Interim != nil)
		return a
	}
	pends := func(k *client.Call) *client.Call {
		t.Helper()
		select {
		case <-k.Pended():
		case <-within(t).Done():
			t.Fatal("STATUS_PENDING did not come")
		}
		return k
	}
	open := func(p *person, name string, m smb2.CreateRequest) *client.File {
		t.Helper()
		f, err := p.Open(within(t), name, &m)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		see("open %s: %v, oplock %v, %d bytes", name, f.Action, f.OplockLevel, f.EndOfFile)
		return f
	}
	const all = client.ReadAccess | client.WriteAccess | client.DeleteAccess
	ann, ben := arrives(t, address, share), arrives(t, address, share)

	// A directory is watched: a new file is told, and another watch is cancelled.
	if err := ann.Mkdir(within(t), "dir"); err != nil {
		t.Fatal(err)
	}
	dir := open(ann, "dir", smb2.CreateRequest{DesiredAccess: client.ListAccess, Disposition: smb2.Open})
	watch := func() *client.Call {
		m := smb2.ChangeNotifyRequest{OutputLength: 4096, File: dir.File, Filter: 0x17}
		return pends(ann.start(t, smb2.ChangeNotify, m.Append(nil)))
	}
	first := watch()
	file := open(ben, "dir/file", smb2.CreateRequest{DesiredAccess: all, Disposition: smb2.CreateNew})
	see("changes %q", status("watch", first).Body()[8:])
	second := watch()
	if err := second.Cancel(within(t)); err != nil {
		t.Fatal(err)
	}
	status("cancelled watch", second)

	// A lock is waited for.
	text := []byte(strings.Repeat("some text ", 1000))
	n, err := file.WriteAt(within(t), text, 0)
	see("written %d, %v", n, err)
	lock := func(p *person, f *client.File, flags smb2.LockFlags) *client.Call {
		m := smb2.LockRequest{File: f.File, Locks: smb2.LockList(nil).Append(smb2.LockElement{Offset: 10, Length: 100, Flags: flags})}
		return p.start(t, smb2.Lock, m.Append(nil))
	}
	other := open(ann, "dir/file", smb2.CreateRequest{DesiredAccess: all, Disposition: smb2.Open})
	status("lock", lock(ben, file, 2))
	waits := pends(lock(ann, other, 2))
	status("unlock", lock(ben, file, 4))
	status("second lock", waits)
	back := make([]byte, 5000)
	status("release", lock(ann, other, 4))
	n, err = other.ReadAt(within(t), back, 200)
	see("read %d, %v, %q", n, err, back[:20])

	// An oplock and a lease are broken for somebody else, who waits.
	var key wire.GUID // another one each time
	rand.Read(key[:])
	for _, name := range []string{"batch", "lease"} {
		m := smb2.CreateRequest{DesiredAccess: all, Disposition: smb2.CreateNew, OplockLevel: smb2.OplockBatch}
		if name == "lease" {
			m.OplockLevel = smb2.OplockLease
			m.List = m.List.Append("RqLs", (&smb2.Lease{Key: key, State: smb2.LeaseRead | smb2.LeaseWrite | smb2.LeaseHandle}).Append(nil))
		}
		holder := open(ann, name, m)
		q := smb2.CreateRequest{DesiredAccess: all, Disposition: smb2.Open, Impersonation: 2, ShareAccess: 7, Name: wire.AppendUTF16(nil, name)}
		opens := ben.start(t, smb2.Create, q.Append(nil))
		select {
		case b := <-ann.breaks:
			see("break of %s: lease %v, ours %v, %v, %v", name, b.Lease, b.Open.File == holder.File || b.Key.Key == key, b.Open.OplockLevel, b.Key.New)
			pends(opens)
			if err := ann.Session.AcknowledgeBreak(within(t), b, ann.ID, b.Open.OplockLevel, b.Key.New); err != nil {
				t.Error(err)
			}
		case <-within(t).Done():
			t.Fatal("no break came")
		}
		status("open against "+name, opens)
	}

	// A copy by offload.
	r, err := copies.Copy(within(t), &copies.Job{Method: copies.ODX, From: ben.Tree, To: ben.Tree, Source: "dir/file", Destination: "copy", Verify: true})
	see("%+v, %v", r, err)
	_, err = file.Ioctl(within(t), fscc.OffloadRead, (&odx.ReadRequest{Size: 32, FileOffset: 1 << 20, CopyLength: 512}).Append(nil), 528)
	see("offload past the end: %v", err)
	return seen
}

// labCapture is a capture that the lab server makes of what drive does.
func labCapture(t *testing.T, drive func(address string)) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "lab.pcapng")
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	lab := servertest.Start(t, server.Config{Pcap: out})
	drive(lab.Addr)
	lab.Stop()
	return name
}

// TestStory: clients that wait for one another see the same at the captured server as at
// the real one: notifications, locks, breaks and what waits for them come in their turn.
func TestStory(t *testing.T) {
	var want []string
	path := labCapture(t, func(address string) { want = story(t, address, "share") })
	script, address := serve(t, capture(t, path, new(flows.Keys)), Fail, t.Logf)
	for range 2 { // whoever comes later begins anew
		if got := story(t, address, "share"); len(got) < 20 || !slices.Equal(got, want) {
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i] != want[i] {
					t.Errorf("line %d: %q, want %q", i, got[min(i, len(got)-1)], want[min(i, len(want)-1)])
				}
			}
		}
	}
	if script.Missed() > 0 {
		t.Error(told(t, script))
	}
}

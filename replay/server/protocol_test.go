package server

import (
	"context"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/replay/client"
)

// startCall sends a request that may have to wait.
func startCall(t testing.TB, tree *client.Tree, command smb2.Command, body []byte) *client.Call {
	t.Helper()
	calls, err := tree.Session.Start(patient(t), &client.Request{Command: command, Body: body, TreeID: tree.ID})
	if err != nil {
		t.Fatal(err)
	}
	return calls[0]
}

// pended waits for the interim answer.
func pended(t testing.TB, k *client.Call) {
	t.Helper()
	select {
	case <-k.Pended():
	case <-patient(t).Done():
		t.Fatal("no interim answer")
	}
}

func ended(t testing.TB, k *client.Call) *client.Answer {
	t.Helper()
	a, err := k.Wait(patient(t))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func lockBody(f *client.File, e ...smb2.LockElement) []byte {
	m := &smb2.LockRequest{File: f.CreateResponse.File}
	for _, e := range e {
		m.Locks = m.Locks.Append(e)
	}
	return m.Append(nil)
}

// TestLocks: who waits for a lock gets it when it is free, or gives up.
func TestLocks(t *testing.T) {
	_, port := start(t, Config{})
	tree, other := logOn(t, port, client.Options{}), logOn(t, port, client.Options{})
	mine := created(t, tree, "f", noise(100))
	theirs := openAs(t, other, "f", opening{share: shareAll, disposition: smb2.Open})
	const exclusive, now = smb2.LockExclusive, smb2.LockFailImmediately
	e := smb2.LockElement{Offset: 10, Length: 20, Flags: exclusive | now}
	if st := do(t, tree, smb2.Lock, lockBody(mine, e)); st != ntstatus.Success {
		t.Fatal(st)
	}
	if st := do(t, other, smb2.Lock, lockBody(theirs, e)); st != ntstatus.LockNotGranted {
		t.Errorf("a lock that is taken: %v", st)
	}
	_, err := theirs.ReadAt(patient(t), make([]byte, 20), 0)
	wantStatus(t, "read", err, ntstatus.FileLockConflict)
	_, err = theirs.WriteAt(patient(t), make([]byte, 1), 29)
	wantStatus(t, "write", err, ntstatus.FileLockConflict)
	_, err = theirs.WriteAt(patient(t), make([]byte, 1), 30)
	wantStatus(t, "write behind", err, ntstatus.Success)
	e.Flags = exclusive
	gaveUp := startCall(t, other, smb2.Lock, lockBody(theirs, e))
	pended(t, gaveUp)
	if err := gaveUp.Cancel(patient(t)); err != nil {
		t.Fatal(err)
	}
	if a := ended(t, gaveUp); a.Status != ntstatus.Cancelled {
		t.Errorf("given up: %v", a.Status)
	}
	waits := startCall(t, other, smb2.Lock, lockBody(theirs, e))
	pended(t, waits)
	e.Flags = smb2.LockUnlock
	if st := do(t, tree, smb2.Lock, lockBody(mine, e)); st != ntstatus.Success {
		t.Errorf("unlock: %v", st)
	}
	if a := ended(t, waits); a.Status != ntstatus.Success || a.Interim == nil {
		t.Errorf("waited for: %v", a.Status)
	}
	if st := do(t, tree, smb2.Lock, lockBody(mine, e)); st != ntstatus.RangeNotLocked {
		t.Errorf("unlock again: %v", st)
	}
	// All or none.
	a, b := smb2.LockElement{Offset: 0, Length: 1, Flags: exclusive | now}, smb2.LockElement{Offset: 15, Length: 1, Flags: exclusive | now}
	if st := do(t, tree, smb2.Lock, lockBody(mine, a, b)); st != ntstatus.LockNotGranted {
		t.Errorf("two, one of them taken: %v", st)
	}
	if st := do(t, other, smb2.Lock, lockBody(theirs, a)); st != ntstatus.Success {
		t.Errorf("the other was kept: %v", st)
	}
}

// TestNotify: a directory's watcher hears what happens in it, and of its end.
func TestNotify(t *testing.T) {
	_, port := start(t, Config{})
	tree, other := logOn(t, port, client.Options{}), logOn(t, port, client.Options{})
	dir := openAs(t, tree, "d", opening{share: shareAll, disposition: smb2.CreateNew, options: smb2.OptionDirectory})
	body := (&smb2.ChangeNotifyRequest{OutputLength: 4096, File: dir.CreateResponse.File, Filter: 0x3}).Append(nil)
	waits := startCall(t, tree, smb2.ChangeNotify, body)
	pended(t, waits)
	f := created(t, other, `d\new`, nil)
	f.Close(patient(t))
	a := ended(t, waits)
	if got := changesIn(t, a); a.Status != ntstatus.Success || len(got) != 1 || got[0] != "FILE_ACTION_ADDED new" {
		t.Errorf("%v %q", a.Status, got)
	}
	if err := other.Remove(patient(t), `d\new`); err != nil {
		t.Fatal(err)
	}
	a = ended(t, startCall(t, tree, smb2.ChangeNotify, body)) // what happened meanwhile
	if got := changesIn(t, a); len(got) != 1 || got[0] != "FILE_ACTION_REMOVED new" {
		t.Errorf("%v %q", a.Status, got)
	}
	waits = startCall(t, tree, smb2.ChangeNotify, body)
	pended(t, waits)
	dir.Close(patient(t))
	if a := ended(t, waits); a.Status != ntstatus.NotifyCleanup {
		t.Errorf("after the close: %v", a.Status)
	}
}

func changesIn(t *testing.T, a *client.Answer) (list []string) {
	t.Helper()
	var d smb2.Decoder
	c := wire.New(a.Message, nil)
	m := d.Decode(&c, nil)
	r, ok := m.Body.(*smb2.ChangeNotifyResponse)
	if !ok || m.Err != nil {
		t.Fatalf("%T, %v", m.Body, m.Err)
	}
	for ch := range r.All() {
		list = append(list, ch.Action.String()+" "+ch.Name.String())
	}
	return list
}

// TestBreaks: whoever caches is told to stop before another's open is answered, and after
// a while the other does not wait for an acknowledgment any more.
func TestBreaks(t *testing.T) {
	for _, c := range []struct {
		name string
		o    opening
		left string // what the holder may keep
	}{
		{"batch oplock", opening{oplock: smb2.OplockBatch}, "Level2 oplock"},
		{"exclusive oplock", opening{oplock: smb2.OplockExclusive}, "Level2 oplock"},
		{"lease", opening{lease: &smb2.Lease{Key: wire.GUID{1}, State: stateRWH}}, "3"},
		{"lease of version 2", opening{lease: &smb2.Lease{Key: wire.GUID{1}, State: stateRWH, Version2: true}}, "3"},
	} {
		for _, acknowledge := range []bool{true, false} {
			t.Run(c.name, func(t *testing.T) {
				limit := time.Hour
				if !acknowledge {
					limit = time.Millisecond
				}
				_, port := start(t, Config{BreakTimeout: limit})
				breaks := make(chan *client.Break, 10)
				holder := logOn(t, port, client.Options{OnBreak: func(b *client.Break) { breaks <- b }})
				other := logOn(t, port, client.Options{})
				o := c.o
				o.share, o.disposition = shareAll, smb2.CreateNew
				mine := openAs(t, holder, "f", o)
				if mine.OplockLevel != o.request().OplockLevel {
					t.Fatalf("granted %v", mine.OplockLevel)
				}
				m := opening{share: shareAll, disposition: smb2.Open}.request()
				m.Name = wire.AppendUTF16(nil, "f")
				waits := startCall(t, other, smb2.Create, m.Append(nil))
				var b *client.Break
				select {
				case b = <-breaks:
				case <-patient(t).Done():
					t.Fatal("no break")
				}
				left := b.Open.OplockLevel.String()
				if b.Lease {
					left = string(rune('0' + b.Key.New))
				}
				if left != c.left || !b.Acknowledge() {
					t.Errorf("break to %s, to be acknowledged %v", left, b.Acknowledge())
				}
				if acknowledge {
					pended(t, waits)
					if err := holder.Session.AcknowledgeBreak(patient(t), b, holder.ID, smb2.OplockII, smb2.LeaseRead|smb2.LeaseHandle); err != nil {
						t.Error(err)
					}
				}
				if a := ended(t, waits); a.Status != ntstatus.Success {
					t.Errorf("the other's open: %v", a.Status)
				}
			})
		}
	}
}

// TestSharing: an open that does not share keeps others out; one that only looks does not.
func TestSharing(t *testing.T) {
	_, port := start(t, Config{})
	tree := logOn(t, port, client.Options{})
	created(t, tree, "f", nil).Close(patient(t))
	openAs(t, tree, "f", opening{access: client.ReadAccess, share: smb2.ShareRead, disposition: smb2.Open})
	for _, c := range []struct {
		what string
		o    opening
		want smb2.Status
	}{
		{"read", opening{access: client.ReadAccess, share: smb2.ShareRead}, ntstatus.Success},
		{"read, sharing deletion", opening{access: client.ReadAccess, share: smb2.ShareDelete}, ntstatus.SharingViolation},
		{"write", opening{access: client.WriteAccess, share: shareAll}, ntstatus.SharingViolation},
		{"delete", opening{access: client.DeleteAccess, share: shareAll}, ntstatus.SharingViolation},
		{"attributes", opening{access: dtyp.ReadAttributes}, ntstatus.Success},
		{"overwrite", opening{access: dtyp.ReadAttributes, disposition: smb2.Overwrite}, ntstatus.Success},
	} {
		if c.o.disposition == 0 {
			c.o.disposition = smb2.Open
		}
		f, err := tree.Open(patient(t), "f", c.o.request())
		wantStatus(t, c.what, err, c.want)
		if err == nil {
			f.Close(patient(t))
		}
	}
}

// TestDelete: a file that is deleted is gone once its last open is.
func TestDelete(t *testing.T) {
	_, port := start(t, Config{})
	tree := logOn(t, port, client.Options{})
	ctx := patient(t)
	one := openAs(t, tree, "f", opening{share: shareAll, disposition: smb2.CreateNew, options: smb2.OptionDeleteOnClose})
	two := openAs(t, tree, "f", opening{share: shareAll, disposition: smb2.Open})
	one.Close(ctx)
	_, err := tree.Open(ctx, "f", opening{share: shareAll, disposition: smb2.Open}.request())
	wantStatus(t, "open", err, ntstatus.DeletePending)
	two.Close(ctx)
	_, err = tree.Open(ctx, "f", opening{share: shareAll, disposition: smb2.Open}.request())
	wantStatus(t, "open", err, ntstatus.ObjectNameNotFound)
	openAs(t, tree, "d", opening{share: shareAll, disposition: smb2.CreateNew, options: smb2.OptionDirectory})
	created(t, tree, `d\f`, nil)
	dir := openAs(t, tree, "d", opening{share: shareAll, disposition: smb2.Open, options: smb2.OptionDirectory})
	wantStatus(t, "directory", dir.SetInfo(ctx, fscc.TypeFile, uint8(fscc.FileDisposition), []byte{1}), ntstatus.DirectoryNotEmpty)
}

// TestControlCodes: those that make and show holes, and those that copy.
func TestControlCodes(t *testing.T) {
	_, port := start(t, Config{})
	tree := logOn(t, port, client.Options{})
	ctx := patient(t)
	f := created(t, tree, "f", noise(256<<10))
	if _, err := f.Ioctl(ctx, fscc.SetSparse, nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Ioctl(ctx, fscc.SetZeroData, (&fscc.ZeroDataRequest{Offset: 64 << 10, Beyond: 128 << 10}).Append(nil), 0); err != nil {
		t.Fatal(err)
	}
	out, err := f.Ioctl(ctx, fscc.QueryAllocatedRanges, fscc.Range{Length: 1 << 20}.Append(nil), 1024)
	if err != nil {
		t.Fatal(err)
	}
	ranges := fscc.Ranges(out)
	if ranges.Len() != 2 || ranges.At(0) != (fscc.Range{Length: 64 << 10}) || ranges.At(1) != (fscc.Range{Offset: 128 << 10, Length: 128 << 10}) {
		t.Errorf("ranges: %x", out)
	}
	if out, err = f.Ioctl(ctx, fscc.FileLevelTrim, append(wire.AppendU64(nil, 1<<32), fscc.Range{Length: 4096}.Append(nil)...), 4); err != nil || wire.GetU32(out) != 1 {
		t.Errorf("trim: %x, %v", out, err)
	}
	to := created(t, tree, "to", make([]byte, 256<<10))
	dup := &fscc.DuplicateExtentsRequest{Source: wire.GUID(f.CreateResponse.File), SourceOffset: 128 << 10, TargetOffset: 4096, Length: 64 << 10}
	_, err = to.Ioctl(ctx, fscc.DuplicateExtents, dup.Append(nil), 0)
	wantStatus(t, "from sparse to not", err, ntstatus.NotSupported)
	if _, err := to.Ioctl(ctx, fscc.SetSparse, nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, err = to.Ioctl(ctx, fscc.DuplicateExtents, dup.Append(nil), 0); err != nil {
		t.Fatal(err)
	}
	if got, want := contents(t, to, 256<<10)[4096:][:64<<10], contents(t, f, 256<<10)[128<<10:][:64<<10]; string(got) != string(want) {
		t.Error("duplicated extents differ")
	}
	key, err := f.Ioctl(ctx, fscc.RequestResumeKey, nil, 32)
	if err != nil {
		t.Fatal(err)
	}
	chunks := fscc.CopyChunkRequest{Source: fscc.ResumeKey(key[:24]), Chunks: fscc.Chunks(nil).Append(fscc.Chunk{Source: 1, Target: 300 << 10, Length: 1000})}
	if _, err := to.Ioctl(ctx, fscc.CopyChunk, chunks.Append(nil), 12); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, to, 512<<10); len(got) != 300<<10+1000 {
		t.Errorf("%d bytes after copychunk", len(got))
	}
	for code, want := range map[fscc.Code]smb2.Status{
		fscc.EnumerateSnapshots: ntstatus.InvalidDeviceRequest, fscc.OffloadRead: ntstatus.InvalidParameter, 0x90fff: ntstatus.InvalidDeviceRequest,
	} {
		_, err := f.Ioctl(ctx, code, nil, 1024)
		wantStatus(t, code.String(), err, want)
	}
}

// TestCompound: a chain whose first request fails fails as a whole; one that waits keeps
// its order.
func TestCompound(t *testing.T) {
	_, port := start(t, Config{})
	tree := logOn(t, port, client.Options{})
	created(t, tree, "there", noise(10)).Close(patient(t))
	all := smb2.FileID{}
	for i := range all {
		all[i] = 0xff
	}
	for name, want := range map[string]smb2.Status{"there": ntstatus.Success, "none": ntstatus.ObjectNameNotFound} {
		m := opening{share: shareAll, disposition: smb2.Open}.request()
		m.Name = wire.AppendUTF16(nil, name)
		calls, err := tree.Session.Start(patient(t),
			&client.Request{Command: smb2.Create, TreeID: tree.ID, Body: m.Append(nil)},
			&client.Request{Command: smb2.Read, TreeID: tree.ID, Flags: smb2.FlagRelated, Body: (&smb2.ReadRequest{Length: 10, File: all}).Append(nil)},
			&client.Request{Command: smb2.Close, TreeID: tree.ID, Flags: smb2.FlagRelated, Body: (&smb2.CloseRequest{File: all}).Append(nil)})
		if err != nil {
			t.Fatal(err)
		}
		for i, k := range calls {
			if a := ended(t, k); a.Status != want {
				t.Errorf("%s: answer %d: %v, want %v", name, i, a.Status, want)
			}
		}
	}
}

// TestPreviousSession: a client that comes back takes its old session's place.
func TestPreviousSession(t *testing.T) {
	_, port := start(t, Config{})
	tree := logOn(t, port, client.Options{})
	openAs(t, tree, "f", opening{disposition: smb2.CreateNew})
	ctx := patient(t)
	transport, err := client.DialTCP(ctx, "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := client.Negotiate(ctx, transport, &client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	session, err := conn.Login(ctx, &client.Credentials{User: "lab", Password: "secret", Previous: tree.Session.ID})
	if err != nil {
		t.Fatal(err)
	}
	again, err := session.TreeConnect(ctx, `\\127.0.0.1\share`)
	if err != nil {
		t.Fatal(err)
	}
	openAs(t, again, "f", opening{disposition: smb2.Open})
	if _, err := tree.Open(ctx, "f", opening{disposition: smb2.Open}.request()); err == nil {
		t.Error("the old session goes on")
	} else {
		wantStatus(t, "the old session", err, ntstatus.UserSessionDeleted)
	}
}

// TestLimits: what is full says so, and connections past the limit are closed.
func TestLimits(t *testing.T) {
	_, port := start(t, Config{Store: NewMemory(1 << 20), Limits: Limits{Connections: 2, Opens: 3, Locks: 2}})
	tree := logOn(t, port, client.Options{})
	ctx := patient(t)
	f := created(t, tree, "f", noise(512<<10))
	_, err := f.WriteAt(ctx, noise(1<<20), 512<<10)
	wantStatus(t, "a full store", err, ntstatus.DiskFull)
	e := smb2.LockElement{Length: 1, Flags: smb2.LockShared | smb2.LockFailImmediately}
	for i, want := range []smb2.Status{ntstatus.Success, ntstatus.Success, ntstatus.InsufficientResources} {
		if st := do(t, tree, smb2.Lock, lockBody(f, e)); st != want {
			t.Errorf("lock %d: %v", i, st)
		}
	}
	for _, want := range []smb2.Status{ntstatus.Success, ntstatus.Success, ntstatus.InsufficientResources} {
		_, err := tree.Open(ctx, "f", opening{share: shareAll, disposition: smb2.Open}.request())
		wantStatus(t, "open", err, want)
	}
	logOn(t, port, client.Options{})
	transport, err := client.DialTCP(ctx, "127.0.0.1:"+port)
	if err == nil {
		_, err = client.Negotiate(context.Background(), transport, &client.Options{})
	}
	if err == nil {
		t.Error("a third connection was taken")
	}
}

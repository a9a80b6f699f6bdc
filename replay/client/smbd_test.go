package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/replay/smbdtest"
)

// within is a context that lasts long enough for anything that works.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// connect negotiates with a server.
func connect(t testing.TB, address string, o *Options) *Conn {
	t.Helper()
	tr, err := DialTCP(within(t), address)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Negotiate(within(t), tr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// login sets up a session for the server's user.
func login(t testing.TB, s *smbdtest.Server, o *Options, who Credentials) *Session {
	t.Helper()
	who.User, who.Password = s.User, s.Password
	session, err := connect(t, s.Addr, o).Login(within(t), &who)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func share(t testing.TB, s *Session, name string) *Tree {
	t.Helper()
	tree, err := s.TreeConnect(within(t), `\\127.0.0.1\`+name)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// roundTrip writes a file, reads it back and removes it.
func roundTrip(t testing.TB, tree *Tree, name string, size int) {
	t.Helper()
	ctx := within(t)
	f, err := tree.Create(ctx, name, true)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, size)
	for i := range want {
		want[i] = byte(i * 7 >> 3)
	}
	if n, err := f.WriteAt(ctx, want, 0); n != size || err != nil {
		t.Fatalf("wrote %d of %d: %v", n, size, err)
	}
	got := make([]byte, size+10)
	if n, err := f.ReadAt(ctx, got, 0); n != size || err != io.EOF || !bytes.Equal(got[:n], want) {
		t.Fatalf("read %d of %d: %v", n, size, err)
	}
	if err := f.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := tree.Remove(ctx, name); err != nil {
		t.Fatal(err)
	}
}

// TestSamba: every dialect, signature and cipher against Samba, which verifies ours as
// we verify its.
func TestSamba(t *testing.T) {
	s := smbdtest.Start(t, "server multi channel support = yes")
	t.Run("dialects", func(t *testing.T) { dialects(t, s, true) })
	t.Run("who", func(t *testing.T) { sambaUsers(t, s) })
	t.Run("compound", func(t *testing.T) { compound(t, s) })
	t.Run("async", func(t *testing.T) { async(t, s) })
	t.Run("lock", func(t *testing.T) { locks(t, s) })
	t.Run("parallel", func(t *testing.T) { parallel(t, s) })
	t.Run("bind", func(t *testing.T) { bind(t, s) })
	t.Run("break", func(t *testing.T) { breaks(t, s) })
	t.Run("directory", func(t *testing.T) { directory(t, s) })
	t.Run("gone", func(t *testing.T) { vanish(t, s) })
}

// dialects speaks all of them, signs and encrypts; sealed says that there is a share that
// demands encryption.
func dialects(t *testing.T, s *smbdtest.Server, sealed bool) {
	type combination struct {
		name    string
		o       Options
		who     Credentials
		share   string
		signing smb2.Signing
		cipher  smb2.Cipher
	}
	var all []combination
	for _, d := range []smb2.Dialect{smb2.Dialect202, smb2.Dialect210, smb2.Dialect300, smb2.Dialect302, smb2.Dialect311} {
		signing, cipher := smb2.AESCMAC, smb2.AES128CCM
		if d < smb2.Dialect300 {
			signing, cipher = smb2.HMACSHA256, 0
		}
		if d == smb2.Dialect311 {
			signing, cipher = smb2.AESGMAC, smb2.AES128GCM
		}
		o := Options{Dialects: []smb2.Dialect{d}}
		all = append(all,
			combination{fmt.Sprintf("%v plain", d), o, Credentials{}, smbdtest.Shared, signing, cipher},
			combination{fmt.Sprintf("%v signed", d), o, Credentials{Sign: true}, smbdtest.Shared, signing, cipher})
		if cipher != 0 {
			all = append(all,
				combination{fmt.Sprintf("%v encrypted", d), o, Credentials{Encrypt: true}, smbdtest.Shared, signing, cipher},
				combination{fmt.Sprintf("%v encrypted share", d), o, Credentials{}, smbdtest.Sealed, signing, cipher},
				combination{fmt.Sprintf("%v encrypted share, signed", d), o, Credentials{Sign: true}, smbdtest.Sealed, signing, cipher})
		}
	}
	for _, id := range []smb2.Signing{smb2.HMACSHA256, smb2.AESCMAC, smb2.AESGMAC} {
		all = append(all, combination{"3.1.1 " + id.String(), Options{Signings: []smb2.Signing{id}}, Credentials{Sign: true}, smbdtest.Shared, id, smb2.AES128GCM})
	}
	for _, id := range []smb2.Cipher{smb2.AES128CCM, smb2.AES128GCM, smb2.AES256CCM, smb2.AES256GCM} {
		all = append(all, combination{"3.1.1 " + id.String(), Options{Ciphers: []smb2.Cipher{id}}, Credentials{Encrypt: true}, smbdtest.Shared, smb2.AESGMAC, id})
	}
	for _, c := range all {
		if c.share == smbdtest.Sealed && !sealed {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			var open, shut int
			c.o.Tap = func(u *Unit) {
				if u.Wire[0] == 0xfd {
					shut++
				} else {
					open++
				}
			}
			session := login(t, s, &c.o, c.who)
			conn := session.Conn
			if conn.Signing != c.signing || conn.Cipher != c.cipher {
				t.Errorf("signing %v, cipher %v", conn.Signing, conn.Cipher)
			}
			roundTrip(t, share(t, session, c.share), "file", 100_000)
			if err := session.Logoff(within(t)); err != nil {
				t.Error(err)
			}
			conn.Close()
			if wantSealed := c.who.Encrypt || c.share == smbdtest.Sealed; wantSealed != (shut > 0) || c.who.Encrypt && open != 6 {
				t.Errorf("%d units in the clear, %d encrypted", open, shut)
			}
		})
	}
	if !sealed {
		return
	}
	t.Run("SMB 2.1 on an encrypted share", func(t *testing.T) {
		session := login(t, s, &Options{Dialects: []smb2.Dialect{smb2.Dialect210}}, Credentials{})
		_, err := session.TreeConnect(within(t), `\\127.0.0.1\`+smbdtest.Sealed)
		if status, _ := StatusOf(err); status != ntstatus.AccessDenied {
			t.Errorf("%v", err)
		}
	})
}

func sambaUsers(t *testing.T, s *smbdtest.Server) {
	ctx := within(t)
	_, err := connect(t, s.Addr, &Options{}).Login(ctx, &Credentials{User: s.User, Password: "wrong"})
	if status, _ := StatusOf(err); status != ntstatus.LogonFailure {
		t.Errorf("a wrong password: %v", err)
	}
	_, err = connect(t, s.Addr, &Options{}).Login(ctx, &Credentials{User: "stranger", Password: "x"})
	if !errors.Is(err, ErrGuest) {
		t.Errorf("an unknown user: %v", err)
	}
	guest, err := connect(t, s.Addr, &Options{}).Login(ctx, &Credentials{User: "stranger", Password: "x", Guest: true})
	if err != nil || guest.Flags&smb2.SessionGuest == 0 {
		t.Fatalf("a guest: %v", err)
	}
	roundTrip(t, share(t, guest, smbdtest.Shared), "guest", 1000)
	nobody, err := connect(t, s.Addr, &Options{}).Login(ctx, &Credentials{})
	if err != nil {
		t.Fatalf("anonymous: %v", err)
	}
	share(t, nobody, "IPC$")
	if _, err := connect(t, s.Addr, &Options{}).Login(ctx, &Credentials{Encrypt: true}); err == nil {
		t.Error("nobody's session is encrypted")
	}
}

// compound sends CREATE, WRITE, READ and CLOSE as one, related to each other.
func compound(t *testing.T, s *smbdtest.Server) {
	for _, who := range []Credentials{{}, {Sign: true}, {Encrypt: true}} {
		session := login(t, s, &Options{}, who)
		tree := share(t, session, smbdtest.Shared)
		create := smb2.CreateRequest{
			DesiredAccess: ReadAccess | WriteAccess | DeleteAccess, Disposition: smb2.OverwriteIf, ShareAccess: allShared,
			Options: smb2.OptionDeleteOnClose, Impersonation: 2, Name: []byte("c\x00h\x00"),
		}
		related := func(c smb2.Command, body []byte) *Request {
			return &Request{Command: c, Flags: smb2.FlagRelated, TreeID: ^uint32(0), SessionID: ^uint64(0), Body: body}
		}
		data := bytes.Repeat([]byte("odd"), 33)
		calls, err := session.Start(within(t),
			&Request{Command: smb2.Create, TreeID: tree.ID, Body: create.Append(nil)},
			related(smb2.Write, (&smb2.WriteRequest{File: nobody, Data: data}).Append(nil)),
			related(smb2.Read, (&smb2.ReadRequest{File: nobody, Length: 65536}).Append(nil)),
			related(smb2.Close, (&smb2.CloseRequest{File: nobody}).Append(nil)))
		if err != nil {
			t.Fatal(err)
		}
		for i, k := range calls {
			a, err := k.Wait(within(t))
			if err != nil || a.Status != ntstatus.Success || a.Command != k.Command || a.Received.Before(k.Sent) {
				t.Fatalf("element %d: %v, %+v", i, err, a)
			}
			if i == 2 {
				var d smb2.Decoder
				if r := decode(&d, a.Message).Body.(*smb2.ReadResponse); !bytes.Equal(r.Data, data) {
					t.Errorf("read %q", r.Data)
				}
			}
		}
	}
}

// watch opens the share's root and waits for changes in it.
func watch(t *testing.T, tree *Tree) (*File, *Call) {
	t.Helper()
	dir, err := tree.Open(within(t), "", &smb2.CreateRequest{DesiredAccess: ListAccess, Disposition: smb2.Open, Options: smb2.OptionDirectory})
	if err != nil {
		t.Fatal(err)
	}
	m := smb2.ChangeNotifyRequest{OutputLength: 4096, File: dir.File, Filter: 0x17f}
	calls, err := tree.Session.Start(within(t), &Request{Command: smb2.ChangeNotify, TreeID: tree.ID, Body: m.Append(nil)})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-calls[0].Pended():
	case <-within(t).Done():
		t.Fatal("no interim answer")
	}
	return dir, calls[0]
}

// async has a CHANGE_NOTIFY cancelled, and one answered.
func async(t *testing.T, s *smbdtest.Server) {
	for _, who := range []Credentials{{}, {Sign: true}, {Encrypt: true}} {
		session := login(t, s, &Options{}, who)
		tree := share(t, session, smbdtest.Shared)
		dir, call := watch(t, tree)
		if err := call.Cancel(within(t)); err != nil {
			t.Fatal(err)
		}
		a, err := call.Wait(within(t))
		if err != nil || a.Status != ntstatus.Cancelled || a.Interim == nil || a.Interim.AsyncID != a.AsyncID {
			t.Fatalf("%v, %+v", err, a)
		}
		if err := dir.Close(within(t)); err != nil {
			t.Error(err)
		}
		_, call = watch(t, tree)
		// Samba answers that it watches before it does: changes come until one is seen.
		ctx := within(t)
		for done := false; !done; {
			roundTrip(t, tree, "news", 10)
			select {
			case <-call.Done():
				done = true
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				t.Fatal("no change is seen")
			}
		}
		if a, err := call.Wait(within(t)); err != nil || a.Status != ntstatus.Success {
			t.Fatalf("%v, %+v", err, a)
		}
		if err := call.Cancel(within(t)); err != nil {
			t.Errorf("a CANCEL of what is done: %v", err)
		}
	}
}

// locks waits for a lock that another session holds.
func locks(t *testing.T, s *smbdtest.Server) {
	ctx := within(t)
	open := func() *File {
		tree := share(t, login(t, s, &Options{}, Credentials{Sign: true}), smbdtest.Shared)
		f, err := tree.Open(ctx, "locked", &smb2.CreateRequest{DesiredAccess: ReadAccess | WriteAccess, Disposition: smb2.OpenIf})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	lock := func(f *File, flags smb2.LockFlags) *Call {
		m := smb2.LockRequest{File: f.File, Locks: smb2.LockList(nil).Append(smb2.LockElement{Offset: 0, Length: 10, Flags: flags})}
		calls, err := f.Tree.Session.Start(ctx, &Request{Command: smb2.Lock, TreeID: f.Tree.ID, Body: m.Append(nil)})
		if err != nil {
			t.Fatal(err)
		}
		return calls[0]
	}
	mine, other := open(), open()
	if a, err := lock(mine, smb2.LockExclusive).Wait(ctx); err != nil || a.Status != ntstatus.Success {
		t.Fatalf("%v, %+v", err, a)
	}
	waiting := lock(other, smb2.LockExclusive)
	select {
	case <-waiting.Pended():
	case <-waiting.Done():
		t.Fatal("the lock is not waited for")
	case <-ctx.Done():
		t.Fatal("no interim answer")
	}
	if a, err := lock(mine, smb2.LockUnlock).Wait(ctx); err != nil || a.Status != ntstatus.Success {
		t.Fatalf("%v, %+v", err, a)
	}
	if a, err := waiting.Wait(ctx); err != nil || a.Status != ntstatus.Success {
		t.Fatalf("%v, %+v", err, a)
	}
}

// parallel moves large files by several goroutines, with fewer credits than they
// would like.
func parallel(t *testing.T, s *smbdtest.Server) {
	for _, o := range []Options{{}, {Credits: 20}, {Dialects: []smb2.Dialect{smb2.Dialect202}}} {
		session := login(t, s, &o, Credentials{})
		tree := share(t, session, smbdtest.Shared)
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() { roundTrip(t, tree, fmt.Sprintf("large%d", i), 5_000_000) })
		}
		wg.Wait()
	}
}

// bind has two connections carry one session.
func bind(t *testing.T, s *smbdtest.Server) {
	for _, d := range []smb2.Dialect{smb2.Dialect300, smb2.Dialect311} {
		for _, who := range []Credentials{{Sign: true}, {Encrypt: true}} {
			first := login(t, s, &Options{Dialects: []smb2.Dialect{d}}, who)
			tree := share(t, first, smbdtest.Shared)
			f, err := tree.Create(within(t), "bound", true)
			if err != nil {
				t.Fatal(err)
			}
			second := connect(t, s.Addr, &Options{Dialects: []smb2.Dialect{d}, ClientGUID: first.Conn.ClientGUID})
			who.User, who.Password = s.User, s.Password
			bound, err := first.Bind(within(t), second, &who)
			if err != nil {
				t.Fatalf("%v: %v", d, err)
			}
			over := *tree
			over.Session = bound
			there := *f
			there.Tree = &over
			if _, err := there.WriteAt(within(t), []byte("by the other way"), 0); err != nil {
				t.Errorf("%v: %v", d, err)
			}
			got := make([]byte, 16)
			if _, err := f.ReadAt(within(t), got, 0); err != nil || string(got) != "by the other way" {
				t.Errorf("%v: %v, %q", d, err, got)
			}
		}
	}
}

// breaks loses an oplock, and a lease, to another client.
func breaks(t *testing.T, s *smbdtest.Server) {
	for _, lease := range []bool{false, true} {
		breaks := make(chan *Break, 4)
		session := login(t, s, &Options{OnBreak: func(b *Break) { breaks <- b }}, Credentials{Sign: true})
		tree := share(t, session, smbdtest.Shared)
		m := smb2.CreateRequest{DesiredAccess: ReadAccess | WriteAccess, Disposition: smb2.OpenIf, OplockLevel: smb2.OplockBatch}
		want := smb2.Lease{Key: [16]byte{1, 2, 3}, State: smb2.LeaseRead | smb2.LeaseWrite}
		if lease {
			m.OplockLevel = smb2.OplockLease
			m.List = m.List.Append(smb2.ContextLease.Name(), want.Append(nil))
		}
		name := fmt.Sprintf("mine, lease %v", lease)
		f, err := tree.Open(within(t), name, &m)
		if err != nil || f.OplockLevel != m.OplockLevel {
			t.Fatalf("%v, %+v", err, f)
		}
		other := share(t, login(t, s, &Options{}, Credentials{}), smbdtest.Shared)
		opened := make(chan error, 1)
		go func() {
			_, err := other.OpenRead(within(t), name)
			opened <- err
		}()
		select {
		case b := <-breaks:
			if b.Lease != lease || lease && b.Key.Key != want.Key || !lease && b.Open.File != f.File || !b.Acknowledge() {
				t.Errorf("%+v", b)
			}
			if err := session.AcknowledgeBreak(within(t), b, tree.ID, smb2.OplockII, smb2.LeaseRead); err != nil {
				t.Error(err)
			}
		case <-within(t).Done():
			t.Fatalf("no break: %v", session.Conn.Err())
		}
		if err := <-opened; err != nil {
			t.Error(err)
		}
		if err := f.Close(within(t)); err != nil {
			t.Error(err)
		}
	}
}

func directory(t *testing.T, s *smbdtest.Server) {
	ctx := within(t)
	tree := share(t, login(t, s, &Options{}, Credentials{}), smbdtest.Shared)
	if err := tree.Mkdir(ctx, "dir"); err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		f, err := tree.Create(ctx, fmt.Sprintf("dir/a file with a long name so that a listing takes several answers %03d", i), false)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := tree.Open(ctx, "dir", &smb2.CreateRequest{DesiredAccess: ListAccess, Disposition: smb2.Open})
	if err != nil {
		t.Fatal(err)
	}
	names, err := dir.List(ctx, "*", 1000)
	if err != nil || len(names) != 300 {
		t.Errorf("%d names, %v", len(names), err)
	}
	if names, err := dir.List(ctx, "*", 10); err == nil || len(names) != 10 {
		t.Errorf("%d names, %v", len(names), err)
	}
	if names, err := dir.List(ctx, "none*", 10); err != nil || len(names) != 0 {
		t.Errorf("%d names, %v", len(names), err)
	}
	if _, err := tree.Create(ctx, "dir/"+names[0], false); err == nil {
		t.Error("a file that is there was created")
	}
}

// vanish has the connection end under a request.
func vanish(t *testing.T, s *smbdtest.Server) {
	session := login(t, s, &Options{}, Credentials{})
	_, call := watch(t, share(t, session, smbdtest.Shared))
	session.Conn.Close()
	if _, err := call.Wait(within(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
	if _, err := session.Do(within(t), &Request{Command: smb2.Echo, Body: []byte{4, 0, 0, 0}}); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

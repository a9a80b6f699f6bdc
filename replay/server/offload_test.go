package server

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
	"github.com/odxray/odxray/replay/client"
)

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(b)
	return b
}

// copyOffloaded copies a file as Windows does, and returns how many calls it took.
func copyOffloaded(t *testing.T, dst, src *client.File, size uint64) (mints, writes int) {
	t.Helper()
	up := (size + 511) &^ 511
	for off := uint64(0); off < up; {
		reply := mint(t, src, off, up-off)
		mints++
		if reply.TransferLength == 0 {
			t.Fatalf("a token for no bytes at %d", off)
		}
		for from := uint64(0); from < reply.TransferLength; {
			n, err := offloadWrite(t, dst, reply.Token.Raw, off+from, reply.TransferLength-from, from)
			if err != nil || n == 0 {
				t.Fatalf("at %d: %d bytes, %v", off+from, n, err)
			}
			writes++
			from += n
		}
		off += reply.TransferLength
	}
	return mints, writes
}

// TestOffloadCopy: a file of a gigabyte, most of it holes, is copied with tokens; the
// capture of that is clean to the audit.
func TestOffloadCopy(t *testing.T) {
	const size = 1<<30 + 100
	var pcap bytes.Buffer
	s, port := start(t, Config{Pcap: &pcap})
	tree := logOn(t, port, client.Options{})
	ctx := patient(t)
	src := openAs(t, tree, "sparse", opening{share: shareAll, disposition: smb2.CreateNew})
	if _, err := src.Ioctl(ctx, fscc.SetSparse, nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := src.Truncate(ctx, size); err != nil {
		t.Fatal(err)
	}
	islands := map[int64][]byte{0: noise(70000), 300 << 20: noise(1000), size - 77: noise(77)}
	for off, data := range islands {
		put(t, src, data, off)
	}
	dst := openAs(t, tree, "copy", opening{share: shareAll, disposition: smb2.CreateNew})
	if err := dst.Truncate(ctx, size); err != nil {
		t.Fatal(err)
	}
	mints, writes := copyOffloaded(t, dst, src, size)
	if mints != 5 || writes != 4*16+1 {
		t.Errorf("%d tokens, %d writes", mints, writes)
	}
	for off, data := range islands {
		b := make([]byte, len(data))
		if _, err := dst.ReadAt(ctx, b, off); err != nil || !bytes.Equal(b, data) {
			t.Errorf("at %d the copy differs: %v", off, err)
		}
	}
	_, free := s.cfg.Store.Space()
	if used := 256<<20 - free; used > 1<<20 {
		t.Errorf("both files take %d bytes", used)
	}
	src.Close(ctx)
	dst.Close(ctx)
	tree.Session.Logoff(ctx)
	tree.Session.Conn.Close()
	s.Close()

	r, err := captures.NewReader(bytes.NewReader(pcap.Bytes()), "serve.pcapng")
	if err != nil {
		t.Fatal(err)
	}
	c := flows.New(r, flows.Options{Judge: audit.Judge})
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	res := c.Results()
	for _, f := range res.Findings {
		if f.Level != flows.Note {
			t.Errorf("%v %s: %s", f.Level, f.Rule, f.Message)
		}
	}
	if len(res.Copies) != 1 {
		t.Fatalf("%d copies", len(res.Copies))
	}
	if x := res.Copies[0]; x.Method != flows.ODX || x.Verdict != flows.Complete || x.WireBytes != 0 {
		t.Errorf("copy: %+v", x)
	}
}

// TestOffloadAnswers: each answer that docs/serve.md promises.
func TestOffloadAnswers(t *testing.T) {
	_, port := start(t, Config{})
	tree := logOn(t, port, client.Options{})
	ctx := patient(t)
	const size = 100_000 // which is no multiple of a sector
	data := noise(size)
	src := created(t, tree, "src", data)
	dst := created(t, tree, "dst", make([]byte, size))
	dir := openAs(t, tree, "dir", opening{disposition: smb2.CreateNew, options: smb2.OptionDirectory, share: shareAll})
	stream := created(t, tree, "src:more", noise(1000))
	writeOnly := openAs(t, tree, "src", opening{access: client.WriteAccess, share: shareAll, disposition: smb2.Open})
	readOnly := openAs(t, tree, "dst", opening{access: client.ReadAccess, share: shareAll, disposition: smb2.Open})

	for _, c := range []struct {
		what string
		f    *client.File
		m    odx.ReadRequest
		most uint32
		st   smb2.Status
		n    uint64
	}{
		{"all", src, odx.ReadRequest{CopyLength: 1 << 20}, 528, ntstatus.Success, 100_352},
		{"a part", src, odx.ReadRequest{FileOffset: 512, CopyLength: 1024}, 528, ntstatus.Success, 1024},
		{"nothing", src, odx.ReadRequest{}, 528, ntstatus.Success, 0},
		{"odd offset", src, odx.ReadRequest{FileOffset: 511, CopyLength: 512}, 528, ntstatus.InvalidParameter, 0},
		{"odd length", src, odx.ReadRequest{CopyLength: 513}, 528, ntstatus.InvalidParameter, 0},
		{"wrong size", src, odx.ReadRequest{Size: 31, CopyLength: 512}, 528, ntstatus.InvalidParameter, 0},
		{"short buffer", src, odx.ReadRequest{CopyLength: 512}, 527, ntstatus.BufferTooSmall, 0},
		{"past the end", src, odx.ReadRequest{FileOffset: 100_352, CopyLength: 512}, 528, ntstatus.EndOfFile, 0},
		{"the last sector", src, odx.ReadRequest{FileOffset: 99_840, CopyLength: 5120}, 528, ntstatus.Success, 512},
		{"far past the end", src, odx.ReadRequest{FileOffset: 1<<64 - 512, CopyLength: 512}, 528, ntstatus.InvalidParameter, 0},
		{"directory", dir, odx.ReadRequest{CopyLength: 512}, 528, ntstatus.OffloadReadFileUnsupported, 0},
		{"stream", stream, odx.ReadRequest{CopyLength: 512}, 528, ntstatus.OffloadReadFileUnsupported, 0},
		{"no right", writeOnly, odx.ReadRequest{CopyLength: 512}, 528, ntstatus.AccessDenied, 0},
	} {
		reply, err := offloadRead(t, c.f, c.m, c.most)
		wantStatus(t, "read: "+c.what, err, c.st)
		if reply.TransferLength != c.n {
			t.Errorf("read: %s: %d bytes, want %d", c.what, reply.TransferLength, c.n)
		}
	}
	if _, err := src.Ioctl(ctx, fscc.OffloadRead, make([]byte, 31), 528); statusFrom(t, err) != ntstatus.InvalidParameter {
		t.Errorf("a request of 31 bytes: %v", err)
	}

	token := mint(t, src, 0, 1<<20).Token.Raw
	altered := bytes.Clone(token)
	altered[100] ^= 1
	zeros := zeroToken()
	for _, c := range []struct {
		what         string
		f            *client.File
		token        []byte
		size         uint32
		off, n, from uint64
		most         uint32
		st           smb2.Status
		written      uint64
	}{
		{"all", dst, token, 544, 0, 100_352, 0, 16, ntstatus.Success, 100_352},
		{"more than there is", dst, token, 544, 0, 1 << 30, 0, 16, ntstatus.Success, 100_352},
		{"a part", dst, token, 544, 1024, 512, 512, 16, ntstatus.Success, 512},
		{"nothing", dst, token, 544, 0, 0, 0, 16, ntstatus.Success, 0},
		{"odd offset", dst, token, 544, 1, 512, 0, 16, ntstatus.InvalidParameter, 0},
		{"odd length", dst, token, 544, 0, 511, 0, 16, ntstatus.InvalidParameter, 0},
		{"odd token offset", dst, token, 544, 0, 512, 3, 16, ntstatus.InvalidParameter, 0},
		{"wrong size", dst, token, 543, 0, 512, 0, 16, ntstatus.InvalidParameter, 0},
		{"short buffer", dst, token, 544, 0, 512, 0, 15, ntstatus.BufferTooSmall, 0},
		{"past the end", dst, token, 544, 100_352, 512, 0, 16, ntstatus.EndOfFile, 0},
		{"past the token", dst, token, 544, 0, 512, 100_352, 16, ntstatus.InvalidParameter, 0},
		{"the last sector", dst, token, 544, 99_840, 5120, 0, 16, ntstatus.Success, 512},
		{"altered token", dst, altered, 544, 0, 512, 0, 16, ntstatus.InvalidToken, 0},
		{"no token", dst, make([]byte, 512), 544, 0, 512, 0, 16, ntstatus.InvalidToken, 0},
		{"zero token", dst, zeros[:], 544, 0, 4096, 0, 16, ntstatus.Success, 4096},
		{"directory", dir, token, 544, 0, 512, 0, 16, ntstatus.OffloadWriteFileUnsupported, 0},
		{"stream", stream, token, 544, 0, 512, 0, 16, ntstatus.OffloadWriteFileUnsupported, 0},
		{"no right", readOnly, token, 544, 0, 512, 0, 16, ntstatus.AccessDenied, 0},
	} {
		n, err := offloadWriteAs(t, c.f, odx.WriteRequest{Size: c.size, FileOffset: c.off, CopyLength: c.n, TransferOffset: c.from, Token: odx.Token{Raw: c.token}}, c.most)
		wantStatus(t, "write: "+c.what, err, c.st)
		if n != c.written {
			t.Errorf("write: %s: %d bytes, want %d", c.what, n, c.written)
		}
	}
	// What that left: zeros, a sector twice, the rest; the last sector holds the first bytes.
	want := bytes.Clone(data)
	clear(want[:4096])
	copy(want[99_840:], data[:160])
	if got := contents(t, dst, size); !bytes.Equal(got, want) {
		t.Errorf("the destination is not what was written: %d bytes", len(got))
	}
	if n := len(token); n != 512 || bytes.Count(token[8:], []byte{0}) > 50 {
		t.Errorf("a token of %d bytes: %x", n, token)
	}
}

// TestOffloadChanged: a token stands for its range as it was.
func TestOffloadChanged(t *testing.T) {
	_, port := start(t, Config{})
	tree := logOn(t, port, client.Options{})
	other := logOn(t, port, client.Options{})
	ctx := patient(t)
	data := noise(64 << 10)
	for _, c := range []struct {
		what   string
		change func(f *client.File) error
		stale  bool
	}{
		{"a write within", func(f *client.File) error { _, err := f.WriteAt(ctx, []byte("x"), 100); return err }, true},
		{"a write behind", func(f *client.File) error { _, err := f.WriteAt(ctx, []byte("x"), 40<<10); return err }, false},
		{"cut before its end", func(f *client.File) error { return f.Truncate(ctx, 10<<10) }, true},
		{"cut behind it", func(f *client.File) error { return f.Truncate(ctx, 33<<10) }, false},
		{"zeroed", func(f *client.File) error {
			_, err := f.Ioctl(ctx, fscc.SetZeroData, (&fscc.ZeroDataRequest{Offset: 1 << 10, Beyond: 2 << 10}).Append(nil), 0)
			return err
		}, true},
		{"closed", func(f *client.File) error { return f.Close(ctx) }, false},
	} {
		src := created(t, tree, "src", data)
		dst := created(t, tree, "dst", make([]byte, len(data)))
		token := mint(t, src, 0, 32<<10).Token.Raw
		changing := openAs(t, other, "src", opening{share: shareAll, disposition: smb2.Open})
		if err := c.change(changing); err != nil {
			t.Fatal(err)
		}
		if c.what == "closed" {
			src.Close(ctx)
		} else {
			changing.Close(ctx)
		}
		_, err := offloadWrite(t, dst, token, 0, 32<<10, 0)
		if c.stale {
			wantStatus(t, c.what, err, ntstatus.InvalidToken)
			if !bytes.Equal(contents(t, dst, len(data)), make([]byte, len(data))) {
				t.Errorf("%s: bytes were written", c.what)
			}
		} else {
			wantStatus(t, c.what, err, ntstatus.Success)
			if got := contents(t, dst, len(data)); !bytes.Equal(got[:32<<10], data[:32<<10]) {
				t.Errorf("%s: other bytes were written", c.what)
			}
		}
		src.Close(ctx)
		dst.Close(ctx)
	}
}

// TestOffloadLocks: what another has locked is neither read nor written.
func TestOffloadLocks(t *testing.T) {
	_, port := start(t, Config{})
	tree, other := logOn(t, port, client.Options{}), logOn(t, port, client.Options{})
	src := created(t, tree, "src", noise(8192))
	dst := created(t, tree, "dst", noise(8192))
	token := mint(t, src, 0, 8192).Token.Raw
	for _, name := range []string{"src", "dst"} {
		f := openAs(t, other, name, opening{share: shareAll, disposition: smb2.Open})
		lock := &smb2.LockRequest{File: f.CreateResponse.File}
		lock.Locks = lock.Locks.Append(smb2.LockElement{Offset: 4096, Length: 10, Flags: smb2.LockExclusive | smb2.LockFailImmediately})
		if st := do(t, other, smb2.Lock, lock.Append(nil)); st != ntstatus.Success {
			t.Fatal(st)
		}
	}
	_, err := offloadRead(t, src, odx.ReadRequest{CopyLength: 8192}, 528)
	wantStatus(t, "read", err, ntstatus.FileLockConflict)
	_, err = offloadRead(t, src, odx.ReadRequest{CopyLength: 4096}, 528)
	wantStatus(t, "read before the lock", err, ntstatus.Success)
	_, err = offloadWrite(t, dst, token, 0, 8192, 0)
	wantStatus(t, "write", err, ntstatus.FileLockConflict)
	_, err = offloadWrite(t, dst, token, 0, 4096, 0)
	wantStatus(t, "write before the lock", err, ntstatus.Success)
}

// do sends a request and returns the status of its answer.
func do(t testing.TB, tree *client.Tree, command smb2.Command, body []byte) smb2.Status {
	t.Helper()
	a, err := tree.Session.Do(patient(t), &client.Request{Command: command, Body: body, TreeID: tree.ID})
	if err != nil {
		t.Fatal(err)
	}
	return a.Status
}

// TestOffloadProfiles: whose tokens end when.
func TestOffloadProfiles(t *testing.T) {
	for _, c := range []struct {
		profile              Profile
		first, again, closed smb2.Status
		other                smb2.Status // from another session
		most                 uint64
	}{
		{Strict, ntstatus.Success, ntstatus.Success, ntstatus.Success, ntstatus.Success, 64 << 10},
		{Illumos, ntstatus.Success, ntstatus.Success, ntstatus.InvalidToken, ntstatus.InvalidToken, 64 << 10},
		{OneShot, ntstatus.Success, ntstatus.InvalidToken, ntstatus.InvalidToken, ntstatus.InvalidToken, 16 << 10},
	} {
		t.Run(string(c.profile), func(t *testing.T) {
			_, port := start(t, Config{ODX: ODX{Profile: c.profile, TokenMax: 64 << 10, WriteMax: 16 << 10}})
			tree, other := logOn(t, port, client.Options{}), logOn(t, port, client.Options{})
			src, dst := created(t, tree, "src", noise(128<<10)), created(t, tree, "dst", noise(128<<10))
			reply := mint(t, src, 0, 1<<20)
			if reply.TransferLength != c.most {
				t.Errorf("a token for %d bytes, want %d", reply.TransferLength, c.most)
			}
			n, err := offloadWrite(t, dst, reply.Token.Raw, 0, 1<<20, 0)
			wantStatus(t, "first use", err, c.first)
			if n != 16<<10 {
				t.Errorf("%d bytes written", n)
			}
			_, err = offloadWrite(t, dst, reply.Token.Raw, 0, 512, 0)
			wantStatus(t, "second use", err, c.again)
			elsewhere := openAs(t, other, "dst", opening{share: shareAll, disposition: smb2.Open})
			_, err = offloadWrite(t, elsewhere, reply.Token.Raw, 0, 512, 0)
			wantStatus(t, "another session", err, c.other)
			src.Close(patient(t))
			_, err = offloadWrite(t, dst, reply.Token.Raw, 0, 512, 0)
			wantStatus(t, "after the source was closed", err, c.closed)
			if c.profile == Illumos && (reply.Token.IDLength != 32 || reply.Token.Type != odx.Native) {
				t.Errorf("token: %+v", reply.Token)
			}
		})
	}
}

// TestOffloadExpires: a token ends, and its file is given back, once its time to live is
// over without a use.
func TestOffloadExpires(t *testing.T) {
	s, port := start(t, Config{})
	tree := logOn(t, port, client.Options{})
	src, dst := created(t, tree, "src", noise(4096)), created(t, tree, "dst", noise(4096))
	reply, err := offloadRead(t, src, odx.ReadRequest{CopyLength: 4096, TTL: 1}, 528)
	if err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		n := len(s.tokens.all)
		s.mu.Unlock()
		if n == 0 {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatal("the token lives on")
		}
	}
	_, err = offloadWrite(t, dst, reply.Token.Raw, 0, 4096, 0)
	wantStatus(t, "expired", err, ntstatus.InvalidToken)
}

// TestOffloadHoles: zero tokens for holes, and holes for zero tokens.
func TestOffloadHoles(t *testing.T) {
	s, port := start(t, Config{})
	tree := logOn(t, port, client.Options{})
	ctx := patient(t)
	src := openAs(t, tree, "src", opening{share: shareAll, disposition: smb2.CreateNew})
	if err := src.Truncate(ctx, 10<<20); err != nil {
		t.Fatal(err)
	}
	put(t, src, noise(10), 5<<20)
	for _, c := range []struct {
		off, n uint64
		zero   bool
		flags  uint32
	}{
		{0, 1 << 20, true, 0},
		{0, 10 << 20, false, 0},
		{5 << 20, 1 << 20, false, 0},
		{6 << 20, 1 << 20, true, odx.AllZeroBeyond},
	} {
		reply := mint(t, src, c.off, c.n)
		zeros := zeroToken()
		if zero := bytes.Equal(reply.Token.Raw, zeros[:]); zero != c.zero || reply.Flags != c.flags || reply.TransferLength != c.n {
			t.Errorf("%d bytes at %d: zero token %v, flags %#x, %d bytes", c.n, c.off, zero, reply.Flags, reply.TransferLength)
		}
	}
	dst := created(t, tree, "dst", noise(1<<20))
	_, before := s.cfg.Store.Space()
	zeros := zeroToken()
	if n, err := offloadWrite(t, dst, zeros[:], 0, 1<<20, 0); n != 1<<20 || err != nil {
		t.Error(n, err)
	}
	if _, after := s.cfg.Store.Space(); after-before != 1<<20 {
		t.Errorf("zeros gave %d bytes back", after-before)
	}
}

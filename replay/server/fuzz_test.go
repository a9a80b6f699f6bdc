package server

import (
	"bytes"
	"context"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/replay/client"
)

// said is a connection whose client has said everything, and does not listen.
type said struct {
	net.Conn // for what is not below: there is none
	r        io.Reader
	once     sync.Once
	closed   chan struct{}
}

type nowhere struct{}

func (nowhere) Network() string { return "none" }
func (nowhere) String() string  { return "nowhere" }

func hostile(b []byte) *said { return &said{r: bytes.NewReader(b), closed: make(chan struct{})} }

func (c *said) Read(b []byte) (int, error)       { return c.r.Read(b) }
func (c *said) Write(b []byte) (int, error)      { return len(b), nil }
func (c *said) Close() error                     { c.once.Do(func() { close(c.closed) }); return nil }
func (c *said) LocalAddr() net.Addr              { return nowhere{} }
func (c *said) RemoteAddr() net.Addr             { return nowhere{} }
func (c *said) SetWriteDeadline(time.Time) error { return nil }
func (c *said) SetReadDeadline(time.Time) error  { return nil }

// recorded is a connection that keeps what the client says.
type recorded struct {
	net.Conn
	mu  sync.Mutex
	log bytes.Buffer
}

func (c *recorded) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log.Write(b[:n])
	return n, err
}

// guestServer is small, so that limits are met.
func guestServer(t testing.TB) *Server {
	s, err := New(Config{Store: NewMemory(8 << 20), Guest: true, Pcap: io.Discard, Limits: Limits{Opens: 64, Locks: 64, Tokens: 16, Pending: 8, Sessions: 8}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// guestSession records what a client says that uses everything. Numbers of sessions and
// files are the same each time, so that saying it again does the same.
func guestSession(t testing.TB, dialect smb2.Dialect) []byte {
	s := guestServer(t)
	defer s.Close()
	near, far := net.Pipe()
	rec := &recorded{Conn: far}
	s.take(rec)
	ctx := patient(t)
	conn, err := client.Negotiate(ctx, client.NewTCP(near), &client.Options{Dialects: []smb2.Dialect{dialect}})
	if err != nil {
		t.Fatal(err)
	}
	session, err := conn.Login(ctx, &client.Credentials{User: "nobody", Password: "x", Guest: true})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := session.TreeConnect(ctx, `\\s\share`)
	if err != nil {
		t.Fatal(err)
	}
	dir := openAs(t, tree, "dir", opening{share: shareAll, disposition: smb2.CreateNew, options: smb2.OptionDirectory})
	notify := &smb2.ChangeNotifyRequest{Flags: 1, OutputLength: 1024, File: dir.CreateResponse.File, Filter: 0xfff}
	waiting, err := session.Start(ctx, &client.Request{Command: smb2.ChangeNotify, TreeID: tree.ID, Body: notify.Append(nil)})
	if err != nil {
		t.Fatal(err)
	}
	src := openAs(t, tree, `dir\src`, opening{share: shareAll, disposition: smb2.CreateNew, lease: &smb2.Lease{State: stateRWH}})
	waiting[0].Wait(ctx)
	put(t, src, noise(70000), 0)
	dst := openAs(t, tree, `dir\dst`, opening{share: shareAll, disposition: smb2.CreateNew, oplock: smb2.OplockBatch})
	dst.Truncate(ctx, 200000)
	reply := mint(t, src, 0, 4096)
	offloadWrite(t, dst, reply.Token.Raw, 0, 4096, 0)
	zeros := zeroToken()
	offloadWriteAs(t, dst, odx.WriteRequest{Size: 544, CopyLength: 4096, Token: odx.Token{Raw: zeros[:]}}, 16)
	for _, code := range []fscc.Code{fscc.SetSparse, fscc.RequestResumeKey, fscc.GetCompression, fscc.CreateOrGetObjectID, fscc.QueryNetworkInterfaces} {
		src.Ioctl(ctx, code, nil, 1024)
	}
	src.Ioctl(ctx, fscc.QueryAllocatedRanges, fscc.Range{Length: 1 << 20}.Append(nil), 1024)
	src.Ioctl(ctx, fscc.SetZeroData, (&fscc.ZeroDataRequest{Beyond: 100}).Append(nil), 0)
	src.Ioctl(ctx, fscc.CopyChunk, (&fscc.CopyChunkRequest{Chunks: fscc.Chunks(nil).Append(fscc.Chunk{Length: 100})}).Append(nil), 12)
	src.Ioctl(ctx, fscc.DuplicateExtents, (&fscc.DuplicateExtentsRequest{Length: 4096}).Append(nil), 0)
	for _, class := range []fscc.FileClass{fscc.FileAll, fscc.FileStream, fscc.FileNetworkOpen} {
		src.QueryInfo(ctx, fscc.TypeFile, uint8(class), 4096)
	}
	src.QueryInfo(ctx, fscc.TypeFileSystem, uint8(fscc.FsAttribute), 4096)
	src.SetInfo(ctx, fscc.TypeFile, uint8(fscc.FileBasic), new(fscc.BasicInfo).Append(nil))
	dir.List(ctx, "*", 100)
	lock := &smb2.LockRequest{File: src.CreateResponse.File}
	lock.Locks = lock.Locks.Append(smb2.LockElement{Length: 10, Flags: smb2.LockExclusive})
	do(t, tree, smb2.Lock, lock.Append(nil))
	src.Close(ctx)
	dst.Close(ctx)
	tree.Remove(ctx, `dir\src`)
	tree.Disconnect(ctx)
	session.Logoff(ctx)
	conn.Close()
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return bytes.Clone(rec.log.Bytes())
}

// FuzzServer: whatever comes in from the network, nothing panics, nothing stays behind,
// and others are served.
func FuzzServer(f *testing.F) {
	for _, d := range []smb2.Dialect{smb2.Dialect202, smb2.Dialect210, smb2.Dialect302, smb2.Dialect311} {
		f.Add(guestSession(f, d))
	}
	f.Add([]byte("\x00\x00\x00\x40\xffSMB\x72\x00\x00\x00\x00\x18\x53\xc8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xfe\x00\x00\x00\x00\x00\x1d\x00\x02SMB 2.002\x00\x02SMB 2.???\x00"))
	f.Add([]byte("\x00\xff\xff\xff\xfeSMB"))
	f.Add([]byte("\x85\x00\x00\x00\x00\x00\x00\x34\xfdSMB"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<20 {
			t.Skip()
		}
		s := guestServer(t)
		c := hostile(b)
		s.take(c)
		<-c.closed
		// Another client is answered.
		near, far := net.Pipe()
		s.take(far)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		conn, err := client.Negotiate(ctx, client.NewTCP(near), &client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		s.Close()
		if len(s.conns)+len(s.sessions)+s.opens+s.locks+len(s.files)+len(s.leases)+len(s.watches)+len(s.tokens.all) > 0 {
			t.Errorf("left over: %+v", s)
		}
	})
}

// TestHostileLengths: a length that was only claimed takes no memory.
func TestHostileLengths(t *testing.T) {
	s := guestServer(t)
	defer s.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		c := hostile([]byte("\x00\x00\xff\xff\xfeSMB"))
		s.take(c)
		<-c.closed
	}
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) / 100; n > 32<<10 {
		t.Errorf("a connection that claims 64 KiB and says 4 bytes takes %d bytes", n)
	}
}

package client

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// TestHostile: what is no answer ends the connection by a name, and nobody waits on.
func TestHostile(t *testing.T) {
	key := make([]byte, 16)
	signed := func(unit []byte, change func(*smb2.Header)) []byte {
		b := reply(unit, change)
		seal.NewSigner(smb2.AESCMAC, key).Put(b)
		return b
	}
	for _, tt := range []struct {
		name string
		keys bool // the session signs
		err  error
		with func(unit []byte) []byte
	}{
		{"nothing", false, ErrProtocol, func([]byte) []byte { return []byte{} }},
		{"garbage", false, ErrProtocol, func([]byte) []byte { return []byte("GET / HTTP/1.1\r\n\r\n") }},
		{"SMB1", false, ErrProtocol, func(u []byte) []byte { b := reply(u, nil); b[0] = 0xff; return b }},
		{"a cut header", false, ErrProtocol, func(u []byte) []byte { return reply(u, nil)[:60] }},
		{"a request", false, ErrProtocol, func(u []byte) []byte { return u }},
		{"an answer to nobody", false, ErrProtocol, func(u []byte) []byte { return reply(u, func(h *smb2.Header) { h.MessageID = 99 }) }},
		{"an answer of another kind", false, ErrProtocol, func(u []byte) []byte { return reply(u, func(h *smb2.Header) { h.Command = smb2.Read }) }},
		{"a chain to nowhere", false, ErrProtocol, func(u []byte) []byte { return reply(u, func(h *smb2.Header) { h.NextCommand = 4096 }) }},
		{"a chain in place", false, ErrProtocol, func(u []byte) []byte { return reply(u, func(h *smb2.Header) { h.NextCommand = 8 }) }},
		{"the same answer twice", false, ErrProtocol, func(u []byte) []byte {
			var c smb2.Chain
			h := header(reply(u, nil))
			h.Status, h.Flags = ntstatus.Pending, smb2.FlagResponse|smb2.FlagAsync
			c.Add(&h, []byte{9, 0, 0, 0, 0, 0, 0, 0})
			c.Add(&h, []byte{9, 0, 0, 0, 0, 0, 0, 0})
			return c.Bytes
		}},
		{"a break that cannot be read", false, ErrProtocol, func(u []byte) []byte {
			return reply(u, func(h *smb2.Header) { h.MessageID, h.Command = unsolicited, smb2.OplockBreak }, 24, 0, 1)
		}},
		{"encrypted by nobody", false, ErrNotEncrypted, func(u []byte) []byte {
			h := smb2.TransformHeader{OriginalSize: 64, Flags: 1, SessionID: 8}
			return append(h.Append(nil), make([]byte, 64)...)
		}},
		{"encrypted and too short", false, ErrProtocol, func(u []byte) []byte {
			h := smb2.TransformHeader{OriginalSize: 1 << 31, Flags: 1, SessionID: 7}
			return append(h.Append(nil), make([]byte, 64)...)
		}},
		{"not signed", true, ErrSignature, func(u []byte) []byte { return reply(u, nil) }},
		{"signed by another", true, ErrSignature, func(u []byte) []byte { b := signed(u, nil); b[50]++; return b }},
		{"changed on its way", true, ErrSignature, func(u []byte) []byte { b := signed(u, nil); b[len(b)-1]++; return b }},
		{"the end", false, io.EOF, func([]byte) []byte { return nil }},
		{"good", true, nil, func(u []byte) []byte { return signed(u, nil) }},
		{"of a session that is gone, by who has no key", true, nil, func(u []byte) []byte {
			return reply(u, func(h *smb2.Header) { h.Status = ntstatus.UserSessionDeleted; h.Flags &^= smb2.FlagSigned }, 9, 0, 0, 0, 0, 0, 0, 0)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var k []byte
			if tt.keys {
				k = key
			}
			f := newFake(func(u []byte) [][]byte { return [][]byte{tt.with(u)} })
			s := opened(t, f, 10, k)
			s.Conn.o.OnBreak = func(*Break) {}
			a, err := s.Do(within(t), echo())
			if tt.err == nil {
				if err != nil || a.Command != smb2.Echo {
					t.Errorf("%v", err)
				}
				return
			}
			if !errors.Is(err, tt.err) || !errors.Is(err, ErrClosed) {
				t.Errorf("%v, want %v", err, tt.err)
			}
			<-s.Conn.Done()
			if _, err := s.Start(within(t), echo()); !errors.Is(err, tt.err) {
				t.Errorf("afterwards %v, want %v", err, tt.err)
			}
		})
	}
}

// FuzzReceive feeds units to a connection that waits for answers, clear and encrypted:
// no panic, and nothing taken for an answer that is not signed.
func FuzzReceive(f *testing.F) {
	key := make([]byte, 16)
	unit := append((&smb2.Header{Command: smb2.Echo, MessageID: 0, SessionID: 7}).Append(nil), 4, 0, 0, 0)
	good := reply(unit, nil)
	seal.NewSigner(smb2.AESCMAC, key).Put(good)
	f.Add(good)
	f.Add(reply(unit, nil))
	f.Add(reply(unit, func(h *smb2.Header) { h.MessageID, h.Command = unsolicited, smb2.OplockBreak }))
	aead, err := seal.NewCipher(smb2.AES128GCM, key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seal.Seal(nil, aead, make([]byte, 12), 7, good))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := opened(t, newFake(nil), 10, key)
		s.keys.toServer, s.keys.toClient = aead, aead
		calls, err := s.Start(context.Background(), echo())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Conn.receive(b, time.Now()); err != nil {
			s.Conn.fail(err)
		}
		if a := calls[0].answer; a != nil && !a.Encrypted && !gone(a.Status) && !seal.NewSigner(smb2.AESCMAC, key).Verify(a.Message) {
			t.Errorf("taken for an answer: %x", a.Message)
		}
		s.Conn.Close()
		<-calls[0].Done()
	})
}

// TestNoCredits: a server that grants none is found out at once if nothing is on its
// way, and after the caller's time else.
func TestNoCredits(t *testing.T) {
	none := func(h *smb2.Header) { h.Credits = 0 }
	s := opened(t, newFake(func(u []byte) [][]byte { return [][]byte{reply(u, none)} }), 2, nil)
	for range 2 {
		if _, err := s.Do(within(t), echo()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Start(within(t), echo()); !errors.Is(err, ErrNoCredits) || errors.Is(err, ErrClosed) {
		t.Errorf("with nothing pending: %v", err)
	}

	s = opened(t, newFake(nil), 1, nil)
	calls, err := s.Start(within(t), echo())
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Start(short, echo()); !errors.Is(err, ErrNoCredits) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a request pending: %v", err)
	}
	if err := calls[0].Cancel(within(t)); err != nil { // takes none
		t.Error(err)
	}

	large := &Request{Command: smb2.Read, Body: (&smb2.ReadRequest{Length: 1 << 20}).Append(nil)}
	s = opened(t, newFake(nil), 15, nil)
	if _, err := s.Start(within(t), large); !errors.Is(err, ErrNoCredits) {
		t.Errorf("16 of 15: %v", err)
	}
	if _, err := s.Start(within(t), echo()); err != nil {
		t.Errorf("1 of 15: %v", err)
	}
}

// TestCredits: ids go up by what requests are charged, a compound's follow each other,
// and interim answers bring credits too.
func TestCredits(t *testing.T) {
	f := newFake(nil)
	s := opened(t, f, 64, nil)
	read := func(n uint32) *Request {
		return &Request{Command: smb2.Read, TreeID: 5, Body: (&smb2.ReadRequest{Length: n}).Append(nil)}
	}
	calls, err := s.Start(within(t), read(65536), read(65537), read(1<<20), echo())
	if err != nil {
		t.Fatal(err)
	}
	var ids []uint64
	var charges, asked []uint16
	for rest := f.last(); len(rest) > 0; {
		var m []byte
		if m, rest, err = smb2.Split(rest); err != nil {
			t.Fatal(err)
		}
		h := header(m)
		ids, charges, asked = append(ids, h.MessageID), append(charges, h.CreditCharge), append(asked, h.Credits)
		if h.SessionID != 7 || h.Flags != 0 {
			t.Errorf("%+v", h)
		}
	}
	for i, want := range []struct {
		id     uint64
		charge uint16
		asked  uint16
	}{{0, 1, 1}, {1, 2, 2}, {3, 16, 16}, {19, 1, 20}} {
		if ids[i] != want.id || charges[i] != want.charge || asked[i] != want.asked || calls[i].MessageID != want.id {
			t.Errorf("element %d: id %d, charge %d, asked for %d, want %+v", i, ids[i], charges[i], asked[i], want)
		}
	}
	if s.Conn.credits.have != 44 {
		t.Errorf("%d credits are left", s.Conn.credits.have)
	}
	h := header(f.last())
	f.queue <- reply(h.Append(nil), func(h *smb2.Header) {
		h.Status, h.Flags, h.AsyncID, h.Credits = ntstatus.Pending, h.Flags|smb2.FlagAsync, 77, 3
	}, 9, 0, 0, 0, 0, 0, 0, 0)
	<-calls[0].Pended()
	if err := calls[0].Cancel(within(t)); err != nil {
		t.Fatal(err)
	}
	if c := header(f.last()); c.Command != smb2.Cancel || c.Flags != smb2.FlagAsync || c.AsyncID != 77 || c.MessageID != 0 || c.CreditCharge != 0 || c.Credits != 0 || c.SessionID != 7 {
		t.Errorf("CANCEL %+v", c)
	}
	if err := calls[1].Cancel(within(t)); err != nil {
		t.Fatal(err)
	}
	if c := header(f.last()); c.Command != smb2.Cancel || c.Flags != 0 || c.MessageID != 1 || c.TreeID != 5 {
		t.Errorf("CANCEL %+v", c)
	}
	s.Conn.credits.mu.Lock()
	defer s.Conn.credits.mu.Unlock()
	if s.Conn.credits.have != 47 || s.Conn.credits.next != 20 || s.Conn.credits.hopes != 3 {
		t.Errorf("%d credits, next id %d, %d hopes", s.Conn.credits.have, s.Conn.credits.next, s.Conn.credits.hopes)
	}
}

// TestExactCredits: what is asked for is what the request says.
func TestExactCredits(t *testing.T) {
	f := newFake(nil)
	s := opened(t, f, 10, nil)
	s.Conn.o.ExactCredits = true
	r := echo()
	r.Credits = 3
	if _, err := s.Start(within(t), r); err != nil || header(f.last()).Credits != 3 {
		t.Errorf("%v, %+v", err, header(f.last()))
	}
	s.Conn.MultiCredit = false
	if _, err := s.Start(within(t), echo()); err != nil || header(f.last()).Credits != 1 || header(f.last()).CreditCharge != 0 {
		t.Errorf("%v, %+v", err, header(f.last()))
	}
}

// TestFewCredits: a file is read in smaller pieces where there are no credits for large
// ones.
func TestFewCredits(t *testing.T) {
	f := newFake(func(u []byte) [][]byte {
		h := header(u)
		n := int(h.CreditCharge) * 65536
		return [][]byte{reply(u, func(h *smb2.Header) { h.Credits = h.CreditCharge }, (&smb2.ReadResponse{Data: make([]byte, n)}).Append(nil)...)}
	})
	s := opened(t, f, 5, nil)
	file := &File{Tree: &Tree{Session: s}}
	if n, err := file.ReadAt(within(t), make([]byte, 1<<20), 0); n != 1<<20 || err != nil || len(f.sent) != 4 {
		t.Errorf("%d bytes by %d requests, %v", n, len(f.sent), err)
	}
}

// TestReadAt: answers of servers at the end of a file, and past what was asked for.
func TestReadAt(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status smb2.Status
		data   int
		n      int
		err    error
	}{
		{"whole", 0, 100, 100, nil},
		{"the end, by status", ntstatus.EndOfFile, 0, 0, io.EOF},
		{"the end, by no data", 0, 0, 0, io.EOF},
		{"more than was asked for", 0, 101, 0, ErrProtocol},
	} {
		f := newFake(func(u []byte) [][]byte {
			body := (&smb2.ReadResponse{Data: make([]byte, tt.data)}).Append(nil)
			if tt.status != 0 {
				body = []byte{9, 0, 0, 0, 0, 0, 0, 0}
			}
			return [][]byte{reply(u, func(h *smb2.Header) { h.Status = tt.status }, body...)}
		})
		file := &File{Tree: &Tree{Session: opened(t, f, 10, nil)}}
		if n, err := file.ReadAt(within(t), make([]byte, 100), 0); n != tt.n || !errors.Is(err, tt.err) || tt.err == nil && err != nil {
			t.Errorf("%s: %d, %v", tt.name, n, err)
		}
	}
}

func TestCharge(t *testing.T) {
	for _, tt := range []struct {
		command smb2.Command
		body    smb2.Appender
		want    uint16
	}{
		{smb2.Read, &smb2.ReadRequest{Length: 0}, 1},
		{smb2.Read, &smb2.ReadRequest{Length: 65537}, 2},
		{smb2.Read, &smb2.ReadRequest{Length: 1<<32 - 1}, 0xffff},
		{smb2.Write, &smb2.WriteRequest{Data: make([]byte, 65537)}, 2},
		{smb2.Ioctl, &smb2.IoctlRequest{MaxOutput: 65536, MaxInput: 1}, 2},
		{smb2.Ioctl, &smb2.IoctlRequest{InputData: make([]byte, 65537)}, 2},
		{smb2.QueryDirectory, &smb2.QueryDirectoryRequest{OutputLength: 1 << 20}, 16},
		{smb2.QueryInfo, &smb2.QueryInfoRequest{OutputLength: 1 << 20}, 16},
		{smb2.ChangeNotify, &smb2.ChangeNotifyRequest{OutputLength: 1 << 20}, 16},
		{smb2.Flush, &smb2.FlushRequest{}, 1},
	} {
		if got := Charge(tt.command, tt.body.Append(nil)); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.command, got, tt.want)
		}
	}
	if got := Charge(smb2.Read, []byte{49}); got != 1 {
		t.Errorf("a body that is cut: %d", got)
	}
}

// TestLate: who waits no longer does not lose the connection, nor does the answer that
// comes later.
func TestLate(t *testing.T) {
	f := newFake(nil)
	s := opened(t, f, 10, nil)
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Do(short, echo()); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	late := reply(f.last(), nil)
	calls, err := s.Start(within(t), echo())
	if err != nil {
		t.Fatal(err)
	}
	now := reply(f.last(), nil)
	f.queue <- late
	f.queue <- now
	if _, err := calls[0].Wait(within(t)); err != nil {
		t.Error(err)
	}
}

// TestTimeout: a server that does not answer is given up, by a name.
func TestTimeout(t *testing.T) {
	s := opened(t, newFake(nil), 10, nil)
	s.Conn.o.Timeout = 10 * time.Millisecond
	err := s.Logoff(within(t))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer to LOGOFF within 10ms") {
		t.Error(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	host, port, _ := net.SplitHostPort(l.Addr().String())
	_, err = (&Target{Host: host, Port: port}).Dial(within(t), &Options{Timeout: 50 * time.Millisecond}, &Credentials{})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "within 50ms") {
		t.Error(err)
	}
}

// TestValidate: somebody who changed the NEGOTIATE is found out. [MS-SMB2] 3.2.5.5
func TestValidate(t *testing.T) {
	key := make([]byte, 16)
	said := smb2.ValidateNegotiateResponse{Capabilities: smb2.CapLargeMTU, ServerGUID: wire.GUID{1}, SecurityMode: 1, Dialect: smb2.Dialect300}
	for _, tt := range []struct {
		name   string
		change func(*smb2.ValidateNegotiateResponse)
		sign   bool
		status smb2.Status
		err    error
	}{
		{"as it was", nil, true, 0, nil},
		{"of a server that does not know it", nil, true, ntstatus.InvalidDeviceRequest, nil},
		{"another dialect", func(r *smb2.ValidateNegotiateResponse) { r.Dialect = smb2.Dialect302 }, true, 0, ErrDowngrade},
		{"another server", func(r *smb2.ValidateNegotiateResponse) { r.ServerGUID[1] = 1 }, true, 0, ErrDowngrade},
		{"other capabilities", func(r *smb2.ValidateNegotiateResponse) { r.Capabilities |= smb2.CapEncryption }, true, 0, ErrDowngrade},
		{"another mode", func(r *smb2.ValidateNegotiateResponse) { r.SecurityMode = 3 }, true, 0, ErrDowngrade},
		{"not signed", nil, false, 0, ErrDowngrade},
		{"refused, not signed", nil, false, ntstatus.InvalidDeviceRequest, ErrDowngrade},
	} {
		r := said
		if tt.change != nil {
			tt.change(&r)
		}
		f := newFake(func(u []byte) [][]byte {
			out := wire.AppendU32(nil, uint32(r.Capabilities))
			out = append(out, r.ServerGUID[:]...)
			out = wire.AppendU16(out, uint16(r.SecurityMode))
			out = wire.AppendU16(out, uint16(r.Dialect))
			body := (&smb2.IoctlResponse{Function: fscc.ValidateNegotiate}).Append(nil, out)
			if tt.status != 0 {
				body = []byte{9, 0, 0, 0, 0, 0, 0, 0}
			}
			b := reply(u, func(h *smb2.Header) { h.Status = tt.status; h.Flags &^= smb2.FlagSigned }, body...)
			if tt.sign {
				seal.NewSigner(smb2.AESCMAC, key).Put(b)
			}
			return [][]byte{b}
		})
		s := opened(t, f, 10, key)
		s.signs = false // but what guards the negotiation is signed
		c := s.Conn
		c.Dialect, c.ServerGUID, c.Mode, c.Capabilities = said.Dialect, said.ServerGUID, said.SecurityMode, said.Capabilities
		c.offered.Capabilities = smb2.CapLargeMTU
		err := s.Validate(within(t), 1)
		if !errors.Is(err, tt.err) || tt.err == nil && err != nil {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
		}
		if header(f.sent[0]).Flags&smb2.FlagSigned == 0 {
			t.Errorf("%s: asked without a signature", tt.name)
		}
	}
}

// TestNegotiateHostile: a server cannot choose what was not offered.
func TestNegotiateHostile(t *testing.T) {
	good := smb2.NegotiateResponse{
		Dialect: smb2.Dialect311, MaxReadSize: 65536,
		NegotiateContexts: smb2.NegotiateContexts{Hashes: smb2.Codes(smb2.SHA512), Ciphers: smb2.Codes(smb2.AES128GCM), Signings: smb2.Codes(smb2.AESCMAC)},
	}
	for name, change := range map[string]func(*smb2.NegotiateResponse){
		"a dialect that was not offered":    func(r *smb2.NegotiateResponse) { r.Dialect = smb2.Dialect210 },
		"the wildcard":                      func(r *smb2.NegotiateResponse) { r.Dialect = smb2.DialectWildcard },
		"a cipher that was not offered":     func(r *smb2.NegotiateResponse) { r.Ciphers = smb2.Codes(smb2.AES256CCM) },
		"an algorithm that was not offered": func(r *smb2.NegotiateResponse) { r.Signings = smb2.Codes(smb2.AESGMAC) },
		"no hash":                           func(r *smb2.NegotiateResponse) { r.Hashes = nil },
		"a hash of another kind":            func(r *smb2.NegotiateResponse) { r.Hashes = smb2.Codes(smb2.Hash(2)) },
	} {
		r := good
		change(&r)
		f := newFake(func(u []byte) [][]byte { return [][]byte{reply(u, nil, r.Append(nil)...)} })
		_, err := Negotiate(within(t), f, &Options{
			Dialects: []smb2.Dialect{smb2.Dialect311}, Ciphers: []smb2.Cipher{smb2.AES128GCM}, Signings: []smb2.Signing{smb2.AESCMAC},
		})
		if !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := newFake(func(u []byte) [][]byte { return [][]byte{reply(u, nil, good.Append(nil)...)} })
	c, err := Negotiate(within(t), f, &Options{})
	if err != nil || c.Cipher != smb2.AES128GCM || c.Signing != smb2.AESCMAC || c.ClientGUID == (wire.GUID{}) {
		t.Fatalf("%v, %+v", err, c)
	}
	c.Close()
	f = newFake(func(u []byte) [][]byte {
		return [][]byte{reply(u, func(h *smb2.Header) { h.Status = ntstatus.NotSupported }, 9, 0, 0, 0, 0, 0, 0, 0)}
	})
	if _, err := Negotiate(within(t), f, &Options{}); err == nil {
		t.Error("a refusal is no error")
	} else if status, _ := StatusOf(err); status != ntstatus.NotSupported {
		t.Error(err)
	}
}

// TestTCP: frames that lie, keep-alives, a server that does not read.
func TestTCP(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	tr := NewTCP(near)
	go func() {
		_, _ = far.Write([]byte{0x85, 0, 0, 0, 0, 0, 0, 3, 'a', 'b', 'c', 0, 0xff, 0xff, 0xff})
	}()
	if b, err := tr.Receive(10); err != nil || string(b) != "abc" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := tr.Receive(1 << 20); !errors.Is(err, ErrProtocol) {
		t.Errorf("a frame of 16 MiB: %v", err)
	}
	go func() { _, _ = far.Write([]byte("GET /")) }()
	if _, err := tr.Receive(1 << 20); !errors.Is(err, ErrProtocol) {
		t.Errorf("what is no frame: %v", err)
	}
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	s := opened(t, tr, 10, nil)
	if _, err := s.Start(short, echo()); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrClosed) {
		t.Errorf("a server that does not read: %v", err)
	}
	if err := tr.Send(context.Background(), make([]byte, 1<<24)); err == nil {
		t.Error("a frame of more than 24 bits is sent")
	}
}

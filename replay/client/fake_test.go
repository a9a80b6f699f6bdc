package client

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// fake is a transport whose other end is a function: what is sent it answers with units.
type fake struct {
	answer func(unit []byte) [][]byte // nil answers nothing

	mu   sync.Mutex
	sent [][]byte

	queue chan []byte
	once  sync.Once
	done  chan struct{}
}

func newFake(answer func([]byte) [][]byte) *fake {
	return &fake{answer: answer, queue: make(chan []byte, 64), done: make(chan struct{})}
}

func (f *fake) Send(_ context.Context, unit []byte) error {
	unit = append([]byte{}, unit...)
	f.mu.Lock()
	f.sent = append(f.sent, unit)
	f.mu.Unlock()
	if f.answer != nil {
		for _, u := range f.answer(unit) {
			f.queue <- u
		}
	}
	return nil
}

func (f *fake) Receive(int) ([]byte, error) {
	select {
	case u := <-f.queue:
		if u == nil {
			return nil, io.EOF
		}
		return u, nil
	case <-f.done:
		return nil, net.ErrClosed
	}
}

func (f *fake) Close() error         { f.once.Do(func() { close(f.done) }); return nil }
func (f *fake) LocalAddr() net.Addr  { return &net.TCPAddr{} }
func (f *fake) RemoteAddr() net.Addr { return &net.TCPAddr{} }
func (f *fake) last() []byte         { f.mu.Lock(); defer f.mu.Unlock(); return f.sent[len(f.sent)-1] }
func header(message []byte) (h smb2.Header) {
	c := wire.New(message, nil)
	h.Peek(&c)
	return h
}

// reply is a response to the first message of a unit.
func reply(unit []byte, change func(*smb2.Header), body ...byte) []byte {
	h := header(unit)
	h.Flags |= smb2.FlagResponse
	h.Status, h.Credits, h.Signature, h.NextCommand = 0, 1, nil, 0
	if change != nil {
		change(&h)
	}
	if body == nil {
		body = []byte{4, 0, 0, 0}
	}
	return append(h.Append(nil), body...)
}

// opened is a session of dialect 3.1.1 over a fake, with a window of credits.
func opened(t testing.TB, f Transport, window int, key []byte) *Session {
	c := newConn(f, &Options{Credits: 64})
	c.Dialect, c.MultiCredit, c.MaxRead, c.MaxWrite = smb2.Dialect311, true, 1<<20, 1<<20
	c.credits.have = window
	s := &Session{ID: 7, Conn: c, keys: new(keys), trees: make(map[uint32]bool)}
	if key != nil {
		s.sign, s.verify, s.signs = seal.NewSigner(smb2.AESCMAC, key), seal.NewSigner(smb2.AESCMAC, key), true
	}
	if err := c.enter(s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return s
}

// echo is the least that can be asked.
func echo() *Request {
	return &Request{Command: smb2.Echo, Body: (*smb2.EchoRequest).Append(nil, nil)}
}

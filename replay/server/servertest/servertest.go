// Package servertest starts the lab server for a test, gone with it.
package servertest

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/replay/server"
)

// The one user that the server knows, unless it is told otherwise.
const (
	User     = "lab"
	Password = "secret"
)

// Lab is a running server.
type Lab struct {
	Addr string // host and port
	Stop func() // ends it before the test does, so that its capture is whole
}

// Start starts a server on a free port of 127.0.0.1, with files in memory unless cfg has
// a Store, which is closed with the server, and with User unless cfg has Users.
func Start(t testing.TB, cfg server.Config) *Lab {
	t.Helper()
	if cfg.Store == nil {
		cfg.Store = server.NewMemory(1 << 30)
	}
	if cfg.Users == nil {
		cfg.Users = map[string][16]byte{User: seal.NTHash(Password)}
	}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	stop := sync.OnceFunc(func() {
		l.Close()
		if err := <-served; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		err := s.Close()
		if store, ok := cfg.Store.(io.Closer); ok {
			err = errors.Join(err, store.Close())
		}
		if err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return &Lab{Addr: l.Addr().String(), Stop: stop}
}

package server

import (
	"crypto/rand"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// Server serves one share, and IPC$. Its methods may be called from any goroutine.
type Server struct {
	cfg     Config
	guid    wire.GUID
	started time.Time
	tape    *recording // nil without Config.Pcap
	stats   counters
	faulty  *faulty

	names sync.Mutex // is held while names are looked up and changed; before mu

	mu        sync.Mutex // guards what follows and the files, opens and leases in it
	conns     map[*conn]bool
	listeners map[net.Listener]bool
	closed    bool
	nextConn  int
	sessions  map[uint64]*session
	nextID    uint64 // of sessions and opens
	files     map[fileKey]*file
	opens     int
	locks     int
	leases    map[leaseKey]*grant
	durable   map[smb2.FileID]*open // whose clients are away
	created   map[createKey]*open   // that clients have named
	creating  map[createKey]bool    // and that are not open yet
	watches   map[*watch]bool
	kept      map[FileNumber]*kept
	tokens    tokens
	running   sync.WaitGroup
}

// New makes a server.
func New(cfg Config) (*Server, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, started: time.Now(), faulty: newFaulty(cfg.Faults, cfg.FaultSeed),
		conns: map[*conn]bool{}, listeners: map[net.Listener]bool{}, sessions: map[uint64]*session{},
		files: map[fileKey]*file{}, leases: map[leaseKey]*grant{}, durable: map[smb2.FileID]*open{}, created: map[createKey]*open{}, creating: map[createKey]bool{}, kept: map[FileNumber]*kept{}, watches: map[*watch]bool{},
	}
	s.tokens.init(&s.cfg)
	rand.Read(s.guid[:])
	if cfg.Pcap != nil {
		t, err := newRecording(cfg.Pcap)
		if err != nil {
			return nil, err
		}
		s.tape = t
	}
	return s, nil
}

// ErrClosed is what Serve returns after Close.
var ErrClosed = errors.New("server closed")

// Serve takes connections until Close.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		l.Close()
		return ErrClosed
	}
	s.listeners[l] = true
	s.mu.Unlock()
	for {
		nc, err := l.Accept()
		if err != nil {
			s.mu.Lock()
			closed := s.closed
			s.mu.Unlock()
			if closed {
				return ErrClosed
			}
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			s.logf("no connection taken: %v", err) // too many open files, perhaps: that passes
			time.Sleep(100 * time.Millisecond)
			continue
		}
		s.take(nc)
	}
}

// take serves a connection, or refuses it.
func (s *Server) take(nc net.Conn) {
	s.mu.Lock()
	if s.closed || len(s.conns) >= s.cfg.Limits.Connections {
		s.mu.Unlock()
		s.stats.refused.Add(1)
		s.logf("connection from %s refused: there are %d", nc.RemoteAddr(), s.cfg.Limits.Connections)
		nc.Close()
		return
	}
	s.nextConn++
	c := newConn(s, nc, s.nextConn)
	s.conns[c] = true
	s.running.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.running.Done()
		c.run()
	}()
}

// Close ends all connections, waits for what is under way, and gives the files back. It
// returns what went wrong with the capture.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		c.hangUp()
	}
	s.mu.Unlock()
	s.running.Wait()
	s.mu.Lock()
	var left []*open
	for _, o := range s.durable {
		left = append(left, o)
	}
	s.mu.Unlock()
	for _, o := range left {
		o.close()
	}
	s.mu.Lock()
	s.tokens.clear(s)
	s.mu.Unlock()
	if s.tape != nil {
		return s.tape.Err()
	}
	return nil
}

// id makes a number that was not given to a session or an open before. s.mu is held.
func (s *Server) id() uint64 {
	s.nextID++
	return s.nextID
}

func (s *Server) logf(format string, args ...any) { s.cfg.Log(format, args...) }

// now is the time as messages have it.
func now() uint64 { return uint64(dtyp.FileTimeOf(time.Now())) }

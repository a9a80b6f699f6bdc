package server

import (
	"crypto/rand"
	"math"
	"time"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/wire"
)

// token stands for a range of a file as it was when the token was minted. Server.mu
// guards it.
type token struct {
	raw         [odx.TokenSize]byte
	file        *file
	off, length int64
	stale       bool // the range has changed
	ttl         time.Duration
	expires     time.Time
	open        *open // that minted it
}

// tokens is the tokens that can be used.
type tokens struct {
	odx  *ODX
	most int
	all  map[[odx.TokenSize]byte]*token
}

func (t *tokens) init(cfg *Config) {
	t.odx, t.most, t.all = &cfg.ODX, cfg.Limits.Tokens, map[[odx.TokenSize]byte]*token{}
}

// Parts of a token that are not random. [MS-FSCC] 2.1.11
const (
	tokenIDOffset   = 8
	idLengthIllumos = 32
	idLength        = odx.TokenSize - tokenIDOffset
	maxTTL          = time.Hour
)

// zeroToken stands for zeros. "TokenIdLength 504", says the well-known token, and zeros.
func zeroToken() (raw [odx.TokenSize]byte) {
	b := wire.AppendBE32(nil, uint32(odx.ZeroData))
	b = wire.AppendBE16(wire.AppendBE16(b, 0), idLength)
	copy(raw[:], b)
	return raw
}

// mint makes a token for a range of o's file. wish is the client's TTL, 0 if it has none.
func (s *Server) mint(o *open, off, length int64, wish time.Duration) [odx.TokenSize]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &token{file: o.file, off: off, length: length, open: o, ttl: s.tokens.odx.TTL}
	if wish > 0 {
		t.ttl = min(wish, maxTTL)
	}
	t.expires = time.Now().Add(t.ttl)
	n := uint16(idLength)
	if s.tokens.odx.Profile == Illumos {
		n = idLengthIllumos
	}
	head := wire.AppendBE32(nil, uint32(odx.Native))
	copy(t.raw[:], wire.AppendBE16(wire.AppendBE16(head, 0), n))
	rand.Read(t.raw[tokenIDOffset : tokenIDOffset+n])
	if len(s.tokens.all) >= s.tokens.most {
		s.evict()
	}
	s.tokens.all[t.raw] = t
	o.file.tokens[t] = true
	o.file.held++
	s.expireLater(t, t.ttl)
	s.stats.minted.Add(1)
	return t.raw
}

// expireLater drops a token once it was not used for its time to live, so that it does
// not keep its file. Server.mu is held.
func (s *Server) expireLater(t *token, in time.Duration) {
	time.AfterFunc(in, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.tokens.all[t.raw] != t {
			return
		}
		if left := time.Until(t.expires); left > 0 {
			s.expireLater(t, left)
			return
		}
		s.drop(t)
	})
}

// evict drops the token that expires first. Server.mu is held.
func (s *Server) evict() {
	var first *token
	for _, t := range s.tokens.all {
		if first == nil || t.expires.Before(first.expires) {
			first = t
		}
	}
	if first != nil {
		s.drop(first)
	}
}

// drop forgets a token. Server.mu is held.
func (s *Server) drop(t *token) {
	if s.tokens.all[t.raw] != t {
		return
	}
	delete(s.tokens.all, t.raw)
	delete(t.file.tokens, t)
	t.file.held--
	s.forget(t.file)
}

// clear forgets all tokens. Server.mu is held.
func (ts *tokens) clear(s *Server) {
	for _, t := range ts.all {
		s.drop(t)
	}
}

// closed tells that an open is gone: with it go its tokens, where they are as those of
// illumos. Server.mu is held.
func (ts *tokens) closed(s *Server, o *open) {
	if ts.odx.Profile != Illumos || o.file == nil {
		return
	}
	for t := range o.file.tokens {
		if t.open == o {
			s.drop(t)
		}
	}
}

// use returns the token that a client presents, nil if it is none, has expired, or its
// source has changed. The source's file is held until release.
func (s *Server) use(raw []byte, sess *session) *token {
	if len(raw) != odx.TokenSize {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tokens.all[[odx.TokenSize]byte(raw)]
	if t == nil || t.stale {
		return nil
	}
	now := time.Now()
	if now.After(t.expires) {
		s.drop(t)
		return nil
	}
	if s.tokens.odx.Profile == Illumos && t.open.sess != sess {
		return nil
	}
	t.expires = now.Add(t.ttl)
	t.file.held++
	return t
}

// release ends what use began. A token that may be used once is gone then, if it was.
func (s *Server) release(t *token, used bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if used && s.tokens.odx.Profile == OneShot {
		s.drop(t)
	}
	t.file.held--
	s.forget(t.file)
}

// written makes tokens of a range stale. Server.mu is held.
func (f *file) written(off, n int64) {
	end := off + min(n, math.MaxInt64-off)
	for t := range f.tokens {
		if t.off < end && off < t.off+t.length {
			t.stale = true
		}
	}
}

// stamp tells whether somebody changed a file behind the server's back.
type stamp struct {
	size  int64
	write dtyp.FileTime
}

// restamp takes the file as it is for what the server made of it.
func (f *file) restamp() {
	if a, err := f.obj.Attr(); err == nil {
		f.s.mu.Lock()
		f.stamp = stamp{a.Size, a.LastWrite}
		f.s.mu.Unlock()
	}
}

// foreign looks whether somebody else changed the file: then its tokens are stale.
func (f *file) foreign() {
	a, err := f.obj.Attr()
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	now := stamp{a.Size, a.LastWrite}
	if err != nil || len(f.tokens) > 0 && now != f.stamp {
		f.written(0, math.MaxInt64)
	}
	f.stamp = now
}

package server

import (
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// faulty is the faults of a server and how often each was due. It may be used from any
// goroutine.
type faulty struct {
	mu    sync.Mutex
	rules []faultState
	nap   func(d time.Duration, cancelled, done <-chan struct{}) // waits, or until one of them is closed
}

type faultState struct {
	*Fault
	seen, hits int
	random     *rand.Rand
}

// newFaulty has each rule take its own numbers, so that none depends on the others.
func newFaulty(list []*Fault, seed uint64) *faulty {
	f := &faulty{nap: nap}
	for i, rule := range list {
		f.rules = append(f.rules, faultState{Fault: rule, random: rand.New(rand.NewPCG(seed, uint64(i)))})
	}
	return f
}

func nap(d time.Duration, cancelled, done <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-cancelled:
	case <-done:
	}
}

// FaultHits is how often a rule was due.
type FaultHits struct {
	Rule       string
	Seen, Hits int // requests that it is about, and those of them that it happened to
}

// FaultHits tells of each rule, in their order.
func (s *Server) FaultHits() (list []FaultHits) {
	s.faulty.mu.Lock()
	defer s.faulty.mu.Unlock()
	for i := range s.faulty.rules {
		f := &s.faulty.rules[i]
		list = append(list, FaultHits{f.text, f.seen, f.hits})
	}
	return list
}

// due returns what happens to a request.
func (f *faulty) due(r *request, m *smb2.Message) (list []*Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.rules {
		k := &f.rules[i]
		if !k.on.is(m) || k.file != "" && !r.isFile(m, k.file) {
			continue
		}
		k.seen++
		if n := k.seen - k.after - 1; n < 0 || n%k.every != 0 || k.count > 0 && k.hits == k.count {
			continue
		}
		if k.chance < 1 && k.random.Float64() >= k.chance {
			continue
		}
		k.hits++
		list = append(list, k.Fault)
	}
	return list
}

// is reports whether a request is one of t.
func (t *target) is(m *smb2.Message) bool {
	if t.any {
		return true
	}
	if m.Command != t.command {
		return false
	}
	if t.codes == nil {
		return true
	}
	b, ok := m.Body.(*smb2.IoctlRequest)
	for _, c := range t.codes {
		if ok && b.Function == c {
			return true
		}
	}
	return false
}

// isFile reports whether a request is about a file whose name or path a pattern matches.
func (r *request) isFile(m *smb2.Message, pattern string) bool {
	name := ""
	if b, ok := m.Body.(*smb2.CreateRequest); ok {
		name = b.Name.String()
	} else if o := r.peek(m); o != nil && o.file != nil {
		name = windowsPath(o.file.name(), o.file.stream)
	} else if id := fileID(m); id != nil && r.c.player != nil {
		name = r.c.player.File(*id)
	}
	name = strings.Trim(strings.ToLower(strings.ReplaceAll(name, `\`, "/")), "/")
	whole, _ := path.Match(pattern, name)
	last, _ := path.Match(pattern, path.Base(name))
	return name != "" && (whole || last)
}

// peek returns the open that a request is about, nil if there is none.
func (r *request) peek(m *smb2.Message) *open {
	at := fileID(m)
	if at == nil {
		return nil
	}
	id := *at
	if r.related && allOnes(id) {
		return r.chain.open
	}
	if r.sess == nil {
		return nil
	}
	return r.sess.opens[id]
}

// errSilent is no status: nothing is answered.
const errSilent status = 0xfffffffe

// serve is handle with the faults that are due.
func (ch *chain) serve(r *request, m *smb2.Message) status {
	f := ch.c.s.faulty
	if len(f.rules) == 0 {
		return ch.dispatch(r, m)
	}
	list := f.due(r, m)
	for _, k := range list {
		ch.c.logf("fault: %v: %s", r.h.Command, k)
		if st := r.faultBefore(k, m); st != ntstatus.Success {
			return st
		}
	}
	st := ch.dispatch(r, m)
	if st == errHangUp {
		return st
	}
	for _, k := range list {
		if !r.faultAfter(k, m, st) {
			return errSilent
		}
	}
	return st
}

// dispatch has whoever answers such a request do so.
func (ch *chain) dispatch(r *request, m *smb2.Message) status {
	if st, ok := ch.play(r, m); ok {
		return st
	}
	return ch.handle(r, m)
}

// faultBefore does what a fault does before the request is done. A status other than
// success is the answer to it.
func (r *request) faultBefore(k *Fault, m *smb2.Message) status {
	c, v := r.c, &k.value
	switch k.effect.name {
	case "status":
		return v.status
	case "pending":
		if !r.begin() {
			return ntstatus.InsufficientResources
		}
		return r.linger(v.time)
	case "delay":
		return r.linger(v.time)
	case "silent":
		if v.word == "" {
			return errSilent
		}
	case "drop":
		if v.word == "" {
			c.hangUp()
			return errSilent
		}
	case "break":
		return r.breakOwn(m, v.word == "read")
	case "shorten":
		shorten(m, uint64(v.number))
	case "limits":
		return r.limited(m, v.limits)
	case "expire", "stale":
		r.spoilToken(m, k.effect.name == "expire")
	case "credits":
		r.starved = &v.number
	case "signature":
		r.wrongSignature = true
	}
	return ntstatus.Success
}

// linger waits while the connection goes on with other requests.
func (r *request) linger(d time.Duration) status {
	var cancelled chan struct{}
	if r.pending != nil {
		cancelled = r.pending.cancel
	}
	r.c.turn.give()
	r.c.s.faulty.nap(d, cancelled, r.c.done)
	r.c.turn.take(nil)
	switch {
	case r.sess != nil && !r.sess.established && r.h.Command != smb2.SessionSetup:
		return ntstatus.UserSessionDeleted
	case r.pending != nil:
		select {
		case <-cancelled:
			return ntstatus.Cancelled
		default:
		}
	}
	return ntstatus.Success
}

// breakOwn breaks what clients may cache of the request's file, this one too, and waits.
func (r *request) breakOwn(m *smb2.Message, keepRead bool) status {
	o := r.peek(m)
	if o == nil || o.file == nil {
		return ntstatus.Success
	}
	keep := stateNone
	if keepRead {
		keep = smb2.LeaseRead
	}
	r.file = o
	s := r.c.s
	for {
		var busy <-chan struct{}
		s.mu.Lock()
		for _, other := range o.file.opens {
			if g := other.grant; g != nil && g.state&^keep != 0 && busy == nil {
				busy = s.demand(g, keep)
			}
		}
		s.mu.Unlock()
		if busy == nil {
			return ntstatus.Success
		}
		if !r.begin() {
			return ntstatus.InsufficientResources
		}
		if ok, _ := r.wait(busy, 0); !ok {
			return ntstatus.Cancelled
		}
		if !r.sess.established || o.closed {
			return ntstatus.FileClosed
		}
	}
}

// shorten has a request ask for no more than most bytes.
func shorten(m *smb2.Message, most uint64) {
	switch b := m.Body.(type) {
	case *smb2.ReadRequest:
		b.Length = uint32(min(uint64(b.Length), most))
		b.MinimumCount = min(b.MinimumCount, b.Length)
	case *smb2.WriteRequest:
		b.Data = b.Data[:min(uint64(len(b.Data)), most)]
		b.Length = uint32(len(b.Data))
	case *smb2.IoctlRequest:
		switch in := b.Input.(type) {
		case *odx.ReadRequest:
			in.CopyLength = min(in.CopyLength, most)
		case *odx.WriteRequest:
			in.CopyLength = min(in.CopyLength, most)
		case *fscc.CopyChunkRequest:
			var fewer fscc.Chunks
			for i := range in.Chunks.Len() {
				k := in.Chunks.At(i)
				k.Length = uint32(min(uint64(k.Length), most))
				if most -= uint64(k.Length); k.Length > 0 {
					fewer = fewer.Append(k)
				}
			}
			in.Chunks, in.Count = fewer, uint32(fewer.Len())
		}
	}
}

// limited refuses a copy by chunks that asks for more than limits.
func (r *request) limited(m *smb2.Message, limits fscc.CopyChunkLimits) status {
	b, _ := m.Body.(*smb2.IoctlRequest)
	if b == nil {
		return ntstatus.Success
	}
	in, ok := b.Input.(*fscc.CopyChunkRequest)
	if !ok || b.MaxOutput < 12 {
		return ntstatus.Success
	}
	total, most := uint64(0), uint32(0)
	for i := range in.Chunks.Len() {
		n := in.Chunks.At(i).Length
		total, most = total+uint64(n), max(most, n)
	}
	if in.Count <= limits.Chunks && most <= limits.ChunkBytes && total <= uint64(limits.TotalBytes) {
		return ntstatus.Success
	}
	r.body = (&smb2.IoctlResponse{Function: b.Function, File: b.File}).Append(nil, limits.Append(nil))
	return ntstatus.InvalidParameter
}

// spoilToken has the token that a request presents expire, or has it last though its
// source has changed.
func (r *request) spoilToken(m *smb2.Message, expire bool) {
	b, _ := m.Body.(*smb2.IoctlRequest)
	if b == nil {
		return
	}
	in, ok := b.Input.(*odx.WriteRequest)
	if !ok || len(in.Token.Raw) != odx.TokenSize {
		return
	}
	s := r.c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tokens.all[[odx.TokenSize]byte(in.Token.Raw)]; t != nil {
		if t.stale = false; expire {
			s.drop(t)
		}
	}
}

// faultAfter does what a fault does to the answer. It returns false if none is sent.
func (r *request) faultAfter(k *Fault, m *smb2.Message, st status) bool {
	v := &k.value
	switch k.effect.name {
	case "silent":
		return false
	case "drop":
		if v.word == "done" {
			r.c.hangUp()
			return false
		}
		before := r.last
		r.last = func() {
			if before != nil {
				before()
			}
			r.c.hangUp()
		}
		return true
	}
	if st != ntstatus.Success || r.body == nil {
		return true
	}
	switch k.effect.name {
	case "claim":
		r.claim(m, v)
	case "corrupt":
		if b := r.payload(m); len(b) > 0 {
			b[len(b)/2] ^= 1
		}
	case "size":
		if b := r.output(m); len(b) >= 4 {
			wire.PutU32(b, uint32(v.number))
		}
	case "token-type", "token-id-length":
		const typeOffset, idLengthOffset = 0, 6
		b := r.payload(m)
		switch {
		case len(b) != odx.TokenSize:
		case k.effect.name == "token-type":
			copy(b[typeOffset:], wire.AppendBE32(nil, uint32(v.number)))
		default:
			copy(b[idLengthOffset:], wire.AppendBE16(nil, uint16(v.number)))
		}
	case "ttl":
		r.retime(m, v.time)
	}
	return true
}

// output is the buffer of the answer to an IOCTL, nil if there is none.
func (r *request) output(m *smb2.Message) []byte {
	const offsetAt, countAt = 32, 36
	if _, ok := m.Body.(*smb2.IoctlRequest); !ok || len(r.body) < countAt+4 {
		return nil
	}
	return r.section(wire.GetU32(r.body[offsetAt:]), wire.GetU32(r.body[countAt:]))
}

// section is n bytes of the answer's body that begin at off, counted from its header.
func (r *request) section(off, n uint32) []byte {
	const header = 64
	if off < header || uint64(off-header)+uint64(n) > uint64(len(r.body)) {
		return nil
	}
	return r.body[off-header:][:n]
}

// payload is what of an answer a client takes as it is: data, a token, a key.
func (r *request) payload(m *smb2.Message) []byte {
	switch b := m.Body.(type) {
	case *smb2.ReadRequest:
		if len(r.body) >= 8 {
			return r.section(uint32(r.body[2]), wire.GetU32(r.body[4:]))
		}
	case *smb2.IoctlRequest:
		const tokenAt, keySize = 16, 24
		switch out := r.output(m); {
		case b.Function == fscc.OffloadRead && len(out) == tokenAt+odx.TokenSize:
			return out[tokenAt:]
		case b.Function == fscc.RequestResumeKey && len(out) >= keySize:
			return out[:keySize]
		}
	}
	return nil
}

// claim has the answer say another number of bytes.
func (r *request) claim(m *smb2.Message, v *faultValue) {
	said := func(was uint64) uint64 {
		if v.relative {
			return uint64(max(int64(was)+v.number, 0))
		}
		return uint64(v.number)
	}
	short := func(b []byte) { wire.PutU32(b, uint32(said(uint64(wire.GetU32(b))))) }
	switch b := m.Body.(type) {
	case *smb2.ReadRequest, *smb2.WriteRequest:
		if len(r.body) >= 8 {
			short(r.body[4:]) // DataLength of the one, Count of the other
		}
	case *smb2.IoctlRequest:
		const lengthAt, totalAt = 8, 8 // TransferLength and LengthWritten; TotalBytesWritten
		out := r.output(m)
		switch {
		case len(out) < 12:
		case b.Function == fscc.CopyChunk || b.Function == fscc.CopyChunkWrite:
			short(out[totalAt:])
		case len(out) >= lengthAt+8:
			wire.PutU64(out[lengthAt:], said(wire.GetU64(out[lengthAt:])))
		}
	}
}

// retime gives the token that an answer brings another time to live.
func (r *request) retime(m *smb2.Message, ttl time.Duration) {
	s, raw := r.c.s, r.payload(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(raw) != odx.TokenSize {
		return
	}
	if t := s.tokens.all[[odx.TokenSize]byte(raw)]; t != nil {
		t.ttl, t.expires = ttl, time.Now().Add(ttl)
		s.expireLater(t, ttl)
	}
}

// grant is the credits that the answer to r brings.
func (r *request) grant() uint16 {
	switch {
	case r.starved == nil:
		return r.c.window.grant(r.h.Credits)
	case *r.starved == 0:
		return 0
	}
	return r.c.window.grant(uint16(min(int64(r.h.Credits), *r.starved)))
}

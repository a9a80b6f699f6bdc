package captured

// The live side: which request of the capture a request of now is.

import (
	"strings"
	"sync"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/replay/server"
)

// Unmatched is what becomes of a request that the capture does not hold.
type Unmatched string

const (
	Fail    Unmatched = "fail"    // it is refused
	Nearest Unmatched = "nearest" // it gets the answer to the captured request that is most like it
	Lab     Unmatched = "lab"     // the lab server answers from its own files
)

// What clients can make the server keep.
const (
	maxOpens   = 16384 // in all, closed ones among them
	maxClosed  = 1024  // opens of a connection that are known still
	maxWaiting = 1024  // answers that wait for one request
)

// Choices lists them.
var Choices = []string{string(Fail), string(Nearest), string(Lab)}

// Server is a captured server: a server.Script.
type Server struct {
	r         *Recording
	unmatched Unmatched

	mu      sync.Mutex // guards what follows, and players
	taken   []int      // of connections: players that play them
	played  []int      // and how often they were
	files   map[smb2.FileID]*open
	trees   map[liveTree]string // shares
	nextID  uint64
	waiting map[int32][]chan struct{} // answers, by the step that they wait for
	players map[*player]bool
	counts  counts
}

// New makes a server of a recording.
func New(r *Recording, unmatched Unmatched) *Server {
	return &Server{
		r: r, unmatched: unmatched, taken: make([]int, len(r.conns)), played: make([]int, len(r.conns)), files: make(map[smb2.FileID]*open), trees: make(map[liveTree]string),
		waiting: make(map[int32][]chan struct{}), players: make(map[*player]bool), counts: newCounts(len(r.steps)),
	}
}

// open is an open of a client of now.
type open struct {
	id      smb2.FileID
	session uint64
	about   string
	step    int32  // of its CREATE; -1 if the capture has none
	create  []byte // the request of now, for the lab server
	lab     *server.LabOpen
	closed  bool
	call    uint32 // call_id of the last remote procedure call
}

// player plays a captured connection.
type player struct {
	s      *Server
	caller server.Caller
	conn   int32 // index in Recording.conns; -1 before NEGOTIATE
	offers key
	sure   bool // a request has shown that it is that one
	used   map[int32]bool
	low    map[key]int // of Recording.byKey: what lies before is used
	opens  map[smb2.FileID]*open
	gone   []smb2.FileID           // of opens, that are closed
	leases map[wire.GUID]wire.GUID // those of now, by those of then

	session uint64          // that asked last, for breaks
	seen    map[uint64]bool // sessions; some may have other connections, too
}

type liveTree struct {
	session uint64
	tree    uint32
}

// Connect begins a connection.
func (s *Server) Connect(c server.Caller) server.Player {
	p := &player{
		s: s, caller: c, conn: -1, used: make(map[int32]bool), low: make(map[key]int), seen: make(map[uint64]bool),
		opens: make(map[smb2.FileID]*open), leases: make(map[wire.GUID]wire.GUID),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.players[p] = true
	return p
}

// Close ends it.
func (p *player) Close() {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.players, p)
	for id, f := range p.opens {
		if other := s.other(f.session); other != nil {
			other.opens[id] = f
		} else {
			delete(s.files, id)
		}
	}
	for t := range s.trees {
		if p.seen[t.session] && s.other(t.session) == nil {
			delete(s.trees, t)
		}
	}
	if p.conn >= 0 {
		s.taken[p.conn]--
		if !p.sure { // whoever only looked in has not played it
			s.played[p.conn]--
		}
	}
}

// other returns a player on whose connection a session goes on; nil if there is none. s.mu
// is held.
func (s *Server) other(session uint64) *player {
	for p := range s.players {
		if p.seen[session] {
			return p
		}
	}
	return nil
}

// Negotiate takes the next captured connection on which a client offered the same, or the
// next at all.
func (p *player) Negotiate(m *smb2.NegotiateRequest) *server.Manner {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	p.offers = offersOf(m)
	best, rank := int32(-1), 0
	for i := range s.r.conns {
		k := &s.r.conns[i]
		if k.manner == nil || !m.Dialects.Has(uint16(k.manner.Dialect)) {
			continue
		}
		// Who offered the same counts most, then who is not played now, then who was least.
		v := 4<<20 - min(s.played[i], 1<<18)
		if k.offers == p.offers {
			v += 8 << 20
		}
		if s.taken[i] > 0 {
			v -= 2 << 20
		}
		if v > rank {
			best, rank = int32(i), v
		}
	}
	if best < 0 {
		return nil
	}
	p.take(best)
	return s.r.conns[best].manner
}

// take has p play a connection. s.mu is held.
func (p *player) take(conn int32) {
	if p.conn >= 0 {
		p.s.taken[p.conn]--
		p.s.played[p.conn]--
	}
	p.conn = conn
	p.s.taken[conn]++
	p.s.played[conn]++
}

// Encrypts reports whether sessions on the captured connection had to.
func (p *player) Encrypts(string) bool {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.conn >= 0 && p.s.r.conns[p.conn].encrypt
}

// File returns the path of a file that a client of now has open.
func (p *player) File(id smb2.FileID) string {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if f := p.s.files[id]; f != nil {
		_, path, _ := strings.Cut(f.about, `\`)
		return path
	}
	return ""
}

// Answer finds the answer to a request.
func (p *player) Answer(a *server.Asked) *server.Reply {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	p.session, p.seen[a.Session] = a.Session, true
	if a.Command == smb2.Create && len(s.files) >= maxOpens {
		return &server.Reply{Make: func() (smb2.Status, []byte) { return ntstatus.InsufficientResources, nil }}
	}
	q := p.question(a)
	if q.file != nil && q.file.lab != nil && q.file.step < 0 && s.unmatched == Lab {
		s.counts.lab++
		return &server.Reply{Lab: q.file.lab}
	}
	closes := a.Command == smb2.Close && q.file != nil && !q.file.closed
	if closes && q.file.step < 0 {
		p.close(q.file)
		return closed()
	}
	i, how := p.find(q)
	switch {
	case i < 0 && closes: // whoever opened may close
		p.close(q.file)
		return closed()
	case i < 0:
		return p.unanswered(q)
	}
	st := &s.r.steps[i]
	p.follow(i, st)
	s.counts.hit(i, st, q, how)
	if a.Command == smb2.TreeDisconnect {
		delete(s.trees, liveTree{a.Session, a.Tree})
	}
	if !st.served() {
		return nil
	}
	switch a.Command {
	case smb2.Ioctl:
		switch f := fscc.Code(st.kind); {
		case f == fscc.ValidateNegotiate, f == fscc.QueryNetworkInterfaces && st.status == ntstatus.Success:
			return nil // they are about this server and its connection
		}
	case smb2.Close:
		if q.file != nil && st.status == ntstatus.Success {
			p.close(q.file)
		}
	}
	reply := &server.Reply{Make: p.maker(q, i)}
	if a.Command == smb2.TreeConnect {
		reply.Connected = p.connected(a.Session, q.about)
	}
	p.timed(reply, i, st)
	return reply
}

// connected keeps which share a tree is.
func (p *player) connected(session uint64, share string) func(tree uint32) {
	return func(tree uint32) {
		p.s.mu.Lock()
		defer p.s.mu.Unlock()
		p.s.trees[liveTree{session, tree}] = share
	}
}

// closed is the answer to a CLOSE that the capture does not have.
func closed() *server.Reply {
	return &server.Reply{Make: func() (smb2.Status, []byte) { return ntstatus.Success, new(smb2.CloseResponse).Append(nil) }}
}

// question is a request of now.
type question struct {
	*server.Asked
	mean  meaning
	file  *open // nil if it is about none that is open
	about string
	call  bool // a remote procedure call
	chain *chainMemo
}

// chainMemo is what a compound's requests have in common.
type chainMemo struct {
	file  *open
	about string
}

// question says what a request is about. s.mu is held.
func (p *player) question(a *server.Asked) *question {
	q := &question{Asked: a}
	memo, _ := (*a.Chain).(*chainMemo)
	if memo == nil || !a.Related {
		memo = new(chainMemo)
		*a.Chain = memo
	}
	q.chain = memo
	share := p.s.trees[liveTree{a.Session, a.Tree}]
	q.about = unknown
	switch b := a.Body.(type) {
	case *smb2.CreateRequest:
		q.about = p.placed(share, createPath(a.Message, b))
	case *smb2.TreeConnectRequest:
		q.about = shareName(b.Path.String())
	case *smb2.LogoffRequest, *smb2.LeaseBreakAcknowledgment:
		q.about = ""
	case *smb2.TreeDisconnectRequest:
		q.about = share
	default:
		id, has := fileOf(a.Message)
		switch {
		case has && allOnes(id) && a.Related && memo.about != "":
			q.file, q.about = memo.file, memo.about
		case has && allOnes(id):
			q.about = share
		default:
			if f := p.s.files[id]; f != nil {
				q.file, q.about = f, f.about
			}
		}
	}
	memo.file, memo.about = q.file, q.about
	q.mean = meaningOf(a.Message, q.about, func(id smb2.FileID) string {
		if f := p.s.files[id]; f != nil {
			return f.about
		}
		return unknown
	})
	if q.file != nil && isPipe(q.about) {
		q.call = q.mean.data != 0
		switch b := a.Body.(type) {
		case *smb2.WriteRequest:
			q.file.called(b.Data)
		case *smb2.IoctlRequest:
			q.file.called(b.InputData)
		}
	}
	return q
}

// called keeps the number of a remote procedure call, which its answer repeats.
func (f *open) called(data []byte) {
	const callAt = 12
	if pdu := rpcOf(data); pdu != nil {
		f.call = wire.GetU32(pdu[callAt:])
	}
}

// placed names a file of now: where a client sees all captured shares as directories of
// one, that of its share.
func (p *player) placed(share, path string) string {
	about := subject(share, path)
	if _, known := p.s.r.nameOf[about]; !known {
		if first, rest, _ := strings.Cut(path, `\`); p.s.r.named[first] {
			return subject(first, rest)
		}
	}
	return about
}

// how a step was found.
type how uint8

const (
	inTurn how = iota
	again      // all that mean the same have been used
)

// find returns the step that a question is, -1 if there is none. s.mu is held.
func (p *player) find(q *question) (int32, how) {
	list := p.s.r.byKey[q.mean.key]
	if len(list) == 0 {
		return -1, inTurn
	}
	steps := p.s.r.steps
	low := p.low[q.mean.key]
	for low < len(list) && p.used[list[low]] {
		delete(p.used, list[low])
		low++
	}
	p.low[q.mean.key] = low
	on, here, first, any := int32(-1), int32(-1), int32(-1), int32(-1)
	const far = 4096 // requests looked at
	for _, i := range list[low:min(low+far, len(list))] {
		if p.used[i] {
			continue
		}
		s := &steps[i]
		if any < 0 {
			any = i
		}
		if q.call && s.data != q.mean.data { // another level of the same call, most likely
			continue
		}
		if first < 0 && !p.s.counts.asked[i] && p.s.r.conns[s.conn].offers == p.offers {
			first = i
		}
		if here < 0 && s.conn == p.conn {
			here = i
		}
		if q.file != nil && s.open == q.file.step && s.open >= 0 {
			on = i
			break
		}
	}
	best := on
	switch {
	case best >= 0:
	case first >= 0 && !p.sure: // clients come in the order of the capture, until one shows which it is
		best = first
	case here >= 0:
		best = here
	default:
		best = any
	}
	if best < 0 { // all are used: the last one of the same open, or the last
		best = list[len(list)-1]
		for k := len(list) - 1; k >= max(0, len(list)-far); k-- {
			if s := &steps[list[k]]; q.file != nil && s.open == q.file.step || q.file == nil && s.conn == p.conn {
				best = list[k]
				break
			}
		}
		return best, again
	}
	p.used[best] = true
	if s := &steps[best]; s.conn != p.conn && !p.sure && (q.Command == smb2.Create || q.Command == smb2.TreeConnect) {
		p.take(s.conn) // the client does what the one of another connection did
	}
	p.sure = p.sure || q.Command == smb2.Create
	return best, inTurn
}

// follow does what follows from a request: answers that waited for it come, and breaks.
// s.mu is held.
func (p *player) follow(i int32, st *step) {
	s := p.s
	for _, c := range s.waiting[i] {
		close(c)
	}
	delete(s.waiting, i)
	for _, n := range s.r.breaks[i] {
		for other := range s.players {
			if other.conn == n.conn {
				other.notify(n)
			}
		}
	}
}

// notify sends a break. s.mu is held.
func (p *player) notify(n notice) {
	b, err := p.s.r.message(n.place)
	if err != nil {
		return
	}
	body := b[headerSize:]
	session := p.session
	if n.open >= 0 {
		const fileAt = 8
		for _, f := range p.opens {
			if f.step == n.open && !f.closed && len(body) >= fileAt+16 {
				copy(body[fileAt:], f.id[:])
				p.caller.Break(session, body)
				return
			}
		}
		return
	}
	const keyAt = 8
	if len(body) < keyAt+16 {
		return
	}
	if now, ok := p.leases[wire.GUID(body[keyAt:keyAt+16])]; ok {
		copy(body[keyAt:], now[:])
		p.caller.Break(session, body)
	}
}

// timed has an answer wait if the captured one did. s.mu is held.
func (p *player) timed(reply *server.Reply, i int32, st *step) {
	const grace = time.Second
	switch {
	case st.answer < 0: // the client of then got none
		reply.Wait = make(chan struct{})
		reply.Make = func() (smb2.Status, []byte) { return ntstatus.Cancelled, nil }
	case st.waited && st.status == ntstatus.Cancelled:
		reply.Wait = make(chan struct{})
	case st.waited && st.after >= 0:
		c := make(chan struct{})
		list := p.s.waiting[st.after]
		if len(list) >= maxWaiting { // the oldest has been given up, or has its Patience
			list = list[1:]
		}
		p.s.waiting[st.after] = append(list, c)
		reply.Wait, reply.Patience = c, time.Duration(st.took)+grace
	}
}

// close marks an open as closed. Its id names the file still, as clients try; the oldest
// of those are forgotten. s.mu is held.
func (p *player) close(f *open) {
	if f.closed {
		return
	}
	f.closed = true
	if p.gone = append(p.gone, f.id); len(p.gone) > maxClosed {
		delete(p.s.files, p.gone[0])
		delete(p.opens, p.gone[0])
		p.gone = p.gone[1:]
	}
}

// maker makes the answer to a question out of that to step i.
func (p *player) maker(q *question, i int32) func() (smb2.Status, []byte) {
	return func() (smb2.Status, []byte) {
		st := &p.s.r.steps[i]
		b, err := p.s.r.message(st.answer)
		if err != nil {
			p.caller.Logf("the answer to frame %d: %v", st.frame, err)
			return ntstatus.Unsuccessful, nil
		}
		p.s.mu.Lock()
		defer p.s.mu.Unlock()
		return st.status, p.rewritten(q, i, b[headerSize:])
	}
}

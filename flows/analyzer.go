package flows

import (
	"cmp"
	"maps"
	"slices"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// Analyzer is everything that is known of the packets so far. Not for use by several
// goroutines at once.
type Analyzer struct {
	state
	frame uint32 // number of the packet at hand
	now   int64  // its time
	prev  int64  // time of the packet before
	first int64
	last  int64

	decoder inet.Decoder
	headers inet.Headers
	words   inet.Analysis
	smb     smb2.Decoder
	ctx     smb2.Context
	login   auth.Message

	byKey     map[connKey]*conn
	lastConn  *conn
	at        *conn // of the frame at hand; nil if it has none
	recent    recency
	fragments fragmentTable
	connCount uint32
	byID      map[uint32]*conn // those that carry SMB
	conns     []Connection     // the same, as the outside sees them
	unlisted  int              // those that are not, because there are too many
	forced    map[uint16]bool
	forcedMPA map[uint16]bool
	keys      *Keys  // nil if there are none
	scratch   []byte // what was decrypted last
	grown     []byte // what was decompressed last

	streamCount uint32 // TCP connections
	datagrams   datagramTable
	direct      directTable

	exchanges exchangeTable
	copies    copyTable
	pipes     pipeTable
	index     *index // nil without Options.Index
	limit     limit

	// What is asked of every packet beside its effect on all the above.
	gatherAll  bool           // keep file data too, for somebody who looks at bytes
	talks      bool           // follow what Wireshark tells of segments beside their words
	view       *frameView     // nil if nobody looks at frames
	light      bool           // nobody asks what messages mean; see chain
	batch      []delivered    // the messages of the session-service frame at hand
	onExchange func(i uint32) // called for every finished exchange; may be nil

	messages  int
	lostBytes uint64
	ended     bool     // nothing changes any more: Results may share what they show
	waiting   int      // bytes that streams hold
	relieved  int      // streams that had to give up what they waited for
	spare     [][]byte // buffers for messages
	spared    int      // bytes of them
	skipped   uint64   // bytes passed over to find the next message
	marks     Mark     // of the packet at hand
	over      bool     // there is no packet at hand: the capture has ended
	part      bool     // it holds bytes of a message that ends in a later one, and the end of none
	unitEnded bool     // it holds the end of an FPDU
}

// NewAnalyzer returns an Analyzer that has seen nothing.
func NewAnalyzer(o Options) *Analyzer {
	a := &Analyzer{state: newState(), byKey: make(map[connKey]*conn), byID: make(map[uint32]*conn), forced: make(map[uint16]bool), forcedMPA: make(map[uint16]bool)}
	for _, p := range o.Ports {
		a.forced[p] = true
	}
	for _, p := range o.MPAPorts {
		a.forcedMPA[p] = true
	}
	a.exchanges.init()
	a.copies.init()
	a.direct.pairs.Sample = sampleOf
	a.limit.max = o.MaxMemory
	a.aged.keep, a.copies.numbered = o.Forget, o.Forget > 0
	if !o.Keys.Empty() {
		a.keys = o.Keys
	}
	if o.Index {
		a.index = &index{file: new(spill)}
	}
	return a
}

// Packet takes the next packet of the capture.
func (a *Analyzer) Packet(p *captures.Packet) {
	if a.frame++; a.frame%checkEvery == 0 {
		if a.aged.keep > 0 {
			a.age()
		}
		if a.limit.max > 0 {
			a.shed()
		}
	}
	a.prev, a.now = a.now, p.Time
	if a.frame == 1 {
		a.first, a.prev = p.Time, p.Time // as tshark counts
	}
	a.last = max(a.last, p.Time)
	a.marks, a.at, a.unitEnded = 0, nil, false
	h := &a.headers
	var c wire.Cursor
	c.Reset(p.Data, p.WireLen, nil)
	a.decoder.Decode(&c, p.Link, h, nil)
	var whole []byte
	if h.Kind == inet.Fragment {
		var frames []uint32
		if whole, frames = a.fragments.add(h, a.frame, a.now); whole != nil {
			joined(whole, h)
			if a.index != nil {
				a.index.fragments(a.frame, frames)
			}
		}
	}
	if a.view != nil {
		a.view.whole = whole
	}
	if h.Kind != inet.TCP {
		if a.index != nil {
			a.index.frame(p, 0, nil, a.frame)
		}
		if a.view != nil {
			a.see(p, nil, 0, 0, nil)
			a.view.roce()
		}
		if isRoCE(h) {
			a.roce(h)
		}
		return
	}
	conn, dir := a.lookup(h)
	a.at = conn
	previous := conn.lastTime
	conn.last, conn.lastTime = a.frame, a.now
	a.recent.touch(conn)
	words := &a.words
	a.analyse(conn, dir, h, words)
	if a.talks {
		if conn.talk == nil {
			conn.talk = new(talk)
		}
		conn.talk.add(dir, h, a.frame, a.now, conn.roundTrip, words)
		conn.talk.reached.see(a.frame, dir, h, conn.first == a.frame)
	}
	if len(h.Payload) < h.PayloadLen {
		conn.cutFrames++
		a.marks |= MarkCut
	}
	if a.index != nil {
		a.index.frame(p, conn.id, words, a.frame)
		a.index.conns.at(int(conn.id)-1).reached.see(a.frame, dir, h, conn.first == a.frame)
	}
	if a.view != nil {
		a.see(p, conn, dir, previous, words)
	}
	if h.Flags&inet.ACK != 0 {
		a.acked(conn, 1-dir, h)
	}
	a.part = false
	a.segment(conn, dir, h)
	if a.index != nil {
		a.index.learn(conn)
		if a.part {
			a.index.frames.at(a.index.frames.n - 1).pos |= partBit
		}
	}
	if h.Flags&(inet.RST|inet.FIN) != 0 {
		conn.closed = true
		if conn.endTime == 0 {
			conn.endTime = a.now
		}
		a.ending(conn, dir, h.Flags)
	}
}

// joined decodes the payload of a datagram put together from fragments, and records it
// into tree; h is what the headers of one of them say.
func joined(whole []byte, h *inet.Headers) {
	c := wire.New(whole, nil)
	inet.DecodeIPPayload(&c, h, h.Proto, nil)
}

// see begins the view of the packet at hand. previous is the time of its connection's
// packet before.
func (a *Analyzer) see(p *captures.Packet, c *conn, dir int, previous int64, an *inet.Analysis) {
	v := a.view
	v.begin(p, a.frame, &a.headers)
	v.ctx.FirstTime, v.ctx.PrevTime = a.first, a.prev
	if a.talks && a.headers.Kind == inet.UDP {
		a.datagrams.tell(&a.headers, a.now, &v.ctx)
	}
	if c != nil {
		fwd, rev := &c.side[dir], &c.side[1-dir]
		v.conn = c.id
		v.ctx.HasStream, v.ctx.Stream, v.ctx.StreamFirstTime = true, c.stream, c.firstTime
		v.ctx.SeqKnown, v.ctx.AckKnown, v.ctx.SeqBase, v.ctx.AckBase = fwd.known, rev.known, fwd.base, rev.base
		v.ctx.WindowFactor = windowFactor(fwd.scale, rev.scale)
		v.ctx.StreamPrevTime = cmp.Or(previous, a.now)
		v.ctx.Analysis = *an
		if c.talk != nil {
			c.talk.reached.at(a.frame, dir, &v.ctx)
		}
	}
	v.layers(p)
}

// windowFactor returns by what a window counts: 0 unknown, -2 unscaled because one
// side does not scale. RFC 7323 2.2
func windowFactor(own, peer int8) int32 {
	switch {
	case own == unscaled || peer == unscaled:
		return -2
	case own < 0 || peer < 0:
		return 0
	}
	return 1 << own
}

// Flush ends the capture: what still waits for bytes or answers waits in vain.
func (a *Analyzer) Flush() {
	a.at = nil
	conns := maps.Clone(a.byID)
	for _, c := range a.byKey { // those that have not carried a message yet
		conns[c.id] = c
	}
	for _, id := range slices.Sorted(maps.Keys(conns)) {
		a.flushStream(conns[id], 0)
		a.flushStream(conns[id], 1)
	}
	a.over = true
	for _, e := range a.direct.pairs.Flush() {
		if c := a.direct.byPair[e.Pair.ID]; c != nil {
			a.happened(c, &e)
		}
	}
	for _, c := range a.directs() {
		c.direct.rest(a.frame, a.last)
	}
	a.exchanges.giveUp(len(a.exchanges.early.list))
	a.exchanges.settle(a)
	a.exchanges.unanswered(a)
	a.copies.finish(a)
}

// failed reports whether s says that the request did not do what it was asked.
func failed(s ntstatus.Status) bool { return s>>30 == 3 }

package flows

// The index: where every frame and every message lies, for random access.

import (
	"bytes"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

// chunkSize is how many entries are allocated at once. Chunks never move.
const chunkSize = 1 << 12

// chunks is a list that grows without copying what is in it.
type chunks[T any] struct {
	list []*[chunkSize]T
	n    int
	gone int // that drop has let go of

	spilled int // that are in a file; of those, gone are gone
}

// drop lets go of the oldest chunk. s is where it may have moved; nil if chunks stay in memory.
func (c *chunks[T]) drop(s *spill) {
	chunk := &c.list[c.gone/chunkSize]
	if c.gone < c.spilled {
		s.leave(chunkBytes(*chunk))
	}
	*chunk = nil
	c.gone += chunkSize
}

// size returns how many bytes of memory the list takes, given those of an element.
func (c *chunks[T]) size(element uint64) uint64 { return uint64(c.n-max(c.gone, c.spilled)) * element }

func (c *chunks[T]) add(v T) {
	if c.n == len(c.list)*chunkSize {
		c.list = append(c.list, new([chunkSize]T))
	}
	c.list[c.n/chunkSize][c.n%chunkSize] = v
	c.n++
}

func (c *chunks[T]) at(i int) *T { return &c.list[i/chunkSize][i%chunkSize] }

// indexedFrame is where a frame lies and what it belongs to.
type indexedFrame struct {
	pos   uint64 // position in the file in the lower 48 bits, inet.Word in the upper 16
	time  int64
	conn  uint32 // 0 if it is of no TCP connection
	first uint32 // index of the first message that ends in it or later
}

const (
	posBits = 48
	partBit = 1 << 63 // the frame holds a part of a message, and the end of none
)

// maxGather bounds the bytes of one message that are gathered for a look at it.
const maxGather = 1 << 20

// indexedMessage is a message, or a session-service frame without one.
type indexedMessage struct {
	off   uint64 // stream offset of its session-service frame
	first uint32 // the first of its frames
	last  uint32 // frame in which it ends
	size  uint32 // of the session-service frame
	x     uint32 // exchange; 0 if none
	chain uint16 // position in its chain; 0 begins a session-service frame
	dir   uint8  // stream
	facts uint8
}

const (
	isResponse uint8 = 1 << iota
	isInterim
	hasLoss
	isMade // decrypted or decompressed: all of it is gathered for a look
)

// indexedConn is what a second look at a frame needs of its connection.
type indexedConn struct {
	base      [2]uint32 // that relative sequence numbers count from
	start     [2]uint32 // sequence number of stream offset 0
	known     [2]bool
	scale     [2]int8
	firstTime int64
	roundTrip int64 // ns; 0 if the handshake was not captured
	reached   reached
	stream    uint32
	mpa       uint32 // frame from which on it carries iWARP; 0 if it does not
	plain     uint32 // how many messages of all connections came before that
}

// framed reports whether frame n of the connection carries iWARP: units, and the messages
// in them, which are those from position plain on.
func (x *indexedConn) framed(n uint32) bool { return x.mpa > 0 && n >= x.mpa }

type index struct {
	frames   chunks[indexedFrame]
	messages chunks[indexedMessage]
	conns    chunks[indexedConn]  // by conn.id, from 1
	sends    chunks[indexedSend]  // messages of SMB Direct, by the frame they end in
	runs     chunks[indexedRun]   // units of MPA, by the frame they end in
	brought  chunks[uint32]       // lists of frames, for sends
	dups     map[uint32][2]uint32 // of duplicate ACKs: the frame they repeat, and their number
	pieces   map[uint32][]uint32  // of frames that complete a datagram: those of all its fragments
	file     *spill
}

func (ix *index) frame(p *captures.Packet, conn uint32, an *inet.Analysis, number uint32) {
	f := indexedFrame{pos: uint64(p.Pos) & (1<<posBits - 1), time: p.Time, conn: conn, first: uint32(ix.messages.n)}
	if an != nil {
		f.pos |= uint64(an.Words) << posBits
		if an.Words&inet.DuplicateAck != 0 {
			if ix.dups == nil {
				ix.dups = make(map[uint32][2]uint32)
			}
			ix.dups[number] = [2]uint32{an.DupAckFrame, an.DupAckNumber}
		}
	}
	ix.frames.add(f)
}

// fragments keeps which frames brought the datagram that a frame completes.
func (ix *index) fragments(frame uint32, frames []uint32) {
	if ix.pieces == nil {
		ix.pieces = make(map[uint32][]uint32)
	}
	ix.pieces[frame] = frames
}

// datagram puts the datagram together that frame n completes; nil if it completes none.
func (ix *index) datagram(r captures.Source, n uint32) []byte {
	var p captures.Packet
	var d inet.Decoder
	var h inet.Headers
	var t fragmentTable
	for _, i := range ix.pieces[n] {
		if int(i) <= ix.frames.gone || r.At(int64(ix.frames.at(int(i)-1).pos&(1<<posBits-1)), &p) != nil {
			return nil
		}
		c := wire.NewCut(p.Data, p.WireLen, nil)
		d.Decode(&c, p.Link, &h, nil)
		if whole, _ := t.add(&h, i, p.Time); whole != nil {
			return whole
		}
	}
	return nil
}

// learn keeps what is known of a connection's numbers by now.
func (ix *index) learn(c *conn) {
	x := ix.conns.at(int(c.id) - 1)
	x.roundTrip = c.roundTrip
	for dir := range x.base {
		x.base[dir], x.known[dir], x.scale[dir] = c.side[dir].base, c.side[dir].known, c.side[dir].scale
		x.start[dir] = c.streams[dir].base
	}
}

// unit adds the messages of a session-service frame.
func (ix *index) unit(frame uint32, dir int, u *unit, batch []delivered) {
	m := indexedMessage{off: u.off, first: u.first, last: frame, size: uint32(u.size), dir: uint8(dir)}
	if u.lost {
		m.facts |= hasLoss
	}
	if u.plain != nil || u.grown != nil || u.shut != nil {
		m.facts |= isMade
	}
	if len(batch) == 0 {
		ix.messages.add(m)
		return
	}
	facts := m.facts
	for i, d := range batch {
		m.x, m.chain, m.facts = d.x, uint16(i), facts
		if d.response {
			m.facts |= isResponse
		}
		if d.interim {
			m.facts |= isInterim
		}
		ix.messages.add(m)
	}
}

// describe fills what is known of the frame's place in its connection.
func (ix *index) describe(f *indexedFrame, number uint32, ctx *inet.Context, dir int) {
	c := ix.conns.at(int(f.conn) - 1)
	ctx.HasStream, ctx.Stream, ctx.StreamFirstTime = true, c.stream, c.firstTime
	ctx.SeqKnown, ctx.AckKnown = c.known[dir], c.known[1-dir]
	ctx.SeqBase, ctx.AckBase = c.base[dir], c.base[1-dir]
	ctx.WindowFactor = windowFactor(c.scale[dir], c.scale[1-dir])
	ctx.Analysis.Words = inet.Word(f.pos &^ partBit >> posBits)
	if d, ok := ix.dups[number]; ok {
		ctx.Analysis.DupAckFrame, ctx.Analysis.DupAckNumber = d[0], d[1]
	}
}

// marks returns what the index knows of a frame without a look at it.
func (ix *index) marks(f *indexedFrame) (m Mark) {
	w := inet.Word(f.pos &^ partBit >> posBits)
	if w&(inet.Retransmission|inet.FastRetransmission|inet.SpuriousRetransmission) != 0 {
		m |= MarkRetransmit
	}
	if w&inet.PreviousNotCaptured != 0 {
		m |= MarkLost
	}
	return m
}

// marksOf returns what messages say of the frame that they end in.
func (a *Analyzer) marksOf(batch []delivered) (m Mark) {
	for _, d := range batch {
		m |= MarkSMB
		if d.x == 0 {
			continue
		}
		e := a.exchanges.at(d.x)
		switch e.function {
		case fscc.OffloadRead, fscc.OffloadWrite:
			m |= MarkOffload
		case fscc.CopyChunk, fscc.CopyChunkWrite, fscc.DuplicateExtents, fscc.DuplicateExtentsEx:
			m |= MarkCopy
		}
		if d.response && !d.interim && failed(e.status) && e.status != ntstatus.MoreProcessingRequired {
			m |= MarkError
		}
	}
	return m
}

// regather fills u with the bytes of a session-service frame that several frames
// carry, from the first sequence number on: those of its connection from m.first to
// m.last are read again. No more than limit bytes are gathered, unless all are needed.
func (ix *index) regather(r captures.Source, u *unit, conn uint32, start uint32, m *indexedMessage, limit int) error {
	var p captures.Packet
	var d inet.Decoder
	var h inet.Headers
	want := min(u.size, limit)
	if m.facts&isMade != 0 {
		want = u.size
	}
	have := 0 // bytes in order
	u.b = make([]byte, 0, min(want, 64<<10))
	var held []segment
	for n := max(m.first, uint32(ix.frames.gone+1)); n <= m.last && have < want; n++ {
		f := ix.frames.at(int(n) - 1)
		if f.conn != conn {
			continue
		}
		if err := r.At(int64(f.pos&(1<<posBits-1)), &p); err != nil {
			return err
		}
		c := wire.NewCut(p.Data, p.WireLen, nil)
		d.Decode(&c, p.Link, &h, nil)
		if whole := ix.datagram(r, n); whole != nil {
			joined(whole, &h)
		}
		if _, dir := keyOf(&h); dir != int(m.dir) || h.PayloadLen == 0 {
			continue
		}
		data := h.Payload[:min(len(h.Payload), h.PayloadLen)]
		held = append(held, segment{seq: h.Seq, data: bytes.Clone(data), cut: h.PayloadLen - len(data)})
		for i := 0; i < len(held) && have < want; i++ {
			g := &held[i]
			at := int(int32(g.seq - start)) // of the segment, in the unit
			if at > have || at+len(g.data)+g.cut <= have {
				continue
			}
			if k := have - at; k < len(g.data) && have == len(u.b) {
				u.b = append(u.b, g.data[k:min(len(g.data), k+want-have)]...)
			}
			have = min(at+len(g.data)+g.cut, want)
			i = -1 // what waited may fit now
		}
	}
	// As the pass sees it: of what carries file data the beginning is enough, wherever the rest was cut.
	begun := len(u.b) == have || u.size > bulkLen && len(u.b) >= headLen && carriesData(u.b[pduHeaderLen:])
	u.head = begun && len(u.b) < u.size && !u.lost
	return nil
}

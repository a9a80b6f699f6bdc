package flows

// One direction of a TCP connection: segments in, session-service frames out. Bytes
// are never joined across a hole.

import (
	"bytes"
	"slices"

	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/rdma/iwarp"
)

const (
	maxHeld      = 4 << 20           // bytes that wait behind a hole, a stream
	maxSegments  = 2048              // segments that do
	maxWaiting   = 32 << 20          // bytes that wait in all streams, for others or for the rest of a message
	segmentCost  = 64                // bytes that a segment takes beside its data
	keptBuffers  = 12 << 20          // bytes of buffers that are kept for the next messages: of the largest there are, and some
	headLen      = 512               // bytes gathered of a message that carries file data
	bulkLen      = 8 << 10           // from here on a READ response or WRITE request does
	patience     = 8                 // frames that a hole may still be filled after its receiver acknowledged it
	farAway      = 64 << 20          // bytes; a segment that far off belongs to another connection
	pduHeaderLen = 4                 // bytes of the session-service header
	enough       = pduHeaderLen + 64 // bytes that tell whether a message carries file data
)

// stream is the bytes one side sends.
type stream struct {
	seen bool   // base and next are valid
	base uint32 // sequence number of stream offset 0
	next uint32 // sequence number that comes next in order
	off  uint64 // stream offset of next

	// The frame being gathered.
	synced bool   // off, less have, is where a frame begins
	have   int    // bytes of it that have passed, gathered or not
	size   int    // of it, header included; 0 until the header is whole
	limit  int    // how many of its bytes are gathered
	buf    []byte // what was gathered
	hole   bool   // bytes below limit are missing: buf ends before them
	told   bool   // it was handed on already
	first  uint32 // the first of its frames
	lost   uint64 // bytes of it that no frame brought, beyond limit

	key iwarp.Key // of iWARP's start-up frame, as far as it has come

	recent *[8]recentRequest // the latest requests of copies; nil if there was none
	latest int               // where the next of them goes

	held      []segment // in order of their sequence numbers
	heldBytes int
	counted   int    // bytes of buf and held that are in Analyzer.waiting
	ackedAt   uint32 // frame in which the receiver acknowledged what a hole lacks; 0 if it has not
}

// recentRequest is where a copy's request lay in its stream.
type recentRequest struct {
	from, to uint64
	x        uint32 // exchange
	frame    uint32
}

// remember keeps where a copy's request lay.
func (s *stream) remember(u *unit, x, frame uint32) {
	if s.recent == nil {
		s.recent = new([8]recentRequest)
	}
	s.recent[s.latest] = recentRequest{u.off, u.off + uint64(u.size), x, frame}
	s.latest = (s.latest + 1) % len(s.recent)
}

// repeated notes that the bytes from one stream offset to another came again.
func (a *Analyzer) repeated(s *stream, from, to uint64) {
	if s.recent == nil {
		return
	}
	for _, r := range s.recent {
		if r.x != 0 && from < r.to && to > r.from {
			a.copies.repeated(r.x, r.frame, a.frame)
		}
	}
}

// segment waits behind a hole.
type segment struct {
	seq   uint32
	data  []byte // a copy
	cut   int    // bytes after data that the capture did not keep
	frame uint32
	now   int64
}

// end returns the sequence number after s.
func (s *segment) end() uint32 { return s.seq + uint32(len(s.data)+s.cut) }

// before reports whether sequence number x comes before y.
func before(x, y uint32) bool { return int32(x-y) < 0 }

// segment takes the payload of a frame.
func (a *Analyzer) segment(c *conn, dir int, h *inet.Headers) {
	s := &c.streams[dir]
	seq, n := h.Seq, h.PayloadLen
	if h.Flags&inet.SYN != 0 {
		seq++
		if !s.seen {
			s.begin(seq)
			s.synced = true
			c.syn = true
		}
	}
	if h.Flags&inet.RST != 0 || n == 0 {
		return
	}
	data := h.Payload
	if len(data) > n {
		data = data[:n]
	}
	cut := n - len(data)
	if !s.seen {
		s.begin(seq)
	}
	d := int(int32(seq - s.next))
	if d > farAway || d < -farAway {
		a.flushStream(c, dir)
		s.next, s.base, d = seq, seq-uint32(s.off), 0
	}
	switch {
	case d == 0:
	case d < 0:
		if n > 1 {
			a.repeated(s, s.off-uint64(-d), s.off-uint64(-d)+uint64(n))
		}
		if d+n <= 0 { // seen before
			a.part = c.pending(dir) > -d-n
			return
		}
		skip := -d
		if skip >= len(data) {
			data, cut = nil, cut-(skip-len(data))
		} else {
			data = data[skip:]
		}
	default:
		a.part = true
		s.hold(segment{seq: seq, data: bytes.Clone(data), cut: cut, frame: a.frame, now: a.now})
		if s.heldBytes > maxHeld || len(s.held) > maxSegments {
			a.skipHole(c, dir)
		}
		a.account(c, dir)
		return
	}
	a.lend(s)
	a.deliver(c, dir, data, cut, a.frame)
	a.part = a.marks&MarkSMB == 0 && !a.unitEnded && c.pending(dir) > 0
	a.release(c, dir)
	a.takeBack(s)
	a.account(c, dir)
}

// begin says where the stream begins, as far as the capture shows it.
func (s *stream) begin(seq uint32) { s.seen, s.base, s.next = true, seq, seq }

// hold keeps a segment that came too early, in its place.
func (s *stream) hold(g segment) {
	i := len(s.held)
	for i > 0 && before(g.seq, s.held[i-1].seq) {
		i--
	}
	// The same bytes again change nothing.
	if i > 0 && !before(s.held[i-1].end(), g.end()) {
		return
	}
	s.held = slices.Insert(s.held, i, g)
	s.heldBytes += len(g.data)
}

// release delivers what waited and is in order now.
func (a *Analyzer) release(c *conn, dir int) {
	s := &c.streams[dir]
	for len(s.held) > 0 && !before(s.next, s.held[0].seq) {
		g := s.held[0]
		s.held = s.held[1:]
		s.heldBytes -= len(g.data)
		if !before(s.next, g.end()) {
			continue
		}
		skip := int(s.next - g.seq)
		if skip >= len(g.data) {
			g.data, g.cut = nil, g.cut-(skip-len(g.data))
		} else {
			g.data = g.data[skip:]
		}
		a.deliver(c, dir, g.data, g.cut, g.frame)
	}
	if len(s.held) == 0 {
		s.held, s.ackedAt = nil, 0
	}
}

// account brings a.waiting up to date with what a stream holds, and makes room if all
// streams together hold too much: those give up what they wait for that were silent
// for longest.
func (a *Analyzer) account(c *conn, dir int) {
	s := &c.streams[dir]
	n := cap(s.buf) + s.heldBytes + len(s.held)*segmentCost + c.mpa.held(dir)
	a.waiting += n - s.counted
	s.counted = n
	if a.waiting <= maxWaiting {
		return
	}
	for old := a.recent.oldest; old != nil && a.waiting > maxWaiting/2; old = old.newer {
		for dir := range old.streams {
			s := &old.streams[dir]
			if s.counted == 0 {
				continue
			}
			a.relieved++
			a.flushStream(old, dir)
			s.buf = nil
			a.waiting -= s.counted
			s.counted = 0
		}
	}
}

// acked notes that the receiver of a stream has bytes that the capture may lack: h is what
// it sent.
func (a *Analyzer) acked(c *conn, dir int, h *inet.Headers) {
	s := &c.streams[dir]
	if len(s.held) == 0 {
		return
	}
	if s.ackedAt == 0 && !before(h.Ack, s.held[0].seq) {
		s.ackedAt = a.frame
	}
	if s.ackedAt != 0 && a.frame-s.ackedAt >= patience {
		a.skipHole(c, dir)
	}
	for len(s.held) > 0 && !before(h.Ack, s.held[0].seq) && s.answers(h.Payload) {
		a.skipHole(c, dir)
	}
}

// answers reports whether a segment begins with the answer to a request that waits behind a
// hole: what fills the hole will not come any more, and the answer finds its request.
func (s *stream) answers(payload []byte) bool {
	const flags, id, end = 16, 24, 32
	if len(payload) < enough || string(payload[pduHeaderLen:pduHeaderLen+4]) != smbID || payload[pduHeaderLen+flags]&1 == 0 {
		return false
	}
	want := payload[pduHeaderLen+id : pduHeaderLen+end]
	for _, g := range s.held {
		for b := g.data; ; b = b[1:] {
			i := bytes.Index(b, []byte(smbID))
			if i < 0 || len(b)-i < end {
				break
			}
			if b = b[i:]; b[flags]&1 == 0 && bytes.Equal(b[id:end], want) {
				return true
			}
		}
	}
	return false
}

// smbID is what messages of SMB2 begin with. [MS-SMB2] 2.2.1
const smbID = "\xfeSMB"

// skipHole gives up the bytes before the first held segment.
func (a *Analyzer) skipHole(c *conn, dir int) {
	s := &c.streams[dir]
	if len(s.held) == 0 {
		return
	}
	n := uint64(s.held[0].seq - s.next)
	c.lost += n
	a.lostBytes += n
	s.ackedAt = 0
	switch {
	case c.mpa != nil:
		c.mpa.framers[dir].Skip(n)
	case !s.synced:
	case s.size > 0 && uint64(s.size-s.have) > n:
		// The frame's end is known and lies past the hole: it is still in step.
		if s.have < s.limit {
			s.hole = true
		}
		s.lost += n
		s.have += int(n)
	default:
		a.dropPDU(c, dir)
		s.synced = false
	}
	s.next += uint32(n)
	s.off += n
	// What comes after it was complete when it came.
	now := a.now
	if len(s.held) > 0 {
		a.now = s.held[0].now
	}
	a.release(c, dir)
	a.now = now
}

// flushStream gives up every hole, at the end of a connection.
func (a *Analyzer) flushStream(c *conn, dir int) {
	for len(c.streams[dir].held) > 0 {
		a.skipHole(c, dir)
	}
	if c.mpa != nil {
		a.noMoreFPDUs(c, dir)
		return
	}
	a.dropPDU(c, dir)
	c.streams[dir].synced = false
}

// dropPDU ends the frame being gathered before its end: what there is of it is
// decoded as far as it goes.
func (a *Analyzer) dropPDU(c *conn, dir int) {
	s := &c.streams[dir]
	if s.size > 0 && !s.told {
		s.hole, s.lost = true, s.lost+1
		a.tell(c, dir, s.off-uint64(s.have))
	}
	s.reset()
}

func (s *stream) reset() {
	s.have, s.size, s.limit, s.buf, s.hole, s.told, s.lost = 0, 0, 0, s.buf[:0], false, false, 0
}

// lend gives a stream a buffer, and takeBack takes it when no message is in it: idle
// connections have none.
func (a *Analyzer) lend(s *stream) {
	if n := len(a.spare); cap(s.buf) == 0 && n > 0 {
		s.buf, a.spare = a.spare[n-1], a.spare[:n-1]
		a.spared -= cap(s.buf)
	}
}

func (a *Analyzer) takeBack(s *stream) {
	if cap(s.buf) == 0 || s.have > 0 {
		return
	}
	if len(a.spare) < 8 && a.spared+cap(s.buf) <= keptBuffers {
		a.spare = append(a.spare, s.buf[:0])
		a.spared += cap(s.buf)
	}
	s.buf = nil
}

// deliver takes bytes that are in order, of which the capture does not hold the
// last cut ones.
func (a *Analyzer) deliver(c *conn, dir int, data []byte, cut int, frame uint32) {
	s := &c.streams[dir]
	n := len(data) + cut
	s.next += uint32(n)
	start := s.off // of data
	s.off += uint64(n)
	if c.speaks == foreign || c.mpa == nil && a.startsMPA(c, dir, data, cut, start, frame) {
		return
	}
	if c.speaks == framed {
		a.fpdus(c, dir, data, cut, start, frame)
		return
	}
	if c.speaks == undecided && !a.recognise(c, s, data) {
		return
	}
	for n > 0 {
		if !s.synced {
			i := findFrame(data)
			if i < 0 {
				c.lost += uint64(n)
				return
			}
			a.skipped += uint64(i)
			data, n, start = data[i:], n-i, start+uint64(i)
			s.synced = true
			s.reset()
		}
		if s.have == 0 {
			s.first = frame
			// A frame that lies whole in this segment is not copied.
			if size := frameSize(data); size > 0 && size <= len(data) {
				var u unit
				u.b, u.size, u.first, u.off = data[:size], size, frame, start
				a.pdu(c, dir, &u)
				data, n, start = data[size:], n-size, start+uint64(size)
				continue
			}
		}
		s.first = min(s.first, frame) // what overtook its beginning was captured before it
		if s.size == 0 {
			k := min(pduHeaderLen-s.have, len(data))
			s.buf = append(s.buf, data[:k]...)
			s.have += k
			data, n, start = data[k:], n-k, start+uint64(k)
			if s.have == pduHeaderLen {
				s.size = frameSize(s.buf)
				s.limit = s.size
			}
			if s.have < pduHeaderLen && n == 0 {
				return // the rest of the header comes with the next segment
			}
			if s.size == 0 { // no header, or one that the capture cut off
				s.synced = false
				s.reset()
			}
			continue
		}
		k := min(s.size-s.have, n)
		if s.size > bulkLen && s.have < enough {
			k = min(k, enough-s.have)
		}
		got := min(k, len(data))
		if s.have < s.limit && !s.hole {
			s.buf = append(s.buf, data[:min(s.limit-s.have, got)]...)
			s.hole = got < k
		}
		s.have += k
		data, n, start = data[got:], n-k, start+uint64(k)
		if s.size > bulkLen && s.have == enough && len(s.buf) == enough && !a.gatherAll && carriesData(s.buf[pduHeaderLen:]) && !a.wanted(c, s.buf[pduHeaderLen:]) {
			s.limit = headLen
		}
		if got < k && !s.told {
			// What the capture cut will not come: the message is as whole as it gets.
			a.tell(c, dir, start-uint64(s.have))
		}
		if s.have == s.size {
			if !s.told {
				a.tell(c, dir, start-uint64(s.size))
			}
			s.reset()
		}
	}
}

// tell hands on the frame being gathered, which begins at a stream offset.
func (a *Analyzer) tell(c *conn, dir int, off uint64) {
	s := &c.streams[dir]
	s.told = true
	if len(s.buf) > pduHeaderLen {
		head := !s.hole && s.limit < s.size
		u := unit{b: s.buf, size: s.size, first: s.first, off: off, head: head, lost: s.lost > 0}
		a.pdu(c, dir, &u)
	}
}

// frameSize returns the size of the session-service frame that b begins with, its
// header included, or 0 if b is too short for the header or begins with something
// else. [RFC1002] 4.3.1, [MS-SMB2] 2.1
func frameSize(b []byte) int {
	if len(b) < pduHeaderLen {
		return 0
	}
	n := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	switch b[0] {
	case 0x00:
		if n < 4 || len(b) >= pduHeaderLen+4 && !isSMB(b[pduHeaderLen:]) {
			return 0
		}
	case 0x81, 0x82, 0x83, 0x84, 0x85:
		if n > 1<<17 {
			return 0
		}
	default:
		return 0
	}
	return pduHeaderLen + n
}

// isSMB reports whether b, of at least 4 bytes, begins with one of the four ids
// that SMB messages have.
func isSMB(b []byte) bool {
	return b[0] >= 0xfc && b[1] == 'S' && b[2] == 'M' && b[3] == 'B'
}

// findFrame returns where the first frame begins in b, or -1. Only a session
// message is taken: the other types are too short to be told from chance.
func findFrame(b []byte) int {
	if len(b) >= pduHeaderLen+4 && frameSize(b) > 0 && (b[0] == 0 || len(b) == frameSize(b)) {
		return 0
	}
	for i := 0; ; {
		j := bytes.Index(b[i:], []byte("SMB"))
		if j < 0 {
			return -1
		}
		if at := i + j - 5; at >= 0 && b[at] == 0 && frameSize(b[at:]) > 0 {
			return at
		}
		i += j + 3
	}
}

// recognise decides whether a connection on an unknown port speaks SMB: a frame
// does whose message begins with the id and the length of the SMB2 header. Those are
// eight bytes that must agree, so one frame is proof enough; of a transform header,
// which has no length, it takes two in a row.
func (a *Analyzer) recognise(c *conn, s *stream, data []byte) bool {
	size := frameSize(data)
	switch {
	case size == 0 || len(data) < pduHeaderLen+6:
	case data[pduHeaderLen] == 0xfe && data[pduHeaderLen+4] == 64 && data[pduHeaderLen+5] == 0:
		c.evidence = 2
	case data[pduHeaderLen] == 0xfd:
		c.evidence++
	}
	if c.evidence >= 2 {
		c.speaks = session
	} else if s.off > 1<<16 {
		c.speaks = foreign
	}
	return c.speaks == session
}

// carriesData reports whether m, at least an SMB2 header, is a message whose end is
// file data alone: a READ response, a WRITE request, or anything encrypted.
func carriesData(m []byte) bool {
	if m[0] != 0xfe {
		return m[0] == 0xfd
	}
	if m[20]|m[21]|m[22]|m[23] != 0 { // NextCommand
		return false
	}
	response := m[16]&1 != 0
	return m[12] == 8 && m[13] == 0 && response || m[12] == 9 && m[13] == 0 && !response
}

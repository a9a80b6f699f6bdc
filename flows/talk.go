package flows

// What Wireshark tells of a segment by what its conversation has sent before: which
// segment it acknowledges and after how long, how many bytes are under way. It
// describes frames and decides nothing, so it is followed only where somebody looks.

import (
	"time"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
)

// Bounds: of the segments of a side that wait for their acknowledgement, beyond which
// later ones are not kept (Wireshark's bound), and of the frames before it that a second
// look at a frame reads again.
const (
	maxUnacked = 10_000
	maxReview  = 512
)

// talk is what both sides of a connection have sent, by the stream's index.
type talk struct {
	side    [2]talker
	reached reached
}

type talker struct {
	unacked   []sent
	next      uint32 // highest sequence number plus length
	nextFrame uint32 // that brought it; 0 if there is none
	nextTime  int64
	unsure    bool   // segments are missing: what is under way is not known
	selected  uint32 // bytes that the other side has acknowledged selectively, in its last segment
	pushed    uint32
	pushLast  bool // its last segment with data was one with PSH
}

// sent is a segment that waits for its acknowledgement.
type sent struct {
	seq, next uint32
	frame     uint32
	time      int64
}

// add takes a segment, of which an holds the words, and adds to an what the segments
// before it tell. roundTrip is that of the handshake, in ns, or 0.
func (t *talk) add(dir int, h *inet.Headers, frame uint32, now, roundTrip int64, an *inet.Analysis) {
	fwd, rev := &t.side[dir], &t.side[1-dir]
	n, begins := uint32(h.PayloadLen), h.Flags&(inet.SYN|inet.FIN) != 0
	if an.Words&inet.PreviousNotCaptured != 0 {
		fwd.unsure = true
	}
	if an.Words&inet.Retransmission != 0 && fwd.nextFrame != 0 {
		first := sent{frame: fwd.nextFrame, time: fwd.nextTime}
		if len(fwd.unacked) > 0 {
			first = fwd.unacked[0]
		}
		an.RTO, an.RTOFrame = time.Duration(now-first.time), first.frame
	}
	next := h.Seq + n
	if begins {
		next++
	}
	if (n > 0 || begins) && len(fwd.unacked) < maxUnacked {
		fwd.unacked = append(fwd.unacked, sent{seq: h.Seq, next: next, frame: frame, time: now})
	}
	if (fwd.nextFrame == 0 || before(fwd.next, next)) && an.Words&inet.ZeroWindowProbe == 0 {
		fwd.next, fwd.nextFrame, fwd.nextTime = next, frame, now
	}
	if h.Flags&inet.ACK != 0 {
		rev.acknowledged(h.Ack, now, an)
	}
	rev.selected = 0
	for _, edges := range h.SACK[:h.NSACK] {
		rev.selected += edges[1] - edges[0]
	}
	counted := n > 0 && !fwd.unsure && len(fwd.unacked) > 0
	if counted {
		an.BytesInFlight = fwd.underWay()
		if fwd.push(n, h.Flags&inet.PSH != 0); an.BytesInFlight > 0 {
			an.PushBytes = fwd.pushed
		}
	}
	if counted || *an != (inet.Analysis{}) {
		an.InitialRTT = time.Duration(roundTrip)
	}
}

// acknowledged lets go of the segments before ack.
func (s *talker) acknowledged(ack uint32, now int64, an *inet.Analysis) {
	s.unsure = false
	kept := s.unacked[:0]
	for i := len(s.unacked) - 1; i >= 0; i-- { // as Wireshark has it: the newest first, the oldest counts
		if g := &s.unacked[i]; g.next == ack {
			an.AcksFrame, an.RTT = g.frame, time.Duration(now-g.time)
		}
	}
	for _, g := range s.unacked {
		switch {
		case !before(ack, g.next):
			continue
		case before(g.seq, ack):
			g.seq = ack
		}
		kept = append(kept, g)
	}
	s.unacked = kept
}

// underWay counts the bytes from the first that is not acknowledged to the last, but for
// those acknowledged selectively.
func (s *talker) underWay() uint32 {
	first, last := s.unacked[0].seq, s.unacked[0].next
	for _, g := range s.unacked[1:] {
		if before(g.seq, first) {
			first = g.seq
		}
		if before(last, g.next) {
			last = g.next
		}
	}
	if n := last - first - s.selected; n < 2_000_000_000 {
		return n
	}
	return 0
}

// push counts bytes since the last segment with PSH.
func (s *talker) push(n uint32, psh bool) {
	if s.pushLast {
		s.pushed = 0
	}
	s.pushed += n
	s.pushLast = psh
}

// reached says after which frames a conversation was as complete as each bit of
// tcp.completeness says, 0 if it never was; and who sent the first FIN.
type reached struct {
	frames [6]uint32
	closer uint8 // the stream plus 1; 0 nobody
}

// see takes a segment. begins: it is the first of its conversation.
func (r *reached) see(frame uint32, dir int, h *inet.Headers, begins bool) {
	if h.Flags&inet.FIN != 0 && r.closer == 0 {
		r.closer = uint8(dir) + 1
	}
	bit := -1
	switch f := h.Flags; {
	case f&inet.RST != 0:
		bit = 5
	case f&inet.FIN != 0:
		bit = 4
	case f&(inet.SYN|inet.ACK) == inet.SYN:
		bit = 0
	case f&inet.SYN != 0:
		bit = 1
	case begins:
	case h.PayloadLen > 0:
		bit = 3
	case f&inet.ACK != 0:
		bit = 2
	}
	if bit >= 0 && r.frames[bit] == 0 {
		r.frames[bit] = frame
	}
}

// at says of a frame of stream dir how complete the conversation was before it, and
// what it is to the end if it is a FIN.
func (r *reached) at(frame uint32, dir int, ctx *inet.Context) {
	ctx.Completeness = 0
	for i, f := range r.frames {
		if f != 0 && f < frame {
			ctx.Completeness |= 1 << i
		}
	}
	switch r.closer {
	case 0:
	case uint8(dir) + 1:
		ctx.Closing = inet.First
	default:
		ctx.Closing = inet.Second
	}
}

// review fills ctx with what the conversation of its frame tells of it, as a pass found
// it: the frames before it are read again, as far as maxReview goes. h is the frame's
// headers.
func (ix *index) review(r captures.Source, ctx *inet.Context, h *inet.Headers) error {
	n := int(ctx.Frame)
	conn := ix.frames.at(n - 1).conn
	c := ix.conns.at(int(conn) - 1)
	roundTrip := c.roundTrip
	if ack := c.reached.frames[2]; ack == 0 || ack > ctx.Frame {
		roundTrip = 0
	}
	var t talk
	var p captures.Packet
	var d inet.Decoder
	var past inet.Headers
	ctx.StreamPrevTime = ctx.Time
	for i := max(n-maxReview, ix.frames.gone+1); i < n; i++ {
		f := ix.frames.at(i - 1)
		if f.conn != conn {
			continue
		}
		ctx.StreamPrevTime = f.time
		if err := r.At(int64(f.pos&(1<<posBits-1)), &p); err != nil {
			return err
		}
		cur := wire.NewCut(p.Data, p.WireLen, nil)
		d.Decode(&cur, p.Link, &past, nil)
		if past.Kind != inet.TCP { // a part of a datagram
			continue
		}
		_, dir := keyOf(&past)
		t.add(dir, &past, uint32(i), f.time, roundTrip, &inet.Analysis{Words: inet.Word(f.pos &^ partBit >> posBits)})
	}
	_, dir := keyOf(h)
	c.reached.at(ctx.Frame, dir, ctx)
	t.add(dir, h, ctx.Frame, ctx.Time, roundTrip, &ctx.Analysis)
	return nil
}

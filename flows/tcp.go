package flows

// The words that Wireshark puts before a TCP frame's Info: which segments were seen
// before, which are missing, which acknowledge what. They describe frames; the
// streams have their own, stricter bookkeeping.

import "github.com/odxray/odxray/dissect/inet"

const (
	fastRetransmit = 20_000_000 // ns after a duplicate ACK within which a retransmission is a fast one
	outOfOrder     = 3_000_000  // ns within which a late segment is out of order, if no round trip was measured
)

// endpoint is what one side has sent, as far as that decides the words.
type endpoint struct {
	known    bool   // base, and all that follows from a first segment
	base     uint32 // what relative numbers count from
	sent     bool   // next is valid
	next     uint32 // highest sequence number plus length
	nextTime int64
	contig   uint32 // highest sequence number without a hole before it
	ack      uint32 // last acknowledged; valid iff acks
	acks     bool
	ackTime  int64
	window   uint16
	scale    int8 // of the window; -1 unknown, or unscaled
	scaled   bool // the window of its last segment counts scaled: it was no SYN
	words    inet.Word
	dupACKs  uint32
	nonDup   uint32 // frame that the duplicates repeat
}

// unscaled is the scale of a side that does not scale windows: then neither does.
// RFC 7323 2.2
const unscaled = -2

// analyse judges a frame, sets v to what there is to say of it, and keeps what the next one
// is judged by.
func (a *Analyzer) analyse(c *conn, dir int, h *inet.Headers, v *inet.Analysis) {
	fwd, rev := &c.side[dir], &c.side[1-dir]
	seq, ack, n, flags := h.Seq, h.Ack, uint32(h.PayloadLen), h.Flags
	control := flags&(inet.SYN|inet.FIN|inet.RST) != 0
	if !fwd.known {
		fwd.known, fwd.base = true, seq-1
		if flags&inet.SYN != 0 {
			fwd.base = seq
		}
	}
	if !rev.known && flags&inet.ACK != 0 {
		rev.known, rev.base = true, ack-1
	}
	if flags&inet.SYN != 0 {
		fwd.scale = h.WindowShift
		if h.WindowShift < 0 {
			fwd.scale = unscaled
		}
		if flags&inet.ACK == 0 {
			c.synTime = a.now
		} else if c.synTime != 0 && c.synAck == 0 {
			c.synAck = a.now - c.synTime
		}
	} else if c.synTime != 0 && c.roundTrip == 0 && flags&inet.ACK != 0 {
		c.roundTrip = max(a.now-c.synTime, 1)
	}

	var w inet.Word
	*v = inet.Analysis{}
	repeats := n == 0 && fwd.sent && seq == fwd.next && fwd.acks && ack == fwd.ack && !control
	func() {
		if n == 1 && fwd.sent && seq == fwd.next && rev.acks && rev.window == 0 {
			w |= inet.ZeroWindowProbe
			return
		}
		if h.Window == 0 && !control {
			w |= inet.ZeroWindow
		}
		if fwd.sent && before(fwd.next, seq) && flags&inet.RST == 0 {
			w |= inet.PreviousNotCaptured
		}
		if n <= 1 && fwd.sent && seq == fwd.next-1 && !control {
			w |= inet.KeepAlive
		}
		if repeats && h.Window != 0 && h.Window != fwd.window {
			w |= inet.WindowUpdate
		}
		if n > 0 && rev.scale != -1 && rev.acks && seq+n == rev.ack+uint32(rev.window)<<rev.shift(fwd) && !control {
			w |= inet.WindowFull
		}
		if !repeats || h.Window != fwd.window {
			return
		}
		switch {
		case h.Window != 0 && rev.words&inet.KeepAlive != 0:
			w |= inet.KeepAliveAck
		case h.Window == 0 && rev.words&inet.ZeroWindowProbe != 0:
			w |= inet.ZeroWindowProbeAck
		case h.Window != 0:
			fwd.dupACKs++
			w |= inet.DuplicateAck
			v.DupAckFrame, v.DupAckNumber = fwd.nonDup, fwd.dupACKs
		}
	}()
	if !fwd.acks || ack != fwd.ack {
		fwd.nonDup, fwd.dupACKs = a.frame, 0
	}
	if rev.sent && flags&inet.ACK != 0 && before(rev.contig, ack) {
		w |= inet.AckedUnseen
		rev.contig = ack
	}
	if (n > 0 || flags&(inet.SYN|inet.FIN) != 0) && fwd.sent && before(seq, fwd.next) && w&inet.KeepAlive == 0 {
		w |= a.again(c, fwd, rev, seq, n)
	}

	next := seq + n
	if flags&(inet.SYN|inet.FIN) != 0 {
		next++
	}
	if w&inet.ZeroWindowProbe == 0 {
		if !fwd.sent || before(fwd.next, next) {
			fwd.next, fwd.nextTime = next, a.now
		}
		if !fwd.sent || seq == fwd.contig {
			fwd.contig = fwd.next
		}
		fwd.sent = true
	}
	fwd.window, fwd.ack, fwd.acks, fwd.ackTime, fwd.words = h.Window, ack, flags&inet.ACK != 0, a.now, w
	fwd.scaled = flags&inet.SYN == 0

	const repeated = inet.Retransmission | inet.FastRetransmission | inet.SpuriousRetransmission
	if w&repeated != 0 {
		c.retransmits++
		a.marks |= MarkRetransmit
	}
	if w&inet.PreviousNotCaptured != 0 {
		a.marks |= MarkLost
	}
	v.Words = w
}

// shift is by how much the window of the last segment counts more than it says.
func (e *endpoint) shift(peer *endpoint) int8 {
	if !e.scaled || e.scale == unscaled || peer.scale == unscaled {
		return 0
	}
	return e.scale
}

// again says what a segment is that begins before the end of what was sent.
func (a *Analyzer) again(c *conn, fwd, rev *endpoint, seq, n uint32) inet.Word {
	soon := a.now-rev.ackTime < fastRetransmit
	if rev.acks && soon && rev.dupACKs >= 2 && rev.ack == seq {
		return inet.FastRetransmission
	}
	if n > 0 && rev.acks && !before(rev.ack, seq+n) {
		return inet.SpuriousRetransmission
	}
	limit := int64(outOfOrder)
	if c.roundTrip != 0 {
		limit = c.roundTrip
	}
	if a.now-fwd.nextTime < limit && fwd.next != seq+n {
		return inet.OutOfOrder
	}
	return inet.Retransmission
}

package iwarp

import "github.com/odxray/odxray/dissect/wire"

// How a Framer finds out where an FPDU begins: after a hole, or where the capture begins
// midway.

// verdict is what a look at a place came to.
type verdict uint8

const (
	refused verdict = iota
	open            // more bytes will tell
	accepted
)

// How much it means that something is as it is in an FPDU, in bits: what random bytes would
// have to get right.
const (
	bitsTagged    = 13 // version, reserved bits, opcode
	bitsUntagged  = 43 // the same, and the queue
	bitsReserved  = 32 // of an untagged segment
	bitsSTag      = 24 // the STag is that of the tagged segment before
	bitsBeginning = 10 // it begins where a TCP segment begins
	bitsEnd       = 16 // it ends where one ends
	bitsCRC       = 32
	bitsNoCRC     = 20 // it is zero
	bitsWrongCRC  = -16
	bitsEnough    = 38
)

// search looks for an FPDU in what was pushed, and what waits before it. It reports whether
// there is one, and then f is at it.
func (f *Framer) search() bool {
	w, newest := f.data, f.older
	switch {
	case len(f.buf) > 0:
		newest = len(f.buf)
		f.buf = append(f.buf, f.data...)
		w = f.buf
		f.first = min(f.first, f.frame) // what overtook it was captured before it
	case newest > 0:
		f.first = f.oldest
	default:
		f.first = f.frame
	}
	from := f.pos - uint64(newest) // stream offset of w
	waits := f.waiting[:0]
	for _, i := range f.waiting {
		switch f.judge(w[i:], from+uint64(i), false) {
		case accepted:
			f.at(w, i, from, newest)
			return true
		case open:
			waits = append(waits, i)
		}
	}
	f.waiting = waits
	for i := f.looked; i+4 <= len(w); i++ {
		if i != newest && (f.budget < 0 || !f.marked && (w[i+2]&0x3f != 1 || w[i+3]>>4 != 4)) {
			continue
		}
		switch f.judge(w[i:], from+uint64(i), i == newest) {
		case accepted:
			f.at(w, i, from, newest)
			return true
		case open:
			if len(f.waiting) < maxWaiting {
				f.waiting = append(f.waiting, i)
			}
		}
	}
	f.looked = max(0, len(w)-3)
	keep := f.looked
	if len(f.waiting) > 0 {
		keep = min(keep, f.waiting[0])
	}
	if f.cut > 0 || len(w)-keep > maxUnit {
		keep, f.waiting, f.looked = len(w), f.waiting[:0], len(w)
	}
	for i := range f.waiting {
		f.waiting[i] -= keep
	}
	f.looked -= keep
	f.passed += uint64(keep + f.cut)
	f.pos += uint64(len(f.data) + f.cut)
	f.buf = append(f.buf[:0], w[keep:]...)
	f.data, f.cut = nil, 0
	return false
}

// at has f be at an FPDU that begins i bytes into w, which begins at stream offset from;
// what was pushed last begins newest bytes into it.
func (f *Framer) at(w []byte, i int, from uint64, newest int) {
	f.passed += uint64(i)
	f.mode = framing
	f.data, f.pos = w[i:], from+uint64(i)
	f.older, f.oldest = max(newest-i, 0), f.first
	f.empty()
}

// Recognise reports whether b, what was captured of a TCP segment that has cut bytes more,
// begins with an FPDU: whether that is as good as certain, whatever its connection carries.
func Recognise(b []byte, cut int) bool {
	if len(b) < headLen || b[2]&0x3f != 1 || b[3]>>4 != 4 {
		return false
	}
	f := Framer{cut: cut, budget: maxBudget}
	return f.judge(b, 0, true) == accepted
}

// judge tells whether an FPDU begins at b, which lies at stream offset off and goes to the
// end of what was captured of a TCP segment. begins: a segment begins there.
func (f *Framer) judge(b []byte, off uint64, begins bool) verdict {
	bits, whole := f.likely(b, off)
	switch {
	case bits == 0, !whole && f.cut > 0:
		return refused
	case !whole:
		return open
	}
	if begins {
		bits += bitsBeginning
	}
	if v := f.weigh(b, off, bits); v != refused || f.known || f.marked {
		return v
	}
	// There may be markers that nobody has told of.
	at := markerIn(b)
	if at == 0 {
		return refused
	}
	f.guess(off + uint64(at))
	v := f.weigh(b, off, bits)
	if v != accepted {
		f.marked, f.guessed = false, false
		v = refused
	}
	return v
}

// weigh is judge for what looks like the beginning of an FPDU, as much as bits say.
func (f *Framer) weigh(b []byte, off uint64, bits int) verdict {
	n := f.sizeOf(b, off)
	switch {
	case n <= 0:
		return refused
	case n > len(b)+f.cut && f.cut == 0:
		return open
	case n > len(b):
		if n == len(b)+f.cut {
			bits += bitsEnd
		}
	default:
		f.budget -= n + judging
		f.unit = Unit{Raw: b[:n], Size: n}
		switch f.check(&f.unit) {
		case CRCGood:
			bits += bitsCRC
		case CRCBad:
			return refused
		case CRCAbsent:
			bits += bitsNoCRC
		case CRCUnknown:
			bits += bitsWrongCRC
		}
		if n == len(b) {
			if f.cut == 0 {
				bits += bitsEnd
			}
		} else if next, _ := f.likely(b[n:], off+uint64(n)); next == 0 {
			return refused
		} else {
			bits += next
		}
	}
	if bits < bitsEnough {
		return refused
	}
	return accepted
}

// likely returns how much b, at stream offset off, looks like the beginning of an FPDU: 0
// if it cannot be one. It is not whole if there are too few bytes to tell.
func (f *Framer) likely(b []byte, off uint64) (bits int, whole bool) {
	var head [headLen]byte
	n := 0
	if f.known && (off-f.origin)%4 != 0 {
		return 0, false
	}
	if f.marked {
		k := min(f.toMarker(off), len(b), headLen)
		n = copy(head[:], b[:k])
		n += copy(head[n:], b[min(k+markerLen, len(b)):])
	} else {
		n = copy(head[:], b)
	}
	h := head[:n]
	if n >= 2 && int(h[0])<<8|int(h[1]) < minULPDU || n >= 3 && h[2]&0x3f != 1 || n >= 4 && h[3]>>4 != 4 {
		return 0, false
	}
	if n < 4 {
		return 1, false
	}
	op := Opcode(h[3] & 15)
	if h[2]&0x80 != 0 {
		switch {
		case op != Write && op != ReadResponse:
			return 0, false
		case n < lengthLen+taggedLen:
			return 1, false
		case f.tagged && f.stag == wire.GetBE32(h[4:]):
			return bitsTagged + bitsSTag, true
		}
		return bitsTagged, true
	}
	queue, size := uint32(queueSend), 0
	switch op {
	case Write, ReadResponse:
		return 0, false
	case ReadRequested:
		queue, size = queueRead, untaggedLen+readRequestLen
	case ImmediateData, ImmediateDataEvent:
		size = untaggedLen + 8
	case Terminated:
		queue = queueTerminate
	case AtomicRequest:
		queue = queueRead
	case AtomicResponse:
		queue = queueAtomic
	}
	if n < headLen {
		return 1, false
	}
	ulpdu := int(h[0])<<8 | int(h[1])
	switch {
	case op > AtomicResponse, ulpdu < untaggedLen, size > 0 && ulpdu != size, wire.GetBE32(h[8:]) != queue, wire.GetBE32(h[12:]) == 0, h[16] != 0:
		return 0, false
	case op.Invalidates():
		return bitsUntagged, true
	case wire.GetBE32(h[4:]) != 0:
		return 0, false
	}
	return bitsUntagged + bitsReserved, true
}

package iwarp

import (
	"hash/crc32"
	"math"

	"github.com/odxray/odxray/dissect/wire"
)

// Checks says whether the two sides use checksums.
type Checks uint8

const (
	ChecksUnknown Checks = iota // their start-up is not in the capture
	ChecksUsed
	ChecksUnused
)

// Unit is a start-up frame or an FPDU. It is valid until the next call of the Framer that
// found it.
type Unit struct {
	Startup bool
	Bytes   []byte // without markers, as far as captured
	Len     int    // of that on the wire
	Raw     []byte // with markers; the same as Bytes if there are none
	Size    int    // of that on the wire
	Off     uint64 // where in the stream it begins
	First   uint32 // frame that brought its first byte
	CRC     CRC
	Markers int  // among Raw
	Gap     bool // what comes before it is missing, or could not be read

	Layout Layout

	firstMarker int // where in Raw the first begins
}

// Framer finds the start-up frame and the FPDUs in the bytes of one direction. The zero
// Framer expects FPDUs, somewhere.
type Framer struct {
	Checks Checks

	mode    mode
	marked  bool   // there are markers
	known   bool   // origin is valid: the start-up frame was seen
	guessed bool   // marked is a guess, and origin is where a marker is
	gap     bool   // the next unit does not follow the one before
	origin  uint64 // where in the stream the first FPDU begins, and the first marker

	// What was pushed and is not used yet: data, and cut bytes that the capture lacks. It
	// begins at stream offset pos.
	data  []byte
	cut   int
	pos   uint64
	frame uint32

	// Bytes that data begins with which came before, in oldest or later.
	older  int
	oldest uint32

	// The unit being gathered, or, while looking for one, what may be its beginning.
	buf     []byte
	have    int // bytes of it that have passed
	size    int // 0 until that is known
	start   uint64
	first   uint32
	partial bool // buf ends before have
	holed   bool // because bytes of it are in no frame

	// While looking: how much of buf needs no second look, and where in it something begins
	// that more bytes will tell of.
	looked  int
	waiting []int

	stag   uint32 // of the last tagged segment, which the next one is likely to have
	tagged bool   // there was one
	budget int    // bytes that may be looked at to find a unit; see search
	passed uint64 // bytes in which none was found

	unit  Unit
	plain []byte
}

// mode is what a Framer expects next.
type mode uint8

const (
	searching mode = iota // a unit, anywhere
	starting              // a start-up frame
	framing               // an FPDU
)

const (
	maxUnit    = lengthLen + math.MaxUint16 + 3 + crcLen + 132*markerLen // bytes
	minULPDU   = taggedLen
	headLen    = lengthLen + untaggedLen // bytes of an FPDU that tell what it is
	effort     = 16                      // bytes that may be looked at for each that was pushed
	maxBudget  = 64 * 65536              // however many were
	judging    = 64                      // what a look costs beside
	maxWaiting = 8
)

// Expect has f expect a start-up frame, of which n bytes, those of k, have passed already:
// they began at stream offset off, in frame first.
func (f *Framer) Expect(k Key, n int, off uint64, first uint32) {
	*f = Framer{buf: append(f.buf[:0], k.bytes(n)...), plain: f.plain, waiting: f.waiting[:0], mode: starting, have: n, start: off, first: first}
}

// Layout is how an FPDU is framed: what it takes to find it once more.
type Layout struct {
	Marker uint16 // bytes to the next marker, plus 1; 0 if there are no markers
	Checks Checks
}

// Again has f find units once more that begin with the bytes pushed next, at stream offset
// off: FPDUs, or the start-up frame.
func (f *Framer) Again(l Layout, off uint64, startup bool) {
	*f = Framer{buf: f.buf[:0], plain: f.plain, waiting: f.waiting[:0], mode: framing, known: true, origin: off, Checks: l.Checks}
	if l.Marker > 0 {
		f.marked, f.origin = true, off+uint64(l.Marker)-1
	}
	if startup {
		f.mode = starting
	}
}

// Mark says whether the sender inserts markers. It has to be said before the first FPDU.
func (f *Framer) Mark(marked bool) { f.marked = marked }

// Pending returns how many bytes have passed of the unit being gathered.
func (f *Framer) Pending() int { return f.have }

// Held returns how many bytes of memory f holds.
func (f *Framer) Held() int { return cap(f.buf) + cap(f.plain) }

// Release gives up that memory, and with it what is being gathered.
func (f *Framer) Release() {
	f.lose()
	f.buf, f.plain = nil, nil
}

// Passed returns how many bytes have been passed over since it was asked last, because
// nothing tells what they are.
func (f *Framer) Passed() uint64 {
	n := f.passed
	f.passed = 0
	return n
}

// Push takes the bytes at stream offset off that a frame brought, and cut more that the
// capture lacks of it. All of what was pushed before has been used by Next, and off is
// where that ended, but for what Skip was told.
func (f *Framer) Push(data []byte, cut int, off uint64, frame uint32) {
	f.data, f.cut, f.pos, f.frame, f.older = data, cut, off, frame, 0
	f.budget = min(f.budget+effort*(len(data)+64), maxBudget)
}

// Skip says that n bytes after those pushed last are in no frame.
func (f *Framer) Skip(n uint64) {
	if f.mode == framing && f.size > 0 && n <= uint64(f.size-f.have) {
		// Its end is known and lies behind the hole: it is still in step.
		f.partial, f.holed = true, true
		if f.have += int(n); f.have == f.size {
			f.empty()
			f.gap = true
		}
		return
	}
	f.lose()
}

// lose forgets where units begin.
func (f *Framer) lose() {
	f.mode, f.gap = searching, true
	if f.guessed {
		f.marked, f.guessed = false, false
	}
	f.empty()
}

// empty forgets what is being gathered.
func (f *Framer) empty() {
	f.have, f.size, f.buf, f.partial, f.holed = 0, 0, f.buf[:0], false, false
	f.looked, f.waiting = 0, f.waiting[:0]
}

// Next returns the next unit that is whole with what was pushed; nil if there is none.
func (f *Framer) Next() *Unit {
	for len(f.data)+f.cut > 0 {
		if f.mode == searching {
			if !f.search() {
				return nil
			}
			continue
		}
		if u := f.gather(); u != nil {
			return u
		}
	}
	return nil
}

// sizeOf returns the size of the unit at stream offset off that b begins with, markers and
// all: 0 if b is too short to tell, -1 if it is none.
func (f *Framer) sizeOf(b []byte, off uint64) int {
	if f.mode == starting {
		return startupSize(b)
	}
	if off == f.origin && f.known && !f.marked && len(b) > 0 && b[0] == 0 && (len(b) == 1 || b[1] == 0) {
		// No FPDU begins like that, but a marker does, and the frame that would tell may be missing.
		if len(b) < markerLen {
			return 0
		}
		f.marked = wire.GetBE32(b) == 0
	}
	if f.marked && (off-f.origin)%markerEvery == 0 {
		b = b[min(len(b), markerLen):]
	}
	if len(b) < lengthLen {
		return 0
	}
	ulpdu := int(b[0])<<8 | int(b[1])
	if ulpdu < minULPDU {
		return -1
	}
	n := contentSize(ulpdu)
	if f.marked {
		// One right behind belongs to the next FPDU.
		if behind := n - f.toMarker(off); behind > 0 {
			const between = markerEvery - markerLen
			n += (behind + between - 1) / between * markerLen
		}
	}
	return n
}

// toMarker returns how many bytes there are from stream offset off to the next marker.
func (f *Framer) toMarker(off uint64) int { return int(-(off - f.origin) & (markerEvery - 1)) }

// use passes over n bytes.
func (f *Framer) use(n int) {
	k := min(n, len(f.data))
	f.data, f.cut, f.pos = f.data[k:], f.cut-(n-k), f.pos+uint64(n)
	f.older = max(f.older-n, 0)
}

// gather takes the unit that f is at, or what there is of it.
func (f *Framer) gather() *Unit {
	if f.have == 0 {
		if f.start, f.first = f.pos, f.frame; f.older > 0 {
			f.first = f.oldest
		}
		n := f.sizeOf(f.data, f.pos)
		if n < 0 {
			f.lose()
			return nil
		}
		if n > 0 && n <= len(f.data) { // it needs no copy
			b := f.data[:n:n]
			f.use(n)
			return f.found(b, n)
		}
	}
	f.first = min(f.first, f.frame)
	if f.size == 0 {
		was := len(f.buf)
		for f.size == 0 && len(f.data) > 0 {
			f.buf = append(f.buf, f.data[0])
			f.use(1)
			f.size = f.sizeOf(f.buf, f.start)
		}
		f.have += len(f.buf) - was
		switch {
		case f.size < 0, f.size == 0 && f.cut > 0:
			f.passed += uint64(f.have)
			f.lose()
			return nil
		case f.size == 0:
			return nil
		}
	}
	k := min(f.size-f.have, len(f.data)+f.cut)
	got := min(k, len(f.data))
	if !f.partial {
		f.buf = append(f.buf, f.data[:got]...)
		f.partial = got < k
	}
	f.have += k
	f.use(k)
	if f.have < f.size {
		return nil
	}
	b, n, holed := f.buf, f.size, f.holed
	f.empty()
	if holed {
		f.gap = true
		return nil
	}
	return f.found(b, n)
}

// found makes a Unit of b, n bytes on the wire, and says what comes next.
func (f *Framer) found(b []byte, n int) *Unit {
	u := &f.unit
	*u = Unit{Startup: f.mode == starting, Bytes: b, Len: n, Raw: b, Size: n, Off: f.start, First: f.first, Gap: f.gap}
	if u.Startup {
		f.mode, f.known, f.origin = framing, true, f.start+uint64(n)
		return u
	}
	u.Layout.Checks = f.Checks
	if f.marked {
		u.Layout.Marker = uint16(f.toMarker(u.Off)) + 1
		f.strip(u)
	}
	if b = u.Bytes; len(b) < lengthLen+2 {
		f.gap = true // the capture cut even what it is
		return nil
	}
	// Version 0 is that of the RDMA Consortium, which only the start-up tells from chance.
	tagged, op := b[2]&0x80 != 0, Opcode(b[3]&15)
	version := b[2] & 3 // of DDP, and that of RDMAP is the same
	if version > 1 || version == 0 && !f.known || b[3]>>6 != version || tagged != (op == Write || op == ReadResponse) {
		f.lose()
		f.passed += uint64(n)
		return nil
	}
	u.CRC = f.check(u)
	if u.CRC != CRCGood && f.surprised(u) {
		f.passed += uint64(n)
		return nil
	}
	f.gap = false
	if tagged && len(b) >= lengthLen+6 {
		f.stag, f.tagged = wire.GetBE32(b[4:]), true
	}
	return u
}

// surprised reports whether u is not what it seems, because it has a marker that nobody said
// would be there. From then on f takes it that there are markers, until that fails.
func (f *Framer) surprised(u *Unit) bool {
	if f.known || f.marked {
		return false
	}
	if len(f.data) == 0 {
		return false // it ends where its segment does
	}
	if bits, _ := f.likely(f.data, f.pos); bits > 0 {
		return false // what follows is where it should be
	}
	at := markerIn(u.Raw)
	if at == 0 {
		return false
	}
	f.lose()
	f.guess(u.Off + uint64(at))
	return true
}

// guess takes it that a marker lies at stream offset off.
func (f *Framer) guess(off uint64) { f.marked, f.guessed, f.origin = true, true, off }

// markerIn returns where in b, which begins with an FPDU, the first marker is that points
// there, behind the header; 0 if there is none.
func markerIn(b []byte) int {
	for at := headLen + markerLen; at <= markerEvery && at+markerLen <= len(b); at += markerLen {
		if wire.GetBE32(b[at:]) == uint32(at) {
			return at
		}
	}
	return 0
}

// strip takes the markers out of u.
func (f *Framer) strip(u *Unit) {
	b := u.Raw
	first := f.toMarker(u.Off)
	if first >= u.Size {
		return
	}
	u.firstMarker, u.Markers = first, (u.Size-first+markerEvery-1)/markerEvery
	f.plain = append(f.plain[:0], b[:min(first, len(b))]...)
	for at := first; at < len(b); at += markerEvery {
		f.plain = append(f.plain, b[min(at+markerLen, len(b)):min(at+markerEvery, len(b))]...)
	}
	u.Bytes, u.Len = f.plain, u.Size-u.Markers*markerLen
}

// check checks the CRC of u, which covers the markers, too. RFC 5044 4.4
func (f *Framer) check(u *Unit) CRC {
	b := u.Raw
	switch {
	case f.Checks == ChecksUnused:
		return CRCUnused
	case len(b) < u.Size:
		return CRCUnknown
	}
	n := len(b) - crcLen
	got := uint32(b[n]) | uint32(b[n+1])<<8 | uint32(b[n+2])<<16 | uint32(b[n+3])<<24
	if f.Checks == ChecksUnknown && got == 0 {
		return CRCAbsent
	}
	switch {
	case crc32.Checksum(b[:n], castagnoli) == got:
		return CRCGood
	case f.Checks == ChecksUsed:
		return CRCBad
	}
	return CRCUnknown
}

package flows

// Plain copies: what one client reads from one file and writes to another. They are
// found by offsets, order and lengths; contents are compared by a hash of the first
// bytes of a READ and a WRITE that begin at the same offset, which is what the pass
// has of them anyway.

import (
	"hash/maphash"
	"slices"

	"github.com/odxray/odxray/dissect/smb2"
)

const (
	sampleLen   = 256 // bytes compared of a READ and a WRITE
	maxSamples  = 64  // READs whose first bytes are remembered, of one file
	maxReaders  = 32  // files looked at as the source of a WRITE
	maxPairs    = 4   // sources considered for one destination
	plainForce  = 1 << 18
	plainCalls  = 1 << 8 // WRITEs kept of a plain copy before it is known to be one
	minCompared = 64     // bytes that must be equal to tell files apart
)

var seed = maphash.MakeSeed()

// sampleOf hashes the first bytes of what a READ brought or a WRITE carries; 0 if too
// few of them are at hand.
func sampleOf(data []byte, length uint32) uint32 {
	n := min(sampleLen, int(length))
	if len(data) < n || n < minCompared {
		return 0
	}
	return uint32(maphash.Bytes(seed, data[:n])) | 1
}

// reader is what one client has read of a file.
type reader struct {
	client  string
	file    uint32
	ranges  Ranges
	calls   int
	first   uint32 // frame
	begun   int64
	last    int64    // time of the latest answer
	samples []sample // at most maxSamples, a ring
	sampled int
	counted int // of calls, in copies
}

type sample struct {
	offset uint64
	length uint32
	hash   uint32
}

// recentReaders is the readers that were heard of last.
type recentReaders struct {
	list []*reader
}

// pair is a plain copy that may be one.
type pair struct {
	from      *reader
	covered   Ranges
	bytes     uint64
	equal     int  // WRITEs whose first bytes were the same as those read
	different bool // one was not: it is no copy
	calls     []Call
	writes    int
	conn      uint32
	session   uint32
	first     uint32
}

// read takes an answered READ.
func (a *Analyzer) read(e *exchange, b *smb2.ReadResponse) {
	c := a.byID[e.conn]
	if c == nil || e.moved == 0 {
		return
	}
	i := a.fileOf(e.open)
	t := &a.copies.recent
	client := a.clientOf(c)
	var r *reader
	for k, x := range slices.Backward(t.list) {
		if x.file == i && x.client == client {
			r = x
			if k != len(t.list)-1 {
				t.list = append(slices.Delete(t.list, k, k+1), r)
			}
			break
		}
	}
	if r == nil {
		r = &reader{client: client, file: i, first: e.reqFrame, begun: e.reqTime}
		if len(t.list) >= maxReaders {
			t.list = slices.Delete(t.list, 0, 1)
		}
		t.list = append(t.list, r)
	}
	if len(r.ranges) < maxScatter {
		r.ranges.Add(span(e.offset, e.moved))
	}
	r.calls++
	r.last = e.ansTime
	s := sample{e.offset, min(uint32(e.moved), sampleLen), sampleOf(b.Data, b.DataLength)}
	if s.hash == 0 { // or it came by RDMA
		s.hash = e.host
	}
	if len(r.samples) < maxSamples {
		r.samples = append(r.samples, s)
	} else {
		r.samples[r.sampled%maxSamples] = s
	}
	r.sampled++
}

// compare returns whether what a WRITE carries is what was read at an offset: known
// is false if that cannot be told.
func (r *reader) compare(offset uint64, length uint64, hash uint32) (equal, known bool) {
	if hash == 0 {
		return false, false
	}
	for _, s := range r.samples {
		if s.hash != 0 && s.offset == offset && s.length == uint32(min(length, sampleLen)) {
			return s.hash == hash, true
		}
	}
	return false, false
}

// plainWrite takes an answered WRITE to a file whose traffic is kept.
func (a *Analyzer) plainWrite(to uint32, e *exchange, w Range) {
	c := a.byID[e.conn]
	if c == nil || w.Len() == 0 || len(a.copies.recent.list) == 0 {
		return
	}
	client := a.clientOf(c)
	f := &a.files[to]
	for _, r := range slices.Backward(a.copies.recent.list) {
		if r.client != client || r.file == to {
			continue
		}
		if y := a.goingOn(client, r.file, to); y != nil {
			a.plainCall(y, r, e, w)
			return
		}
		if f.life == 0 || !r.ranges.Has(w) || a.files[r.file].opens == 0 && r.last < e.reqTime-closedFor {
			continue
		}
		p := f.pairWith(r, e)
		if p == nil {
			continue
		}
		if equal, known := r.compare(w.Start, e.length, e.host); known {
			p.different = p.different || !equal
			p.equal++
		}
		p.covered.Add(w)
		p.bytes += w.Len()
		p.writes++
		if len(p.calls) < plainCalls {
			p.calls = append(p.calls, a.writeCall(e, to, w, w.Start))
		}
	}
}

// closedFor is for how long a client may hold back what it read before it writes it.
const closedFor = 10e9 // ns

// pairWith returns the pair of a file and what is written to it now.
func (f *file) pairWith(r *reader, e *exchange) *pair {
	for _, p := range f.pairs {
		if p.from == r {
			return p
		}
	}
	if len(f.pairs) >= maxPairs {
		return nil
	}
	p := &pair{from: r, conn: e.conn, session: e.session, first: min(r.first, e.reqFrame)}
	f.pairs = append(f.pairs, p)
	return p
}

// goingOn returns the copy by another method that a client has begun from one file
// to another; nil if there is none.
func (a *Analyzer) goingOn(client string, from, to uint32) *copyState {
	y := a.copies.byKey[copyKey{client, from, to}]
	if y == nil || y.final != nil || y.life != a.files[to].life {
		return nil
	}
	return y
}

// writeCall returns the WRITE of e as a call of a copy.
func (a *Analyzer) writeCall(e *exchange, to uint32, w Range, source uint64) Call {
	return Call{
		Command: smb2.Write, Frame: int(e.reqFrame), Answer: int(e.ansFrame), Interim: int(e.interim), Conn: int(e.conn),
		File: a.names[a.files[to].name], Time: e.reqTime, Took: e.ansTime - e.reqTime, Offset: w.Start, From: source,
		Asked: e.length, Moved: w.Len(), Status: e.status, tree: e.tree,
	}
}

// plainCall takes a WRITE that goes on with a copy that another method began, if its
// bytes were read from the copy's source.
func (a *Analyzer) plainCall(y *copyState, r *reader, e *exchange, w Range) {
	source := w.Start
	if y.origin.known {
		source = w.Start - y.origin.to + y.origin.from
	}
	if !r.ranges.Has(Range{source, source + w.Len()}) {
		return
	}
	if equal, known := r.compare(source, e.length, e.host); known && !equal {
		return
	}
	k := a.writeCall(e, y.to, w, source)
	y.frozen = false
	y.Writes++
	y.Reads, r.counted = y.Reads+r.calls-r.counted, r.calls
	y.WireBytes += 2 * w.Len()
	y.asked.Add(w)
	y.add(a, k)
	y.moved(Plain, &k, source, w.Start, w.Len(), y.origin.known)
}

// whole reports whether the pair is a copy of a whole file of that size: all of it was
// written, or so much with the same contents that the holes are ones of a copy. A hole
// that was read is none: it may hold zeros that the client saw no need to write.
func (p *pair) whole(size uint64) bool {
	holes := p.covered.Gaps(Range{0, size})
	if len(holes) == 0 {
		return true
	}
	for _, h := range holes {
		if p.from.ranges.Overlap(h) > 0 {
			return false
		}
	}
	const sure = 4 // WRITEs that were compared
	return p.equal >= sure && holes[0].Start > 0 && p.covered.Len() > size/2
}

// settlePairs makes copies of the pairs of a file that are some: all of the source,
// in the same place, into a file that held nothing.
func (a *Analyzer) settlePairs(to uint32) {
	f := &a.files[to]
	var best *pair
	for _, p := range f.pairs {
		from := &a.files[p.from.file]
		size := from.size
		if p.different || !from.hasSize || size == 0 || f.hasSize && f.size != size || !p.whole(size) || p.equal == 0 && size < plainForce || a.goingOn(p.from.client, p.from.file, to) != nil {
			continue
		}
		if best == nil || p.equal > best.equal {
			best = p
		}
	}
	f.pairs = nil
	if best == nil {
		return
	}
	p := best
	c := a.byID[p.conn]
	if c == nil { // forgotten
		return
	}
	k := &p.calls[0]
	y := a.copyOf(c, &exchange{session: p.session}, p.from.file, to, k)
	y.Reads, p.from.counted = y.Reads+p.from.calls-p.from.counted, p.from.calls
	y.Writes += p.writes
	y.WireBytes += 2 * p.bytes
	y.FirstFrame, y.FirstTime = min(y.FirstFrame, int(p.from.first)), min(y.FirstTime, p.from.begun)
	y.Guessed = p.equal == 0
	for i := range p.calls {
		y.add(a, p.calls[i])
		y.moved(Plain, &p.calls[i], p.calls[i].Offset, p.calls[i].Offset, p.calls[i].Moved, true)
	}
	if rest := p.bytes - min(p.bytes, y.bytes[Plain]); rest > 0 { // of WRITEs that are not kept
		y.bytes[Plain] += rest
		y.Bytes += rest
		if y.Methods[0] != Plain {
			y.Slower += rest
		}
		for _, r := range p.covered {
			y.covered.Add(r)
		}
	}
}

package rdma

import (
	"slices"

	"github.com/odxray/odxray/rdma/iwarp"
)

// Placement follows a connection of iWARP: it joins the DDP segments of messages, and of
// what one side reads from or writes to the memory of the other. The zero Placement has
// seen nothing.
type Placement struct {
	Packets  int // FPDUs
	Reads    int
	Writes   int
	BadCRC   [2]int // FPDUs of a direction whose CRC is wrong
	GoodCRC  [2]int
	FirstBad uint32 // frame of the first wrong one

	Terminated uint32          // frame in which a side gave up; 0 if none did
	Why        iwarp.Terminate // without its header

	side   [2]placing
	events []Event
}

// placing is what one side sends.
type placing struct {
	// The message being gathered.
	gathering bool
	cut       bool
	size      int
	msn       uint32
	buf       []byte
	where     [4]uint32

	write *Operation // that is on its way
	reads []reading  // that were asked for, the latest last
	early []arrival  // data of reads that were captured before their requests
}

// arrival is data of an RDMA Read.
type arrival struct {
	stag, frame uint32
	offset      uint64
	size        int
	last        bool
	now         int64
}

// maxEarly bounds the arrivals of a side that wait for their requests. After as many frames
// as patience says, they belong to requests that the capture lacks.
const maxEarly = 256

// reading is an RDMA Read that was asked for, and where its data will go.
type reading struct {
	op   *Operation
	stag uint32
	sink uint64
}

// Segment takes an FPDU: u, in which s was read. now is its time. It returns what that
// brought about, valid until the next call: Frames of a message are the frame that brought
// its first byte, where it begins in the stream, its length there with headers and all, and
// the Marker of its Layout; all as 32 bits.
func (p *Placement) Segment(dir int, u *iwarp.Unit, s *iwarp.Segment, frame uint32, now int64) []Event {
	clear(p.events)
	p.events = p.events[:0]
	p.Packets++
	switch u.CRC {
	case iwarp.CRCGood:
		p.GoodCRC[dir]++
	case iwarp.CRCBad:
		p.BadCRC[dir]++
		if p.FirstBad == 0 {
			p.FirstBad = frame
		}
	}
	body, size := s.Body()
	switch {
	case s.Opcode == iwarp.Write:
		p.wrote(dir, u, s, size, frame, now)
	case s.Opcode == iwarp.ReadResponse:
		d, x := &p.side[1-dir], arrival{s.STag, frame, s.Offset, size, s.Last, now}
		if !d.responded(x) && size > 0 {
			if len(d.early) == maxEarly {
				d.early = d.early[:0]
			}
			d.early = append(d.early, x)
		}
	case s.Opcode == iwarp.ReadRequested:
		p.asked(dir, u, &s.Read, frame, now)
	case s.Opcode.Sends():
		p.sent(dir, u, s, body, size)
	case s.Opcode == iwarp.Terminated && p.Terminated == 0:
		p.Terminated, p.Why = frame, s.Terminate
		p.Why.Header = nil // a part of the packet
	}
	return p.events
}

// End says that one side sends no more, as far as is known.
func (p *Placement) End(dir int) []Event {
	clear(p.events)
	p.events = p.events[:0]
	if p.side[dir].write != nil {
		p.end(dir, true)
	}
	return p.events
}

// Hole says that what one side sends next does not go on from what came before.
func (p *Placement) Hole(dir int) []Event {
	p.End(dir)
	p.side[dir].gathering = false
	p.events = append(p.events, Event{Kind: Hole, Dir: dir})
	return p.events
}

// wrote takes a segment of an RDMA Write. Only the last one tells how long that is, so it
// is told of then.
func (p *Placement) wrote(dir int, u *iwarp.Unit, s *iwarp.Segment, size int, frame uint32, now int64) {
	d := &p.side[dir]
	if o := d.write; o != nil && (o.RKey != s.STag || o.Address+uint64(o.Length) != s.Offset) {
		p.end(dir, true)
	}
	if d.write == nil {
		if size == 0 {
			return // says that its sender is ready. RFC 6581 7
		}
		d.write = &Operation{By: dir, RKey: s.STag, Address: s.Offset, FirstFrame: u.First, FirstTime: now}
	}
	o := d.write
	from := o.Length
	if o.Length += uint32(size); o.Length < from { // no memory is that large
		o.Length = from
	}
	o.Move(from, uint32(size), frame, now)
	if s.Last {
		p.end(dir, false)
	}
}

// end tells of the RDMA Write of a side.
func (p *Placement) end(dir int, cut bool) {
	o := p.side[dir].write
	o.Endless = cut
	p.side[dir].write = nil
	p.Writes++
	p.events = append(p.events, Event{Kind: Began, Dir: dir, Op: o})
}

// asked takes an RDMA Read Request.
func (p *Placement) asked(dir int, u *iwarp.Unit, r *iwarp.ReadRequest, frame uint32, now int64) {
	if r.Size == 0 {
		return // as an empty write
	}
	p.Reads++
	d := &p.side[dir]
	if len(d.reads) == maxReads {
		d.reads = slices.Delete(d.reads, 0, maxReads/2)
	}
	o := &Operation{Read: true, By: dir, RKey: r.SourceSTag, Address: r.SourceOffset, Length: r.Size, FirstFrame: u.First, FirstTime: now}
	d.reads = append(d.reads, reading{o, r.SinkSTag, r.SinkOffset})
	p.events = append(p.events, Event{Kind: Began, Dir: dir, Op: o})
	for _, x := range d.early {
		if frame-x.frame <= patience {
			d.responded(x)
		}
	}
	d.early = d.early[:0]
}

// responded takes data of an RDMA Read. It is false if the side has not asked for that.
func (d *placing) responded(x arrival) bool {
	for i := range d.reads {
		r := &d.reads[i]
		at := x.offset - r.sink
		if r.stag != x.stag || x.offset < r.sink || at+uint64(x.size) > uint64(r.op.Length) {
			continue
		}
		r.op.Move(uint32(at), uint32(x.size), x.frame, x.now)
		if x.last && at+uint64(x.size) == uint64(r.op.Length) {
			d.reads = slices.Delete(d.reads, i, i+1)
		}
		return true
	}
	return false
}

// sent takes a segment of a message.
func (p *Placement) sent(dir int, u *iwarp.Unit, s *iwarp.Segment, body []byte, size int) {
	d := &p.side[dir]
	if s.MessageOffset == 0 {
		if d.gathering { // the one before never ends
			p.events = append(p.events, Event{Kind: Hole, Dir: dir})
		}
		d.gathering, d.cut, d.size, d.msn, d.buf = true, false, 0, s.MSN, d.buf[:0]
		d.where = [4]uint32{u.First, uint32(u.Off), 0, uint32(u.Layout.Marker)}
	}
	if !d.gathering || d.msn != s.MSN || s.MessageOffset != uint32(d.size) {
		if d.gathering {
			p.events = append(p.events, Event{Kind: Hole, Dir: dir})
		}
		d.gathering = false
		return
	}
	if d.size += size; d.size > maxSend {
		d.gathering = false
		return
	}
	short := len(body) < size
	if s.MessageOffset > 0 || !s.Last {
		if !d.cut {
			d.buf = append(d.buf, body...)
		}
		body = d.buf
	}
	d.cut = d.cut || short
	if !s.Last {
		return
	}
	d.gathering = false
	d.where[2] = uint32(u.Off) + uint32(u.Size) - d.where[1]
	p.events = append(p.events, Event{Kind: Sent, Dir: dir, Bytes: body, Size: d.size, Frames: d.where[:],
		Invalidate: s.Invalidate, HasInvalidate: s.HasInvalidate})
}

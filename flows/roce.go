package flows

// RoCEv2: queue pairs that carry SMB Direct are connections, as those of TCP are.

import (
	"cmp"
	"slices"
	"sort"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/rdma"
	"github.com/odxray/odxray/rdma/ib"
	"github.com/odxray/odxray/rdma/smbd"
)

// isRoCE reports whether a frame carries a packet of RoCEv2.
func isRoCE(h *inet.Headers) bool { return h.Kind == inet.UDP && h.DstPort == ib.Port }

// direct is a connection of SMB Direct.
type direct struct {
	pair                      *rdma.Pair
	sent                      [2]int // messages
	parts                     [2]smbd.Assembler
	request                   smbd.Message // of the negotiation; its Kind is 0 if it was not seen
	answer                    smbd.Message
	requestFrame, answerFrame int
	asked                     [2]uint64 // credits requested and granted, in data transfers of both directions
	granted                   [2]uint64

	live       []memory // of requests that wait for an answer
	forgotten  bool     // there was more of it than is kept
	operations []*rdma.Operation
	unlisted   int // that were not kept

	faults  []RDMAFault
	repeats int // the first frame of a packet that was sent again
}

// directTable finds connections by their queue pairs.
type directTable struct {
	pairs  rdma.Table
	byPair map[uint32]*conn // only those of SMB Direct
	ib     ib.Decoder
	smbd   smbd.Message
}

// roce takes a packet of RoCEv2.
func (a *Analyzer) roce(h *inet.Headers) {
	t := &a.direct
	c := wire.NewCut(h.Payload, h.PayloadLen, nil)
	p := t.ib.Decode(&c, h)
	if c.Failed() && c.Cause() != wire.ErrTruncated {
		return
	}
	if h.Cut() {
		a.marks |= MarkCut
	}
	for _, e := range t.pairs.Packet(h.Src, h.Dst, p, a.frame, a.now) {
		switch on := t.byPair[e.Pair.ID]; e.Kind {
		case rdma.Sent:
			a.sent(on, &e)
		case rdma.Began:
			if on != nil {
				a.moves(on, e.Op)
			}
		case rdma.Hole:
			if on != nil {
				on.direct.parts[e.Dir].Reset()
				on.lost++
				a.lostBytes++
			}
		case rdma.Repeated:
			a.marks |= MarkRetransmit
			if a.index != nil {
				a.index.frames.at(a.index.frames.n - 1).pos |= uint64(inet.Retransmission) << posBits
			}
			if on != nil {
				on.direct.repeats = cmp.Or(on.direct.repeats, int(a.frame))
				on.retransmits++
			}
		}
	}
}

// directOn makes a connection of a queue pair, if what is sent on it is SMB Direct.
func (a *Analyzer) directOn(e *rdma.Event) *conn {
	t := &a.direct
	p := e.Pair
	if p.Port != smbd.Port && p.Port != smbd.PortIWARP && smbd.Recognise(e.Bytes) == smbd.Unknown {
		return nil
	}
	a.connCount++
	c := &conn{id: a.connCount, server: -1, first: p.First, last: a.frame, firstTime: a.now, lastTime: a.now, speaks: session,
		syn: p.By == rdma.ByConnect, direct: &direct{pair: p}}
	c.key = connKey{p.Ends[0].Addr, p.Ends[1].Addr, p.SrcPort, p.Port}
	if c.syn {
		c.server = 1
	} else {
		c.key.lowPort, c.key.highPort = ib.Port, ib.Port
	}
	if a.index != nil {
		a.index.conns.add(indexedConn{firstTime: a.now})
	}
	if t.byPair == nil {
		t.byPair = make(map[uint32]*conn)
	}
	t.byPair[p.ID] = c
	return c
}

// sent takes a message of a queue pair; c is nil if it is none of SMB Direct so far.
func (a *Analyzer) sent(c *conn, e *rdma.Event) {
	if c == nil {
		if c = a.directOn(e); c == nil {
			return
		}
	}
	a.at = c
	c.last, c.lastTime = a.frame, a.now
	d, m := c.direct, &a.direct.smbd
	kind := smbd.DataTransfer
	if d.sent[e.Dir] == 0 {
		kind = smbd.Recognise(e.Bytes)
		if kind == smbd.Unknown {
			kind = smbd.DataTransfer
		}
	}
	d.sent[e.Dir]++
	cur := wire.NewCut(e.Bytes, e.Size, nil)
	m.Decode(&cur, kind)
	var w smbd.Whole
	whole := false
	switch kind {
	case smbd.NegotiateRequest:
		d.request = *m
		d.requestFrame = int(a.frame)
		c.server = 1 - e.Dir
	case smbd.NegotiateResponse:
		d.answer = *m
		d.answerFrame = int(a.frame)
		c.server = e.Dir
	default:
		d.asked[e.Dir] += uint64(m.CreditsRequested)
		d.granted[e.Dir] += uint64(m.CreditsGranted)
		if !cur.Failed() || cur.Cause() == wire.ErrTruncated {
			var problem smbd.Problem
			w, whole, problem = d.parts[e.Dir].Add(m, e.Frames)
			d.judge(a.frame, c.server == e.Dir, m, problem)
		} else {
			d.fault(RDMAFault{Kind: FaultHeader, Level: Error, Frame: int(a.frame), Text: "a data transfer is too short, or its data lies outside it"})
		}
	}
	if a.index != nil {
		a.index.send(a.frame, c.id, kind, e.Frames, w.Frames)
	}
	if a.view != nil {
		a.view.direct(e.Bytes, e.Size, kind)
	}
	if !whole || len(w.Bytes) == 0 {
		return
	}
	s := &c.streams[e.Dir]
	a.pdu(c, e.Dir, unit{b: w.Bytes, size: w.Size, first: slices.Min(w.Frames), off: s.off, bare: true})
	s.off += uint64(w.Size)
}

// indexedSend is a message of SMB Direct: which frames brought it, and which the SMB
// message that is whole with it. Both lists are in index.brought.
type indexedSend struct {
	frame      uint32 // in which it ends
	conn       uint32
	parts, all uint32 // where the lists begin
	nAll       uint32 // 0 if no SMB message is whole with it
	nParts     uint16
	kind       smbd.Kind
}

// send adds a message of SMB Direct.
func (ix *index) send(frame, conn uint32, kind smbd.Kind, parts, all []uint32) {
	s := indexedSend{frame: frame, conn: conn, kind: kind, parts: uint32(ix.brought.n), nParts: uint16(len(parts)), nAll: uint32(len(all))}
	for _, n := range parts {
		ix.brought.add(n)
	}
	s.all = s.parts
	if !slices.Equal(parts, all) {
		s.all = uint32(ix.brought.n)
		for _, n := range all {
			ix.brought.add(n)
		}
	}
	ix.sends.add(s)
}

// sendsIn returns the position of the first message of SMB Direct that ends in frame n or
// later.
func (ix *index) sendsIn(n uint32) int {
	gone := ix.sends.gone
	return gone + sort.Search(ix.sends.n-gone, func(i int) bool { return ix.sends.at(gone+i).frame >= n })
}

// resend gathers the message that frames brought, or, of messages of SMB Direct with data,
// the data joined.
func (ix *index) resend(r captures.Source, from, n uint32, data bool) (b []byte, size int, err error) {
	var p captures.Packet
	var d inet.Decoder
	var h inet.Headers
	var t ib.Decoder
	var m smbd.Message
	var part []byte
	partSize := 0
	for i := from; i < from+n; i++ {
		frame := *ix.brought.at(int(i))
		if int(frame) <= ix.frames.gone {
			continue // what is left is a cut message
		}
		if err := r.At(int64(ix.frames.at(int(frame)-1).pos&(1<<posBits-1)), &p); err != nil {
			return nil, 0, err
		}
		c := wire.NewCut(p.Data, p.WireLen, nil)
		d.Decode(&c, p.Link, &h, nil)
		if whole := ix.datagram(r, frame); whole != nil {
			joined(whole, &h)
		}
		c = wire.NewCut(h.Payload, h.PayloadLen, nil)
		q := t.Decode(&c, nil)
		body, bodySize := q.Body()
		part, partSize = append(part, body...), partSize+bodySize
		if q.Opcode == ib.SendFirst || q.Opcode == ib.SendMiddle {
			continue
		}
		if !data {
			return part, partSize, nil
		}
		c = wire.NewCut(part, partSize, nil)
		m.Decode(&c, smbd.DataTransfer)
		b, size = append(b, m.Bytes()...), size+int(m.DataLength)
		part, partSize = part[:0], 0
	}
	return b, size, nil
}

package flows

// The part of TestLabels that is iWARP's: streams put together, and what tagged segments
// place in memory.

import (
	"bytes"
	"net/netip"

	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/rdma/iwarp"
	"github.com/odxray/odxray/rdma/smbd"
)

// bytesOf is what one end of a connection sends.
type bytesOf struct {
	next   uint32
	off    uint64
	held   map[uint32][]byte
	framer iwarp.Framer
	parts  smbd.Assembler
	gather []byte
	sinks  map[spot]spot // of this end's reads: where the data goes, and where it comes from
	first  bool          // the negotiation has passed
}

func (y *payloads) tcp(h *inet.Headers, frame uint32) {
	if y.streams == nil {
		y.streams = make(map[netip.AddrPort]*bytesOf)
	}
	me, peer := netip.AddrPortFrom(h.Src, h.SrcPort), netip.AddrPortFrom(h.Dst, h.DstPort)
	s := y.streams[me]
	if s == nil || h.Flags&inet.SYN != 0 {
		s = &bytesOf{next: h.Seq, held: make(map[uint32][]byte), sinks: make(map[spot]spot)}
		if h.Flags&inet.SYN != 0 {
			s.next++
		}
		s.framer.Expect(iwarp.Key{}, 0, 0, 0)
		y.streams[me] = s
	}
	if len(h.Payload) > 0 && int32(h.Seq-s.next) >= 0 {
		s.held[h.Seq] = bytes.Clone(h.Payload)
	}
	for b := s.held[s.next]; b != nil; b = s.held[s.next] {
		delete(s.held, s.next)
		s.framer.Push(b, 0, s.off, frame)
		s.next, s.off = s.next+uint32(len(b)), s.off+uint64(len(b))
		for u := s.framer.Next(); u != nil; u = s.framer.Next() {
			if !u.Startup {
				y.fpdu(s, y.streams[peer], u, frame)
			}
		}
	}
}

func (y *payloads) fpdu(s, peer *bytesOf, u *iwarp.Unit, frame uint32) {
	var g iwarp.Segment
	c := wire.New(u.Bytes, nil)
	u.Decode(&g, &c, nil)
	body, _ := g.Body()
	at := spot{g.STag, g.Offset}
	switch {
	case g.Opcode == iwarp.ReadRequested:
		s.sinks[spot{g.Read.SinkSTag, g.Read.SinkOffset}] = spot{g.Read.SourceSTag, g.Read.SourceOffset}
		return
	case g.Opcode == iwarp.ReadResponse:
		from, ok := peer.sinks[at]
		if !ok {
			return
		}
		delete(peer.sinks, at)
		if !g.Last {
			n := uint64(len(body))
			peer.sinks[spot{at.key, at.address + n}] = spot{from.key, from.address + n}
		}
		at = from
		fallthrough
	case g.Tagged:
		if y.memory[at.key] == nil {
			y.memory[at.key] = make(map[uint64][]byte)
		}
		y.memory[at.key][at.address] = bytes.Clone(body)
		return
	case !g.Opcode.Sends():
		return
	}
	if s.gather = append(s.gather, body...); !g.Last {
		return
	}
	b := s.gather
	s.gather = nil
	if !s.first { // of the negotiation
		s.first = true
		return
	}
	var m smbd.Message
	c = wire.New(b, nil)
	m.Decode(&c, smbd.DataTransfer)
	if w, ok, _ := s.parts.Add(&m, nil); ok {
		y.message(0, w.Bytes, frame)
	}
}

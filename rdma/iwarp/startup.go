package iwarp

import (
	"strconv"

	"github.com/odxray/odxray/dissect/wire"
)

// Startup is an MPA Request Frame or Reply Frame. RFC 5044 7.1.1, RFC 6581 4 and 9
type Startup struct {
	Reply    bool // else a request
	Markers  bool // the sender wants markers in what it is sent
	CRC      bool // the sender wants checksums used, which both sides then do
	Rejected bool // of a reply
	Enhanced bool // IRD and ORD are there: revision 2
	Revision uint8
	IRD, ORD uint16 // RDMA READs that the sender answers at once, and that it would ask
	Private  []byte // of the consumer; aliases the frame
}

const (
	requestKey = "MPA ID Req Frame"
	replyKey   = "MPA ID Rep Frame"
	keyLen     = len(requestKey)
	startupLen = keyLen + 4
	maxPrivate = 512 // [RFC5044] 7.1.1
)

var (
	startups   = fields.Section("[RFC5044] 7.1.1")
	fRequest   = startups.Struct("iwarp_mpa.req", "Request frame header")
	fReply     = startups.Struct("iwarp_mpa.rep", "Reply frame header")
	fReqKey    = startups.Bytes("iwarp_mpa.key.req", "ID Req frame")
	fRepKey    = startups.Bytes("iwarp_mpa.key.rep", "ID Rep frame")
	fFlags     = startups.Uint("", "Flags").Beside(fMarkerFlag, fCRCFlag, fRejectFlag, fReserved)
	fRevision  = startups.Uint("iwarp_mpa.rev", "Revision")
	fPrivLen   = startups.Uint("iwarp_mpa.pdlength", "Private data length").Formatted(inBytes)
	fPrivate   = startups.Bytes("iwarp_mpa.privatedata", "Private data")
	fReserved  = startups.Hex("iwarp_mpa.res", "Reserved").In(0x1f)
	fConsumers = startups.Bytes("", "Private data of the consumer")

	fMarkerFlag = startups.Flag(0x80, "iwarp_mpa.marker_flag", "Marker flag", "False", "True")
	fCRCFlag    = startups.Flag(0x40, "iwarp_mpa.crc_flag", "CRC flag", "False", "True")
	fRejectFlag = startups.Flag(0x20, "iwarp_mpa.rej_flag", "Connection rejected flag", "False", "True")

	enhanced  = fields.Section("[RFC6581] 9")
	fEnhanced = enhanced.Struct("rdma.mpa.enhanced", "Enhanced RDMA connection data")
	fIRDWord  = enhanced.Uint("", "IRD").Beside(fPeer, fSendRTR, fIRD)
	fORDWord  = enhanced.Uint("", "ORD").Beside(fWriteRTR, fReadRTR, fORD)
	fPeer     = enhanced.Flag(0x8000, "rdma.mpa.peer_to_peer", "Peer-to-peer model", "False", "True")
	fSendRTR  = enhanced.Flag(0x4000, "rdma.mpa.rtr.send", "Ready-to-receive by an empty FPDU", "False", "True")
	fIRD      = enhanced.Uint("rdma.mpa.ird", "RDMA Reads answered at once (IRD)").In(0x3fff)
	fWriteRTR = enhanced.Flag(0x8000, "rdma.mpa.rtr.write", "Ready-to-receive by an empty RDMA Write", "False", "True")
	fReadRTR  = enhanced.Flag(0x4000, "rdma.mpa.rtr.read", "Ready-to-receive by an empty RDMA Read", "False", "True")
	fORD      = enhanced.Uint("rdma.mpa.ord", "RDMA Reads asked at once (ORD)").In(0x3fff)
)

func inBytes(v uint64) string { return strconv.FormatUint(v, 10) + " bytes" }

// Key is how much of the key of a start-up frame a stream has begun with. The zero Key is
// nothing.
type Key struct {
	n     uint8
	reply bool
}

// Add takes the bytes that come next, and reports whether the key still fits, and whether
// it is whole with them.
func (k *Key) Add(b []byte) (fits, whole bool) {
	for _, x := range b {
		switch i := int(k.n); {
		case i == keyLen:
			return true, true
		case i == 9: // "MPA ID Re" goes on in either way
			if k.reply = x == 'p'; x != 'p' && x != 'q' {
				return false, false
			}
		case x != requestKey[i]:
			return false, false
		}
		k.n++
	}
	return k.n > 0, int(k.n) == keyLen
}

// Len returns how many bytes of the key there are.
func (k *Key) Len() int { return int(k.n) }

// bytes returns the first n of the bytes that k has seen.
func (k *Key) bytes(n int) string {
	if k.reply {
		return replyKey[:n]
	}
	return requestKey[:n]
}

// IsReply reports whether b, a start-up frame, is a reply.
func IsReply(b []byte) bool { return len(b) > 9 && b[9] == 'p' }

// startupSize returns the size in bytes of the start-up frame that b begins with: 0 if b is
// too short to tell, -1 if it is none.
func startupSize(b []byte) int {
	var k Key
	if fits, _ := k.Add(b); !fits && len(b) > 0 {
		return -1
	}
	if len(b) < startupLen {
		return 0
	}
	n := int(b[18])<<8 | int(b[19])
	if n > maxPrivate {
		return -1
	}
	return startupLen + n
}

// Decode decodes the frame that c is at.
func (s *Startup) Decode(c *wire.Cursor) {
	*s = Startup{}
	defer c.Close(c.Open(fLayer))
	s.Reply = IsReply(c.Peek(keyLen))
	head, key := fRequest, fReqKey
	if s.Reply {
		head, key = fReply, fRepKey
	}
	defer c.Close(c.Open(head))
	c.Skip(key, keyLen)
	flags := c.U8(fFlags)
	s.Revision = c.U8(fRevision)
	n := int(c.BE16(fPrivLen))
	s.Markers, s.CRC, s.Rejected = flags&0x80 != 0, flags&0x40 != 0, flags&0x20 != 0
	s.Enhanced = s.Revision >= 2 && flags&0x10 != 0 && n >= 4
	if n == 0 {
		return
	}
	if !s.Enhanced {
		s.Private = c.Bytes(fPrivate, n)
		return
	}
	within := *c
	c.Skip(fPrivate, n)
	m := within.Open(fEnhanced)
	s.IRD, s.ORD = within.BE16(fIRDWord)&0x3fff, within.BE16(fORDWord)&0x3fff
	if n > 4 {
		s.Private = within.Bytes(fConsumers, n-4)
	}
	within.Close(m)
	c.Join(&within)
}

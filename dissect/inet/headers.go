package inet

import (
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

// Kind says how far the headers of a frame could be followed.
type Kind uint8

const (
	Other    Kind = iota // not IP, or not readable as such
	IP                   // IP with something else above than TCP and UDP
	Fragment             // a part of an IP packet: to be reassembled
	TCP
	UDP
	InfiniBand // its headers are the payload: the global one first if EtherType is EtherTypeRoCE, else the local one
)

// TCPFlags is the flags of a TCP header. RFC 9293 3.1
type TCPFlags uint16

const (
	FIN TCPFlags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
	AE // RFC 9768
)

// Headers is what the headers of a frame say. It is reused: every Decode sets all of
// it. Byte fields alias the frame. Of a tunnel it holds the inner headers.
type Headers struct {
	Kind      Kind
	Truncated bool // the capture cut the frame inside the headers or the payload
	Malformed bool // a header contradicts itself or the frame

	LinkSrc, LinkDst []byte // nil if the link layer has none
	EtherType        uint16 // of what lies in the frame: EtherTypeIPv4, …; 0 if unknown
	VLAN             uint16 // innermost VLAN id; 0 without a tag

	Src, Dst netip.Addr // valid iff the frame holds an IP header; ARP: of its sender and target
	Proto    uint8      // IP protocol above, past IPv6 extension headers
	TTL      uint8

	// Valid for Kind Fragment.
	FragID        uint32
	FragOffset    uint16 // bytes
	MoreFragments bool

	SrcPort, DstPort uint16 // TCP and UDP

	// Valid for Kind TCP.
	Seq, Ack      uint32
	Flags         TCPFlags
	Window        uint16 // as it is on the wire
	Urgent        uint16
	WindowShift   int8   // of the window scale option; -1 without one
	MSS           uint16 // of the option; 0 without one
	SACKPermitted bool
	HasTimestamp  bool
	TSval, TSecr  uint32
	SACK          [4][2]uint32 // left and right edge; the first NSACK are valid
	NSACK         uint8
	Options       []byte // as far as captured

	// Lower is the IP header and the UDP header, one right after the other, as the
	// invariant CRC of RoCE covers them. Valid for Kind UDP; nil if there is anything
	// else between them.
	Lower []byte

	// Payload is what was captured above TCP or UDP, of a fragment, or above the last
	// header that was understood. PayloadLen is its length on the wire, in bytes, as
	// the IP header gives it: Ethernet pads, and captures cut.
	Payload    []byte
	PayloadLen int
}

// Cut tells whether the capture holds less of the payload than was on the wire.
func (h *Headers) Cut() bool { return len(h.Payload) < h.PayloadLen }

// finish takes what c is at for the payload, and its failure for that of the frame.
// f is the payload's field.
func (h *Headers) finish(c *wire.Cursor, f *wire.Field) {
	h.PayloadLen = c.Len()
	h.Payload = c.Rest(f)
	h.Truncated = h.Truncated || c.Cause() == wire.ErrTruncated || h.Cut()
	h.Malformed = h.Malformed || c.Cause() != nil && c.Cause() != wire.ErrTruncated
}

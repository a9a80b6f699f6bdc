package inet

import "time"

// Context is what a frame does not hold but its tree and its Info column show. The
// zero value means "unknown" throughout. Package flows fills it; decoders only read it.
type Context struct {
	// The frame in its file. Without a number the tree has no Frame layer.
	Frame     uint32 // number, from 1
	Time      int64  // nanoseconds since 1970
	PrevTime  int64  // of the frame before
	FirstTime int64  // of the first frame
	Comment   string
	Interface string // its name, if the capture file tells
	InterfaceID,
	Section uint32 // of pcapng; Section counts from 1, and 0 means another format

	// Joined says that the frame completes an IP packet of which it holds a fragment: what
	// the fragment holds is then shown by IPPayload.
	Joined bool

	// The TCP or UDP conversation of the frame.
	HasStream       bool
	Stream          uint32 // index, from 0
	StreamFirstTime int64  // of its first frame
	StreamPrevTime  int64  // of its frame before this one

	// Valid for TCP.
	SeqKnown, AckKnown bool
	SeqBase, AckBase   uint32 // subtracted from Seq and Ack
	WindowFactor       int32  // the window counts in units of this; 0 unknown, -2 scaling is not used
	Completeness       uint8  // of the conversation before the frame: bits SYN, SYN+ACK, ACK, data, FIN, RST
	Closing            Closing
	Segment            bool   // the frame holds a part of a message that ends in another frame
	ReassembledIn      uint32 // that frame, if known
	Analysis           Analysis
}

// Closing is what a side's FIN is to its connection.
type Closing uint8

const (
	Unclosed Closing = iota // unknown
	First                   // its side was the first to send one
	Second                  // the other side was
)

// Analysis is what comparing a segment with the stream before it tells.
type Analysis struct {
	Words         Word
	DupAckFrame   uint32 // with DuplicateAck: frame of the ACK that it repeats
	DupAckNumber  uint32 // and which repetition it is, from 1
	AcksFrame     uint32 // frame of the segment that this one acknowledges; 0 if none
	RTT           time.Duration
	InitialRTT    time.Duration // 0 if the handshake was not seen; beside nothing else Wireshark does not show it
	BytesInFlight uint32
	PushBytes     uint32 // sent since the last PSH
	RTO           time.Duration
	RTOFrame      uint32 // with RTO: the frame it is counted from
}

// Word is a set of remarks on a segment.
type Word uint16

const (
	Retransmission         Word = 1 << iota
	FastRetransmission          // implies Retransmission, set or not
	SpuriousRetransmission      // likewise
	OutOfOrder
	PreviousNotCaptured
	AckedUnseen
	WindowUpdate
	WindowFull
	KeepAlive
	KeepAliveAck
	DuplicateAck
	ZeroWindowProbe
	ZeroWindow
	ZeroWindowProbeAck
	ReusedPorts
)

var unknown Context // never written

package iwarp

import "github.com/odxray/odxray/dissect/wire"

// Segment is a DDP segment and the RDMAP header within. What it does not have is zero.
// RFC 5041 4, RFC 5040 4
type Segment struct {
	Tagged  bool // it says where in the receiver's memory its data goes
	Last    bool // of its message
	Version uint8
	Opcode  Opcode

	STag   uint32 // of the receiver's memory; valid iff Tagged
	Offset uint64 // in it; likewise

	Queue         uint32 // valid unless Tagged, as the next two
	MSN           uint32 // message sequence number, from 1 in each queue
	MessageOffset uint32 // of the data in its message, in bytes

	Invalidate    uint32 // with HasInvalidate: STag that ends with the message
	HasInvalidate bool

	Read      ReadRequest // valid iff Opcode is ReadRequested
	Terminate Terminate   // valid iff Opcode is Terminated

	// Payload is a cursor over the data of a message, which the caller decodes.
	Payload wire.Cursor
}

// ReadRequest is the body of an RDMA Read Request. RFC 5040 4.4
type ReadRequest struct {
	SinkSTag     uint32 // of the memory of the side that asks
	SinkOffset   uint64
	Size         uint32 // bytes
	SourceSTag   uint32 // of the memory of the side that answers
	SourceOffset uint64
}

// Opcode says what a message of RDMAP is. RFC 5040 4.1, RFC 7306 4
type Opcode uint8

const (
	Write               Opcode = 0x0
	ReadRequested       Opcode = 0x1
	ReadResponse        Opcode = 0x2
	Send                Opcode = 0x3
	SendInvalidate      Opcode = 0x4
	SendEvent           Opcode = 0x5 // Send with Solicited Event
	SendEventInvalidate Opcode = 0x6
	Terminated          Opcode = 0x7
	ImmediateData       Opcode = 0x8 // RFC 7306 6
	ImmediateDataEvent  Opcode = 0x9
	AtomicRequest       Opcode = 0xa // RFC 7306 5
	AtomicResponse      Opcode = 0xb
	queueSend                  = 0
	queueRead                  = 1
	queueTerminate             = 2
	queueAtomic                = 3
	taggedLen                  = 14 // bytes of the headers of DDP and RDMAP
	untaggedLen                = 18
	readRequestLen             = 28
)

var opcodes = [16]string{"Write", "Read Request", "Read Response", "Send", "Send with Invalidate", "Send with SE",
	"Send with SE and Invalidate", "Terminate", "Immediate Data", "Immediate Data with SE", "Atomic Request", "Atomic Response"}

func (o Opcode) String() string {
	if s := opcodes[o&15]; s != "" {
		return s
	}
	return "Unknown"
}

// Sends reports whether messages of the opcode carry what the layer above sends.
func (o Opcode) Sends() bool { return o >= Send && o <= SendEventInvalidate }

// Invalidates reports whether they end an STag.
func (o Opcode) Invalidates() bool { return o == SendInvalidate || o == SendEventInvalidate }

var (
	ddp       = fields.Section("[RFC5041] 4.1")
	fBoth     = ddp.Struct("iwarp_ddp_rdmap", "iWARP Direct Data Placement and Remote Direct Memory Access Protocol")
	fDDP      = ddp.Struct("iwarp_ddp", "DDP header")
	fControl  = ddp.Struct("iwarp_ddp.control_field", "DDP control field")
	fDDPByte  = ddp.Uint("", "Control").Beside(fTaggedBit, fLastBit, fDDPRsvd, fDDPVer)
	fDDPRsvd  = ddp.Hex("iwarp_ddp.rsvd", "Reserved").In(0x3c)
	fDDPVer   = ddp.Uint("iwarp_ddp.dv", "DDP protocol version").In(0x03)
	fULP      = ddp.Bytes("iwarp_ddp.rsvdulp", "Reserved for use by the ULP")
	fTagged   = ddp.Struct("iwarp_ddp.tagged", "Tagged buffer model")
	fSTag     = ddp.Hex("iwarp_ddp.stag", "(Data Sink) Steering Tag")
	fOffset   = ddp.Hex("iwarp_ddp.tagged_offset", "(Data Sink) Tagged offset")
	fUntagged = ddp.Struct("iwarp_ddp.untagged", "Untagged buffer model")
	fQueue    = ddp.Uint("iwarp_ddp.qn", "Queue number")
	fMSN      = ddp.Uint("iwarp_ddp.msn", "Message sequence number")
	fMO       = ddp.Uint("iwarp_ddp.mo", "Message offset")

	fTaggedBit = ddp.Flag(0x80, "iwarp_ddp.tagged_flag", "Tagged flag", "False", "True")
	fLastBit   = ddp.Flag(0x40, "iwarp_ddp.last_flag", "Last flag", "False", "True")

	rdmap       = fields.Section("[RFC5040] 4.1")
	fRDMAP      = rdmap.Struct("iwarp_rdma", "RDMAP header")
	fRControl   = rdmap.Struct("iwarp_rdma.control_field", "RDMAP control field")
	fRDMAPByte  = rdmap.Uint("", "Control").Beside(fRVersion, fRRsv, fOpcode)
	fRVersion   = rdmap.Uint("iwarp_rdma.version", "Version").In(0xc0)
	fRRsv       = rdmap.Hex("iwarp_rdma.rsv", "Reserved").In(0x30)
	fOpcode     = rdmap.Enum("iwarp_rdma.opcode", "OpCode", wire.Text[Opcode]).In(0x0f).InHex()
	fRReserved  = rdmap.Bytes("iwarp_rdma.reserved", "Reserved")
	fInvalidate = rdmap.Uint("iwarp_rdma.inval_stag", "Invalidate STag")

	reads       = fields.Section("[RFC5040] 4.4")
	fRead       = reads.Struct("iwarp_rdma.rr", "Read request")
	fSinkSTag   = reads.Hex("iwarp_rdma.sinkstag", "Data Sink STag")
	fSinkOffset = reads.Hex("iwarp_rdma.sinkto", "Data Sink Tagged Offset")
	fReadSize   = reads.Uint("iwarp_rdma.rdmardsz", "RDMA Read Message Size").Formatted(inBytes)
	fSource     = reads.Hex("iwarp_rdma.srcstag", "Data Source STag")
	fSourceOff  = reads.Hex("iwarp_rdma.srcto", "Data Source Tagged Offset")

	fBytes = fields.Section("").Bytes("data.data", "Data")
)

// Decode decodes the segment that c is at and covers.
func (s *Segment) Decode(c *wire.Cursor) {
	*s = Segment{}
	defer c.Close(c.Open(fBoth))
	control, ulp := s.ddp(c)
	s.rdmap(c, &control, &ulp)
	if s.Tagged || s.Opcode.Sends() {
		s.Payload = c.Sub(fBytes, c.Len())
	} else if c.Len() > 0 {
		c.Rest(fBytes)
	}
}

// ddp reads the header of DDP, and returns cursors over the parts of it that are RDMAP's.
func (s *Segment) ddp(c *wire.Cursor) (control, ulp wire.Cursor) {
	defer c.Close(c.Open(fDDP))
	m := c.Open(fControl)
	flags := c.U8(fDDPByte)
	c.Close(m)
	s.Tagged, s.Last, s.Version = flags&0x80 != 0, flags&0x40 != 0, flags&3
	if s.Tagged {
		control = c.Sub(fRDMAPByte, 1)
		defer c.Close(c.Open(fTagged))
		s.STag = c.BE32(fSTag)
		s.Offset = c.BE64(fOffset)
		return control, ulp
	}
	own := *c
	c.Skip(fULP, 5)
	control = own.Sub(fRDMAPByte, 1)
	ulp = own.Sub(fRReserved, 4)
	defer c.Close(c.Open(fUntagged))
	s.Queue = c.BE32(fQueue)
	s.MSN = c.BE32(fMSN)
	s.MessageOffset = c.BE32(fMO)
	return control, ulp
}

// rdmap reads the header of RDMAP: its control field, what of DDP's header is its own, and
// what follows that.
func (s *Segment) rdmap(c, control, ulp *wire.Cursor) {
	if c.Failed() {
		return
	}
	defer c.Close(c.Open(fRDMAP))
	m := control.Open(fRControl)
	s.Opcode = Opcode(control.U8(fRDMAPByte) & 15)
	control.Close(m)
	c.Join(control)
	switch {
	case s.Tagged:
		return
	case s.Opcode.Invalidates():
		s.Invalidate = ulp.BE32(fInvalidate)
		c.Join(ulp)
		s.HasInvalidate = !c.Failed()
	case s.Opcode <= Terminated:
		ulp.Skip(fRReserved, 4)
		c.Join(ulp)
	}
	switch s.Opcode {
	case ReadRequested:
		s.Read.decode(c)
	case Terminated:
		s.Terminate.decode(c)
	case ImmediateData, ImmediateDataEvent:
		c.Skip(fImmediate, 8)
	case AtomicRequest:
		atomicRequest(c)
	case AtomicResponse:
		c.BE32(fOriginal)
		c.BE64(fOriginalValue)
	}
}

func (r *ReadRequest) decode(c *wire.Cursor) {
	defer c.Close(c.Open(fRead))
	r.SinkSTag = c.BE32(fSinkSTag)
	r.SinkOffset = c.BE64(fSinkOffset)
	r.Size = c.BE32(fReadSize)
	r.SourceSTag = c.BE32(fSource)
	r.SourceOffset = c.BE64(fSourceOff)
}

// Body returns the data of the segment, as far as captured, and its length on the wire.
func (s *Segment) Body() (b []byte, size int) {
	look := s.Payload.Ahead()
	size = look.Len()
	return look.Rest(fBytes), size
}

// AppendInfo appends what the Info column says.
func (s *Segment) AppendInfo(b []byte) []byte {
	b = append(b, s.Opcode.String()...)
	if s.Last {
		return append(b, " [last DDP segment]"...)
	}
	return append(b, " [more DDP segments]"...)
}

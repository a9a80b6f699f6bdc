package ib

import (
	"fmt"
	"strconv"

	"github.com/odxray/odxray/dissect/inet"
	"github.com/odxray/odxray/dissect/wire"
)

// Packet is a packet of a queue pair. It is reused: Decode sets all of it, and what the
// packet does not have is zero. [IBTA] 9.2 to 9.3
type Packet struct {
	Carrier Carrier
	Route   Route // not of RoCEv2

	Opcode     Opcode
	Solicited  bool
	Pad        uint8  // bytes after the payload, at most 3
	Partition  uint16 // key
	FECN, BECN bool   // congestion was met on the way, or is told of
	DestQP     uint32 // queue pair that the packet goes to
	AckRequest bool
	PSN        uint32 // packet sequence number, 24 bits

	QKey, SrcQP uint32 // of a datagram

	// Of an RDMA READ request, of the first packet of an RDMA WRITE, and of atomics.
	Address uint64
	RKey    uint32
	Length  uint32 // bytes of the whole operation; not of atomics

	Syndrome Syndrome // of acknowledgements and the ends of RDMA READ responses
	MSN      uint32   // messages that the responder has completed, 24 bits

	Immediate  []byte // 4 bytes, nil without them; aliases the packet
	Invalidate uint32 // with HasInvalidate: key that ends with the message
	HasInvalidate,
	HasSyndrome bool

	CRC CRC // of the packet

	// Payload is a cursor over what the packet carries, without padding. The caller
	// decodes from it or calls Data. Usual does not make it: there is Body.
	Payload wire.Cursor
	body    []byte // the same bytes, of a packet that is Usual

	CM CM // valid if its Attribute is not 0
}

// Decoder decodes packets. The zero Decoder is ready. Not for use by several goroutines
// at once.
type Decoder struct {
	Packet
	udp   []byte        // the headers of IP and UDP below the packet at hand; nil if there are none
	head  [maxHead]byte // of the packet at hand, as its CRC sees it
	lower int           // bytes of that which are the headers below, if they are not udp
	full  bool          // the packet before has more than bare sets

	flows   [4]flow
	changes *[8][256]uint32 // once there is a flow
}

var (
	packets    = fields.Section("[IBTA] 9.2")
	fPacket    = packets.Struct("infiniband", "InfiniBand")
	fBTH       = packets.Struct("infiniband.bth", "Base Transport Header").AsBytes()
	fOpcode    = packets.Enum("infiniband.bth.opcode", "Opcode", wire.Text[Opcode])
	fBTHFlags  = packets.Uint("", "Flags").Beside(fSolicited, fMigReq, fPad, fVersion)
	fSolicited = packets.Flag(0x80, "infiniband.bth.se", "Solicited Event", "False", "True")
	fMigReq    = packets.Flag(0x40, "infiniband.bth.m", "MigReq", "False", "True")
	fPad       = packets.Uint("infiniband.bth.padcnt", "Pad Count").In(0x30)
	fVersion   = packets.Uint("infiniband.bth.tver", "Header Version").In(0x0f)
	fPartition = packets.Uint("infiniband.bth.p_key", "Partition Key")
	fReserved  = packets.Bytes("infiniband.reserved", "Reserved")
	fFECN      = packets.Uint("rdma.fecn", "Forward Explicit Congestion Notification")
	fBECN      = packets.Uint("rdma.becn", "Backward Explicit Congestion Notification")
	fDestQP    = packets.Hex("infiniband.bth.destqp", "Destination Queue Pair")
	fAckByte   = packets.Uint("", "Acknowledge Request").Beside(fAckRequest, fReserved7)

	fAckRequest = packets.Flag(0x80, "infiniband.bth.a", "Acknowledge Request", "False", "True")
	fReserved7  = packets.Uint("infiniband.bth.reserved7", "Reserved (7 bits)").In(0x7f)
	fPSN        = packets.Uint("infiniband.bth.psn", "Packet Sequence Number")

	datagrams = fields.Section("[IBTA] 9.3.1")
	fDETH     = datagrams.Struct("infiniband.deth", "DETH - Datagram Extended Transport Header").AsBytes()
	fQKey     = datagrams.Hex("infiniband.deth.q_key", "Queue Key").Wide(64)
	fSrcQP    = datagrams.Hex("infiniband.deth.srcqp", "Source Queue Pair").Wide(32)

	rdma       = fields.Section("[IBTA] 9.3.3")
	fRETH      = rdma.Struct("infiniband.reth", "RETH - RDMA Extended Transport Header").AsBytes()
	fAddress   = rdma.Hex("infiniband.reth.va", "Virtual Address")
	fRKey      = rdma.Hex("infiniband.reth.r_key", "Remote Key")
	fDMALength = rdma.Uint("infiniband.reth.dmalen", "DMA Length").Formatted(func(v uint64) string { return fmt.Sprintf("%d (0x%08x)", v, v) })

	atomics    = fields.Section("[IBTA] 9.3.4")
	fAtomic    = atomics.Struct("infiniband.atomiceth", "AtomicETH - Atomic Extended Transport Header").AsBytes()
	fSwap      = atomics.Uint("infiniband.atomiceth.swapdt", "Swap (Or Add) Data")
	fCompare   = atomics.Uint("infiniband.atomiceth.cmpdt", "Compare Data")
	fAtomicAck = atomics.Struct("infiniband.atomicacketh", "ATOMICACKETH - Atomic ACK Extended Transport Header").AsBytes()
	fOriginal  = atomics.Uint("infiniband.atomicacketh.origremdt", "Original Remote Data")

	ends        = fields.Section("[IBTA] 9.3.6")
	fImmDt      = ends.Struct("", "IMMDT - Immediate Data Extended Transport Header")
	fImmediate  = ends.Bytes("infiniband.immdt", "Immediate Data")
	fIETH       = ends.Struct("", "IETH - Invalidate Extended Transport Header")
	fInvalidate = ends.Bytes("infiniband.ieth", "RKey") // a number, which tshark shows as bytes

	rest     = fields.Section("")
	fUnknown = rest.Struct("", "Vendor Specific or Unknown Header Sequence")
	fVendor  = rest.Bytes("infiniband.vendor", "Unknown/Vendor Specific Data")
	fCNP     = rest.Bytes("", "Reserved")
	fPadding = rest.Bytes("", "Padding")
	fData    = rest.Struct("data", "Data")
	fBytes   = rest.Bytes("data.data", "Data")
	fDataLen = rest.Uint("data.len", "Length")
)

const (
	crcLen = 4
	cnpLen = 16 // bytes that a CNP reserves
)

// Usual decodes the packet of RoCEv2 that h carries, if it is what nearly all packets of
// bulk are; else it returns nil, and Decode decodes it.
func (d *Decoder) Usual(h *inet.Headers) *Packet {
	if d.lower, d.udp = 0, h.Lower; h.PayloadLen != len(h.Payload) || !d.bare(h.Payload) {
		return nil
	}
	return &d.Packet
}

// Decode decodes the packet of RoCEv2 that c is at, and leaves c where its payload begins
// to be the caller's business. h is the headers below, without which the CRC cannot be
// checked; it may be nil.
func (d *Decoder) Decode(c *wire.Cursor, h *inet.Headers) *Packet {
	d.lower, d.udp = 0, nil
	if h != nil {
		d.udp = h.Lower
	}
	d.Packet, d.full = Packet{}, true
	m := c.Open(fPacket)
	d.transport(c)
	c.Close(m)
	return &d.Packet
}

// transport decodes the packet that c is at, whatever carries it.
func (d *Decoder) transport(c *wire.Cursor) {
	p := &d.Packet
	whole := c.Peek(c.Len())
	p.base(c)
	after, known := p.Opcode.layout()
	p.extended(c, after)
	switch size := c.Len() - crcLen; {
	case c.Failed():
	case p.Opcode == CongestionNotification:
		c.Skip(fCNP, cnpLen)
	case !known:
		m := c.Open(fUnknown)
		c.Rest(fVendor)
		c.Close(m)
		return
	default:
		body := c.Sub(fBytes, size)
		if c.Join(&body); c.Failed() {
			return
		}
		p.Payload = body.Sub(fBytes, size-int(p.Pad))
		body.Join(&p.Payload)
		if p.Pad > 0 {
			body.Skip(fPadding, int(p.Pad))
		}
		c.Join(&body)
	}
	if p.Opcode == DatagramSend && p.DestQP == managementQP {
		p.management(&p.Payload)
		c.Join(&p.Payload)
	}
	p.CRC = d.crc(c, whole)
}

// bare takes the packet b, captured whole, if it is what nearly all packets of bulk are: of
// a reliable connection, with nothing between the base header and what it carries. It
// reports false, having done nothing, where anything is otherwise. What it says the readers
// of each header say, too; a test holds that.
func (d *Decoder) bare(b []byte) bool {
	if len(b) < baseLen+crcLen {
		return false
	}
	op, flags := Opcode(b[0]), b[1]
	end := len(b) - crcLen
	size := end - baseLen - int(flags>>4&3)
	if op.Service() != Reliable || operations[op].after != hasPayload || size < 0 {
		return false
	}
	if d.full {
		d.Packet, d.full = Packet{}, false
	}
	p := &d.Packet
	p.Opcode = op
	p.Solicited, p.Pad = flags&0x80 != 0, flags>>4&3
	p.Partition = uint16(b[2])<<8 | uint16(b[3])
	p.FECN, p.BECN = b[4]&0x80 != 0, b[4]&0x40 != 0
	p.DestQP = uint32(b[5])<<16 | uint32(b[6])<<8 | uint32(b[7])
	p.AckRequest = b[8]&0x80 != 0
	p.PSN = uint32(b[9])<<16 | uint32(b[10])<<8 | uint32(b[11])
	p.body = b[baseLen : baseLen+size : baseLen+size]
	p.CRC = d.check(uint32(b[end])<<24|uint32(b[end+1])<<16|uint32(b[end+2])<<8|uint32(b[end+3]), b)
	return true
}

// base reads the base header. [IBTA] 9.2
func (p *Packet) base(c *wire.Cursor) {
	defer c.Close(c.Open(fBTH))
	p.Opcode = Opcode(c.U8(fOpcode))
	flags := c.U8(fBTHFlags)
	p.Solicited, p.Pad = flags&0x80 != 0, flags>>4&3
	p.Partition = c.BE16(fPartition)
	if look := c.Peek(1); look != nil {
		p.FECN, p.BECN = look[0]&0x80 != 0, look[0]&0x40 != 0
	}
	c.Skip(fReserved, 1)
	if p.FECN {
		c.Note(fFECN, 1, "")
	}
	if p.BECN {
		c.Note(fBECN, 1, "")
	}
	p.DestQP = c.BE24(fDestQP)
	p.AckRequest = c.U8(fAckByte)&0x80 != 0
	p.PSN = c.BE24(fPSN)
}

// extended reads the headers after it.
func (p *Packet) extended(c *wire.Cursor, has headers) {
	if has&hasDETH != 0 {
		m := c.Open(fDETH)
		p.QKey = c.BE32(fQKey)
		c.Skip(fReserved, 1)
		p.SrcQP = c.BE24(fSrcQP)
		c.Close(m)
	}
	if has&hasRETH != 0 {
		m := c.Open(fRETH)
		p.Address = c.BE64(fAddress)
		p.RKey = c.BE32(fRKey)
		p.Length = c.BE32(fDMALength)
		c.Close(m)
	}
	if has&hasAtomic != 0 {
		m := c.Open(fAtomic)
		p.Address = c.BE64(fAddress)
		p.RKey = c.BE32(fRKey)
		c.BE64(fSwap)
		c.BE64(fCompare)
		c.Close(m)
	}
	if has&hasAETH != 0 {
		p.acknowledgement(c)
	}
	if has&hasAtomicAck != 0 {
		m := c.Open(fAtomicAck)
		c.BE64(fOriginal)
		c.Close(m)
	}
	if has&hasImmediate != 0 {
		m := c.Open(fImmDt)
		p.Immediate = c.Bytes(fImmediate, 4)
		c.Close(m)
	}
	if has&hasInvalidate != 0 {
		m := c.Open(fIETH)
		look := c.Ahead()
		p.Invalidate = look.BE32(fInvalidate)
		c.Skip(fInvalidate, 4)
		p.HasInvalidate = !c.Failed()
		c.Close(m)
	}
}

// Data records what is left of a payload that nobody decodes.
func Data(c *wire.Cursor) {
	n := c.Len()
	if !c.Recording() || n == 0 {
		return
	}
	m := c.Open(fData)
	c.Title(m, 0, fmt.Sprintf(" (%d bytes)", n))
	c.Rest(fBytes)
	c.Note(fDataLen, uint64(n), "")
	c.Close(m)
}

// AppendInfo appends what the Info column says.
func (p *Packet) AppendInfo(b []byte) []byte {
	if p.CM.Attribute != 0 {
		return append(append(b, "CM: "...), p.CM.Attribute.String()...)
	}
	service, name := p.Opcode.short()
	b = append(append(b, service...), name...)
	b = append(b, " QP=0x"...)
	for s := 20; s > 0 && p.DestQP>>s == 0; s -= 4 {
		b = append(b, '0')
	}
	b = strconv.AppendUint(b, uint64(p.DestQP), 16)
	return append(b, ' ')
}

// Body returns what the packet carries, as far as captured, and its length on the wire.
func (p *Packet) Body() (b []byte, size int) {
	if p.body != nil {
		return p.body, len(p.body)
	}
	size = p.Payload.Len()
	if b = p.Payload.Peek(size); b != nil {
		return b, size
	}
	look := p.Payload.Ahead()
	return look.Rest(fBytes), size
}

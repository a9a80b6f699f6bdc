package ib

import (
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

// Carrier is what carries a packet.
type Carrier uint8

const (
	RoCEv2     Carrier = iota // UDP
	RoCEv1                    // Ethernet. [IBTA] A16
	InfiniBand                // its own links
)

// EtherType is that of RoCEv1. [IBTA] A16.2
const EtherType = 0x8915

// Route is the local and the global route header. What a packet does not have is zero.
// [IBTA] 7.7, 8.3
type Route struct {
	Local  bool // there is a local route header
	SLID   uint16
	DLID   uint16
	Global bool // there is a global one
	Src    netip.Addr
	Dst    netip.Addr // GIDs; without a global header, what stands for LIDs
}

// ofLID returns what stands for a LID where there is no GID: an address of IPv6 that says so.
func ofLID(lid uint16) netip.Addr {
	return netip.AddrFrom16([16]byte{14: byte(lid >> 8), 15: byte(lid)}).WithZone("LID")
}

// LID returns what a stands for, if that is a LID.
func LID(a netip.Addr) (lid uint16, ok bool) {
	b := a.As16()
	return uint16(b[14])<<8 | uint16(b[15]), a.Zone() == "LID"
}

// Link next headers. [IBTA] 7.7.5
const (
	nextRaw    = 0
	nextIPv6   = 1
	nextLocal  = 2
	nextGlobal = 3

	nextHeaderIBA = 0x1b // in a global route header. [IBTA] 8.3.4
	globalLen     = 40
	variantLen    = 2
)

var (
	local   = fields.Section("[IBTA] 7.7")
	fLRH    = local.Struct("infiniband.lrh", "Local Route Header").AsBytes()
	fLink   = local.Uint("", "Virtual Lane and Link Version").Beside(fVL, fLVer)
	fVL     = local.Hex("infiniband.lrh.vl", "Virtual Lane").In(0xf0)
	fLVer   = local.Uint("infiniband.lrh.lver", "Link Version").In(0x0f)
	fSLByte = local.Uint("", "Service Level").Beside(fSL, fLRes2, fLNH)
	fSL     = local.Uint("infiniband.lrh.sl", "Service Level").In(0xf0)
	fLRes2  = local.Uint("infiniband.lrh.reserved2", "Reserved (2 bits)").In(0x0c)
	fLNH    = local.Hex("infiniband.lrh.lnh", "Link Next Header").In(0x03)
	fDLID   = local.Uint("infiniband.lrh.dlid", "Destination Local ID")
	fLength = local.Uint("", "Packet Length").Beside(fLRes5, fPktLen)
	fLRes5  = local.Uint("infiniband.lrh.reserved5", "Reserved (5 bits)").In(0xf800)
	fPktLen = local.Uint("infiniband.lrh.pktlen", "Packet Length").In(0x07ff)
	fSLID   = local.Uint("infiniband.lrh.slid", "Source Local ID")

	global   = fields.Section("[IBTA] 8.3")
	fGRH     = global.Struct("infiniband.grh", "Global Route Header").AsBytes()
	fGByte   = global.Uint("", "IP Version").Beside(fIPVer)
	fGHalf   = global.Uint("", "Traffic Class").Beside(fTClass)
	fGWord   = global.Uint("", "Flow Label").Beside(fFlow)
	fIPVer   = global.Uint("infiniband.grh.ipver", "IP Version").In(0xf0)
	fTClass  = global.Uint("infiniband.grh.tclass", "Traffic Class").In(0x0ff0)
	fFlow    = global.Uint("infiniband.grh.flowlabel", "Flow Label").In(0x000fffff)
	fPayLen  = global.Uint("infiniband.grh.paylen", "Payload Length")
	fNxtHdr  = global.Uint("infiniband.grh.nxthdr", "Next Header")
	fHopLmt  = global.Uint("infiniband.grh.hoplmt", "Hop Limit")
	fSGID    = global.Address("infiniband.grh.sgid", "Source GID")
	fDGID    = global.Address("infiniband.grh.dgid", "Destination GID")
	raws     = fields.Section("[IBTA] 5.3")
	fRWH     = raws.Struct("infiniband.rwh", "Raw Header").AsBytes()
	fRWRes   = raws.Uint("infiniband.rwh.reserved", "Reserved (16 bits)")
	fRWType  = raws.Hex("infiniband.rwh.etype", "Ethertype")
	fRawData = raws.Bytes("infiniband.rawdata", "Raw Data")

	variants       = fields.Section("[IBTA] 7.8.2")
	fVariant       = variants.Hex("infiniband.variant.crc", "Variant CRC")
	fVariantStatus = variants.Uint("rdma.vcrc.status", "Variant CRC Status").Formatted(wire.Text[CRC])
)

// DecodeGlobal decodes the packet of RoCEv1 that c is at: what follows Ethertype 0x8915.
// ok is false if that is no packet of a queue pair.
func (d *Decoder) DecodeGlobal(c *wire.Cursor) (p *Packet, ok bool) {
	d.Packet, d.full = Packet{Carrier: RoCEv1}, true
	d.lower, d.udp = 0, nil
	defer c.Close(c.Open(fPacket))
	if !d.global(c) {
		return &d.Packet, false
	}
	d.transport(c)
	return &d.Packet, true
}

// DecodeLink decodes the packet that c is at, from its local route header on. ok is false
// if that is no packet of a queue pair.
func (d *Decoder) DecodeLink(c *wire.Cursor) (p *Packet, ok bool) {
	d.Packet, d.full = Packet{Carrier: InfiniBand}, true
	d.lower, d.udp = 0, nil
	defer c.Close(c.Open(fPacket))
	next, size := d.local(c)
	whole := c.Behind(localLen) // and what follows, whose variant CRC comes last
	all := *c
	body := c.Sub(fPktLen, min(size, c.Len()))
	switch next {
	case nextGlobal:
		ok = d.global(&body)
	case nextLocal:
		ok = true
	case nextIPv6:
		body.Rest(fRawData)
	case nextRaw:
		m := body.Open(fRWH)
		body.BE16(fRWRes)
		body.BE16(fRWType)
		body.Close(m)
		body.Rest(fRawData)
	}
	if ok = ok && !c.Failed(); ok {
		d.transport(&body)
	}
	c.Join(&body)
	if c.Len() >= variantLen {
		variant(c, whole, all.Peek(size))
	}
	return &d.Packet, ok
}

// local reads the local route header. It returns what follows, and how many bytes of that
// there are up to the variant CRC. [IBTA] 7.7
func (d *Decoder) local(c *wire.Cursor) (next uint8, size int) {
	defer c.Close(c.Open(fLRH))
	r := &d.Route
	c.U8(fLink)
	next = c.U8(fSLByte) & 3
	r.DLID = c.BE16(fDLID)
	words := int(c.BE16(fLength) & 0x7ff)
	r.SLID = c.BE16(fSLID)
	if c.Failed() {
		return next, 0
	}
	r.Local, r.Src, r.Dst = true, ofLID(r.SLID), ofLID(r.DLID)
	if next == nextLocal {
		copy(d.head[:], c.Behind(localLen))
		d.head[0] |= 0xf0 // the virtual lane
		d.lower = localLen
	}
	return next, max(4*words-localLen, 0)
}

// global reads the global route header, and ends c where it says that its packet ends. It
// reports whether a packet of a queue pair follows. [IBTA] 8.3
func (d *Decoder) global(c *wire.Cursor) bool {
	m := c.Open(fGRH)
	r := &d.Route
	if c.Recording() { // the three share their bytes
		look := *c
		look.U8(fGByte)
		look = *c
		look.BE16(fGHalf)
	}
	c.BE32(fGWord)
	size := int(c.BE16(fPayLen))
	next := c.U8(fNxtHdr)
	c.U8(fHopLmt)
	src, dst := c.Bytes(fSGID, 16), c.Bytes(fDGID, 16)
	c.Close(m)
	if c.Failed() {
		return false
	}
	r.Global, r.Src, r.Dst = true, netip.AddrFrom16([16]byte(src)), netip.AddrFrom16([16]byte(dst))
	b := d.cover(c.Behind(globalLen))
	vary(b[localLen:])
	d.lower = len(b)
	c.Narrow(size)
	if next != nextHeaderIBA {
		c.Rest(fRawData)
		return false
	}
	return true
}

// variant reads the variant CRC that c is at, and checks it against the packet: head and
// what follows that, nil if not captured whole. [IBTA] 7.8.2
func variant(c *wire.Cursor, head, rest []byte) {
	got := c.BE16(fVariant)
	if !c.Recording() {
		return
	}
	verdict := CRCUnknown
	if !c.Failed() && head != nil && rest != nil {
		// The polynomial is x^16+x^12+x^3+x+1, sent lowest bit first.
		sum := uint16(0xffff)
		for _, b := range [2][]byte{head, rest} {
			for _, x := range b {
				sum ^= uint16(x)
				for range 8 {
					sum = sum>>1 ^ -(sum&1)&0xd008
				}
			}
		}
		if sum = ^sum; got == sum<<8|sum>>8 {
			verdict = CRCGood
		} else if verdict = CRCBad; got == 0 {
			verdict = CRCAbsent
		}
	}
	c.Note(fVariantStatus, uint64(verdict), "")
}

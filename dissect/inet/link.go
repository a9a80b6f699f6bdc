package inet

import "github.com/odxray/odxray/dissect/wire"

// The link layers that say little more than that IP follows.

var (
	loopback    = fields.Section("LINKTYPE_NULL")
	fNull       = loopback.Struct("null", "Null/Loopback")
	fNullFamily = loopback.Enum("null.family", "Family", familyName)

	rawData = fields.Section("LINKTYPE_RAW")
	fRaw    = rawData.Struct("raw", "Raw packet data")

	ppp          = fields.Section("RFC 1662 3.1")
	fPPP         = ppp.Struct("ppp", "Point-to-Point Protocol")
	fPPPAddress  = ppp.Hex("ppp.address", "Address")
	fPPPControl  = ppp.Hex("ppp.control", "Control")
	fPPPProtocol = ppp.Enum("ppp.protocol", "Protocol", pppName).InHex().Wide(16)

	pppoe        = fields.Section("RFC 2516 4")
	fPPPoE       = pppoe.Struct("pppoes", "PPP-over-Ethernet Session")
	fPPPoEFirst  = pppoe.Hex("", "Version and Type").Beside(pppoe.Uint("pppoe.version", "Version").In(0xf0), pppoe.Uint("pppoe.type", "Type").In(0x0f))
	fPPPoECode   = pppoe.Hex("pppoe.code", "Code")
	fPPPoEID     = pppoe.Hex("pppoe.session_id", "Session ID")
	fPPPoELength = pppoe.Uint("pppoe.payload_length", "Payload Length")

	nflog           = fields.Section("LINKTYPE_NFLOG")
	fNFLOG          = nflog.Struct("nflog", "Linux Netfilter NFLOG")
	fNFLOGFamily    = nflog.Enum("nflog.family", "Family", linuxFamilyName)
	fNFLOGVersion   = nflog.Uint("nflog.version", "Version")
	fNFLOGResource  = nflog.Uint("nflog.res_id", "Resource id")
	fNFLOGTLV       = nflog.Struct("nflog.tlv", "TLV Type").Formatted(tlvName)
	fNFLOGTLVLength = nflog.Uint("nflog.tlv_length", "Length")
	fNFLOGTLVType   = nflog.Enum("nflog.tlv_type", "Type", tlvName)
	fNFLOGPad       = nflog.Bytes("", "Padding")
	fNFLOGTLVValue  = nflog.Bytes("nflog.tlv_value", "Value")
)

// raw decodes a frame that begins with IP: its first four bits tell which.
func (w *walk) raw(c *wire.Cursor) {
	c.Close(c.Open(fRaw))
	w.met(c, "raw")
	w.ip(c)
}

// ip goes on with IP of either version.
func (w *walk) ip(c *wire.Cursor) {
	look := c.Ahead()
	switch look.U8(fRaw) >> 4 {
	case 4:
		w.ethertype(c, EtherTypeIPv4)
	case 6:
		w.ethertype(c, EtherTypeIPv6)
	default:
		w.h.Malformed = w.h.Malformed || c.Len() > 0 && look.Cause() == nil
		w.data(c)
	}
}

// null decodes the BSD loopback header: an address family in the byte order of the
// machine that captured, or in network order if loop. The families of IPv6 differ
// between the systems, and are told from each other by nothing.
func (w *walk) null(c *wire.Cursor, loop bool) {
	m := c.Open(fNull)
	look := c.Ahead()
	family := look.U32(fNullFamily)
	if family>>16 != 0 || loop {
		family = c.BE32(fNullFamily)
	} else {
		c.U32(fNullFamily)
	}
	c.Close(m)
	w.met(c, "null")
	switch family {
	case 2, 10, 24, 28, 30:
		w.ip(c)
	default:
		w.data(c)
	}
}

func familyName(v uint64) string {
	switch v {
	case 2:
		return "IP"
	case 10, 24, 28, 30:
		return "IPv6"
	case 7:
		return "ISO"
	}
	return "Unknown"
}

// ppp decodes PPP, whose address and control bytes may be absent, and whose protocol
// number has one byte if that is odd.
func (w *walk) ppp(c *wire.Cursor) {
	m := c.Open(fPPP)
	look := c.Ahead()
	if look.U8(fPPPAddress) == 0xff {
		c.U8(fPPPAddress)
		c.U8(fPPPControl)
	}
	w.pppProtocol(c, m)
}

func (w *walk) pppProtocol(c *wire.Cursor, m wire.Mark) {
	var protocol uint16
	if look := c.Ahead(); look.U8(fPPPProtocol)&1 != 0 {
		protocol = uint16(c.U8(fPPPProtocol))
	} else {
		protocol = c.BE16(fPPPProtocol)
	}
	c.Close(m)
	w.met(c, "ppp")
	switch {
	case c.Cause() == nil && protocol == 0x21:
		w.ethertype(c, EtherTypeIPv4)
	case c.Cause() == nil && protocol == 0x57:
		w.ethertype(c, EtherTypeIPv6)
	default:
		w.data(c)
	}
}

func pppName(v uint64) string {
	switch v {
	case 0x0021:
		return "Internet Protocol version 4"
	case 0x0057:
		return "Internet Protocol version 6"
	case 0x8021:
		return "Internet Protocol Control Protocol"
	case 0x8057:
		return "IPv6 Control Protocol"
	case 0xc021:
		return "Link Control Protocol"
	case 0xc023:
		return "Password Authentication Protocol"
	case 0xc223:
		return "Challenge Handshake Authentication Protocol"
	}
	return "Unknown"
}

// pppoe decodes PPP in Ethernet.
func (w *walk) pppoe(c *wire.Cursor) {
	m := c.Open(fPPPoE)
	c.U8(fPPPoEFirst)
	c.U8(fPPPoECode)
	c.BE16(fPPPoEID)
	n := c.BE16(fPPPoELength)
	c.Close(m)
	w.met(c, "pppoes")
	end := c.Narrow(int(n))
	w.pppProtocol(c, c.Open(fPPP))
	c.Widen(end)
}

// nflog decodes what the Linux netfilter log writes: attributes, of which one is the
// packet. Their numbers are in the byte order of the machine that captured, which
// only the attributes' lengths betray.
func (w *walk) nflog(c *wire.Cursor) {
	const payload = 9
	m := c.Open(fNFLOG)
	family := c.U8(fNFLOGFamily)
	c.U8(fNFLOGVersion)
	c.BE16(fNFLOGResource)
	w.met(c, "nflog")
	for c.Len() >= 4 {
		look := c.Ahead()
		n, t := look.U16(fNFLOGTLVLength), look.U16(fNFLOGTLVType)
		swapped := int(n) > c.Len()
		tlv := c.Open(fNFLOGTLV)
		if swapped {
			n, t = c.BE16(fNFLOGTLVLength), c.BE16(fNFLOGTLVType)
		} else {
			c.U16(fNFLOGTLVLength)
			c.U16(fNFLOGTLVType)
		}
		t &= 0x7fff
		c.Title(tlv, uint64(t), "")
		if n < 4 {
			c.Fail(fNFLOGTLVLength, wire.ErrShort)
		}
		if t == payload {
			c.Close(tlv)
			c.Close(m)
			end := c.Narrow(int(n) - 4)
			if family == 2 || family == 10 {
				w.ip(c)
			} else {
				w.data(c)
			}
			c.Widen(end)
			return
		}
		c.Skip(fNFLOGTLVValue, int(n)-4)
		c.Close(tlv)
		if pad := -int(n) & 3; pad > 0 && c.Len() >= pad {
			c.Skip(fNFLOGPad, pad)
		}
	}
	c.Close(m)
	w.data(c)
}

func linuxFamilyName(v uint64) string {
	switch v {
	case 2:
		return "IPv4"
	case 10:
		return "IPv6"
	case 7:
		return "Ethernet bridge"
	}
	return "Unknown"
}

func tlvName(v uint64) string {
	names := [...]string{1: "NFULA_PACKET_HDR", 2: "NFULA_MARK", 3: "NFULA_TIMESTAMP", 4: "NFULA_IFINDEX_INDEV", 5: "NFULA_IFINDEX_OUTDEV",
		6: "NFULA_IFINDEX_PHYSINDEV", 7: "NFULA_IFINDEX_PHYSOUTDEV", 8: "NFULA_HWADDR", 9: "NFULA_PAYLOAD", 10: "NFULA_PREFIX", 11: "NFULA_UID",
		12: "NFULA_SEQ", 13: "NFULA_SEQ_GLOBAL", 14: "NFULA_GID", 15: "NFULA_HWTYPE", 16: "NFULA_HWHEADER", 17: "NFULA_HWLEN", 18: "NFULA_CT",
		19: "NFULA_CT_INFO", 20: "NFULA_VLAN", 21: "NFULA_L2HDR"}
	if v &= 0x7fff; v > 0 && v < uint64(len(names)) {
		return names[v]
	}
	return "Unknown"
}

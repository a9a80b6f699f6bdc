package inet

import (
	"strings"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	ethernet = fields.Section("IEEE 802.3 3.1")
	fEth     = ethernet.Struct("eth", "Ethernet II")
	fEth8023 = ethernet.Struct("eth", "IEEE 802.3 Ethernet")
	fEthDst  = ethernet.Address("eth.dst", "Destination").Wide(48).Formatted(mac)
	fEthSrc  = ethernet.Address("eth.src", "Source").Wide(48).Formatted(mac)
	fEthAddr = ethernet.Address("eth.addr", "Address").Wide(48).Formatted(mac)
	fEthType = ethernet.Enum("eth.type", "Type", etherTypeName).InHex()
	fEthLen  = ethernet.Uint("eth.len", "Length")

	fDstLG = lgBit("eth.dst.lg")
	fDstIG = igBit("eth.dst.ig")
	fSrcLG = lgBit("eth.src.lg")
	fSrcIG = igBit("eth.src.ig")
	_      = ethernet.Any("eth.lg", "LG bit", fDstLG, fSrcLG)
	_      = ethernet.Any("eth.ig", "IG bit", fDstIG, fSrcIG)

	llc   = fields.Section("IEEE 802.2")
	fLLC  = llc.Struct("llc", "Logical-Link Control")
	fDSAP = llc.Enum("llc.dsap", "DSAP", sapName).InHex().Split(
		llc.Uint("llc.dsap.sap", "SAP").In(0xfe).Formatted(sapBits), llc.Flag(0x01, "llc.dsap.ig", "IG Bit", "Individual", "Group"))
	fSSAP = llc.Enum("llc.ssap", "SSAP", sapName).InHex().Split(
		llc.Uint("llc.ssap.sap", "SAP").In(0xfe).Formatted(sapBits), llc.Flag(0x01, "llc.ssap.cr", "CR Bit", "Command", "Response"))
	fControl   = llc.Hex("llc.control", "Control field")
	fControlUI = llc.Hex("llc.control", "Control field").Formatted(func(uint64) string { return "U, func=UI (0x03)" }).Split(
		llc.Enum("llc.control.u_modifier_cmd", "Command", func(uint64) string { return "Unnumbered Information" }).InHex().In(0xec),
		llc.Enum("llc.control.ftype", "Frame type", func(uint64) string { return "Unnumbered frame" }).InHex().In(0x03))
	fOUI     = llc.Bytes("llc.oui", "Organization Code")
	fLLCType = llc.Enum("llc.type", "Type", etherTypeName).InHex()
)

func lgBit(name string) *wire.Field {
	return ethernet.Flag(0x020000, name, "LG bit", "Globally unique address (factory default)",
		"Locally administered address (this is NOT the factory default)")
}

func igBit(name string) *wire.Field {
	return ethernet.Flag(0x010000, name, "IG bit", "Individual address (unicast)", "Group address (multicast/broadcast)")
}

// mac prints an address, the low 48 bits of v, as tshark does one of unknown make.
func mac(v uint64) string {
	text := macText(v)
	if name, ok := wellKnownMAC(v); ok {
		return name + " (" + text + ")"
	}
	return text + " (" + text + ")"
}

func macText(v uint64) string { return string(appendMAC(nil, v)) }

func appendMAC(b []byte, v uint64) []byte {
	for i := 40; i >= 0; i -= 8 {
		b = appendHex(b, v>>i&0xff, 2)
		if i > 0 {
			b = append(b, ':')
		}
	}
	return b
}

// wellKnownMAC names the group addresses that every host uses.
func wellKnownMAC(v uint64) (string, bool) {
	text := macText(v)
	switch {
	case v == 0xffffffffffff:
		return "Broadcast", true
	case v>>32 == 0x3333:
		return "IPv6mcast_" + strings.TrimPrefix(text[6:], "00:00:00:"), true
	case v>>23 == 0x01005e000000>>23:
		return "IPv4mcast_" + strings.TrimPrefix(text[9:], "00:00:"), true
	case v == 0x0180c200000e:
		return "LLDP_Multicast", true
	case v == 0x0180c2000000:
		return "Spanning-tree-(for-bridges)_00", true
	}
	return "", false
}

func addr48(b []byte) (v uint64) {
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}

// address reads a MAC address with the bits that Wireshark shows below it.
func address(c *wire.Cursor, f, lg, ig *wire.Field) []byte {
	m := c.Overlay(f, 6)
	c.Overlay(fEthAddr, 6)
	c.Overlay(lg, 3)
	c.Overlay(ig, 3)
	b := c.Pass(f, 6)
	c.Close(m)
	return b
}

func (w *walk) ethernet(c *wire.Cursor) {
	h := w.h
	f, fType := fEth, fEthType
	m := wire.Mark(-1)
	if c.Recording() {
		look := c.Ahead()
		if look.Pass(fEthAddr, 12); look.BE16(fEthType) < minType {
			f, fType = fEth8023, fEthLen
		}
		m = c.Open(f)
		h.LinkDst = address(c, fEthDst, fDstLG, fDstIG)
		h.LinkSrc = address(c, fEthSrc, fSrcLG, fSrcIG)
	} else {
		h.LinkDst, h.LinkSrc = c.Pass(fEthDst, 6), c.Pass(fEthSrc, 6)
	}
	t := c.BE16(fType)
	if m >= 0 && h.LinkSrc != nil && f == fEth {
		c.Title(m, 0, ", Src: "+mac(addr48(h.LinkSrc))+", Dst: "+mac(addr48(h.LinkDst)))
	}
	if c.Cause() != nil {
		c.Close(m)
		w.data(c)
		return
	}
	if t < minType {
		c.Close(m)
		end := c.Narrow(int(t))
		w.met(c, "eth:llc")
		w.llc(c)
		c.Widen(end)
		return
	}
	if c.Recording() {
		w.trailer(c, t, fTrailer)
	}
	c.Close(m)
	w.met(c, "eth:ethertype")
	w.ethertype(c, t)
}

// minType is the least Ethernet type; below, the number is the frame's length.
const minType = 0x600

// llc decodes IEEE 802.2, of which only SNAP leads to IP. RFC 1042
func (w *walk) llc(c *wire.Cursor) {
	if !w.enter(c) {
		return
	}
	m := c.Open(fLLC)
	dsap, ssap := c.U8(fDSAP), c.U8(fSSAP)
	f := fControl
	if b := c.Peek(1); b != nil && b[0] == 0x03 {
		f = fControlUI
	}
	control := c.U8(f)
	if dsap != 0xaa || ssap != 0xaa || control != 0x03 {
		c.Close(m)
		w.data(c)
		return
	}
	oui := addr48(c.Bytes(fOUI, 3))
	t := c.BE16(fLLCType)
	c.Close(m)
	if oui != 0 && oui != 0x0000f8 || c.Cause() != nil {
		w.data(c)
		return
	}
	w.ethertype(c, t)
}

// sapBits names a service access point by its upper seven bits.
func sapBits(v uint64) string { return sapName(v << 1) }

func sapName(v uint64) string {
	switch v &^ 1 {
	case 0x00:
		return "NULL LSAP"
	case 0x06:
		return "TCP/IP"
	case 0x42:
		return "Spanning Tree BPDU"
	case 0xaa:
		return "SNAP"
	case 0xe0:
		return "NetWare"
	case 0xf0:
		return "NetBIOS"
	case 0xfe:
		return "ISO Network Layer"
	}
	return "Unknown"
}

// etherTypeName is Wireshark's word for an Ethernet type.
func etherTypeName(v uint64) string {
	switch uint16(v) {
	case EtherTypeIPv4:
		return "IPv4"
	case EtherTypeARP:
		return "ARP"
	case EtherTypeIPv6:
		return "IPv6"
	case EtherTypeVLAN:
		return "802.1Q Virtual LAN"
	case EtherTypeQinQ:
		return "802.1ad Provider Bridge (Q-in-Q)"
	case EtherTypeQinQ1:
		return "QinQ: old non-standard 802.1ad"
	case EtherTypeTEB:
		return "Transparent Ethernet bridging"
	case EtherTypePPPoED:
		return "PPPoE Discovery"
	case EtherTypePPPoE:
		return "PPPoE Session"
	case EtherTypeRoCE:
		return "RDMA over Converged Ethernet"
	}
	if p, ok := etherProtocols[uint16(v)]; ok {
		return p.name
	}
	return "Unknown"
}

// etherProtocols is what else is met beside file traffic: the name of the type, and
// the word for the Protocol column.
var etherProtocols = map[uint16]struct{ name, column string }{
	0x0842: {"Wake on LAN", "WOL"},
	0x6002: {"DEC DNA Remote Console", "0x6002"},
	0x8035: {"RARP", "RARP"},
	0x8137: {"Netware IPX/SPX", "IPX"},
	0x8808: {"MAC Control", "MAC CTRL"},
	0x8809: {"Slow Protocols", "LACP"},
	0x8847: {"MPLS label switched packet", "MPLS"},
	0x888e: {"802.1X Authentication", "EAPOL"},
	0x88cc: {"802.1 Link Layer Discovery Protocol (LLDP)", "LLDP"},
	0x88e1: {"HomePlug AV", "HomePlug AV"},
	0x88e5: {"802.1AE (MACsec)", "MACSEC"},
	0x88f7: {"PTPv2 over Ethernet (IEEE1588)", "PTPv2"},
	0x8902: {"IEEE 802.1Q Connectivity Fault Management (CFM) protocol", "CFM"},
	0x8906: {"FCoE", "FCoE"},
	0x8914: {"FCoE Initialization Protocol", "FIP"},
	0x9000: {"Loopback", "LOOP"},
}

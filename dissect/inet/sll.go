package inet

import "github.com/odxray/odxray/dissect/wire"

var (
	cooked      = fields.Section("LINKTYPE_LINUX_SLL")
	fSLL        = cooked.Struct("sll", "Linux cooked capture v1")
	fSLL2       = cooked.Struct("sll", "Linux cooked capture v2")
	fSLLPacket  = cooked.Enum("sll.pkttype", "Packet type", packetTypeName)
	fSLLHType   = cooked.Enum("sll.hatype", "Link-layer address type", hardwareName)
	fSLLHLen    = cooked.Uint("sll.halen", "Link-layer address length")
	fSLLEth     = cooked.Address("sll.src.eth", "Source").Wide(48).Formatted(mac)
	fSLLIPv4    = cooked.Address("sll.src.ipv4", "Source").Wide(32)
	fSLLOther   = cooked.Bytes("sll.src.other", "Source")
	fSLLUnused  = cooked.Bytes("sll.unused", "Unused")
	fSLLType    = cooked.Enum("sll.etype", "Protocol", etherTypeName).InHex()
	fSLLTrailer = cooked.Bytes("sll.trailer", "Trailer")
	fSLLIndex   = cooked.Uint("sll.ifindex", "Interface index")
)

// Hardware address types of ARP, which Linux also uses here.
const (
	hardwareEthernet = 1
	hardwareLoopback = 772
	hardwareNetlink  = 824
	hardwareGRE      = 778
)

// sll decodes the header that stands for that of any device in a Linux capture.
func (w *walk) sll(c *wire.Cursor) {
	m := c.Open(fSLL)
	c.BE16(fSLLPacket)
	hardware := c.BE16(fSLLHType)
	w.sllAddress(c, int(c.BE16(fSLLHLen)))
	t := c.BE16(fSLLType)
	w.sllPayload(c, m, hardware, t)
}

// sll2 decodes the second version of it, which knows the device.
func (w *walk) sll2(c *wire.Cursor) {
	m := c.Open(fSLL2)
	t := c.BE16(fSLLType)
	c.Pass(fSLLUnused, 2) // must be zero
	c.BE32(fSLLIndex)
	hardware := c.BE16(fSLLHType)
	c.U8(fSLLPacket)
	w.sllAddress(c, int(c.U8(fSLLHLen)))
	w.sllPayload(c, m, hardware, t)
}

// sllAddress reads an address of n bytes in its field of eight.
func (w *walk) sllAddress(c *wire.Cursor, n int) {
	f := fSLLOther
	switch n {
	case 0:
		c.Skip(fSLLUnused, 8)
		return
	case 4:
		f = fSLLIPv4
	case 6:
		f = fSLLEth
	}
	n = min(n, 8)
	if n == 6 {
		c.Overlay(f, 6)
		w.h.LinkSrc = c.Pass(f, 6)
	} else {
		w.h.LinkSrc = c.Bytes(f, n)
	}
	if n < 8 {
		c.Skip(fSLLUnused, 8-n)
	}
}

func (w *walk) sllPayload(c *wire.Cursor, m wire.Mark, hardware, t uint16) {
	known := c.Cause() == nil && t >= minType && hardware != hardwareNetlink
	if known && c.Recording() {
		w.trailer(c, t, fSLLTrailer)
	}
	c.Close(m)
	if !known {
		w.met(c, "sll")
		w.data(c)
		return
	}
	w.met(c, "sll:ethertype")
	w.ethertype(c, t)
}

func packetTypeName(v uint64) string {
	switch v {
	case 0:
		return "Unicast to us"
	case 1:
		return "Broadcast"
	case 2:
		return "Multicast"
	case 3:
		return "Unicast to another host"
	case 4:
		return "Sent by us"
	}
	return "Unknown"
}

func hardwareName(v uint64) string {
	switch v {
	case hardwareEthernet:
		return "Ethernet"
	case 32:
		return "InfiniBand"
	case 512:
		return "PPP"
	case 768:
		return "IPIP tunnel"
	case hardwareLoopback:
		return "Loopback"
	case hardwareGRE:
		return "GRE over IP"
	case hardwareNetlink:
		return "Netlink"
	case 65534:
		return "Nothing"
	}
	return "Unknown"
}

package fscc

import (
	"fmt"
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

// InterfacesReply lists the server's network interfaces: what else a client may
// connect to. [MS-SMB2] 2.2.32.5
type InterfacesReply struct {
	List []byte // a chain of NETWORK_INTERFACE_INFO; see Each. Aliases the message
}

// Interface is one address of an interface. [MS-SMB2] 2.2.32.5
type Interface struct {
	Next         uint32 // bytes from the start of this to the next; 0 in the last
	Index        uint32
	Capabilities uint32 // InterfaceRSS, InterfaceRDMA
	RSSQueues    uint32
	LinkSpeed    uint64 // bits a second
	Address      netip.AddrPort
}

// Capabilities of an interface.
const (
	InterfaceRSS  = 1
	InterfaceRDMA = 2
)

// Families of socket addresses, as Windows numbers them.
const (
	familyIPv4 = 2
	familyIPv6 = 23
)

const addressSize = 128 // SOCKADDR_STORAGE

var (
	network        = fields.Section("[MS-SMB2] 2.2.32.5")
	fInterface4    = network.Struct("", "Network Interface, IPv4").Formatted(comma).Titled(fIPv4)
	fInterface6    = network.Struct("", "Network Interface, IPv6").Formatted(comma).Titled(fIPv6)
	fInterface     = network.Struct("", "Network Interface").Formatted(comma)
	fNextInterface = network.Hex("smb2.ioctl.network_interfaces.next_offset", "Next Offset")
	fIndex         = network.Uint("smb2.ioctl.network_interfaces.index", "Interface Index")
	fCapabilities  = network.Hex("smb2.ioctl.network_interfaces.capabilities", "Interface Cababilities").List(
		network.Flag(InterfaceRDMA, "smb2.ioctl.network_interfaces.capabilities.rdma", "RDMA", "This interface does not support RDMA", "This interface supports RDMA"),
		network.Flag(InterfaceRSS, "smb2.ioctl.network_interfaces.capabilities.rss", "RSS", "This interface does not support RSS", "This interface supports RSS"))
	fQueues    = network.Uint("smb2.ioctl.network_interfaces.rss_queue_count", "RSS Queue Count")
	fLinkSpeed = network.Uint("smb2.ioctl.network_interfaces.link_speed", "Link Speed").Formatted(func(v uint64) string { return fmt.Sprintf("%d, %s", v, speed(v)) })
)

var (
	address       = fields.Section("[MS-SMB2] 2.2.32.5.1")
	fAddress4     = address.Struct("", "Socket Address, IPv4").Titled(fIPv4)
	fAddress6     = address.Struct("", "Socket Address, IPv6").Titled(fIPv6)
	fAddress      = address.Struct("", "Socket Address")
	fFamily       = address.Uint("smb2.windows.sockaddr.family", "Socket Family")
	fPort         = address.Uint("smb2.windows.sockaddr.port", "Socket Port")
	fIPv4         = address.Address("smb2.windows.sockaddr.in.addr", "Socket IPv4").Wide(32)
	fFlow         = address.Hex("smb2.windows.sockaddr.in6.flow_info", "IPv6 Flow Info")
	fIPv6         = address.Address("smb2.windows.sockaddr.in6.addr", "Socket IPv6").Wide(128)
	fScope        = address.Uint("smb2.windows.sockaddr.in6.scope_id", "IPv6 Scope ID")
	fAddressRest  = address.Bytes("", "Rest of the address")
	fInterfaceGap = address.Bytes("", "Padding")
)

// speed words a link speed as Wireshark does, in decimal units.
func speed(v uint64) string {
	switch {
	case v >= 1e9:
		return fmt.Sprintf("%d.%d GBits/s", v/1e9, v/1e8%10)
	case v >= 1e6:
		return fmt.Sprintf("%d.%d MBits/s", v/1e6, v/1e5%10)
	case v >= 1e3:
		return fmt.Sprintf("%d.%d KBits/s", v/1e3, v/1e2%10)
	}
	return fmt.Sprintf("%d Bits/s", v)
}

func comma(v uint64) string { return ", " + speed(v) }

// Each yields the interfaces as far as they decode.
func (m *InterfacesReply) Each(yield func(Interface) bool) {
	c := wire.New(m.List, nil)
	for c.Len() > 0 {
		var i Interface
		i.decode(&c)
		if c.Err() != nil || !yield(i) {
			return
		}
	}
}

func (m *InterfacesReply) Decode(c *wire.Cursor) {
	list := c.Ahead()
	m.List = list.Bytes(fInterface, list.Len())
	for c.Len() > 0 {
		var i Interface
		i.decode(c)
	}
}

// decode reads an entry and goes on to the next of the chain.
func (m *Interface) decode(c *wire.Cursor) {
	look := c.Ahead()
	size := c.Len()
	if next := look.U32(fNextInterface); next != 0 {
		size = int(next)
	}
	look.Skip(fInterface, 20)
	family := look.U16(fFamily)
	f := fInterface
	switch family {
	case familyIPv4:
		f = fInterface4
	case familyIPv6:
		f = fInterface6
	}

	s := c.Sub(fNextInterface, size)
	mark := s.Open(f)
	m.Next = s.U32(fNextInterface)
	m.Index = s.U32(fIndex)
	m.Capabilities = s.U32(fCapabilities)
	m.RSSQueues = s.U32(fQueues)
	m.LinkSpeed = s.U64(fLinkSpeed)
	s.Title(mark, m.LinkSpeed, "")
	m.Address = decodeAddress(&s, family)
	if n := s.Len(); n > 0 {
		s.Skip(fInterfaceGap, n)
	}
	s.Close(mark)
	c.Join(&s)
}

// decodeAddress reads a SOCKADDR_STORAGE, whose port and addresses are big-endian.
func decodeAddress(c *wire.Cursor, family uint16) (a netip.AddrPort) {
	s := c.Sub(fAddress, addressSize)
	switch family {
	case familyIPv4:
		mark := s.Open(fAddress4)
		s.U16(fFamily)
		port := s.BE16(fPort)
		ip, _ := netip.AddrFromSlice(s.Bytes(fIPv4, 4))
		a = netip.AddrPortFrom(ip, port)
		s.Skip(fAddressRest, s.Len())
		s.Close(mark)
	case familyIPv6:
		mark := s.Open(fAddress6)
		s.U16(fFamily)
		port := s.BE16(fPort)
		s.U32(fFlow)
		ip, _ := netip.AddrFromSlice(s.Bytes(fIPv6, 16))
		a = netip.AddrPortFrom(ip, port)
		s.U32(fScope)
		s.Skip(fAddressRest, s.Len())
		s.Close(mark)
	default:
		mark := s.Open(fAddress)
		s.U16(fFamily)
		s.Skip(fAddressRest, s.Len())
		s.Close(mark)
	}
	c.Join(&s)
	return a
}

package server

import (
	"net"
	"net/netip"

	"github.com/odxray/odxray/dissect/fscc"
)

// maxInterfaces is how many addresses are told.
const maxInterfaces = 64

// interfaces serves FSCTL_QUERY_NETWORK_INTERFACE_INFO: where else the server can be
// reached. Of a server that listens on one address that is all, and several connections
// to it are worth while. [MS-SMB2] 3.3.5.15.11
func (r *request) interfaces() []byte {
	local := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if a, ok := r.c.nc.LocalAddr().(*net.TCPAddr); ok {
		local = a.AddrPort().Addr().Unmap()
	}
	var list []fscc.Interface
	if r.c.s.everywhere() {
		list = addresses()
	}
	if len(list) == 0 {
		list = []fscc.Interface{{Index: 1, Capabilities: fscc.InterfaceRSS, LinkSpeed: linkSpeed, Address: netip.AddrPortFrom(local.WithZone(""), 0)}}
	}
	return fscc.AppendInterfaces(nil, list)
}

const linkSpeed = 1e9 // bits a second, which nobody measured

// everywhere tells whether the server listens on all addresses of the machine.
func (s *Server) everywhere() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		if a, ok := l.Addr().(*net.TCPAddr); ok && a.IP.IsUnspecified() {
			return true
		}
	}
	return false
}

// addresses lists those of the machine that others can reach; "Port: this field MUST be
// 0".
func addresses() (list []fscc.Interface) {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		of, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range of {
			n, ok := a.(*net.IPNet)
			if !ok || !n.IP.IsGlobalUnicast() || len(list) >= maxInterfaces {
				continue
			}
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				list = append(list, fscc.Interface{
					Index: uint32(i.Index), Capabilities: fscc.InterfaceRSS, LinkSpeed: linkSpeed, Address: netip.AddrPortFrom(ip.Unmap(), 0),
				})
			}
		}
	}
	return list
}

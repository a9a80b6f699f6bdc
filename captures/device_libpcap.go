//go:build libpcap

package captures

import (
	"fmt"
	"slices"

	libpcap "github.com/google/gopacket/pcap"

	"github.com/odxray/odxray/captures/linktype"
)

// openDevice captures from an RDMA device by libpcap's rdmasniff: what the card sends and
// receives, past the kernel. Times are those of the host, to the microsecond; a packet is
// kept up to 10000 bytes; how many are lost nobody counts.
func openDevice(name string, snaplen int) (feed, error) {
	if why := deviceTrouble(name); why != "" {
		return nil, &Error{File: name, Off: -1, What: why, Err: fmt.Errorf("no RDMA device %s", name)}
	}
	h, err := libpcap.OpenLive(name, int32(snaplen), false, liveWait)
	if err != nil {
		return nil, &Error{File: name, Off: -1, What: err.Error() + " (RDMA sniffing needs CAP_NET_RAW, and a card whose driver can do it)", Err: err}
	}
	return newDataFeed(h, name, linktype.Of(uint16(h.LinkType())), min(snaplen, 10000), []error{libpcap.NextErrorTimeoutExpired}, h.Close), nil
}

// deviceTrouble says why an RDMA device cannot be captured from; "" if it can.
func deviceTrouble(name string) string {
	all, err := libpcap.FindAllDevs()
	switch {
	case err != nil:
		return "libpcap cannot list devices: " + err.Error()
	case !slices.ContainsFunc(all, func(d libpcap.Interface) bool { return d.Name == name }):
		return "libpcap (" + libpcap.Version() + ") knows no RDMA device " + name + ": it must be made with RDMA sniffing (Debian's is), and needs the device's driver and libibverbs"
	}
	return ""
}

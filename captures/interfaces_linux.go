package captures

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Interfaces lists the network interfaces and the RDMA devices, and whether this process
// can capture from them.
func Interfaces() (list []Tap) {
	why := ""
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	switch {
	case err == nil:
		_ = unix.Close(fd) // it was only to see whether it can be
	case errors.Is(err, unix.EPERM):
		why = "needs CAP_NET_RAW: run odxray as root, or: sudo setcap cap_net_raw+ep " + self()
	default:
		why = err.Error()
	}
	all, err := net.Interfaces()
	if err != nil {
		why = err.Error()
	}
	list = append(list, Tap{Name: "any", Kind: "any", Up: true, Able: why == "", Why: why})
	for _, i := range all {
		t := Tap{Name: i.Name, Kind: "other", Up: i.Flags&net.FlagUp != 0, Able: why == "", Why: why}
		switch hardware(i.Name) {
		case unix.ARPHRD_ETHER:
			t.Kind = "ethernet"
		case unix.ARPHRD_LOOPBACK:
			t.Kind = "loopback"
		case unix.ARPHRD_NONE, unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT, unix.ARPHRD_IPGRE:
			t.Kind = "tunnel"
		case unix.ARPHRD_INFINIBAND:
			t.Kind = "ipoib"
		}
		if t.Able && !t.Up {
			t.Why = "is down: nothing comes until it is up"
		}
		if addrs, err := i.Addrs(); err == nil {
			for _, a := range addrs {
				t.Addresses = append(t.Addresses, a.String())
			}
		}
		list = append(list, t)
	}
	return append(list, devices()...)
}

// devices lists the RDMA devices that the kernel has drivers for.
func devices() (list []Tap) {
	const root = "/sys/class/infiniband"
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		t := Tap{Name: e.Name(), Kind: "rdma", Up: true, Why: deviceTrouble(e.Name())}
		t.Able = t.Why == ""
		nets, _ := filepath.Glob(filepath.Join(root, e.Name(), "device", "net", "*"))
		for _, n := range nets {
			t.Addresses = append(t.Addresses, filepath.Base(n))
		}
		layers, _ := filepath.Glob(filepath.Join(root, e.Name(), "ports", "*", "link_layer"))
		for _, l := range layers {
			if b, err := os.ReadFile(l); err == nil {
				if s := strings.TrimSpace(string(b)); !slices.Contains(t.Addresses, s) {
					t.Addresses = append(t.Addresses, s)
				}
			}
		}
		list = append(list, t)
	}
	return list
}

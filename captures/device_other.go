//go:build !libpcap

package captures

import "errors"

// openDevice is for builds with libpcap.
func openDevice(name string, _ int) (feed, error) {
	return nil, &Error{File: name, Off: -1, What: noDevices(name), Err: errors.New("no libpcap")}
}

// noDevices says why an RDMA device cannot be captured from.
func noDevices(name string) string {
	return "capturing from the RDMA device " + name + " needs libpcap, and this odxray was built without it: " +
		"install libpcap-dev (1.9 or later, made with RDMA sniffing) and libibverbs, and build with: go build -tags libpcap ./cmd/odxray"
}

// deviceTrouble says why an RDMA device cannot be captured from; "" if it can.
func deviceTrouble(name string) string { return noDevices(name) }

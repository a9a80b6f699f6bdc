//go:build !libpcap

package captures

import "errors"

// openDevice is for builds with libpcap.
func openDevice(name string, _ int) (feed, error) {
	return nil, errors.New(noDevices(name))
}

// noDevices says why an RDMA device cannot be captured from.
func noDevices(name string) string {
	return "capturing from the RDMA device " + name + " needs libpcap, and this odxray was built without it: " +
		"install libpcap-dev (1.9 or later, made with RDMA sniffing) and libibverbs, and build with: go build -tags libpcap ./cmd/odxray"
}

// deviceTrouble says why an RDMA device cannot be captured from; "" if it can.
func deviceTrouble(name string) string { return noDevices(name) }

//go:build !linux

package captures

import (
	"errors"
	"runtime"
)

// openSockets is for Linux only.
func openSockets(*LiveOptions) (feed, string, error) {
	return nil, "", errors.New("odxray captures from network interfaces on Linux only, not on " + runtime.GOOS +
		"; elsewhere: tcpdump -U -w - | odxray live -r -")
}

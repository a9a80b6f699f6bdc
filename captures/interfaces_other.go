//go:build !linux

package captures

import "net"

// Interfaces lists the network interfaces; odxray captures from them on Linux only.
func Interfaces() (list []Tap) {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range all {
		list = append(list, Tap{Name: i.Name, Kind: "other", Up: i.Flags&net.FlagUp != 0,
			Why: "odxray captures on Linux only; here: tcpdump -U -w - | odxray live -r -"})
	}
	return list
}

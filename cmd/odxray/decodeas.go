package main

import (
	"fmt"
	"strings"

	"github.com/odxray/odxray/flows"
)

// decodeAs is a flag that names TCP ports as tshark's -d does: tcp.port==4455,nbss. It
// fills the options of a capture.
type decodeAs flows.Options

func (d *decodeAs) Type() string { return "tcp.port==N,PROTOCOL" }

func (d *decodeAs) String() string {
	var s []string
	for _, port := range d.Ports {
		s = append(s, fmt.Sprintf("tcp.port==%d,nbss", port))
	}
	for _, port := range d.MPAPorts {
		s = append(s, fmt.Sprintf("tcp.port==%d,iwarp_mpa", port))
	}
	return strings.Join(s, " ")
}

func (d *decodeAs) Set(text string) error {
	ports, mpa, err := flows.Ports([]string{text})
	d.Ports, d.MPAPorts = append(d.Ports, ports...), append(d.MPAPorts, mpa...)
	return err
}

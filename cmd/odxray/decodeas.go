package main

import (
	"fmt"
	"strings"

	"github.com/odxray/odxray/flows"
)

// ports is a flag that names TCP ports as tshark's -d does: tcp.port==4455,nbss.
type ports []uint16

func (p *ports) Type() string { return "tcp.port==N,nbss" }

func (p *ports) String() string {
	s := make([]string, len(*p))
	for i, port := range *p {
		s[i] = fmt.Sprintf("tcp.port==%d,nbss", port)
	}
	return strings.Join(s, " ")
}

func (p *ports) Set(text string) error {
	more, err := flows.Ports([]string{text})
	*p = append(*p, more...)
	return err
}

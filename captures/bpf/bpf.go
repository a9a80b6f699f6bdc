// Package bpf compiles capture filters, in the syntax of pcap-filter(7), for the packet
// filter of the kernel. It knows a part of the language, and refuses the rest by name:
//
//	[ip|ip6|arp|rarp|ether] [src|dst|src or dst|src and dst] host ADDRESS
//	[ip|ip6|arp|rarp] [src|dst|…] net NET[/BITS]     net NET mask MASK
//	[tcp|udp|sctp] [src|dst|…] port N                portrange N-M
//	[ip|ip6|ether] proto N        ip ip6 arp rarp tcp udp sctp icmp icmp6 igmp
//	vlan [ID]                     less N   greater N
//	PROTO[OFFSET:SIZE] & MASK OP NUMBER, len OP NUMBER      OP is = == != < <= > >=
//	and && or || not !            parentheses
//
// As there, "and" and "or" bind alike, from the left; a number or an address alone takes
// the qualifiers of what stands before it (tcp port 445 or 139); and vlan moves, for all
// that is written after it, the place where the network header is looked for.
package bpf

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// Frames is what a program is run on.
type Frames uint8

const (
	// Ethernet is whole Ethernet frames, as in a file.
	Ethernet Frames = iota
	// Live is Ethernet frames as a packet socket of Linux shows them to its filter: the
	// outer VLAN tag may stand beside the frame instead of in it.
	Live
	// Cooked is what a packet socket of type SOCK_DGRAM shows: packets from their network
	// header on, the protocol and the tag beside them.
	Cooked
)

// Error is what is wrong with an expression.
type Error struct {
	Expr   string
	Column int // from 1
	What   string
}

func (e *Error) Error() string {
	return fmt.Sprintf("capture filter %q, column %d: %s", e.Expr, e.Column, e.What)
}

// maxInstructions is what the kernel takes. BPF_MAXINSNS
const maxInstructions = 4096

// Compile makes a program of an expression; the empty expression takes every packet.
// The program returns how many bytes of a packet to keep: snaplen, or 0. An error is
// an *Error.
func Compile(expr string, on Frames, snaplen int) ([]bpf.RawInstruction, error) {
	p := parser{expr: expr}
	n, err := p.parse()
	if err != nil {
		return nil, err
	}
	tagged := false
	if on != Ethernet && p.vlans > 0 {
		tagged = true
	}
	var g generator
	yes, no := g.end(snaplen), g.end(0)
	if tagged {
		// Two programs: for a packet whose tag stands beside it, and for others.
		with, err := (&resolver{expr: expr, on: on, beside: true}).resolve(n)
		if err != nil {
			return nil, err
		}
		without, err := (&resolver{expr: expr, on: on}).resolve(n)
		if err != nil {
			return nil, err
		}
		a := g.node(with, yes, no)
		b := g.node(without, yes, no)
		g.node(&node{op: opTest, test: test{where: atTagPresent, rel: relNotEqual}}, a, b)
	} else {
		r, err := (&resolver{expr: expr, on: on}).resolve(n)
		if err != nil {
			return nil, err
		}
		g.node(r, yes, no)
	}
	if len(g.back) > maxInstructions {
		return nil, &Error{expr, 1, fmt.Sprintf("makes %d instructions; the kernel takes %d", len(g.back), maxInstructions)}
	}
	return bpf.Assemble(g.program())
}

//go:build linux && libpcap

package captures

import (
	"github.com/google/gopacket/layers"
	libpcap "github.com/google/gopacket/pcap"
	"golang.org/x/net/bpf"

	own "github.com/odxray/odxray/captures/bpf"
)

// compile makes the program of a capture filter for an interface: libpcap does, but for
// packets without their Ethernet header, which it compiles for a header of its own.
func compile(name, expr string, cooked bool, snaplen int) ([]bpf.RawInstruction, error) {
	if cooked || expr == "" || expr == own.Default {
		return own.Compile(expr, frames(cooked), snaplen)
	}
	// A handle on the interface knows that tags may stand beside a frame. Who may not have
	// one will not capture either; the expression is checked all the same.
	var list []libpcap.BPFInstruction
	h, err := libpcap.OpenLive(name, int32(snaplen), false, liveWait)
	if err == nil {
		list, err = h.CompileBPFFilter(expr)
		h.Close()
	} else {
		list, err = libpcap.CompileBPFFilter(layers.LinkTypeEthernet, snaplen, expr)
	}
	if err != nil {
		return nil, &own.Error{Expr: expr, Column: 1, What: err.Error()}
	}
	program := make([]bpf.RawInstruction, len(list))
	for i, in := range list {
		program[i] = bpf.RawInstruction{Op: in.Code, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return program, nil
}

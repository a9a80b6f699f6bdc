//go:build linux && !libpcap

package captures

import (
	"golang.org/x/net/bpf"

	own "github.com/odxray/odxray/captures/bpf"
)

// compile makes the program of a capture filter for an interface.
func compile(_, expr string, cooked bool, snaplen int) ([]bpf.RawInstruction, error) {
	return own.Compile(expr, frames(cooked), snaplen)
}

package flows

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/rpc"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows/flowtest"
)

func pdu(lines ...string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(lines, ""), " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// speak makes what a client says on two pipes: bind to two interfaces, of which the
// server takes the second, then calls; ids are those of the pipe.
func speak(made *flowtest.Capture, client string) {
	const (
		transceive = 0x0011c017
		srvsvc     = "c84f324b7016d30112785a47bf6ee188 03000000"
		wkssvc     = "98d0ff6b12a11036983346c3f87e345a 01000000"
		ndr        = "045d888aeb1cc9119fe808002b104860 02000000"
		none       = "0000000000000000000000000000000000000000"
	)
	bind := pdu("05000b03 10000000 7400 0000 01000000 b810b810 00000000 02000000", "00000100", wkssvc, ndr, "01000100", srvsvc, ndr)
	ack := pdu("05000c03 10000000 5000 0000 01000000 b810b810 66060000 0000 0000 02000000", "02000100", none, "00000000", ndr)
	request := func(id, opnum string) []byte {
		return pdu("05000003 10000000 1c00 0000", id, "000000 04000000 0100", opnum, "00 cafecafe")
	}
	response := func(id string) []byte {
		return pdu("05000203 10000000 1c00 0000", id, "000000 04000000 0100 0000 cafecafe")
	}

	s := made.Login(client, "10.0.0.2:445", "share")
	f, g := s.Open("srvsvc", 0), s.Open("srvsvc", 0)
	for _, pipe := range []flowtest.File{f, g} {
		s.Ioctl(transceive, pipe, bind, ack)
	}
	s.Ioctl(transceive, f, request("02", "0f"), response("02"))
	s.Ioctl(transceive, g, request("02", "15"), response("02"))
	s.Ioctl(transceive, f, request("02", "08"), response("02")) // the same id again
	s.Close(f)
}

// TestPipe: an answer knows the interface and its request, at the first look and at
// a later one, whatever was said since.
func TestPipe(t *testing.T) {
	var made flowtest.Capture
	speak(&made, "10.0.0.1:50000")
	a := NewAnalyzer(Options{Index: true})
	for i := range made.Packets {
		a.Packet(&made.Packets[i])
	}
	a.Flush()

	var got []uint16
	for x := range a.exchanges.list.n {
		e := a.exchanges.at(uint32(x))
		if e.command != smb2.Ioctl {
			continue
		}
		var ctx smb2.Context
		a.exchanges.context(a, uint32(x), &ctx)
		if b := ctx.RPC.Bound; len(b) != 1 || b[0].ContextID != 1 || rpc.InterfaceName(b[0].Interface.UUID) != "srvsvc" {
			t.Errorf("exchange %d: bound %+v", x, b)
		}
		if n := len(ctx.RPC.Calls); n > 0 {
			last := ctx.RPC.Calls[n-1]
			if last.Frame != e.reqFrame || last.Time != e.reqTime || ctx.RPC.Time != e.ansTime {
				t.Errorf("exchange %d: %+v at %d", x, last, ctx.RPC.Time)
			}
			got = append(got, last.Opnum)
		}
	}
	if want := []uint16{15, 21, 8}; !slices.Equal(got, want) {
		t.Errorf("calls %v, want %v", got, want)
	}
}

// TestPipesAreReused: without an index nothing is kept of a pipe that was closed.
func TestPipesAreReused(t *testing.T) {
	var made flowtest.Capture
	for _, client := range []string{"10.0.0.1:50000", "10.0.0.1:50001", "10.0.0.1:50002"} {
		speak(&made, client)
	}
	a := NewAnalyzer(Options{})
	for i := range made.Packets {
		a.Packet(&made.Packets[i])
	}
	if n := len(a.pipes.list) - 1; n != 4 || a.pipes.calls != 3 {
		t.Errorf("%d pipes, %d calls", n, a.pipes.calls)
	}
}

package smb2

import (
	"bytes"
	"testing"

	"github.com/odxray/odxray/dissect/rpc"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// A bind to srvsvc.
var transceive = wiretest.Unhex(requestHeader,
	"3900 0000 17c01100", fileID,
	"78000000 48000000 00000000 78000000 00000000 b8100000 01000000 00000000",
	"05000b03 10000000 4800 0000 01000000 b810 b810 00000000 01000000",
	"0000 01 00 c84f324b7016d30112785a47bf6ee188 03000000 045d888aeb1cc9119fe808002b104860 02000000")

// TestPipe finds the DCE/RPC in what a pipe carries, as a layer after SMB2.
func TestPipe(t *testing.T) {
	var d Decoder
	var tree wire.Tree
	var got bytes.Buffer
	c := wire.New(transceive, &tree)
	m := d.Decode(&c, nil)
	if m.RPC == nil || m.RPC.Type != rpc.Bind || m.RPC.Offers[0].Interface.Major != 3 {
		t.Fatalf("%+v, %v", m.RPC, m.Err)
	}
	if info, want := string(m.AppendInfo(nil, nil)), "Bind: call_id: 1, Fragment: Single, 1 context items: SRVSVC V3.0 (32bit NDR)"; info != want {
		t.Errorf("info %q, want %q", info, want)
	}
	tree.Dump(&got)
	wiretest.Golden(t, "pipe_transceive", got.Bytes())
}

// TestOtherPipe takes what is no DCE/RPC, and what the capture cut, as it comes.
func TestOtherPipe(t *testing.T) {
	other := bytes.Clone(transceive)
	other[120] = 4 // the version
	var d Decoder
	c := wire.New(other, nil)
	if m := d.Decode(&c, nil); m.RPC != nil || m.Err != nil {
		t.Errorf("%+v, %v", m.RPC, m.Err)
	}
	if n := testing.AllocsPerRun(10, func() {
		c := wire.New(transceive, nil)
		d.Decode(&c, nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

package ib

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/odxray/odxray/dissect/inet"
)

// TestFlow: the CRC of a packet that differs from the one before in any of its bytes is what
// it is by itself, for packets of several queue pairs in turn.
func TestFlow(t *testing.T) {
	var d Decoder
	tried := 0
	for _, s := range samples(t) {
		if s.h.Kind != inet.UDP || !s.h.Src.Is4() {
			continue
		}
		tried++
		r := rand.New(rand.NewPCG(1, 2))
		b := bytes.Clone(s.b)
		packet := b[ipv4Len+udpLen : len(b)-crcLen]
		check := func(at int) {
			t.Helper()
			var fresh Decoder
			fresh.lower = fresh.coverUDP(b[:ipv4Len+udpLen])
			if got, want := d.overIPv4((*[ipv4Len + udpLen]byte)(b), packet), fresh.invariant(packet); got != want {
				t.Fatalf("%s, byte %d changed: %08x, want %08x", s.name, at, got, want)
			}
		}
		check(-1)
		for at := range ipv4Len + udpLen + len(packet) {
			if at == 0 { // no longer IPv4 of 20 bytes
				continue
			}
			for range 4 {
				b[at] = byte(r.Uint32())
				check(at)
			}
		}
	}
	if tried == 0 {
		t.Error("no packet over IPv4")
	}
}

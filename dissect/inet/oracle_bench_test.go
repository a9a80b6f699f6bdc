package inet_test

import (
	"encoding/hex"
	"testing"

	"github.com/odxray/odxray/captures/linktype"
)

func BenchmarkGopacket(b *testing.B) {
	segment, _ := hex.DecodeString("2a2dfc42f4a71e2c58c4400e0800" + "4500003459b34000" + "4006cc740a4d00020a4d0001" +
		"a2e001bdaa6be6a4026c4e0d8010007eab9d0000" + "0101080ac7c13fb5bfbfe4a7")
	p := newParser()
	parser := p.parsers[linktype.Ethernet]
	b.ReportAllocs()
	for b.Loop() {
		parser.DecodeLayers(segment, &p.found)
	}
}

package inet

import (
	"encoding/hex"
	"testing"

	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/dissect/wire"
)

// segment is Ethernet, IPv4 and TCP with time stamps, as Linux sends them.
var segment, _ = hex.DecodeString("2a2dfc42f4a71e2c58c4400e0800" + "4500003459b34000" + "4006cc740a4d00020a4d0001" +
	"a2e001bdaa6be6a4026c4e0d8010007eab9d0000" + "0101080ac7c13fb5bfbfe4a7")

func BenchmarkDecode(b *testing.B) {
	var d Decoder
	var h Headers
	b.ReportAllocs()
	for b.Loop() {
		c := wire.New(segment, nil)
		d.Decode(&c, linktype.Ethernet, &h, nil)
	}
}

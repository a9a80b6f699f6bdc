package smb2

import (
	"reflect"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// TestBrief: a header of which little is wanted gives the same nodes as one that is walked
// because its signature is wanted, too.
func TestBrief(t *testing.T) {
	var of []*wire.Field
	for _, x := range briefs {
		of = append(of, x.field)
	}
	const tail = "0102030405060708" + "ffee000005000000" + "1122334455667788" + "000102030405060708090a0b0c0d0e0f"
	request := wiretest.Unhex("fe534d4240000100" + "07000000" + "0800" + "2000" + "08000000" + "00000000" + tail)
	response := wiretest.Unhex("fe534d4240000100" + "220000c0" + "0900" + "1000" + "0b000000" + "00000000" + tail)
	chained := append(wiretest.Unhex("fe534d4240000100"+"00000000"+"0600"+"2000"+"04000000"+"48000000"+tail+"1800000000000000"), request...)
	astray := wiretest.Unhex("fe534d4240000100" + "00000000" + "0600" + "2000" + "04000000" + "48000000" + tail)
	samples := [][]byte{request, response, chained, astray, request[:50], append(request[:64:64], make([]byte, 30)...)}
	for _, s := range createSamples {
		for n := headerSize - 1; n <= len(s.b); n += 3 {
			samples = append(samples, s.b[:n])
		}
		samples = append(samples, s.b)
	}
	of = append(of, fAAPLStatus) // has the name of another
	for _, b := range samples {
		for i := -1; i < len(of); i++ {
			list := of
			if i >= 0 {
				list = of[i : i+1]
			}
			var nodes [2][]wire.Node
			var headers [2][]Header
			for k, want := range []wire.Want{wire.Only(list...), wire.Only(append(list[:len(list):len(list)], fSignature)...)} {
				d := Decoder{HeaderOnly: true}
				tree := wire.Tree{Want: want}
				c := wire.New(b, &tree)
				for c.Len() > 0 {
					headers[k] = append(headers[k], d.Decode(&c, nil).Header)
				}
				for i, n := range tree.Nodes {
					if n.Field != fSignature {
						n.End -= min(n.End, int32(i)) // how many it has below it
						nodes[k] = append(nodes[k], n)
					}
				}
			}
			if !reflect.DeepEqual(nodes[0], nodes[1]) || !reflect.DeepEqual(headers[0], headers[1]) {
				t.Errorf("%x: %d\n%+v\n%+v\nwalked\n%+v\n%+v", b, i, nodes[0], headers[0], nodes[1], headers[1])
			}
		}
	}
}

// Package inet decodes what lies between a frame and the bytes of a TCP stream or a
// UDP datagram: link layers, VLAN tags, IPv4, IPv6 and their extensions, TCP, UDP,
// and the tunnels that carry them: VXLAN, Geneve, GRE, ERSPAN.
//
// [Decoder.Decode] fills a [Headers], which is all that the analysis needs, and a
// field tree if the cursor has one. It keeps no state between frames. What a frame
// does not hold but its tree shows, such as relative sequence numbers, comes in a
// [Context].
//
// Field names and the words of the trees are Wireshark's.
package inet

import "github.com/odxray/odxray/dissect/wire"

var fields wire.Set

// Fields lists what this package decodes.
func Fields() []*wire.Field { return fields.All() }

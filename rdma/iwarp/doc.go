// Package iwarp decodes what carries RDMA over TCP: MPA, which frames it, and DDP and RDMAP
// within. RFC 5044, RFC 5041, RFC 5040, RFC 6581, RFC 7306
//
// It knows one direction of a connection at a time: a Framer finds the units in its bytes.
// What needs both is the business of package rdma.
package iwarp

import "github.com/odxray/odxray/dissect/wire"

// Fields lists what this package decodes.
func Fields() []*wire.Field { return fields.All() }

var fields wire.Set

// fLayer is what tshark shows MPA as.
var fLayer = fields.Section("[RFC5044] 4").Struct("iwarp_mpa", "iWARP Marker Protocol data unit Aligned framing")

// Package smbd decodes SMB Direct, the layer between SMB2 and the SENDs of a queue pair.
// [MS-SMBD]
package smbd

import "github.com/odxray/odxray/dissect/wire"

// Port is where servers listen for connections of RDMA. [MS-SMBD] 1.9
const Port = 445

// PortIWARP is where they listen over iWARP, and where Linux clients try first over
// everything. [MS-SMBD] 1.9
const PortIWARP = 5445

// Fields lists what this package decodes.
func Fields() []*wire.Field { return fields.All() }

var fields wire.Set

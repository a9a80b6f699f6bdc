// Package ib decodes the transport of InfiniBand, over its own links, over Ethernet (RoCEv1)
// and over UDP (RoCEv2): packets of queue pairs, and the messages that connect them.
//
// It knows one packet at a time. What needs two is the business of package flows.
package ib

import "github.com/odxray/odxray/dissect/wire"

// Port is the UDP port of RoCEv2. [IBTA] A17.4
const Port = 4791

// Fields lists what this package decodes.
func Fields() []*wire.Field { return fields.All() }

var fields wire.Set

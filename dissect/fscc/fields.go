package fscc

import "github.com/odxray/odxray/dissect/wire"

var fields wire.Set

// Fields lists what this package decodes.
func Fields() []*wire.Field { return fields.All() }

// Package dtyp decodes what [MS-DTYP] defines: security identifiers, access
// masks, access control lists and security descriptors.
package dtyp

import "github.com/odxray/odxray/dissect/wire"

var fields wire.Set

// Fields lists what this package decodes.
func Fields() []*wire.Field { return fields.All() }

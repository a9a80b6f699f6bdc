package fscc

import "github.com/odxray/odxray/dissect/wire"

var fields wire.Set

// Fields lists what this package decodes.
func Fields() []*wire.Field { return fields.All() }

// either returns the Format of a number that counts through words.
func either(words ...string) func(uint64) string {
	return func(v uint64) string {
		if v < uint64(len(words)) {
			return words[v]
		}
		return "Unknown"
	}
}

package filter

import (
	"slices"

	"github.com/odxray/odxray/dissect/wire"
)

// operators are what works on a class beside comparisons.
var operators = [classes]string{"== != > < >= <= in & string()", "== != > < >= <= in contains matches len() [i:j]",
	"== != > < >= <= in contains matches len() lower() upper() [i:j]", "== != > < >= <= in", "== != > < >= <= in"}

// Usage says what the fields called name can be compared with, and by which operators;
// "" if there are none. The values are those that have names.
func Usage(name string, fields []*wire.Field) (usage string, values []Value) {
	var of []*wire.Field
	for _, f := range fields {
		if f.Name == name {
			of = append(append(of, f), f.Any...)
		}
	}
	if of == nil {
		return "", nil
	}
	for _, f := range of {
		for _, v := range Values(f) {
			if !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
	}
	slices.SortStableFunc(values, func(a, b Value) int { return compare(unsigned(a.Number), unsigned(b.Number)) })
	if isProtocol(of[0]) {
		return "there or not; its bytes with " + operators[octets], values
	}
	x := &field{of: of}
	return expected(x, of) + "; " + operators[classOf(of[0])], values
}

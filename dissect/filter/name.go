package filter

import (
	"cmp"
	"slices"
	"strings"

	"github.com/odxray/odxray/dissect/wire"
)

// isProtocol reports whether f is a protocol: a structure whose name has no part of.
func isProtocol(f *wire.Field) bool {
	return f.Kind == wire.KindStruct && f.Name != "" && !strings.Contains(f.Name, ".")
}

// A Value is a value of a field that has a name.
type Value struct {
	Number uint64
	Name   string
}

// Values lists the values of f that have names, in the order of their numbers.
func Values(f *wire.Field) []Value {
	var list []Value
	each(f, func(v uint64, name string) bool {
		list = append(list, Value{v, name})
		return true
	})
	slices.SortStableFunc(list, func(a, b Value) int { return cmp.Compare(a.Number, b.Number) })
	return list
}

// each yields the values of f that have names; one may have several.
func each(f *wire.Field, yield func(v uint64, name string) bool) {
	if f.Format == nil || f.Kind != wire.KindEnum && f.Kind != wire.KindBool {
		return
	}
	one := func(v uint64) bool {
		name := f.Format(v)
		if named(name) && !yield(v, name) {
			return false
		}
		if f.Also == nil {
			return true
		}
		also := f.Also(v)
		return also == "" || also == name || yield(v, also)
	}
	if f.Values != nil {
		f.Values(one)
		return
	}
	for v := range most(f) + 1 {
		if !one(v) {
			return
		}
	}
}

// most returns the greatest number to try for f.
func most(f *wire.Field) uint64 {
	switch {
	case f.Kind == wire.KindBool:
		return 1
	case f.Mask != 0:
		return min(f.Mask>>trailing(f.Mask), 0xffff)
	}
	return 0xffff
}

func trailing(mask uint64) int {
	n := 0
	for ; mask&1 == 0; mask >>= 1 {
		n++
	}
	return n
}

// named reports whether a Format's text is a name, not its way to say that there is none.
func named(s string) bool {
	return s != "" && !strings.HasPrefix(strings.ToLower(s), "unknown") && !strings.HasPrefix(strings.ToLower(s), "reserved")
}

// names finds the numbers of names. It remembers what it listed: a filter may name many.
type names map[*wire.Field]map[string]uint64

// lookup finds the number of a name among the values of fields.
func (n names) lookup(fields []*wire.Field, name string) (uint64, bool) {
	for _, f := range fields {
		if n[f] == nil {
			n[f] = make(map[string]uint64)
			each(f, func(v uint64, s string) bool {
				if s = squeeze(s); s != "" {
					if _, again := n[f][s]; !again {
						n[f][s] = v
					}
				}
				return true
			})
		}
		if v, ok := n[f][squeeze(name)]; ok {
			return v, true
		}
	}
	return 0, false
}

// valueNames lists the names of the values of fields.
func valueNames(fields []*wire.Field) (list []string) {
	for _, f := range fields {
		each(f, func(_ uint64, name string) bool {
			list = append(list, name)
			return true
		})
	}
	return list
}

// squeeze drops what spellings of a name differ in.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r == ' ' || r == '_' || r == '-':
			return -1
		}
		return r
	}, s)
}

// maxWord is how long a word may be that somebody mistyped, in bytes.
const maxWord = 100

// Nearest returns the name that word was probably meant to be, or "".
func Nearest(word string, names []string) string {
	if len(word) > maxWord {
		return ""
	}
	word = strings.ToLower(word)
	best, least := "", 1+len(word)/2 // farther is no slip of the fingers
	for _, name := range names {
		low := strings.ToLower(name)
		if low == word {
			return name
		}
		d := 1
		if len(word) <= 2 || !strings.HasPrefix(low, word) {
			d = distance(word, low)
		}
		if d < least || d == least && best != "" && len(name) < len(best) {
			best, least = name, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, change or swap with the next one.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

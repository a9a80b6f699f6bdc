package filter

import (
	"regexp"
	"slices"
	"strings"

	"github.com/odxray/odxray/dissect/wire"
)

// beforeValue is the end of a filter where the name of a value of a field comes next.
var beforeValue = regexp.MustCompile(`([A-Za-z0-9_.-]+)\s*(?:==|!=|===|!==|~=|\b(?:eq|ne|any_eq|all_eq|any_ne|all_ne)\b|\bin\s*\{[^{}]*(?:,|\{|\.\.)|\bin\s*\{)\s*"?$`)

// Complete lists what the last word of src may become: names of fields, or of values
// where a field is compared with one. src[:start] is what comes before it.
func Complete(src string, fields []*wire.Field) (start int, words []string) {
	start = len(src)
	for start > 0 && isWord(src[start-1]) {
		start--
	}
	begun := src[start:]
	var known []string
	m := beforeValue.FindStringSubmatch(src[:start])
	if m != nil {
		for _, f := range fields {
			if f.Name == m[1] {
				known = append(known, valueNames([]*wire.Field{f})...)
			}
		}
		for i, name := range known {
			known[i] = spell(name, strings.HasSuffix(src[:start], `"`))
		}
	}
	if len(known) == 0 {
		for _, f := range fields {
			known = append(known, f.Name)
		}
	}
	if m == nil {
		known = append(known, "and", "or", "not", "contains", "matches", "in", "any", "all")
		for name := range functions {
			known = append(known, name+"(")
		}
	}
	for _, name := range known {
		if name != "" && len(name) >= len(begun) && strings.EqualFold(name[:len(begun)], begun) {
			words = append(words, name)
		}
	}
	slices.Sort(words)
	return start, slices.Compact(words)
}

// spell makes a name one word where that is what it needs to be: SESSION_SETUP.
func spell(name string, inQuotes bool) string {
	for i := range len(name) {
		if !isWord(name[i]) && !inQuotes {
			if strings.Trim(squeeze(name), "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
				return `"` + strings.ReplaceAll(name, `"`, `\"`) + `"`
			}
			return strings.ReplaceAll(name, " ", "_")
		}
	}
	return name
}

package filter

import (
	"github.com/odxray/odxray/dissect/wire"
)

// Filter is a compiled filter. One goroutine at a time uses it.
type Filter struct {
	src  string
	test test
	used []*field
	want wire.Want
	run  run
}

// Compile compiles a filter over fields, of which several may share a name. The error
// is an *Error.
func Compile(src string, fields []*wire.Field) (f *Filter, err error) {
	p := &parser{src: src, all: fields, byName: make(map[string][]*wire.Field), names: make(names)}
	for _, f := range fields {
		if f.Name != "" {
			p.byName[f.Name] = append(append(p.byName[f.Name], f), f.Any...)
		}
	}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			f, err = nil, e
		}
	}()
	if len(src) > maxSource {
		p.fail(token{}, "the filter is too long", "")
	}
	f = &Filter{src: src, test: p.whole(), used: p.used}
	for _, u := range f.used {
		f.want = f.want.Or(u.want)
	}
	return f, nil
}

// String returns the source.
func (f *Filter) String() string { return f.src }

// Want is the fields that f looks at: a tree that it is to match needs no others.
func (f *Filter) Want() wire.Want { return f.want }

// Match reports whether f is true for a tree. It allocates nothing once its memory has
// grown.
func (f *Filter) Match(t *wire.Tree) bool {
	f.run.tree, f.run.scratch = t, f.run.scratch[:0]
	ok := f.test.eval(&f.run)
	f.run.tree = nil
	return ok
}

// LooksAtData reports whether f looks at bytes of fields that may be file data, which
// is not gathered unless somebody asks.
func (f *Filter) LooksAtData() bool {
	for _, u := range f.used {
		if u.looked && u.types().has(octets) {
			return true
		}
	}
	return false
}

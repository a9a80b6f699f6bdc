package filter

import (
	"github.com/odxray/odxray/dissect/wire"
)

// run is what evaluating a filter needs. Its memory is used again for every tree.
type run struct {
	tree    *wire.Tree
	scratch []byte // texts and other values that are not in the tree
}

// operand is something that has values: any number of them, because fields repeat.
type operand interface {
	// next returns the first value at or behind a position, and the position behind
	// it: -1 if there is none.
	next(r *run, at int) (value, int)
	types() classSet
}

// field is a name, and all fields that have it or that it stands for.
type field struct {
	name   string
	of     []*wire.Field
	want   wire.Want
	looked bool // at its bytes
	token  token
}

func (f *field) types() (s classSet) {
	for _, f := range f.of {
		s |= 1 << classOf(f)
	}
	return s
}

func (f *field) next(r *run, at int) (value, int) {
	if at = f.find(r, at); at < 0 {
		return value{}, -1
	}
	return r.valueOf(at), at + 1
}

// find returns the first node of f from at on, or -1.
func (f *field) find(r *run, at int) int {
	for i := at; i < len(r.tree.Nodes); i++ {
		if f.want.Has(r.tree.Nodes[i].Field) {
			return i
		}
	}
	return -1
}

// part is a slice of every value of an operand.
type part struct {
	of     operand
	ranges []extent
}

// extent is a piece of a value, in bytes. Negative positions count from the end.
type extent struct {
	from, to int
	toEnd    bool // to is the end of the value
	length   bool // to is a length
}

func (p *part) types() classSet {
	if p.of.types() == 1<<text {
		return 1 << text
	}
	return 1 << octets
}

func (p *part) next(r *run, at int) (value, int) {
	for {
		v, after := p.of.next(r, at)
		if after < 0 {
			return v, -1
		}
		if p.cut(r, &v) {
			return v, after
		}
		at = after
	}
}

// cut makes v a slice of itself, if it has all of it.
func (p *part) cut(r *run, v *value) bool {
	if v.class != octets && v.class != text {
		return false
	}
	start := len(r.scratch)
	for i, e := range p.ranges {
		from, to, ok := e.within(len(v.b))
		if !ok {
			return false
		}
		if len(p.ranges) == 1 {
			v.b = v.b[from:to:to]
			return true
		}
		if i == 0 {
			start = len(r.scratch)
		}
		r.scratch = append(r.scratch, v.b[from:to]...)
	}
	v.b = r.scratch[start:len(r.scratch):len(r.scratch)]
	return true
}

// within returns where e lies in size bytes.
func (e extent) within(size int) (from, to int, ok bool) {
	from, to = e.from, e.to
	if from < 0 {
		from += size
	}
	switch {
	case e.toEnd:
		to = size
	case e.length:
		to += from
	default:
		if to < 0 {
			to += size
		}
		to++ // is the last byte
	}
	return from, to, from >= 0 && from < to && to <= size
}

// masked is an operand with bits selected by a literal.
type masked struct {
	of   operand
	mask *literal
}

func (m *masked) types() classSet { return m.of.types() }

func (m *masked) next(r *run, at int) (value, int) {
	for {
		v, after := m.of.next(r, at)
		if after < 0 {
			return v, -1
		}
		by := &m.mask.as[v.class]
		switch {
		case !m.mask.valid.has(v.class):
		case v.class == number:
			v.hi, v.lo = v.hi&by.hi, v.lo&by.lo
			return v, after
		case len(v.b) == len(by.b):
			start := len(r.scratch)
			for i, b := range v.b {
				r.scratch = append(r.scratch, b&by.b[i])
			}
			v.b = r.scratch[start:len(r.scratch):len(r.scratch)]
			return v, after
		}
		at = after
	}
}

// zero reports whether a number or all bytes are 0.
func (v *value) zero() bool {
	for _, b := range v.b {
		if b != 0 {
			return false
		}
	}
	return v.hi == 0 && v.lo == 0
}

// mapped is a function of every value of a field.
type mapped struct {
	of *field
	fn *function
}

func (m *mapped) types() classSet { return 1 << m.fn.result }

func (m *mapped) next(r *run, at int) (value, int) {
	if at = m.of.find(r, at); at < 0 {
		return value{}, -1
	}
	return m.fn.apply(r, at), at + 1
}

// function is one of a field.
type function struct {
	takes  classSet
	result class
	apply  func(r *run, node int) value
}

const anything classSet = 1<<classes - 1

var functions = map[string]*function{
	"len":    {anything, number, length},
	"lower":  {1 << text, text, func(r *run, i int) value { return r.letters(i, 'A', 'Z') }},
	"upper":  {1 << text, text, func(r *run, i int) value { return r.letters(i, 'a', 'z') }},
	"string": {anything, text, inWords},
	"count":  {anything, number, nil},
}

// length is the bytes of a value; those of a number are the ones it lies in.
func length(r *run, i int) value {
	if n := &r.tree.Nodes[i]; classOf(n.Field) == octets && n.Field.Kind != wire.KindStruct {
		return unsigned(uint64(n.Len))
	}
	if v := r.valueOf(i); v.class == text || v.class == octets {
		return unsigned(uint64(len(v.b)))
	}
	return unsigned(uint64(r.tree.Nodes[i].Len))
}

// letters changes the case of the letters from one to another, of ASCII as Wireshark
// does.
func (r *run) letters(i int, from, to byte) value {
	v := value{class: text, b: r.print(i)}
	for k, c := range v.b {
		if c >= from && c <= to {
			v.b[k] = c ^ 0x20
		}
	}
	return v
}

// inWords is the text of a value. Numbers are decimal, however they print.
func inWords(r *run, i int) value {
	if v := r.valueOf(i); v.class == number {
		start := len(r.scratch)
		r.scratch = appendNumber(r.scratch, v)
		return value{class: text, b: r.scratch[start:len(r.scratch):len(r.scratch)]}
	}
	return value{class: text, b: r.print(i)}
}

// counted is how often a field occurs.
type counted struct{ of *field }

func (c *counted) types() classSet { return 1 << number }

func (c *counted) next(r *run, at int) (value, int) {
	if at > 0 {
		return value{}, -1
	}
	n := uint64(0)
	for i := c.of.find(r, 0); i >= 0; i = c.of.find(r, i+1) {
		n++
	}
	return unsigned(n), 1
}

// literal is what the filter says, as a value of every class that it can be.
type literal struct {
	as    [classes]value
	valid classSet
}

func (l *literal) types() classSet { return l.valid }

// next is for no use without the class of what l is compared with.
func (l *literal) next(*run, int) (value, int) { return value{}, -1 }

package filter

import (
	"bytes"
	"regexp"
	"unicode/utf8"
)

// test is a filter or a part of one that is true or not.
type test interface{ eval(r *run) bool }

type (
	and []test
	or  []test
	xor []test
	not struct{ x test }
)

func (list and) eval(r *run) bool {
	for _, t := range list {
		if !t.eval(r) {
			return false
		}
	}
	return true
}

func (list or) eval(r *run) bool {
	for _, t := range list {
		if t.eval(r) {
			return true
		}
	}
	return false
}

func (list xor) eval(r *run) bool {
	odd := false
	for _, t := range list {
		odd = odd != t.eval(r)
	}
	return odd
}

func (t *not) eval(r *run) bool { return !t.x.eval(r) }

// presence is true if a field or a slice is there.
type presence struct{ of operand }

func (t *presence) eval(r *run) bool {
	if f, ok := t.of.(*field); ok {
		return f.find(r, 0) >= 0
	}
	_, after := t.of.next(r, 0)
	return after >= 0
}

// nonzero is true if a mask selects a bit that is set.
type nonzero struct{ of *masked }

func (t *nonzero) eval(r *run) bool {
	for v, at := t.of.next(r, 0); at >= 0; v, at = t.of.next(r, at) {
		if !v.zero() {
			return true
		}
	}
	return false
}

// relation is an operator that orders values.
type relation uint8

const (
	equal relation = iota
	unequal
	less
	greater
	atMost
	atLeast
)

// holds reports whether the relation is that of values that compare as c.
func (o relation) holds(c int) bool {
	switch o {
	case equal:
		return c == 0
	case unequal:
		return c != 0
	case less:
		return c < 0
	case greater:
		return c > 0
	case atMost:
		return c <= 0
	}
	return c >= 0
}

// comparison is true if the relation holds for any pair of values, or for all.
type comparison struct {
	x, y operand
	op   relation
	all  bool
}

func (t *comparison) eval(r *run) bool {
	lit, _ := t.y.(*literal)
	mark, found := len(r.scratch), false
	for v, at := t.x.next(r, 0); at >= 0; v, at = t.x.next(r, at) {
		if lit != nil {
			if lit.valid.has(v.class) {
				if t.op.holds(compare(v, lit.as[v.class])) != t.all {
					return !t.all
				}
				found = true
			}
			r.scratch = r.scratch[:mark]
			continue
		}
		inner := len(r.scratch)
		for w, to := t.y.next(r, 0); to >= 0; w, to = t.y.next(r, to) {
			if v.class == w.class {
				if t.op.holds(compare(v, w)) != t.all {
					return !t.all
				}
				found = true
			}
			r.scratch = r.scratch[:inner]
		}
		r.scratch = r.scratch[:mark]
	}
	return found && t.all
}

// membership is true if any value, or all, is in a set of literals and ranges of them.
type membership struct {
	x   operand
	set []span
	all bool
}

// span is what lies from one literal to another, both included.
type span struct{ from, to *literal }

func (t *membership) eval(r *run) bool {
	mark, found := len(r.scratch), false
	for v, at := t.x.next(r, 0); at >= 0; v, at = t.x.next(r, at) {
		if t.has(v) != t.all {
			return !t.all
		}
		found = true
		r.scratch = r.scratch[:mark]
	}
	return found && t.all
}

func (t *membership) has(v value) bool {
	for _, s := range t.set {
		switch {
		case !s.from.valid.has(v.class):
		case s.to == nil:
			if compare(v, s.from.as[v.class]) == 0 {
				return true
			}
		case compare(v, s.from.as[v.class]) >= 0 && compare(v, s.to.as[v.class]) <= 0:
			return true
		}
	}
	return false
}

// containing is true if any value, or all, has the bytes of another in it.
type containing struct {
	x, y operand
	all  bool
}

func (t *containing) eval(r *run) bool {
	lit, _ := t.y.(*literal)
	mark, found := len(r.scratch), false
	for v, at := t.x.next(r, 0); at >= 0; v, at = t.x.next(r, at) {
		if !v.searched() {
			continue
		}
		if lit != nil {
			if lit.valid.has(v.class) {
				if bytes.Contains(v.b, lit.as[v.class].b) != t.all {
					return !t.all
				}
				found = true
			}
			r.scratch = r.scratch[:mark]
			continue
		}
		inner := len(r.scratch)
		for w, to := t.y.next(r, 0); to >= 0; w, to = t.y.next(r, to) {
			if w.class == v.class {
				if bytes.Contains(v.b, w.b) != t.all {
					return !t.all
				}
				found = true
			}
			r.scratch = r.scratch[:inner]
		}
		r.scratch = r.scratch[:mark]
	}
	return found && t.all
}

// searched reports whether v is something that contains and matches look into: fields
// of one name may be of several types.
func (v *value) searched() bool { return v.class == octets || v.class == text }

// matching is true if a regular expression matches any value, or all.
type matching struct {
	x   operand
	exp *regexp.Regexp
	raw *regexp.Regexp // for bytes, each as the rune of its number
	all bool
}

func (t *matching) eval(r *run) bool {
	mark, found := len(r.scratch), false
	for v, at := t.x.next(r, 0); at >= 0; v, at = t.x.next(r, at) {
		if !v.searched() {
			continue
		}
		exp, b := t.exp, v.b
		if v.class == octets {
			exp, b = t.raw, r.runes(v.b)
		}
		if exp.Match(b) != t.all {
			return !t.all
		}
		found = true
		r.scratch = r.scratch[:mark]
	}
	return found && t.all
}

// runes puts bytes into scratch as the runes of their numbers, so that an expression
// sees bytes that are no UTF-8.
func (r *run) runes(b []byte) []byte {
	start := len(r.scratch)
	for _, c := range b {
		r.scratch = utf8.AppendRune(r.scratch, rune(c))
	}
	return r.scratch[start:]
}

package filter

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/odxray/odxray/dissect/wire"
)

const (
	maxDepth  = 200     // of parentheses and nots
	maxSource = 1 << 16 // bytes of a filter
)

// parser is a descent over the source. A failure is an *Error that it panics with.
type parser struct {
	src   string
	at    int   // behind tok
	tok   token // the next one
	depth int

	all    []*wire.Field
	byName map[string][]*wire.Field
	names  names
	left   token // of the comparison at hand
	used   []*field
}

func (p *parser) fail(t token, problem, expected string) {
	panic(&Error{Source: p.src, Pos: t.pos, Len: t.end - t.pos, Problem: problem, Expected: expected})
}

// unexpected fails because of p.tok.
func (p *parser) unexpected(expected string) {
	switch t := p.tok; {
	case t.kind == end:
		p.fail(t, "the filter ends here", expected)
	case t.kind == word && strings.ToLower(t.text) != t.text && keywords[strings.ToLower(t.text)]:
		panic(&Error{Source: p.src, Pos: t.pos, Len: t.end - t.pos, Problem: "unexpected " + t.text, Expected: expected, Nearest: strings.ToLower(t.text)})
	default:
		p.fail(t, fmt.Sprintf("unexpected %s", p.src[t.pos:t.end]), expected)
	}
}

// keywords are the words of the language, which are lower case as Wireshark's are.
var keywords = map[string]bool{"and": true, "or": true, "xor": true, "not": true, "in": true, "contains": true, "matches": true,
	"eq": true, "ne": true, "gt": true, "lt": true, "ge": true, "le": true}

// accept passes over p.tok if it is one of texts.
func (p *parser) accept(texts ...string) bool {
	if !p.tok.is(texts...) {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(symbol string) {
	if !p.accept(symbol) {
		p.unexpected(symbol)
	}
}

// whole parses the filter.
func (p *parser) whole() test {
	p.next()
	t := p.or()
	if p.tok.kind != end {
		p.unexpected("and, or, or the end of the filter")
	}
	return t
}

func (p *parser) or() test {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.tok, "nested too deeply", "")
	}
	defer func() { p.depth-- }()
	t := p.xor()
	if !p.tok.is("or", "||") {
		return t
	}
	list := or{t}
	for p.accept("or", "||") {
		list = append(list, p.xor())
	}
	return list
}

func (p *parser) xor() test {
	t := p.and()
	if !p.tok.is("xor", "^^") {
		return t
	}
	list := xor{t}
	for p.accept("xor", "^^") {
		list = append(list, p.and())
	}
	return list
}

func (p *parser) and() test {
	t := p.not()
	if !p.tok.is("and", "&&") {
		return t
	}
	list := and{t}
	for p.accept("and", "&&") {
		list = append(list, p.not())
	}
	return list
}

func (p *parser) not() test {
	negate := false
	for p.accept("not", "!") {
		negate = !negate
	}
	t := p.primary()
	if negate {
		return &not{t}
	}
	return t
}

func (p *parser) primary() test {
	if !p.accept("(") {
		return p.relation()
	}
	t := p.or()
	p.expect(")")
	return t
}

// relations are the operators: what relation they are, and whether of all values.
var relations = map[string]struct {
	op  relation
	all bool
}{
	"==": {equal, false}, "eq": {equal, false}, "any_eq": {equal, false},
	"!=": {unequal, true}, "ne": {unequal, true}, "all_ne": {unequal, true},
	"===": {equal, true}, "all_eq": {equal, true},
	"!==": {unequal, false}, "any_ne": {unequal, false}, "~=": {unequal, false},
	">": {greater, false}, "gt": {greater, false},
	"<": {less, false}, "lt": {less, false},
	">=": {atLeast, false}, "ge": {atLeast, false},
	"<=": {atMost, false}, "le": {atMost, false},
}

// relation parses a comparison, or the name of what is to be present.
func (p *parser) relation() test {
	quantifier := p.tok
	isAll, isAny := p.tok.is("all"), p.tok.is("any")
	if isAll || isAny {
		p.next()
	}
	p.left = p.tok
	x := p.operand()
	p.left.end = p.before()
	t, y := p.compared(x, isAll, isAny)
	if t == nil {
		if isAll || isAny {
			p.fail(quantifier, p.src[quantifier.pos:quantifier.end]+" without a comparison", "")
		}
		return p.present(x)
	}
	if !chained(y) || !p.atRelation() {
		return t
	}
	chain := and{t}
	for chained(y) && p.atRelation() { // a < b < c
		t, y = p.compared(y, isAll, isAny)
		chain = append(chain, t)
	}
	return chain
}

// chained reports whether the right side of a comparison may be the left one of the next.
func chained(y operand) bool {
	_, isLiteral := y.(*literal)
	return y != nil && !isLiteral
}

// atRelation reports whether p.tok is an operator that orders.
func (p *parser) atRelation() bool {
	_, ok := relations[p.tok.text]
	return ok && p.tok.is(p.tok.text)
}

// before returns where the token before p.tok ended.
func (p *parser) before() int {
	return len(strings.TrimRight(p.src[:p.tok.pos], " \t\r\n"))
}

// compared parses what follows x in a comparison, or returns nil if nothing does. y is
// what x is compared with.
func (p *parser) compared(x operand, isAll, isAny bool) (t test, y operand) {
	op := p.tok
	if p.atRelation() {
		o := relations[op.text]
		p.next()
		right := p.tok
		y = p.right(x)
		p.left = right
		p.left.end = p.before()
		return &comparison{x, y, o.op, (o.all || isAll) && !isAny}, y
	}
	switch {
	case p.accept("contains"):
		p.bytesOrText(x, op)
		p.look(x)
		return &containing{x, p.right(x), isAll}, nil
	case p.accept("matches", "~"):
		p.bytesOrText(x, op)
		p.look(x)
		return p.matching(x, isAll), nil
	case p.accept("in"):
		return p.membership(x, isAll), nil
	case op.is("not"):
		p.next()
		if !p.accept("in") {
			p.unexpected("in")
		}
		return &not{p.membership(x, isAll)}, nil
	}
	return nil, nil
}

// bytesOrText fails if op is for neither what x is.
func (p *parser) bytesOrText(x operand, op token) {
	if x.types()&(1<<text|1<<octets) == 0 {
		p.fail(p.left, fmt.Sprintf("%s works on bytes and text, and this is %s", p.src[op.pos:op.end], x.types()), "string(…) around it")
	}
}

// present is the test for x to be there.
func (p *parser) present(x operand) test {
	switch x := x.(type) {
	case *masked:
		p.look(x)
		return &nonzero{x}
	case *mapped, *counted:
		p.fail(p.left, "a function is always there", "a comparison, such as > 0")
	}
	if _, isField := x.(*field); !isField {
		p.look(x)
	}
	return &presence{x}
}

// look notes that the bytes of x are looked at.
func (p *parser) look(x operand) {
	if f := fieldIn(x); f != nil {
		f.looked = true
	}
}

// fieldIn returns the field that x is made of.
func fieldIn(x operand) *field {
	switch x := x.(type) {
	case *field:
		return x
	case *part:
		return fieldIn(x.of)
	case *masked:
		return fieldIn(x.of)
	case *mapped:
		return x.of
	}
	return nil
}

// operand parses what has values: a field, a slice of it, a function, bits of those.
func (p *parser) operand() operand {
	t := p.tok
	if t.kind != word {
		p.unexpected("a field, a protocol or a function")
	}
	p.next()
	var x operand
	if p.tok.is("(") && p.tok.pos == t.end {
		x = p.function(t)
	} else {
		x = p.field(t)
	}
	if p.tok.is("[") {
		x = p.slice(x, t)
	}
	if p.accept("&", "bitwise_and") {
		if x.types()&(1<<number|1<<octets) == 0 {
			p.fail(t, "& works on numbers and bytes, and this is "+x.types().String(), "")
		}
		if p.tok.kind != word && p.tok.kind != char {
			p.unexpected("a number or bytes")
		}
		p.left = t
		x = &masked{x, p.literal(maskable{x}, p.tok)}
		p.next()
	}
	return x
}

// maskable is an operand whose mask is no name of a value.
type maskable struct{ operand }

// isField reports whether a word names a field.
func (p *parser) isField(name string) bool { return p.byName[name] != nil }

func (p *parser) field(t token) *field {
	of := p.byName[t.text]
	if of == nil {
		e := &Error{Source: p.src, Pos: t.pos, Len: t.end - t.pos, Problem: "no field or protocol has this name"}
		e.Nearest = Nearest(t.text, p.fieldNames())
		panic(e)
	}
	f := &field{name: t.text, of: of, want: wire.Only(of...), token: t}
	p.used = append(p.used, f)
	return f
}

// fieldNames lists all names.
func (p *parser) fieldNames() []string {
	var list []string
	for _, f := range p.all {
		if f.Name != "" {
			list = append(list, f.Name)
		}
	}
	return list
}

// function parses the argument of the function named by t.
func (p *parser) function(t token) operand {
	fn := functions[t.text]
	if fn == nil {
		var known []string
		for name := range functions {
			known = append(known, name)
		}
		panic(&Error{Source: p.src, Pos: t.pos, Len: t.end - t.pos, Problem: "no such function", Expected: "len, count, lower, upper or string", Nearest: Nearest(t.text, known)})
	}
	p.next()
	arg := p.tok
	if arg.kind != word {
		p.unexpected("a field")
	}
	p.next()
	f := p.field(arg)
	p.expect(")")
	if fn.apply == nil {
		return &counted{f}
	}
	if f.types()&fn.takes == 0 {
		p.fail(arg, fmt.Sprintf("%s takes %s, and this is %s", t.text, fn.takes, f.types()), "")
	}
	f.looked = true
	return &mapped{f, fn}
}

// right parses what x is compared with.
func (p *parser) right(x operand) operand {
	t := p.tok
	if t.kind == word && (p.isField(t.text) || functions[t.text] != nil && p.at < len(p.src) && p.src[p.at] == '(') {
		left := p.left
		y := p.operand()
		p.left = left
		if x.types()&y.types() == 0 {
			t.end = p.before()
			p.fail(t, fmt.Sprintf("this is %s, and %s is %s", y.types(), p.src[left.pos:left.end], x.types()), "")
		}
		p.look(x)
		p.look(y)
		return y
	}
	if t.kind == end || t.kind == symbol {
		p.unexpected("a value or a field")
	}
	p.next()
	p.look(x)
	return p.literal(x, t)
}

// membership parses {a, b..c}.
func (p *parser) membership(x operand, all bool) test {
	p.look(x)
	p.expect("{")
	m := &membership{x: x, all: all}
	for {
		if p.tok.kind == end || p.tok.kind == symbol {
			p.unexpected("a value")
		}
		s := span{from: p.literal(x, p.tok)}
		p.next()
		if p.accept("..") {
			if p.tok.kind == end || p.tok.kind == symbol {
				p.unexpected("the end of the range")
			}
			s.to = p.literal(x, p.tok)
			s.from.valid &= s.to.valid
			p.next()
		}
		m.set = append(m.set, s)
		if p.accept("}") {
			return m
		}
		if !p.accept(",") {
			p.unexpected(", or }")
		}
	}
}

// matching parses the expression behind matches.
func (p *parser) matching(x operand, all bool) test {
	t := p.tok
	if t.kind != quoted {
		p.unexpected("a regular expression in quotes")
	}
	p.next()
	exp, err := regexp.Compile("(?i)" + t.text)
	raw, rawErr := regexp.Compile("(?i)" + runesOf(t.text))
	if err != nil && utf8.ValidString(t.text) || rawErr != nil {
		problem := "not a regular expression"
		if e, ok := rawErr.(*syntax.Error); ok {
			problem = e.Code.String()
		}
		p.fail(t, problem, "a regular expression of RE2")
	}
	if err != nil {
		exp = raw // bytes that are no text: no text matches them
	}
	return &matching{x, exp, raw, all}
}

// runesOf makes every byte of s the rune of its number.
func runesOf(s string) string {
	var r run
	return string(r.runes([]byte(s)))
}

// slice parses [i:j], [i-j], [i], [:j], [i:] and lists of these.
func (p *parser) slice(x operand, name token) operand {
	if x.types()&(1<<text|1<<octets) == 0 {
		p.fail(name, "only bytes and text have slices, and this is "+x.types().String(), "")
	}
	s := &part{of: x}
	for p.at = p.tok.end; ; p.at++ { // past the bracket, and past commas
		s.ranges = append(s.ranges, p.extent())
		p.space()
		if p.at == len(p.src) || p.src[p.at] != ',' {
			break
		}
	}
	p.next()
	if !p.accept("]") {
		p.unexpected("], or a slice: [i:length], [i-last], [i], [:length], [i:]")
	}
	p.look(x)
	return s
}

func (p *parser) space() {
	for p.at < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.at]) >= 0 {
		p.at++
	}
}

// extent parses one piece of a slice. It reads the source itself: a hyphen is part of
// a word elsewhere.
func (p *parser) extent() extent {
	p.space()
	if p.at < len(p.src) && p.src[p.at] == ':' {
		p.at++
		return extent{length: true, to: p.offset(false)}
	}
	e := extent{from: p.offset(true)}
	p.space()
	switch {
	case p.at < len(p.src) && p.src[p.at] == ':':
		p.at++
		p.space()
		if p.at < len(p.src) && (p.src[p.at] == ']' || p.src[p.at] == ',') {
			e.toEnd = true
			return e
		}
		e.length, e.to = true, p.offset(false)
	case p.at < len(p.src) && p.src[p.at] == '-':
		p.at++
		e.to = p.offset(true)
	default:
		e.length, e.to = true, 1
	}
	return e
}

// offset parses a position or, if it cannot be negative, a length.
func (p *parser) offset(negative bool) int {
	p.space()
	start := p.at
	if negative && p.at < len(p.src) && p.src[p.at] == '-' {
		p.at++
	}
	for p.at < len(p.src) && (isDigit(p.src[p.at], 16) || p.src[p.at] == 'x' || p.src[p.at] == 'X') {
		p.at++
	}
	n, err := strconv.ParseInt(p.src[start:p.at], 0, 32)
	if err != nil || !negative && n == 0 {
		p.fail(token{pos: start, end: max(p.at, min(start+1, len(p.src)))}, "not a position in a slice", "a number: [i:length], [i-last], [i], [:length] or [i:]")
	}
	return int(n)
}

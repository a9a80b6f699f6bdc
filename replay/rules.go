package replay

// Rules of a user: how the fields of answers are compared, before what the level says.

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/odxray/odxray/flows/report"
)

// Rules is a file of rules: lines of five words apart by tabs: call, field, file, how, why.
// The first three are patterns in which * stands for anything and ? for one character; the
// first line that fits holds. Empty lines and those that begin with # are for people.
//
// How is one of
//
//	ignore        whatever the values are
//	equal         compared, also where the level would not
//	environment   said once for the run, and no difference of the step
//	within N      numbers that differ by no more than N
//	within N%     or by no more than that part of the larger
//	set           the field's values of an answer, in any order
//	class         statuses of one sort, as with the level class
type Rules struct {
	list   []rule
	byCall sync.Map // []*rule, by the name of the call
}

type rule struct {
	call, field, file wildcard
	how, why          string

	policy  policy
	most    uint64 // of within
	percent bool
}

// wildcard is text in which * is anything and ? one character, if there are any.
type wildcard struct {
	text string
	glob []rune // in lower case; nil if it has neither
}

func newWildcard(s string) wildcard {
	p := wildcard{text: s}
	if strings.ContainsAny(s, "*?") {
		p.glob = []rune(strings.ToLower(s))
	}
	return p
}

// fits reports whether text is what the pattern says. Case does not count: files of SMB
// have none.
func (p *wildcard) fits(text string) bool {
	switch {
	case p.text == "*":
		return true
	case p.glob == nil:
		return strings.EqualFold(p.text, text)
	}
	return glob(p.glob, []rune(strings.ToLower(text)))
}

// statusField is what a difference of statuses is called.
const statusField = "smb2.nt_status"

// Policies that only rules have.
const (
	within policy = iota + 100
	inSet
	inClass
)

var rulePolicies = map[string]policy{"ignore": ignore, "equal": equal, "environment": surroundings, "set": inSet, "class": inClass}

// ReadRules reads a file of rules.
func ReadRules(r io.Reader, name string) (*Rules, error) {
	k := new(Rules)
	return k, tabbed(r, name, "a rule has a call, a field, a file, how to compare and why", func(w []string) error {
		x := rule{call: newWildcard(w[0]), field: newWildcard(w[1]), file: newWildcard(w[2]), how: w[3], why: w[4]}
		if !x.parse() {
			return fmt.Errorf("%q is none of ignore, equal, environment, within N, within N%%, set, class", w[3])
		}
		k.list = append(k.list, x)
		return nil
	})
}

// parse reads how a rule compares.
func (x *rule) parse() (ok bool) {
	if x.policy, ok = rulePolicies[x.how]; ok {
		return true
	}
	number, ok := strings.CutPrefix(x.how, "within ")
	if !ok {
		return false
	}
	number, x.percent = strings.CutSuffix(number, "%")
	most, err := strconv.ParseUint(number, 10, 64)
	x.policy, x.most = within, most
	return err == nil
}

// Len returns how many rules there are.
func (k *Rules) Len() int {
	if k == nil {
		return 0
	}
	return len(k.list)
}

// Write prints rules as ReadRules reads them.
func (k *Rules) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "# call\tfield\tfile\thow\twhy")
	if k != nil {
		for i := range k.list {
			x := &k.list[i]
			fmt.Fprintf(b, "%s\t%s\t%s\t%s\t%s\n", oneWord(x.call.text), oneWord(x.field.text), oneWord(x.file.text), x.how, oneWord(x.why))
		}
	}
	return b.Flush()
}

// oneWord has no tab or line end in it: a ? fits them.
func oneWord(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, s)
}

// of returns the rule for a field of the answer to a step; nil if there is none.
func (k *Rules) of(s *Step, field string) *rule {
	if k == nil {
		return nil
	}
	call := report.CallName(s.Header.Command, s.Exchange.Function)
	list, ok := k.byCall.Load(call)
	if !ok {
		var of []*rule
		for i := range k.list {
			if k.list[i].call.fits(call) {
				of = append(of, &k.list[i])
			}
		}
		list, _ = k.byCall.LoadOrStore(call, of)
	}
	for _, x := range list.([]*rule) {
		if x.field.fits(field) && x.file.fits(s.Exchange.File) {
			return x
		}
	}
	return nil
}

// ignores reports whether a rule leaves a field of the answer to a step out.
func (k *Rules) ignores(s *Step, field string) bool {
	x := k.of(s, field)
	return x != nil && (x.policy == ignore || x.policy == surroundings)
}

// apply takes the differences away that rules say are none.
func (k *Rules) apply(s *Step, o *Outcome, environment func(field, captured, replayed string)) {
	if k == nil {
		return
	}
	o.Differences = slices.DeleteFunc(o.Differences, func(d Difference) bool {
		x := k.of(s, d.Field)
		if x == nil {
			return false
		}
		switch x.policy {
		case ignore:
			return true
		case surroundings:
			environment(d.Field, d.Captured, d.Replayed)
			return true
		case inClass:
			return d.Field == statusField && o.Answer != nil && statusClass(statusOf(s.Answer)) == statusClass(statusOf(o.Answer))
		case within:
			a, err := strconv.ParseUint(d.Captured, 0, 64)
			b, err2 := strconv.ParseUint(d.Replayed, 0, 64)
			return err == nil && err2 == nil && x.near(a, b)
		}
		return false
	})
}

// policy returns how a field of the answer to a step is compared, and the rule that says
// so; nil if none does. What is compared in another way than by its fields stays so.
func (o *Options) policy(name string, s *Step) (policy, *rule) {
	p := policyOf(name, s, o)
	x := o.Rules.of(s, name)
	if x == nil || p == own {
		return p, nil
	}
	if x.policy == inClass {
		return equal, nil
	}
	return x.policy, x
}

// compares reports whether a field of a listing's entry is compared at all.
func (o *Options) compares(name string, s *Step) bool {
	p, _ := o.policy(name, s)
	return p == equal
}

// near reports whether two numbers differ by no more than the rule lets them.
func (x *rule) near(a, b uint64) bool {
	d, most := max(a, b)-min(a, b), x.most
	if x.percent {
		most = uint64(float64(max(a, b)) * float64(x.most) / 100)
	}
	return d <= most
}

// glob reports whether text is what a pattern says, both in lower case.
func glob(p, t []rune) bool {
	star, back := -1, 0
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, back = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			back++
			i, j = star+1, back
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

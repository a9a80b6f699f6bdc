package ui

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/odxray/odxray/dissect/filter"
	"github.com/odxray/odxray/flows/report"
)

// sifter is a page that shows what the filter lets through.
type sifter interface {
	narrow(filter string)
	sifting() *sieve // nil if the page makes something else of it
}

// compile checks a filter, and says what is wrong with it: what is worth most comes
// first, for the line may be cut.
func (u *ui) compile(text string) error {
	_, err := filter.Compile(text, u.fields)
	var bad *filter.Error
	if errors.As(err, &bad) {
		said := fmt.Sprintf("character %d: %s", utf8.RuneCountInString(text[:bad.Pos])+1, bad.Problem)
		if bad.Nearest != "" {
			said += fmt.Sprintf("; did you mean %q?", bad.Nearest)
		}
		if bad.Expected != "" {
			said += "; expected " + bad.Expected
		}
		return errors.New(said)
	}
	return err
}

// setFilter has the pages of frames and exchanges show what a filter is true for; ""
// removes it.
func (u *ui) setFilter(text string) {
	if text = strings.TrimSpace(text); text != "" {
		if err := u.compile(text); err != nil {
			u.fail("%v", err)
			return
		}
	}
	if text == u.filter {
		return
	}
	u.filter = text
	for _, p := range u.pages {
		if p, ok := p.(sifter); ok {
			p.narrow(text)
		}
	}
	if !u.filters() && text != "" {
		u.turn(packetsPage)
	}
	u.help = nil
	u.follow()
}

// filters tells whether the page shows what the filter lets through.
func (u *ui) filters() bool {
	_, ok := u.pages[u.page].(sifter)
	return ok
}

// drawFilter says which filter is on, at the right of a line, and how far it is.
func (u *ui) drawFilter(c canvas) {
	if u.filter == "" {
		return
	}
	far := ""
	if p, ok := u.pages[u.page].(sifter); ok {
		if s := p.sifting(); s != nil && s.work != nil && s.of > 0 {
			far = fmt.Sprintf(" · %d%%", s.looked*100/s.of)
		} else if s != nil {
			far = fmt.Sprintf(" · %s of %s", report.Count(len(s.shown)), report.Count(s.of))
		}
	}
	text := u.filter
	if most := c.w/2 - width(far); width(text) > most {
		text = cut(text, most-1) + "…"
	}
	text = " filter: " + text + far + " "
	c.text(c.w-2-width(text), 0, special.Bold(true), text)
}

// unmatched says why a filtered page is empty.
func (u *ui) unmatched(s *sieve, things string) string {
	return fmt.Sprintf("The filter %s is true for none of %s %s that were looked at. \\ changes it, Esc removes it.", u.filter, report.Count(s.looked), things)
}

// completeFilter adds what all words that the last one may become have in common, and
// lists them if there are several.
func (p *prompt) completeFilter() {
	typed, before := p.field.GetText(), ""
	if p.kind == commandPrompt { // :filter EXPRESSION
		name, expression, _ := strings.Cut(typed, " ")
		before, typed = name+" ", expression
	}
	start, words := filter.Complete(typed, p.u.fields)
	if len(words) == 0 {
		p.u.fail("no name begins so")
		return
	}
	common := words[0]
	for _, word := range words {
		for len(common) > len(word) || !strings.EqualFold(word[:len(common)], common) {
			common = common[:len(common)-1]
		}
	}
	p.field.SetText(before + typed[:start] + common)
	if len(words) > 1 {
		const most = 50 // more fit on no line
		p.u.say("%s: %s", report.Plural(len(words), "name", "names"), strings.Join(words[:min(len(words), most)], "  "))
	}
}

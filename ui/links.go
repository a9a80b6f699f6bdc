package ui

import (
	"fmt"

	"github.com/odxray/odxray/flows"
)

// target is somewhere that a row leads to.
type target struct {
	page  int
	at    int    // position of the row there
	label string // what it is, for who chooses among several
}

// linker is a pane of which what is selected leads somewhere.
type linker interface {
	targets() []target
}

func (l *list) targets() []target {
	if i := l.chosen(); l.links != nil && i >= 0 {
		return l.links(i)
	}
	return nil
}

// targets returns where what is selected leads to.
func (u *ui) targets() []target {
	if u.linked == nil {
		u.linked = new([]target)
		if l, ok := u.active().(linker); ok && u.filled() {
			*u.linked = l.targets()
		}
	}
	return *u.linked
}

// targetOn returns the first target on a page.
func (u *ui) targetOn(page int) (target, bool) {
	for _, t := range u.targets() {
		if t.page == page {
			return t, true
		}
	}
	return target{}, false
}

// followTo goes to the first thing on a page that the selection leads to; what names it.
func (u *ui) followTo(page int, what string) {
	t, ok := u.targetOn(page)
	if !ok {
		u.say("no %s belongs to this", what)
		return
	}
	u.visit(t.page, t.at, 0)
}

// chooseLink shows all that the selection leads to.
func (u *ui) chooseLink() {
	m := &menu{title: "Where to?"}
	for _, t := range u.targets() {
		m.add("", t.label, func() { u.visit(t.page, t.at, 0) })
	}
	if len(m.items) == 0 {
		u.say("this leads nowhere else")
		return
	}
	u.open(m)
}

// links collects targets; what does not exist is left out.
type links struct {
	u    *ui
	list []target
}

func (l *links) frame(what string, n int) *links {
	if n > 0 && n <= l.u.frames {
		l.list = append(l.list, target{packetsPage, n - 1, fmt.Sprintf("frame %d: %s", n, what)})
	}
	return l
}

func (l *links) frames(what string, frames []int) *links {
	for _, n := range frames {
		l.frame(what, n)
	}
	return l
}

// exchange takes an ID.
func (l *links) exchange(id int) *links {
	if id > 0 && id <= l.u.exchanges {
		l.list = append(l.list, target{exchangesPage, id - 1, fmt.Sprintf("exchange %d", id)})
	}
	return l
}

// exchangesOf takes a frame.
func (l *links) exchangesOf(n int) *links {
	if n > 0 && n <= l.u.frames {
		for _, i := range l.u.src.ExchangesOf(n) {
			l.exchange(i + 1)
		}
	}
	return l
}

// copy takes an ID.
func (l *links) copy(id int) *links {
	for i := range l.u.res.Copies {
		if c := &l.u.res.Copies[i]; id != 0 && c.ID == id {
			l.list = append(l.list, target{copiesPage, i, fmt.Sprintf("copy %d: %s → %s", id, name(c.Source.Path), name(c.Destination.Path))})
			return l
		}
	}
	return l
}

// token takes an ID.
func (l *links) token(id string) *links {
	for i := range l.u.res.Mints {
		if id != "" && l.u.res.Mints[i].ID == id {
			l.list = append(l.list, target{tokensPage, i, "token " + id})
			return l
		}
	}
	return l
}

// connection takes an ID.
func (l *links) connection(id int) *links {
	for i := range l.u.res.Connections {
		if id != 0 && l.u.res.Connections[i].ID == id {
			l.list = append(l.list, target{sessionsPage, i, fmt.Sprintf("connection %d", id)})
			return l
		}
	}
	return l
}

// story is the copy and the token that a frame belongs to.
type story struct {
	copy  int
	token string
}

// told is the story of a frame, kept while it is selected: the footer asks at each draw.
type told struct {
	res   *flows.Results
	frame int
	story
}

func (u *ui) storyOf(n int) story {
	if u.told.res != u.res || u.told.frame != n {
		u.told = told{u.res, n, findStory(u.res, n)}
	}
	return u.told.story
}

// findStory returns the copy and the token that a frame belongs to, as far as any does.
func findStory(r *flows.Results, n int) (s story) {
	for i := range r.Mints {
		m := &r.Mints[i]
		if m.Frame == n || m.Request == n {
			return story{m.Copy, m.ID}
		}
		for k := range m.Uses {
			if use := &m.Uses[k]; use.Frame == n || use.Response == n {
				return story{int(use.Copy), m.ID}
			}
		}
	}
	for i := range r.Copies {
		c := &r.Copies[i]
		if n < c.FirstFrame || n > c.LastFrame {
			continue
		}
		for k := range c.Calls {
			if call := &c.Calls[k]; call.Frame == n || call.Answer == n || call.Interim == n {
				return story{c.ID, call.Mint}
			}
		}
	}
	return s
}

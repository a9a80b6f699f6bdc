package ui

import (
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
)

// pair shows the frames of a request and its answer side by side. It is a page without a
// number, as the ladder is.
type pair struct {
	u     *ui
	sides [2]side
	title string
}

// side is a frame of a pair.
type side struct {
	tree  tree
	data  wire.Tree
	frame int // 0 if the capture does not hold it
	err   error
}

func newPair(u *ui) *pair {
	p := &pair{u: u}
	for i := range p.sides {
		s := &p.sides[i]
		s.tree.data, s.tree.open = &s.data, make(map[*wire.Field]bool)
		s.tree.down = func(int) {
			if s.frame > 0 {
				u.frame(s.frame)
			}
		}
		s.tree.all = func() []target {
			l := links{u: u}
			return l.frame("this", s.frame).exchangesOf(s.frame).list
		}
	}
	return p
}

func (p *pair) panes() []pane { return []pane{&p.sides[0].tree, &p.sides[1].tree} }

func (p *pair) count() int {
	if p.title == "" {
		return 0
	}
	return 1
}

func (p *pair) crumb() string {
	if p.title == "" {
		return "side by side"
	}
	return p.title
}

func (p *pair) why() string {
	return "Nothing was chosen: B on an exchange, or on a frame of one, shows request and answer side by side."
}

func (p *pair) draw(c canvas) {
	w := (c.w - 1) / 2
	for i, name := range [2]string{"Request", "Answer"} {
		s := &p.sides[i]
		left, width := 0, w
		if i == 1 {
			left, width = w+1, c.w-w-1
		}
		title := name + ": not in the capture"
		switch {
		case s.err != nil:
			title = fmt.Sprintf("%s, frame %d: %v", name, s.frame, s.err)
		case s.frame > 0:
			title = fmt.Sprintf("%s, frame %d", name, s.frame)
		}
		p.u.section(c.sub(left, 0, width, c.h), &s.tree, title)
	}
	c.bar(w)
}

// show takes the frames of an exchange.
func (p *pair) show(x *flows.Exchange) {
	p.title = fmt.Sprintf("exchange %d, side by side", x.ID)
	for i, n := range [2]int{x.RequestFrame, x.AnswerFrame} {
		s := &p.sides[i]
		s.frame, s.err = n, nil
		s.data.Reset()
		if n > 0 {
			s.err = p.u.src.Detail(n, &s.data)
		}
		s.tree.load(&s.data)
	}
}

// both shows the request and the answer of what is selected side by side.
func (u *ui) both() {
	t, ok := u.targetOn(exchangesPage)
	if p, is := u.pages[u.page].(*exchanges); is && u.filled() && u.help == nil && u.menu == nil {
		t, ok = target{at: p.list.chosen()}, p.list.chosen() >= 0
	}
	if !ok {
		u.say("this belongs to no exchange")
		return
	}
	var x flows.Exchange
	u.src.Exchange(t.at, &x)
	u.remember()
	u.page, u.focus[pairPage], u.zoomed = pairPage, 0, false
	u.pages[pairPage].(*pair).show(&x)
}

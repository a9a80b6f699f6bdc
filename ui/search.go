package ui

import (
	"context"
	"strings"
)

// search is a search for text in a pane.
type search struct {
	text   string
	cancel context.CancelFunc // of one that is running
}

func (s *search) running() bool { return s.cancel != nil }

func (s *search) stop() {
	if s.cancel != nil {
		s.cancel()
		s.cancel = nil
	}
}

// search goes to the next line, by 1 or -1, of the pane that holds text.
func (u *ui) search(text string, by int) {
	u.seek.stop()
	if text == "" {
		u.say("nothing to search for; / asks")
		return
	}
	u.seek.text = text
	p, ok := u.active().(searcher)
	if !ok {
		u.say("there is no text to search in this pane")
		return
	}
	match, n, slow := p.lookup(strings.ToLower(text))
	from := p.current()
	found := func(i int) {
		switch {
		case i < 0:
			u.fail("%q is in none of %d lines", text, n)
		case i == from:
			u.say("%q is in no other line", text)
		case (i < from) == (by > 0):
			u.say("%q: went on at the other end", text)
		}
		if i >= 0 {
			p.reach(i)
		}
	}
	if !slow || u.later == nil {
		found(scan(context.Background(), match, n, from, by))
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	u.seek.cancel = cancel
	go func() {
		i := scan(ctx, match, n, from, by)
		u.later(func() {
			if ctx.Err() == nil {
				u.seek.stop()
				found(i)
			}
		})
	}()
}

// scan returns the first of n lines after from, around the end and back to from,
// that matches, or -1.
func scan(ctx context.Context, match func(int) bool, n, from, by int) int {
	for k := 1; k <= n; k++ {
		if k%1024 == 0 && ctx.Err() != nil {
			break
		}
		i := ((from+k*by)%n + n) % n
		if match(i) {
			return i
		}
	}
	return -1
}

package ui

// What is captured while it is looked at.

// Live is what the interface knows of a capture that goes on.
type Live struct {
	Status func() string // how fast it goes, and what is lost; changes seldom
	Lost   func() bool   // something is
}

// following is whether the list shows what comes last, as it comes.
type following struct {
	live   *Live // nil for files
	status string
	on     bool
}

// catchUp takes over the status, moves to the last line if that is wanted, and tells
// whether there is news.
func (u *ui) catchUp() bool {
	f := &u.tail
	if f.live == nil {
		return false
	}
	was := f.status
	f.status = f.live.Status()
	if l, ok := u.pages[u.page].panes()[0].(*list); ok && f.on && !u.ended {
		if n := l.count(); n > 0 && l.sel != n-1 {
			l.choose(n - 1)
		}
	}
	return f.status != was
}

// held stops following where the user has gone to another line.
func (u *ui) held() {
	if l, ok := u.pages[u.page].panes()[0].(*list); ok && u.tail.on && l.count() > 0 && l.sel < l.count()-1 {
		u.tail.on = false
		u.say("not following any more: F follows again; capturing goes on")
	}
}

// toggleTail follows, or stops it.
func (u *ui) toggleTail() {
	if u.tail.on = !u.tail.on; u.tail.on {
		u.catchUp()
		u.say("following: the list shows what comes last")
		return
	}
	u.say("not following any more; capturing goes on")
}

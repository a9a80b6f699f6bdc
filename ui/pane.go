package ui

// motion is a way through a pane.
type motion uint8

const (
	up motion = iota
	down
	left
	right
	pageUp
	pageDown
	halfUp
	halfDown
	first
	last
)

// pane is a part of a page that can have the focus.
type pane interface {
	draw(c canvas, focused bool)
	move(m motion)
	click(x, y int) bool // selects what is drawn there, if anything is
	scroll(lines int)    // and leaves the selection
	enter()              // goes down from what is selected
	yank() string        // what is selected, as text
	info() string        // what the status line says of it
	where() (at, of int) // position of the selection, from 1, and how many there are
}

// searcher is a pane that can look for text.
type searcher interface {
	// lookup returns a function that tells whether line i holds the text, which is in
	// lower case, and how many lines there are. slow means to call it from another
	// goroutine, which then is safe.
	lookup(text string) (match func(i int) bool, n int, slow bool)
	current() int
	reach(i int)
}

// view is a window of height lines on a selected one of many.
type view struct {
	sel, top int
	height   int  // lines, when it was drawn last
	chase    bool // the selection was moved: show it
}

// drawn prepares for drawing height of n lines.
func (v *view) drawn(n, height int) {
	v.height = max(height, 1)
	v.sel = max(min(v.sel, n-1), 0)
	if v.chase {
		v.chase = false
		if far := v.height + 1; v.sel < v.top-far || v.sel > v.top+v.height+far {
			v.top = v.sel - v.height/2 // so that what is around it shows
		}
		v.top = min(max(v.top, v.sel-v.height+1), v.sel)
	}
	v.top = max(min(v.top, n-v.height), 0)
}

func (v *view) choose(i int) { v.sel, v.chase = i, true }

func (v *view) current() int { return v.sel }

func (v *view) scroll(lines int) { v.top += lines } // drawn limits it

// move moves the selection among n lines.
func (v *view) move(m motion, n int) {
	to := v.sel
	switch m {
	case up:
		to--
	case down:
		to++
	case pageUp:
		to -= max(v.height-1, 1)
	case pageDown:
		to += max(v.height-1, 1)
	case halfUp:
		to -= max(v.height/2, 1)
	case halfDown:
		to += max(v.height/2, 1)
	case first:
		to = 0
	case last:
		to = n - 1
	}
	v.choose(max(min(to, n-1), 0))
}

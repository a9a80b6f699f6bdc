package ui

import (
	"fmt"
	"strings"

	"github.com/gdamore/tcell/v2"
)

// hex shows bytes with one of them selected and a run of them marked. It knows no
// protocol.
type hex struct {
	view                // of lines; sel follows the cursor
	tabs       []string // names of the buffers
	tab        int      // the one shown
	bytes      func(tab int) []byte
	at         int    // the cursor
	start, end int    // the bytes marked
	field      string // what they are, for the status line; may be ""
	moved      func() // called when the user moved the cursor or changed the tab
	open       func() // Enter; may be nil
	perLine    int
}

// mark marks n bytes of a buffer and moves there.
func (h *hex) mark(tab, off, n int) {
	h.tab, h.start, h.end = tab, off, off+n
	h.seek(off)
}

func (h *hex) seek(at int) {
	h.at = max(min(at, len(h.data())-1), 0)
	h.choose(h.at / h.line())
}

func (h *hex) data() []byte {
	if h.tab >= len(h.tabs) {
		return nil
	}
	return h.bytes(h.tab)
}

func (h *hex) line() int { return max(h.perLine, 1) }

const hexOffset = 7 // columns before the bytes

func (h *hex) draw(c canvas, focused bool) {
	n := 16
	if c.w < hexOffset+3*16 {
		n = 8
	}
	if n != h.perLine {
		h.perLine = n
		h.choose(h.at / n)
	}
	if len(h.tabs) > 1 && c.h > 2 {
		x := 0
		for i, name := range h.tabs {
			style, name := faint, " "+name+" "
			if i == h.tab {
				style, name = bold, "["+strings.TrimSpace(name)+"]"
			}
			x = c.text(x, c.h-1, style, name)
		}
		c = c.sub(0, 0, c.w, c.h-1)
	}
	b := h.data()
	h.drawn((len(b)+n-1)/n, c.h)
	ascii := c.w >= hexOffset+4*n+1
	for y := range c.h {
		at := (h.top + y) * n
		if at >= len(b) {
			return
		}
		c.text(0, y, faint, fmt.Sprintf("%05x", at))
		for i := at; i <= at+n && i <= len(b); i++ {
			x := hexOffset + 3*(i-at)
			// The signs around what is marked: without them only a colour would say it.
			sign := " "
			switch {
			case h.start == h.end:
			case i == h.start && i < at+n, i == at && i > h.start && i < h.end:
				sign = "["
			case i == h.end && i > at, i == at+n && i > h.start && i < h.end:
				sign = "]"
			}
			c.text(x-1, y, bold, sign)
			if i == at+n || i == len(b) {
				break
			}
			style := h.style(i, focused)
			c.text(x, y, style, fmt.Sprintf("%02x", b[i]))
			if i > at && i > h.start && i < h.end {
				c.text(x-1, y, h.style(h.start, false), " ")
			}
			if ascii {
				r := "."
				if b[i] >= ' ' && b[i] <= '~' {
					r = string(b[i])
				}
				c.text(hexOffset+3*n+1+i-at, y, style, r)
			}
		}
	}
}

func (h *hex) style(i int, focused bool) tcell.Style {
	style := plain
	if i >= h.start && i < h.end {
		style = marked
	}
	if focused && i == h.at {
		style = style.Bold(true).Underline(true)
	}
	return style
}

func (h *hex) move(m motion) {
	n := h.line()
	at := h.at
	switch m {
	case left:
		at--
	case right:
		at++
	case up:
		at -= n
	case down:
		at += n
	case pageUp, halfUp, pageDown, halfDown:
		by := h.height
		if m == halfUp || m == halfDown {
			by = max(by/2, 1)
		}
		if m == pageUp || m == halfUp {
			by = -by
		}
		at += by * n
	case first:
		at = 0
	case last:
		at = len(h.data()) - 1
	}
	if at < 0 || at >= len(h.data()) {
		switch m {
		case left, right, up, down:
			return
		}
	}
	h.seek(at)
	h.tell()
}

func (h *hex) tell() {
	if h.moved != nil {
		h.moved()
	}
}

// next shows the next buffer.
func (h *hex) next() {
	if len(h.tabs) > 1 {
		h.tab = (h.tab + 1) % len(h.tabs)
		h.start, h.end = 0, 0
		h.seek(0)
		h.tell()
	}
}

func (h *hex) click(x, y int) bool {
	if len(h.tabs) > 1 && y == h.height { // the line of names
		for i, name := range h.tabs {
			if x -= width(name) + 2; x < 0 {
				h.tab = (i + len(h.tabs) - 1) % len(h.tabs)
				h.next()
				return true
			}
		}
		return false
	}
	n := h.line()
	i := (x - hexOffset) / 3
	if x > hexOffset+3*n {
		i = x - hexOffset - 3*n - 1
	}
	at := (h.top+y)*n + i
	if x < hexOffset || i >= n || at >= len(h.data()) {
		return false
	}
	h.at, h.sel = at, at/n
	h.tell()
	return true
}

func (h *hex) enter() {
	if h.open != nil {
		h.open()
	}
}

func (h *hex) yank() string {
	b := h.data()
	if h.start < h.end && h.end <= len(b) {
		return fmt.Sprintf("%x", b[h.start:h.end])
	}
	if h.at < len(b) {
		return fmt.Sprintf("%02x", b[h.at])
	}
	return ""
}

func (h *hex) info() string {
	b := h.data()
	if h.at >= len(b) {
		return ""
	}
	said := fmt.Sprintf("byte %d (0x%x) = 0x%02x, %d", h.at, h.at, b[h.at], b[h.at])
	if h.field != "" {
		said += " · " + h.field
	}
	return said
}

func (h *hex) where() (at, of int) {
	n := len(h.data())
	return min(h.at+1, n), n
}

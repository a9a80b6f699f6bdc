package ui

import "github.com/gdamore/tcell/v2"

// menu is a few things to choose from, over the page.
type menu struct {
	title string
	items []item
	list  list
	u     *ui

	stays bool                      // open when something was chosen
	pick  func(i int)               // Enter, where an item has nothing to do; may be nil
	keys  map[string]func(line int) // further ones
}

type item struct {
	key   string // that chooses it at once; "" if none does
	label string
	do    func()
}

func (m *menu) add(key, label string, do func()) {
	m.items = append(m.items, item{key, label, do})
}

// open shows a menu.
func (u *ui) open(m *menu) {
	m.u = u
	keys := 0
	for _, it := range m.items {
		keys = max(keys, width(it.key))
	}
	m.list = list{
		columns: []column{{width: keys}, {width: 20, grow: 1}},
		count:   func() int { return len(m.items) },
		row: func(i int, cells []string) tcell.Style {
			cells[0], cells[1] = m.items[i].key, m.items[i].label
			return plain
		},
		open: m.choose,
	}
	u.menu = m
}

// choose does item i, with the menu out of its way.
func (m *menu) choose(i int) {
	if !m.stays {
		m.u.menu = nil
	}
	if do := m.items[i].do; do != nil {
		do()
	} else if m.pick != nil {
		m.pick(i)
	}
}

// key does what a key is for, and tells whether the menu has it.
func (m *menu) key(name string) bool {
	for i := range m.items {
		if m.items[i].key == name {
			m.choose(i)
			return true
		}
	}
	if do := m.keys[name]; do != nil && m.list.sel < len(m.items) {
		do(m.list.sel)
		return true
	}
	return false
}

// draw draws the menu over the end of c.
func (m *menu) draw(c canvas) {
	h := min(len(m.items)+1, c.h)
	c = c.sub(0, c.h-h, c.w, h)
	for y := range c.h {
		c.fill(y, plain)
	}
	m.u.section(c, &m.list, m.title)
}

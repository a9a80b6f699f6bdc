package ui

import (
	"fmt"
	"strings"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/dissect/wire"
)

// tree shows the fields of a message.
type tree struct {
	view
	data  *wire.Tree
	lines []treeLine // those not folded away

	// What the user folded or unfolded, of any message: who opens a flags word wants
	// to see it in the next frame too.
	open map[*wire.Field]bool

	want *wire.Field // selected last by the user, in whatever message

	moved func()           // called when another field is selected
	down  func(i int)      // Enter on node i
	links func(i int) bool // that Enter leaves the frame; may be nil
	all   func() []target  // where the selected field and its frame lead; may be nil
}

type treeLine struct{ node, depth int }

// load takes over other data, and selects the field that the user wants to see if
// there is one.
func (t *tree) load(data *wire.Tree) {
	t.data = data
	t.fold()
	t.choose(0)
	for i, l := range t.lines {
		if data.Nodes[l.node].Field == t.want {
			t.choose(i)
			break
		}
	}
}

// fold finds the lines that show.
func (t *tree) fold() {
	t.lines = t.lines[:0]
	hidden := 0 // nodes below it are folded away
	for i, depth := range t.data.All() {
		if i < hidden {
			continue
		}
		t.lines = append(t.lines, treeLine{i, depth})
		if n := &t.data.Nodes[i]; n.End > 0 && !t.isOpen(i, depth) {
			hidden = int(n.End)
		}
	}
}

// isOpen tells whether what node i holds is shown. At first all structures are but
// those that carry the message: what lies outside it all frames have.
func (t *tree) isOpen(i, depth int) bool {
	n := &t.data.Nodes[i]
	if open, ok := t.open[n.Field]; ok {
		return open
	}
	if n.Field.Bits != nil {
		return false
	}
	return depth > 0 || int(n.End) == len(t.data.Nodes) || strings.HasPrefix(n.Field.Name, "smb")
}

// node returns the selected node, or -1.
func (t *tree) node() int {
	if t.sel >= len(t.lines) {
		return -1
	}
	return t.lines[t.sel].node
}

// show selects node i, and opens what it is in.
func (t *tree) show(i int) {
	for at := range i {
		if n := &t.data.Nodes[at]; int(n.End) > i {
			t.open[n.Field] = true
		}
	}
	t.fold()
	t.want = t.data.Nodes[i].Field
	for at, l := range t.lines {
		if l.node == i {
			t.choose(at)
			return
		}
	}
}

// at returns the innermost field that holds a byte of a buffer, or -1.
func (t *tree) at(buf, off int) int {
	best := -1
	for i := range t.data.Nodes {
		n := &t.data.Nodes[i]
		if int(n.Buf) != buf || n.Generated || n.Field.Mask != 0 || uint64(off) < uint64(n.Off) || uint64(off) >= uint64(n.Off)+uint64(n.Len) {
			continue
		}
		if best < 0 || n.Len <= t.data.Nodes[best].Len {
			best = i
		}
	}
	return best
}

func (t *tree) draw(c canvas, focused bool) {
	t.drawn(len(t.lines), c.h)
	for y := 0; y < c.h && t.top+y < len(t.lines); y++ {
		l := t.lines[t.top+y]
		n := &t.data.Nodes[l.node]
		var style tcell.Style
		switch {
		case t.top+y == t.sel && focused:
			style = marked
		case t.top+y == t.sel:
			style = bold
		case strings.HasPrefix(n.Field.Name, "_ws."):
			style = bad
		}
		if t.top+y == t.sel {
			c.fill(y, style)
		}
		x := 1 + 2*l.depth
		switch {
		case n.End == 0:
		case t.isOpen(l.node, l.depth):
			c.text(x, y, style, "▾")
		default:
			c.text(x, y, style, "▸")
		}
		x += 2
		line := t.data.Line(l.node)
		if t.links != nil && t.links(l.node) {
			line += " ↵"
			if style == plain {
				style = link
			}
		}
		c.cell(x, y, c.w-x, false, style, line)
	}
}

// frameOf returns the frame that a node links to, or 0.
func frameOf(n *wire.Node) int {
	if n.Field.Kind == wire.KindFrame && n.Val < 1<<31 {
		return int(n.Val)
	}
	return 0
}

func (t *tree) move(m motion) {
	i := t.node()
	if i < 0 {
		return
	}
	n, depth := &t.data.Nodes[i], t.lines[t.sel].depth
	switch {
	case m == right && n.End > 0 && !t.isOpen(i, depth):
		t.toggle()
	case m == left && n.End > 0 && t.isOpen(i, depth):
		t.toggle()
	case m == left:
		for at := t.sel - 1; at >= 0; at-- {
			if t.lines[at].depth < depth {
				t.choose(at)
				break
			}
		}
	case m == right:
		t.view.move(down, len(t.lines))
	default:
		t.view.move(m, len(t.lines))
	}
	t.tell()
}

// toggle folds or unfolds the selected structure.
func (t *tree) toggle() {
	if i := t.node(); i >= 0 && t.data.Nodes[i].End > 0 {
		t.open[t.data.Nodes[i].Field] = !t.isOpen(i, t.lines[t.sel].depth)
		t.fold()
	}
}

// tell says that the user selected another field.
func (t *tree) tell() {
	if i := t.node(); i >= 0 {
		t.want = t.data.Nodes[i].Field
	}
	if t.moved != nil {
		t.moved()
	}
}

func (t *tree) click(x, y int) bool {
	i := t.top + y
	if i >= len(t.lines) {
		return false
	}
	again := t.sel == i
	t.sel = i
	if mark := 1 + 2*t.lines[i].depth; x == mark || again && x < mark {
		t.toggle()
	}
	t.tell()
	return true
}

func (t *tree) enter() {
	if i := t.node(); i >= 0 && t.down != nil {
		t.down(i)
	}
}

func (t *tree) targets() []target {
	if t.all == nil {
		return nil
	}
	return t.all()
}

func (t *tree) yank() string {
	if i := t.node(); i >= 0 {
		return t.data.Line(i)
	}
	return ""
}

func (t *tree) info() string {
	i := t.node()
	if i < 0 {
		return ""
	}
	n := &t.data.Nodes[i]
	var parts []string
	if n.Field.Name != "" {
		parts = append(parts, n.Field.Name)
	}
	if n.Len > 0 && !n.Generated {
		at := fmt.Sprintf("bytes %d to %d", n.Off, uint64(n.Off)+uint64(n.Len)-1)
		if n.Len == 1 {
			at = fmt.Sprintf("byte %d", n.Off)
		}
		parts = append(parts, at)
	}
	if n.Field.Spec != "" {
		parts = append(parts, n.Field.Spec)
	}
	return strings.Join(parts, " · ")
}

func (t *tree) where() (at, of int) { return min(t.sel+1, len(t.lines)), len(t.lines) }

// lookup searches all fields, also those folded away.
func (t *tree) lookup(text string) (func(int) bool, int, bool) {
	return func(i int) bool {
		return strings.Contains(strings.ToLower(t.data.Line(i)), text)
	}, len(t.data.Nodes), false
}

func (t *tree) current() int { return max(t.node(), 0) }

func (t *tree) reach(i int) {
	t.show(i)
	t.tell()
}

package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/dissect/filter"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
)

// packets is the list of frames, with the fields and the bytes of the selected one.
type packets struct {
	u     *ui
	list  list
	sieve sieve
	tree  tree
	hex   hex
	extra []*wire.Field // of columns that the user added, after those of frameColumns
	look  wire.Tree     // of them
	data  wire.Tree
	shown int   // frame whose fields data holds; 0 for none
	err   error // why there are none
}

var frameColumns = []column{
	{name: "sign", width: 2}, {title: "No.", width: 6, right: true}, {title: "Time", width: 11, right: true, drop: 5},
	{title: "Source", width: 15, drop: 4}, {title: "Destination", width: 15, drop: 6},
	{title: "Protocol", width: 8, drop: 7}, {title: "Length", width: 6, right: true, drop: 8}, {title: "Info", width: 39, grow: 1},
}

func newPackets(u *ui) *packets {
	p := &packets{u: u}
	p.list = list{
		columns: slices.Clone(frameColumns),
		count:   p.count,
		row: func(i int, cells []string) tcell.Style {
			style := u.frameRow(i+1, p.before(i), cells)
			p.fieldCells(i+1, cells[len(frameColumns):])
			if p.sieve.visiting(i) {
				style = style.Dim(true)
			}
			return style
		},
		open: func(int) { u.down(1) },
		about: func(i int) string {
			if p.sieve.visiting(i) {
				return visiting
			}
			var r flows.Row
			if err := u.src.Row(i+1, &r); err != nil {
				return err.Error()
			}
			var said []string
			if f := u.ruling(i + 1); f != nil {
				said = append(said, levelSigns[f.Level].letter+": "+f.Rule+": "+f.Message)
			}
			for _, s := range signs {
				if r.Marks&s.mark != 0 {
					said = append(said, s.letter+": "+s.means)
					break
				}
			}
			if keys := u.keys(p.session()); keys != "" && p.shown == p.frame() {
				said = append(said, keys)
			}
			if u.marks[i+1] {
				said = append(said, "*: marked")
			}
			return strings.Join(said, " · ")
		},
		search: func() func(i int) string {
			return func(i int) string {
				var r flows.Row
				if u.src.Row(i+1, &r) != nil {
					return ""
				}
				return r.Source + " " + r.Dest + " " + r.Protocol + " " + r.Info
			}
		},
		links: func(i int) []target {
			s := u.storyOf(i + 1)
			l := links{u: u}
			return l.exchangesOf(i + 1).token(s.token).copy(s.copy).list
		},
		sieve: &p.sieve,
	}
	p.list.frozen = func() *list {
		q := newPackets(u.freeze())
		q.sieve.sifted = p.sieve.sifted
		for _, f := range p.extra {
			q.addField(f.Name)
		}
		return &q.list
	}
	p.list.addField = p.addField
	p.list.columns[1].num = func(i int) int64 { return int64(i) }
	p.list.columns[2].num = func(i int) int64 { return u.timeOf(i + 1) }
	p.list.columns[6].num = func(i int) int64 {
		var r flows.Row
		if u.src.Row(i+1, &r) != nil {
			return -1
		}
		return int64(r.Length)
	}
	p.sieve.set("", 0)
	p.tree.data, p.tree.open = &p.data, make(map[*wire.Field]bool)
	p.tree.moved = p.markField
	p.tree.all = func() []target {
		if i := p.tree.node(); i >= 0 {
			return append(p.linksOf(i), p.list.targets()...)
		}
		return p.list.targets()
	}
	p.tree.links = func(i int) bool { return len(p.linksOf(i)) > 0 }
	p.tree.down = func(i int) {
		if f := frameOf(&p.data.Nodes[i]); f > 0 {
			u.frame(f)
			if !u.failed {
				u.focus[packetsPage] = 1
			}
			return
		}
		if l := p.linksOf(i); len(l) > 0 {
			u.visit(l[0].page, l[0].at, 0)
			return
		}
		u.down(2)
	}
	p.hex.bytes = func(tab int) []byte { return p.data.Bufs[tab] }
	p.hex.moved = p.markByte
	return p
}

// addField adds a column for a field, and returns it; -1 if there is no such field.
func (p *packets) addField(name string) int {
	const most = 32
	for _, f := range p.u.fields {
		if f.Name == name && len(p.extra) < most {
			p.extra = append(p.extra, f)
			p.look.Want = wire.Only(p.extra...)
			p.list.columns = append(slices.Clip(p.list.columns), column{title: name, width: max(width(name), 10), drop: 1})
			return len(p.list.columns) - 1
		}
	}
	return -1
}

// fieldCells fills the cells of the columns that the user added.
func (p *packets) fieldCells(n int, cells []string) {
	if len(cells) == 0 || p.u.src.Detail(n, &p.look) != nil {
		return
	}
	for i := range p.look.Nodes {
		for k, f := range p.extra {
			if p.look.Nodes[i].Field != f {
				continue
			}
			if cells[k] != "" {
				cells[k] += ","
			}
			cells[k] += p.look.Value(i)
		}
	}
}

// before returns the time of the frame in the line before that of frame i+1, if delta
// times show.
func (p *packets) before(i int) int64 {
	if p.u.times != delta {
		return 0
	}
	if line := p.list.find(i); line > 0 {
		return p.u.timeOf(p.list.at(line-1) + 1)
	}
	return 0
}

// frameRow fills the cells of frameColumns. before is the time that delta times count
// from.
func (u *ui) frameRow(n int, before int64, cells []string) tcell.Style {
	var r flows.Row
	cells[1] = strconv.Itoa(n)
	if err := u.src.Row(n, &r); err != nil {
		cells[7] = err.Error()
		return bad
	}
	var style tcell.Style
	cells[0], style = sign(r.Marks)
	if f := u.ruling(n); f != nil && r.Marks&flows.MarkMalformed == 0 {
		cells[0], style = levelSigns[f.Level].letter, levelSigns[f.Level].style
	}
	if u.marks[n] {
		cells[0] = "*" + cells[0]
	}
	cells[2] = u.after(r.Time, before)
	cells[3], cells[4], cells[5], cells[6], cells[7] = r.Source, r.Dest, r.Protocol, strconv.Itoa(r.Length), r.Info
	return style
}

func (p *packets) panes() []pane { return []pane{&p.list, &p.tree, &p.hex} }

func (p *packets) count() int { return p.sieve.count() }

// frame returns the selected frame.
func (p *packets) frame() int { return p.list.at(p.list.sel) + 1 }

func (p *packets) crumb() string { return fmt.Sprintf("frame %d", p.frame()) }

func (p *packets) why() string {
	if p.u.filter != "" && p.u.frames > 0 {
		return p.u.unmatched(&p.sieve, "frames")
	}
	return p.u.empty("frames", "the capture is empty")
}

func (p *packets) sifting() *sieve { return &p.sieve }

func (p *packets) narrow(filter string) {
	at := p.list.at(p.list.sel)
	p.list.forget()
	p.sieve.set(filter, at)
	p.list.choose(p.sieve.find(at))
}

func (p *packets) follow() bool {
	return p.sieve.follow(p.u, &p.list, p.u.frames, false, false, func(f *filter.Filter) func(int) bool {
		choose := p.u.src.ChooseFrames(f)
		return func(i int) bool { return choose(i + 1) }
	})
}

// load decodes the selected frame, unless it is shown already.
func (p *packets) load() {
	n := p.frame()
	if n == p.shown || n > p.u.frames {
		return
	}
	p.shown = n
	p.data.Reset()
	p.err = p.u.src.Detail(n, &p.data)
	p.tree.load(&p.data)
	p.hex.tabs = p.hex.tabs[:0]
	for i := range p.data.Bufs {
		p.hex.tabs = append(p.hex.tabs, bufferName(&p.data, i))
	}
	p.markField()
}

// linksOf returns where a field leads to: a frame that it names, the token that it is.
func (p *packets) linksOf(i int) []target {
	l := links{u: p.u}
	n := &p.data.Nodes[i]
	if f := frameOf(n); f > 0 {
		return l.frame(n.Field.Label, f).list
	}
	if next := i + 1; int(n.End) > next && p.data.Nodes[next].Field.Name == "smb2.fsctl.odx.token.type" {
		return l.token(p.u.storyOf(p.shown).token).list
	}
	return nil
}

// session returns the id of the first session that the selected frame names, or 0.
func (p *packets) session() uint64 {
	for i := range p.data.Nodes {
		if n := &p.data.Nodes[i]; n.Field.Name == "smb2.sesid" {
			return n.Val
		}
	}
	return 0
}

// bufferName names a buffer after what is decoded from it.
func bufferName(t *wire.Tree, i int) string {
	if i == 0 {
		return "frame"
	}
	name := cmp.Or(t.BufName(i), fmt.Sprintf("buffer %d", i))
	for j := range t.Nodes {
		if n := &t.Nodes[j]; int(n.Buf) == i && !n.Generated && t.BufName(i) == "" {
			name = n.Field.Label
			break
		}
	}
	return fmt.Sprintf("%s, %d bytes", cut(name, 24), len(t.Bufs[i]))
}

// markField marks the bytes of the selected field.
func (p *packets) markField() {
	i := p.tree.node()
	if i < 0 {
		return
	}
	n := &p.data.Nodes[i]
	if n.Generated {
		p.hex.start, p.hex.end = 0, 0
		return
	}
	p.hex.mark(int(n.Buf), int(n.Off), int(n.Len))
}

// markByte selects the field that holds the selected byte.
func (p *packets) markByte() {
	h := &p.hex
	i := p.tree.at(h.tab, h.at)
	if i < 0 {
		h.start, h.end = h.at, h.at+1
		return
	}
	p.tree.show(i)
	n := &p.data.Nodes[i]
	h.start, h.end = int(n.Off), int(n.Off)+int(n.Len)
}

func (p *packets) draw(c canvas) {
	p.list.columns[1].width = max(len(strconv.Itoa(p.u.frames)), 6)
	p.list.columns[2].width = p.u.clockWidth()
	h := max(c.h*2/5, 6)
	top, rest := c.split(h)
	p.u.section(top, &p.list, p.u.crumbs())
	p.load()
	title := fmt.Sprintf("Frame %d", p.shown)
	if p.err != nil {
		title += ": " + p.err.Error()
	}
	hexWidth := hexOffset + 3*16 + 1
	if c.w >= 124 {
		hexWidth += 17 // with the characters
	}
	switch {
	case c.w >= 106:
		w := c.w - hexWidth - 1
		p.u.section(rest.sub(0, 0, w, rest.h), &p.tree, title)
		rest.bar(w)
		p.u.section(rest.sub(w+1, 0, hexWidth, rest.h), &p.hex, p.bytesTitle())
	default:
		h := min(rest.h/3+1, 6)
		p.u.section(rest.sub(0, 0, c.w, rest.h-h), &p.tree, title)
		p.u.section(rest.sub(0, rest.h-h, c.w, h), &p.hex, p.bytesTitle())
	}
}

// bytesTitle says what the marked bytes are.
func (p *packets) bytesTitle() string {
	if i := p.tree.node(); i >= 0 && p.hex.start < p.hex.end {
		return p.data.Nodes[i].Field.Label
	}
	return "Bytes"
}

package ui

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// tokens is the ledger: what was minted, and where it was spent.
type tokens struct {
	u    *ui
	list list
	life list // the call that minted the selected token, and its uses
	hex  hex  // its 512 bytes
	raw  wire.Tree
	read *flows.Mint // whose bytes raw has
}

func newTokens(u *ui) *tokens {
	p := &tokens{u: u}
	p.list = list{
		columns: []column{
			{title: "Token", width: 10}, {title: "Minted", width: 7, right: true}, {title: "Server", width: 15, drop: 4},
			{title: "Source", path: true, width: 10, grow: 3}, {title: "Range", width: 15, grow: 1}, {title: "Type", width: 10, drop: 3},
			{title: "TTL", width: 7, right: true, drop: 5}, {title: "Uses", width: 5, right: true},
			{title: "Consumed", width: barWidth + 5, drop: 2}, {title: "State", width: 15, drop: 1},
		},
		count: p.count,
		row:   p.row,
		open:  func(int) { u.down(1) },
		about: p.about,
		links: func(i int) []target {
			m := &u.res.Mints[i]
			l := links{u: u}
			return l.frame("asks for it", m.Request).frame("brings it", m.Frame).exchangesOf(m.Frame).copy(m.Copy).connection(m.Conn).list
		},
	}
	p.life = list{
		columns: []column{
			{title: "Frame", width: 7, right: true}, {title: "Answer", width: 7, right: true}, {title: "Call", width: 13, drop: 1},
			{title: "File", path: true, width: 10, grow: 3}, {title: "File range", width: 13, grow: 1}, {title: "Token range", width: 13, grow: 1, drop: 2},
			{title: "Asked", width: 7, right: true, drop: 4}, {title: "Moved", width: 7, right: true}, {title: "Took", width: 8, right: true, drop: 3},
			{title: "Remark", width: 6, grow: 2, drop: 5},
		},
		count: func() int {
			if m := p.selected(); m != nil {
				return 1 + len(m.Uses)
			}
			return 0
		},
		row: p.use,
		open: func(i int) {
			m := p.selected()
			if i == 0 {
				u.frame(m.Frame)
			} else {
				u.frame(m.Uses[i-1].Frame)
			}
		},
		links: func(i int) []target {
			m := p.selected()
			l := links{u: u}
			if i == 0 {
				return l.frame("asks for it", m.Request).frame("brings it", m.Frame).exchangesOf(m.Frame).copy(m.Copy).list
			}
			k := &m.Uses[i-1]
			return l.frame("presents it", k.Frame).frame("the answer", k.Response).frames("sent again", k.Repeats).exchangesOf(k.Frame).copy(int(k.Copy)).list
		},
	}
	p.list.report = func(rows []int) func(io.Writer) error {
		r := flows.Results{}
		for _, i := range rows {
			r.Mints = append(r.Mints, u.res.Mints[i])
		}
		return func(w io.Writer) error { return report.Tokens(w, &r, report.JSON, true, report.Style{}) }
	}
	for col, num := range map[int]func(m *flows.Mint) int64{
		1: func(m *flows.Mint) int64 { return int64(m.Frame) },
		4: func(m *flows.Mint) int64 { return most(m.Offset) },
		6: func(m *flows.Mint) int64 { return int64(m.TTL) },
		7: func(m *flows.Mint) int64 { return int64(len(m.Uses)) },
		8: func(m *flows.Mint) int64 { return most(report.Total(m.Consumed)) },
	} {
		p.list.columns[col].num = func(i int) int64 { return num(&u.res.Mints[i]) }
	}
	for col, num := range map[int]func(k *flows.Use) int64{
		0: func(k *flows.Use) int64 { return int64(k.Frame) },
		1: func(k *flows.Use) int64 { return int64(k.Response) },
		4: func(k *flows.Use) int64 { return most(k.FileOffset) },
		5: func(k *flows.Use) int64 { return most(k.TokenOffset) },
		6: func(k *flows.Use) int64 { return most(k.Asked) },
		7: func(k *flows.Use) int64 { return most(k.Written) },
		8: func(k *flows.Use) int64 { return k.Took },
	} {
		p.life.columns[col].num = func(i int) int64 {
			if i == 0 {
				return -1 // the mint comes first
			}
			return num(&p.selected().Uses[i-1])
		}
	}
	p.life.of = func() any { return p.list.chosen() }
	p.hex.bytes = func(int) []byte { return p.selected().Token }
	p.hex.moved = p.mark
	return p
}

func (p *tokens) panes() []pane { return []pane{&p.list, &p.life, &p.hex} }

// load decodes the bytes of the selected token, unless it has.
func (p *tokens) load() {
	m := p.selected()
	if m == p.read {
		return
	}
	p.read = m
	m.Fields(&p.raw)
	p.hex.tabs = nil
	if len(m.Token) > 0 {
		p.hex.tabs = []string{"token"}
		p.hex.seek(min(p.hex.at, len(m.Token)-1))
	}
	p.mark()
}

// mark marks the field of the byte under the cursor.
func (p *tokens) mark() {
	h := &p.hex
	h.start, h.end, h.field = 0, 0, ""
	best := -1
	for i := range p.raw.Nodes {
		n := &p.raw.Nodes[i]
		if n.Generated || h.at < int(n.Off) || h.at >= int(n.Off)+int(n.Len) || n.Field.Kind == wire.KindStruct {
			continue
		}
		if best < 0 || n.Len < p.raw.Nodes[best].Len {
			best = i
		}
	}
	if best >= 0 {
		n := &p.raw.Nodes[best]
		h.start, h.end, h.field = int(n.Off), int(n.Off)+int(n.Len), p.raw.Line(best)
	}
}

func (p *tokens) count() int { return len(p.u.res.Mints) }

func (p *tokens) selected() *flows.Mint {
	if i := p.list.chosen(); i >= 0 {
		return &p.u.res.Mints[i]
	}
	return nil
}

func (p *tokens) crumb() string {
	if m := p.selected(); m != nil {
		return "token " + m.ID
	}
	return "none"
}

func (p *tokens) why() string {
	return p.u.empty("tokens", "no server answered an OFFLOAD_READ with one")
}

func (p *tokens) row(i int, cells []string) tcell.Style {
	m := &p.u.res.Mints[i]
	cells[0], cells[1], cells[2], cells[3] = m.ID, frameName(m.Frame), m.Server, name(m.Source)
	cells[4] = report.Span(flows.Range{Start: m.Offset, End: m.Offset + m.Length})
	cells[5] = fmt.Sprintf("0x%08x", m.Type)
	cells[6] = report.TTL(m)
	cells[7] = strconv.Itoa(len(m.Uses))
	cells[8] = bar(m.Consumed, m.Length, barWidth)
	cells[9] = m.State.String()
	if m.State == flows.OverConsumed {
		return bad
	}
	return plain
}

func (p *tokens) about(i int) string {
	m := &p.u.res.Mints[i]
	s := fmt.Sprintf("%d of %d bytes asked for", m.Length, m.Asked)
	if m.AllZero {
		s += "; all zero beyond what it covers"
	}
	if m.Copy > 0 {
		s += fmt.Sprintf("; copy %d", m.Copy)
	}
	return s
}

func (p *tokens) use(i int, cells []string) tcell.Style {
	m := p.selected()
	if i == 0 {
		cells[1], cells[2], cells[3] = frameName(m.Frame), "OFFLOAD_READ", name(m.Source)
		cells[4] = report.Span(flows.Range{Start: m.Offset, End: m.Offset + m.Length})
		cells[5] = report.Span(flows.Range{End: m.Length})
		cells[6], cells[7] = report.ShortSize(m.Asked), report.ShortSize(m.Length)
		cells[9] = "minted here"
		return special
	}
	k := &m.Uses[i-1]
	cells[0], cells[1], cells[2], cells[3] = frameName(k.Frame), frameName(k.Response), "OFFLOAD_WRITE", name(k.Destination)
	cells[4] = report.Span(flows.Range{Start: k.FileOffset, End: k.FileOffset + k.Written})
	cells[5] = report.Span(flows.Range{Start: k.TokenOffset, End: k.TokenOffset + k.Written})
	cells[6], cells[7] = report.ShortSize(k.Asked), report.ShortSize(k.Written)
	if k.Response > 0 {
		cells[8] = report.Took(time.Duration(k.Took))
	}
	return remark(&cells[9], k.Response, uint32(k.Status), report.StatusName(k.Status), k.Repeats)
}

func (p *tokens) draw(c canvas) {
	p.load()
	m := p.selected()
	h := min(p.count()+2, max(c.h*2/5, 4))
	bytes := 0
	if len(m.Token) > 0 {
		bytes = min(max(c.h/3, 5), 1+(len(m.Token)+15)/16)
	}
	p.u.section(c.sub(0, 0, c.w, h), &p.list, p.u.crumbs())
	p.u.section(c.sub(0, h, c.w, c.h-h-bytes), &p.life, fmt.Sprintf("Life of %s: %s", m.ID, report.Plural(len(m.Uses), "use", "uses")))
	p.u.section(c.sub(0, c.h-bytes, c.w, bytes), &p.hex, "Token: "+report.TokenLayout(m))
}

package ui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
	"github.com/odxray/odxray/flows/report"
)

// findings lists what the rules of the audit say, with the frames that show it.
type findings struct {
	u        *ui
	list     list
	evidence list
}

func newFindings(u *ui) *findings {
	p := &findings{u: u}
	p.list = list{
		columns: []column{
			{title: "Level", width: 7}, {title: "Rule", width: 20}, {title: "Finding", width: 20, grow: 1},
			{title: "Frames", width: 12, drop: 1}, {title: "Copy", width: 4, right: true, drop: 2},
		},
		count: p.count,
		row:   p.row,
		open: func(i int) {
			if len(p.selected().Frames) > 0 {
				u.down(1)
			}
		},
		links: func(i int) []target {
			const most = 20 // all are evidence below
			f := &u.res.Findings[i]
			l := links{u: u}
			return l.copy(f.Copy).token(f.Mint).frames("evidence", f.Frames[:min(len(f.Frames), most)]).list
		},
	}
	p.evidence = list{
		columns: slices.Clone(frameColumns),
		count: func() int {
			if f := p.selected(); f != nil {
				return len(f.Frames)
			}
			return 0
		},
		row: func(i int, cells []string) tcell.Style {
			before := int64(0)
			if u.times == delta && i > 0 {
				before = u.timeOf(p.selected().Frames[i-1])
			}
			return u.frameRow(p.selected().Frames[i], before, cells)
		},
		open: func(i int) { u.frame(p.selected().Frames[i]) },
		links: func(i int) []target {
			f := p.selected()
			l := links{u: u}
			return l.frame("evidence", f.Frames[i]).exchangesOf(f.Frames[i]).token(f.Mint).copy(f.Copy).list
		},
	}
	p.list.columns[0].num = func(i int) int64 { return int64(u.res.Findings[i].Level) }
	p.list.columns[3].num = func(i int) int64 {
		if f := u.res.Findings[i].Frames; len(f) > 0 {
			return int64(f[0])
		}
		return 0
	}
	p.list.columns[4].num = func(i int) int64 { return int64(u.res.Findings[i].Copy) }
	p.evidence.of = func() any { return p.list.chosen() }
	return p
}

func (p *findings) panes() []pane { return []pane{&p.list, &p.evidence} }

func (p *findings) count() int { return len(p.u.res.Findings) }

func (p *findings) selected() *flows.Finding {
	if i := p.list.chosen(); i >= 0 {
		return &p.u.res.Findings[i]
	}
	return nil
}

func (p *findings) crumb() string {
	if f := p.selected(); f != nil {
		return f.Rule
	}
	return "none"
}

func (p *findings) why() string { return p.u.empty("findings", "the rules have nothing to say") }

func (p *findings) row(i int, cells []string) tcell.Style {
	f := &p.u.res.Findings[i]
	cells[0], cells[1], cells[2], cells[3] = f.Level.String(), f.Rule, f.Message, report.FrameList(f.Frames)
	if f.Copy > 0 {
		cells[4] = fmt.Sprint(f.Copy)
	}
	if f.Level == flows.Error {
		return bad
	}
	return plain
}

// explain says what the rule of the selected finding means, and what to do.
func (p *findings) explain() (said []string) {
	f := p.selected()
	if r, ok := audit.Find(f.Rule); ok {
		said = append(said, r.Meaning, "What to do: "+r.Advice)
		if r.Spec != "" {
			said = append(said, "See "+r.Spec+".")
		}
	}
	return said
}

func (p *findings) draw(c canvas) {
	p.evidence.columns[2].width = p.u.clockWidth()
	top, rest := c.split(min(p.count()+2, max(c.h/2, 4)))
	p.u.section(top, &p.list, p.u.crumbs())
	f := p.selected()
	rest.rule(0, f.Rule, false)
	said := fmt.Sprintf("%s: %s", f.Level, strings.TrimSuffix(f.Message, "."))
	y := rest.paragraph(1, plain, said+".")
	var more []string
	if f.Copy > 0 {
		more = append(more, fmt.Sprintf("Copy %d.", f.Copy))
	}
	if f.Mint != "" {
		more = append(more, "Token "+f.Mint+".")
	}
	if f.Uncertain != "" {
		more = append(more, "Uncertain: "+f.Uncertain+".")
	}
	if len(more) > 0 {
		y = rest.paragraph(y, plain, strings.Join(more, " "))
	}
	for _, line := range p.explain() {
		if y+len(wrap(line, rest.w-2)) > rest.h*2/3 {
			break
		}
		y = rest.paragraph(y, faint, line)
	}
	_, rest = rest.split(y)
	p.u.section(rest, &p.evidence, "Evidence: "+report.Plural(len(f.Frames), "frame", "frames"))
}

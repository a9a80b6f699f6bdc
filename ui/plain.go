package ui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/odxray/odxray/flows/report"
)

// Plain reads src and writes the pages as lines of text, one after the other, for screen
// readers and logs: a row a line, with the names of its columns. That src cannot be read
// is said, and returned.
func Plain(ctx context.Context, src Source, file string, w io.Writer) error {
	readErr := src.Run(ctx)
	u := newUI(src, file)
	u.read, u.ended = readErr, true
	u.refresh()
	out := &lines{w: bufio.NewWriter(w)}
	state, _ := u.state()
	out.line("%s: %s, %s, %s.", file, report.Plural(u.frames, "frame", "frames"), report.Plural(len(u.res.Connections), "connection", "connections"), strings.TrimRight(state, " ✓✗!"))
	for _, problem := range u.res.Problems {
		out.line("Not in the capture, or not readable: %s", problem)
	}
	for i, name := range u.names[:ladderPage] {
		u.page = i
		u.follow()
		p := u.pages[i]
		out.line("")
		if n := p.count(); n == 0 {
			out.line("Page %d, %s. %s", i+1, name, strings.ReplaceAll(p.why(), "\n", " "))
			continue
		}
		out.line("Page %d, %s: %s.", i+1, name, report.Plural(p.count(), "line", "lines"))
		if t, ok := p.(teller); ok {
			t.tell(out)
		} else if l, ok := p.panes()[0].(*list); ok {
			out.rows("", l)
		}
		if out.err != nil {
			break
		}
	}
	return errors.Join(out.err, out.w.Flush(), readErr)
}

// teller is a page that says more than the rows of its first list.
type teller interface {
	tell(out *lines)
}

// lines is text that is written line by line; after an error nothing is.
type lines struct {
	w   *bufio.Writer
	err error
}

func (o *lines) line(format string, args ...any) {
	if o.err == nil {
		_, o.err = o.w.WriteString(clean(fmt.Sprintf(format, args...)) + "\n")
	}
}

func (o *lines) all(indent string, texts []string) {
	for _, s := range texts {
		o.line("%s%s", indent, strings.Join(strings.Fields(s), " "))
	}
}

// rows writes all rows of a list.
func (o *lines) rows(indent string, l *list) {
	for line := 0; line < l.count() && o.err == nil; line++ {
		o.row(indent, l, l.at(line))
	}
}

// row writes one: the names of columns, and what is in them.
func (o *lines) row(indent string, l *list, i int) {
	cells := make([]string, len(l.columns))
	l.row(i, cells)
	var said []string
	for _, k := range l.shownColumns() {
		if cells[k] != "" {
			said = append(said, l.columnName(k)+" "+strings.Trim(cells[k], "█▒░ "))
		}
	}
	o.line("%s%s", indent, strings.Join(said, "; "))
}

const indent = "  "

func (p *copies) tell(out *lines) {
	for i := range p.count() {
		p.list.choose(i)
		out.row("", &p.list, i)
		cp := p.selected()
		out.all(indent, p.facts(cp))
		for _, r := range report.WhyCopy(p.u.res, cp) {
			out.line("%s%s: %s", indent, r.Label, r.Text)
		}
		out.line("%sStory: %s.", indent, report.Plural(len(cp.Calls), "call", "calls"))
		out.rows(indent+indent, &p.story)
	}
}

func (p *tokens) tell(out *lines) {
	for i := range p.count() {
		p.list.choose(i)
		out.row("", &p.list, i)
		out.line("%s%s", indent, report.TokenLayout(p.selected()))
		out.rows(indent, &p.life)
	}
}

func (p *findings) tell(out *lines) {
	for i := range p.count() {
		p.list.choose(i)
		out.row("", &p.list, i)
		out.all(indent, p.explain())
		out.rows(indent, &p.evidence)
	}
}

func (p *sessions) tell(out *lines) {
	out.rows("", &p.conns)
	for i := range p.u.res.Sessions {
		p.sessions.choose(i)
		out.row("", &p.sessions, i)
		out.all(indent, report.KeyWords(&p.u.res.Sessions[i]))
		out.rows(indent, &p.tree)
	}
}

func (p *rdmaView) tell(out *lines) {
	for i := range p.count() {
		p.list.choose(i)
		p.follow()
		out.row("", &p.list, i)
		out.all(indent, report.RDMAFacts(p.selected()))
		out.rows(indent, &p.operations)
	}
}

package ui

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// ladder draws who said what when: client at the left, server at the right, time
// downwards. It is a page without a number, for it needs something to draw.
type ladder struct {
	u    *ui
	list list
	now  *climb // never nil
	next *climb // under way; nil if none is
	stop context.CancelFunc
}

func newLadder(u *ui) *ladder {
	p := &ladder{u: u, now: new(climb)}
	p.list = list{
		columns: []column{{title: "Time", width: 11, right: true}, {width: 40, grow: 1}, {title: "Frame", width: 8, right: true}},
		count:   p.count,
		row:     p.row,
		open: func(i int) {
			if r := &p.now.rungs[i]; r.kind != rungIdle {
				u.frame(int(r.frame))
			}
		},
		about: func(i int) string {
			r := &p.now.rungs[i]
			if r.x == 0 {
				return ""
			}
			x := p.exchange(r)
			return fmt.Sprintf("exchange %d: message %d, session 0x%x", x.ID, x.MessageID, x.SessionID)
		},
		links: func(i int) []target {
			r := &p.now.rungs[i]
			if r.kind == rungIdle {
				return nil
			}
			l := links{u: u}
			s := u.storyOf(int(r.frame))
			return l.frame("this", int(r.frame)).exchange(int(r.x)).token(s.token).copy(s.copy).list
		},
		// What is searched for is in the labels; the rungs do not change once they show.
		search: func() func(i int) string {
			c, src := p.now, u.src
			return func(i int) string { return c.label(src, &c.rungs[i]) }
		},
	}
	return p
}

func (p *ladder) panes() []pane { return []pane{&p.list} }

func (p *ladder) count() int { return len(p.now.rungs) }

func (p *ladder) crumb() string {
	if p.now.title == "" {
		return "ladder"
	}
	return "ladder of " + p.now.title
}

func (p *ladder) why() string {
	switch {
	case p.next != nil:
		return p.progress()
	case p.now.title == "":
		return "Nothing was chosen: L on a copy, a connection, an exchange or a frame draws its ladder; so does :ladder marks of the marked frames."
	}
	return "No message of " + p.now.title + " is in the capture."
}

func (p *ladder) progress() string {
	p.next.mu.Lock()
	defer p.next.mu.Unlock()
	return fmt.Sprintf("Collecting exchanges: %s of %s.", report.Count(p.next.looked), report.Count(p.next.of))
}

// climb begins to collect; the ladder shows it once it is there.
func (p *ladder) climb(c *climb) {
	if p.next != nil {
		p.stop()
	}
	u := p.u
	c.of, c.final, c.breaks = u.exchanges, u.ended || u.res.Done, u.res.Caching.Shown
	p.next = c
	if c.title != p.now.title {
		p.now = &climb{title: c.title}
		p.list.choose(0)
	}
	p.stop = u.asides.begin(func(ctx context.Context) { c.collect(ctx, u.src) })
	p.follow()
}

func (p *ladder) follow() bool {
	if p.next == nil {
		u := p.u
		if final := u.ended || u.res.Done; p.now.conn != 0 && p.now.done && (final && !p.now.final || u.exchanges > p.now.of+p.now.of/8) {
			p.climb(&climb{title: p.now.title, conn: p.now.conn}) // there is more of it
			return true
		}
		return false
	}
	p.next.mu.Lock()
	done := p.next.done
	p.next.mu.Unlock()
	if done {
		p.now, p.next = p.next, nil
		for i := range p.now.rungs {
			if p.now.from > 0 && int(p.now.rungs[i].frame) >= p.now.from {
				p.list.choose(i)
				break
			}
		}
	}
	return true
}

func (p *ladder) exchange(r *rung) (x flows.Exchange) {
	p.u.src.Exchange(int(r.x)-1, &x)
	return x
}

// label says what a rung is.
func (l *climb) label(src Source, r *rung) string {
	var x flows.Exchange
	if r.x > 0 {
		src.Exchange(int(r.x)-1, &x)
	}
	call := strings.TrimPrefix(report.CallName(x.Command, x.Function), "FSCTL_")
	switch r.kind {
	case rungRequest:
		said := call
		if x.File != "" {
			said += " " + x.File
		}
		if x.HasRange {
			said += fmt.Sprintf(" %s, %s", report.Exact(x.Offset), report.Size(x.Length))
		}
		return said
	case rungAnswer:
		said := strings.TrimPrefix(report.StatusName(x.Status), "STATUS_")
		if x.Status == 0 {
			said = call
			if x.Moved > 0 {
				said = report.Size(x.Moved)
			}
			if r.call > 0 && l.copy != nil {
				if k := &l.copy.Calls[r.call-1]; k.Mint != "" && int(r.frame) == k.Answer && strings.HasSuffix(call, "OFFLOAD_READ") {
					said = "token " + k.Mint + ", " + report.Size(k.Moved)
				}
			}
		}
		if took, ok := x.Took(); ok {
			said += " · " + report.Took(took)
		}
		return said
	case rungInterim:
		said := call + " PENDING"
		if took, ok := x.UntilInterim(); ok {
			said += " · " + report.Took(took)
		}
		return said
	case rungCancel:
		return "CANCEL " + call
	case rungRepeat:
		return "the same request again"
	case rungRDMA:
		o := &l.rdma[r.n]
		verb := "WRITE"
		if o.Read {
			verb = "READ"
		}
		return fmt.Sprintf("RDMA %s key 0x%08x %s", verb, o.Key, report.Size(uint64(o.Moved)))
	case rungBreak:
		b := &l.breaks[r.n]
		return fmt.Sprintf("BREAK %s to %s", name(b.File), b.To)
	case rungAck:
		return "break acknowledged"
	case rungFrame:
		var row flows.Row
		if err := src.Row(int(r.frame), &row); err != nil {
			return err.Error()
		}
		return row.Protocol + " " + row.Info
	}
	return ""
}

// toServer tells whether the arrow of a rung points to the right.
func (l *climb) toServer(r *rung) bool {
	switch r.kind {
	case rungRequest, rungCancel, rungRepeat, rungAck:
		return true
	case rungRDMA:
		o := &l.rdma[r.n]
		return o.Read != o.ByClient // the way that the bytes go
	}
	return false
}

func (p *ladder) row(i int, cells []string) tcell.Style {
	r, w := &p.now.rungs[i], p.list.widths[1]
	if r.kind == rungIdle {
		next := p.now.rungs[i+1].time
		said := "nothing is asked"
		if r.n > 0 {
			said = report.Plural(int(r.n), "request waits", "requests wait")
		}
		cells[1] = arrow(w, fmt.Sprintf("%s: %s", report.Took(time.Duration(next-r.time)), said), "┊", "┊", " ")
		return faint
	}
	cells[0], cells[2] = p.u.clock(r.time), frameName(int(r.frame))
	line := "─"
	if r.kind == rungRDMA {
		line = "╌"
	}
	switch label := p.now.label(p.u.src, r); {
	case r.kind == rungFrame:
		cells[1] = arrow(w, label, "│┄", "┄│", "┄")
	case p.now.toServer(r):
		cells[1] = arrow(w, label, "│"+line, "▶│", line)
	default:
		cells[1] = arrow(w, label, "│◀", line+"│", line)
	}
	switch r.kind {
	case rungAnswer:
		if x := p.exchange(r); x.Status>>30 == 3 {
			return bad
		}
	case rungRepeat, rungFrame:
		return faint
	case rungRDMA, rungBreak, rungAck, rungInterim, rungCancel:
		return special
	}
	return plain
}

// arrow draws a line with a label on it, w columns wide in all.
func arrow(w int, label, start, end, line string) string {
	room := w - width(start) - width(end) - 4
	if room < 1 {
		return start + end
	}
	if width(label) > room {
		label = cut(label, room-1) + "…"
	}
	rest := room - width(label)
	return start + strings.Repeat(line, 1+rest/3) + " " + label + " " + strings.Repeat(line, 1+rest-rest/3) + end
}

func (p *ladder) draw(c canvas) {
	title := p.u.crumbs()
	if p.next != nil {
		title += " · " + p.progress()
	}
	if p.now.dropped {
		title += " · only its beginning: there is too much"
	}
	p.list.columns[0].width = p.u.clockWidth()
	p.list.layout(c.w)
	client, server := p.ends()
	p.list.columns[1].title = lanes(client, server, p.list.widths[1])
	p.u.section(c, &p.list, title)
}

// lanes names the two sides over their lines.
func lanes(client, server string, w int) string {
	if width(client)+width(server)+1 > w {
		client, server = "client", "server"
	}
	return client + strings.Repeat(" ", max(w-width(client)-width(server), 1)) + server
}

// ends returns the names of the sides.
func (p *ladder) ends() (client, server string) {
	if c := p.now.copy; c != nil {
		return c.Client, c.Destination.Server
	}
	for i := range p.u.res.Connections {
		if c := &p.u.res.Connections[i]; c.ID == p.now.conn {
			return c.Client.String(), c.Server.String()
		}
	}
	return "client", "server"
}

// ladder draws the ladder of what is selected: of a copy, a connection or the marked
// frames, as what says. "" lets the user choose where there is a choice.
func (u *ui) ladder(what string) {
	m := &menu{title: "A ladder of what?"}
	offer := func(key, word, label string, c *climb) {
		if what == "" || what == word {
			m.add(key, label, func() { u.climb(c) })
		}
	}
	copy, conn, frame := u.around()
	for i := range u.res.Copies {
		if c := &u.res.Copies[i]; copy != 0 && c.ID == copy {
			title := fmt.Sprintf("copy %d", c.ID)
			offer("c", "copy", title+": "+name(c.Source.Path)+" → "+name(c.Destination.Path), &climb{title: title, copy: c})
		}
	}
	if conn != 0 {
		title := fmt.Sprintf("connection %d", conn)
		offer("n", "connection", title, &climb{title: title, conn: conn, from: frame})
	}
	if len(u.marks) > 0 {
		offer("m", "marks", report.Plural(len(u.marks), "marked frame", "marked frames"), &climb{title: "marked frames", marks: u.marked()})
	}
	switch {
	case len(m.items) == 1:
		m.items[0].do()
	case len(m.items) > 1:
		u.open(m)
	case what != "" && what != "copy" && what != "connection" && what != "marks":
		u.fail("a ladder is of a copy, a connection or marks, not of %q", what)
	case what != "":
		u.say("what is selected has no %s to draw a ladder of", what)
	default:
		u.say("there is nothing here to draw a ladder of: go to a copy, a connection, an exchange or a frame")
	}
}

func (u *ui) climb(c *climb) {
	p := u.pages[ladderPage].(*ladder)
	if u.page != ladderPage {
		u.remember()
		u.page, u.focus[ladderPage] = ladderPage, 0
	}
	u.zoomed, u.help = false, nil
	p.climb(c)
}

// around returns the copy and the connection that the selection belongs to, and its
// frame if it is of one; 0 if none.
func (u *ui) around() (copy, conn, frame int) {
	if !u.filled() || u.help != nil {
		return 0, 0, 0
	}
	switch p := u.pages[u.page].(type) {
	case *copies:
		if c := p.selected(); c != nil {
			copy = c.ID
			if len(c.Conns) > 0 {
				conn = c.Conns[0]
			}
		}
	case *tokens:
		if m := p.selected(); m != nil {
			copy, conn = m.Copy, m.Conn
		}
	case *findings:
		if f := p.selected(); f != nil {
			copy = f.Copy
			if len(f.Frames) > 0 {
				frame = f.Frames[0]
			}
		}
	case *sessions:
		if i := p.conns.chosen(); i >= 0 {
			conn = u.res.Connections[i].ID
		}
	case *rdmaView:
		conn = p.selected().Conn
	case *exchanges:
		x := p.get(p.list.chosen())
		frame, conn = max(x.RequestFrame, x.AnswerFrame), x.Conn
	case *packets:
		frame = p.frame()
	}
	if frame == 0 {
		return copy, conn, 0
	}
	if copy == 0 {
		copy = u.storyOf(frame).copy
	}
	if of := u.src.ExchangesOf(frame); conn == 0 && len(of) > 0 {
		var x flows.Exchange
		u.src.Exchange(of[0], &x)
		conn = x.Conn
	}
	return copy, conn, frame
}

package ui

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// sessions lists the connections, the sessions on them, and the shares that the
// selected session connected to.
type sessions struct {
	u                     *ui
	conns, sessions, tree list
}

func newSessions(u *ui) *sessions {
	p := &sessions{u: u}
	p.conns = list{
		columns: []column{
			{title: "#", width: 4, right: true}, {title: "Client", width: 21}, {title: "Server", width: 21}, {title: "Dialect", width: 7, drop: 3},
			{title: "Frames", width: 15, drop: 1}, {title: "Messages", width: 9, right: true, drop: 2}, {title: "Remark", width: 24, grow: 1},
		},
		count: func() int { return len(u.res.Connections) },
		row:   p.conn,
		open:  func(i int) { u.frame(u.res.Connections[i].First) },
		links: func(i int) []target {
			c := &u.res.Connections[i]
			l := links{u: u}
			l.frame("its first", c.First).frame("its last", c.Last)
			for k := range u.res.RDMA {
				if u.res.RDMA[k].Conn == c.ID {
					l.list = append(l.list, target{rdmaPage, k, "its queue pairs"})
				}
			}
			return l.list
		},
	}
	p.sessions = list{
		columns: []column{
			{title: "Session", width: 18}, {title: "User", width: 12, grow: 2}, {title: "Host", width: 10, grow: 1, drop: 3}, {title: "Server", width: 15, drop: 4},
			{title: "Connections", width: 11, drop: 2}, {title: "Since", width: 7, right: true, drop: 2}, {title: "Protection", width: 10},
			{title: "Decrypted", width: 9, drop: 1},
		},
		count: func() int { return len(u.res.Sessions) },
		row:   p.session,
		about: func(i int) string { return strings.Join(report.KeyWords(&u.res.Sessions[i]), " · ") },
		open: func(i int) {
			if f := u.res.Sessions[i].First; f > 0 {
				u.frame(f)
			} else {
				u.say("this session began before the capture")
			}
		},
	}
	p.tree = list{
		columns: []column{{title: "Tree", width: 10, right: true}, {title: "Share", width: 20, grow: 1}, {title: "Type", width: 8}, {title: "Frame", width: 8, right: true}},
		count:   func() int { return len(p.trees()) },
		row:     p.treeRow,
		open: func(i int) {
			if f := p.trees()[i].Frame; f > 0 {
				u.frame(f)
			} else {
				u.say("this tree was connected before the capture")
			}
		},
	}
	p.conns.columns[0].num = func(i int) int64 { return int64(u.res.Connections[i].ID) }
	p.conns.columns[4].num = func(i int) int64 { return int64(u.res.Connections[i].First) }
	p.conns.columns[5].num = func(i int) int64 { return int64(u.res.Connections[i].Messages) }
	p.sessions.columns[5].num = func(i int) int64 { return int64(u.res.Sessions[i].First) }
	p.tree.columns[3].num = func(i int) int64 { return int64(p.trees()[i].Frame) }
	p.tree.of = func() any { return p.sessions.chosen() }
	return p
}

func (p *sessions) panes() []pane { return []pane{&p.conns, &p.sessions, &p.tree} }

func (p *sessions) count() int { return len(p.u.res.Connections) }

func (p *sessions) crumb() string { return fmt.Sprintf("connection %d", p.conns.at(p.conns.sel)+1) }

func (p *sessions) why() string { return p.u.empty("connections", "no TCP connection carries SMB") }

func (p *sessions) trees() []flows.Tree {
	if i := p.sessions.chosen(); i >= 0 {
		return p.u.res.Sessions[i].Trees
	}
	return nil
}

func (p *sessions) conn(i int, cells []string) tcell.Style {
	c := &p.u.res.Connections[i]
	cells[0], cells[1], cells[2] = strconv.Itoa(c.ID), c.Client.String(), c.Server.String()
	cells[3] = report.DialectName(c.Dialect)
	cells[4] = fmt.Sprintf("%d–%d", c.First, c.Last)
	cells[5] = report.Count(c.Messages)
	var said []string
	style := plain
	say := func(n int, what string) {
		if n > 0 {
			said = append(said, report.Count(n)+" "+what)
		}
	}
	if c.LateStart {
		said = append(said, "began before the capture")
	}
	if c.LostBytes > 0 {
		said, style = append(said, report.LostPart(c)), bad
	}
	say(c.Encrypted, "encrypted")
	say(c.Malformed, "malformed")
	say(c.CutFrames, "cut")
	say(c.Retransmitted, "retransmitted")
	cells[6] = strings.Join(said, ", ")
	return style
}

func (p *sessions) session(i int, cells []string) tcell.Style {
	s := &p.u.res.Sessions[i]
	cells[0], cells[1], cells[2], cells[3] = fmt.Sprintf("0x%016x", s.ID), name(s.User), s.Host, s.Server
	var conns []string
	for _, id := range s.Conns {
		conns = append(conns, strconv.Itoa(id))
	}
	cells[4] = strings.Join(conns, " ")
	cells[5] = frameName(s.First)
	if s.First == 0 {
		cells[5] = "before"
	}
	switch {
	case s.Sealed:
		cells[6] = "encrypted"
	case s.Signed:
		cells[6] = "signed"
	default:
		cells[6] = "none seen"
	}
	if s.Guest {
		cells[6] = "guest"
	}
	if s.Encrypted > 0 {
		cells[7] = "none"
		if s.Decrypted > 0 {
			cells[7] = report.Percent(uint64(s.Decrypted), uint64(s.Encrypted))
		}
	}
	if len(s.BadSignatures) > 0 {
		return bad
	}
	return plain
}

// keys says which key opened what of a session, or why none did; "" if nothing of it
// was encrypted.
func (u *ui) keys(id uint64) string {
	for i := range u.res.Sessions {
		s := &u.res.Sessions[i]
		switch {
		case s.ID != id || s.Encrypted == 0:
		case s.Trouble != "" && s.Decrypted > 0:
			return fmt.Sprintf("session 0x%x is decrypted with %s, but not all of it: %s", id, s.KeyOrigin, s.Trouble)
		case s.Trouble != "":
			return fmt.Sprintf("session 0x%x is not decrypted: %s", id, s.Trouble)
		default:
			return fmt.Sprintf("session 0x%x is decrypted with %s", id, s.KeyOrigin)
		}
	}
	return ""
}

func (p *sessions) treeRow(i int, cells []string) tcell.Style {
	t := &p.trees()[i]
	cells[0] = fmt.Sprintf("0x%08x", t.ID)
	cells[1] = name(t.Share)
	cells[2] = "unknown"
	if int(t.Type) < len(treeTypes) {
		cells[2] = treeTypes[t.Type]
	}
	cells[3] = frameName(t.Frame)
	return plain
}

var treeTypes = [...]string{"unknown", "disk", "pipe", "printer"}

func (p *sessions) draw(c canvas) {
	h := c.h / 3
	p.u.section(c.sub(0, 0, c.w, h), &p.conns, p.u.crumbs())
	p.u.section(c.sub(0, h, c.w, h), &p.sessions, report.Plural(len(p.u.res.Sessions), "session", "sessions"))
	title := "Shares of the session"
	if len(p.trees()) == 0 {
		title += ": its tree connects are not in the capture"
	}
	p.u.section(c.sub(0, 2*h, c.w, c.h-2*h), &p.tree, title)
}

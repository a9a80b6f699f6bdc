package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// rdmaView is the connections of RDMA: their queue pairs, what SMB Direct agreed on, and
// the operations of the selected one with the exchanges whose memory they reached.
type rdmaView struct {
	u          *ui
	list       list
	operations list

	// The operations of a connection, as of some frame of it.
	of, last int
	ops      []flows.RDMAOperation
}

func newRDMA(u *ui) *rdmaView {
	p := &rdmaView{u: u}
	p.list = list{
		columns: []column{
			{title: "#", width: 3, right: true}, {title: "Client", width: 15}, {title: "QP", name: "Client QP", width: 8, drop: 3}, {title: "Server", width: 15}, {title: "QP", name: "Server QP", width: 8, drop: 2},
			{title: "Over", width: 6, drop: 4}, {title: "Frames", width: 9, drop: 5}, {title: "MTU", width: 4, right: true, drop: 7},
			{title: "Messages", width: 8, right: true, drop: 8}, {title: "Packets", width: 7, right: true, drop: 6}, {title: "Remark", width: 10, grow: 1},
		},
		count: p.count,
		row:   p.row,
		open:  func(int) { u.down(1) },
		about: func(i int) string {
			if by := u.res.RDMA[i].Evidence; by != "" {
				return "paired by " + by
			}
			return ""
		},
		links: func(i int) []target {
			r := &u.res.RDMA[i]
			l := links{u: u}
			l.connection(r.Conn).frame("its first", r.First).frame("its last", r.Last).frame("asks for limits", r.RequestFrame).frame("grants limits", r.ResponseFrame)
			l.frame("disconnects", r.Closed).frame("a packet sent again", r.FirstRepeat).frame("a wrong invariant CRC", r.FirstBadCRC)
			for k := range r.Faults[:min(len(r.Faults), 20)] {
				l.frame(r.Faults[k].Text, r.Faults[k].Frame)
			}
			return l.list
		},
	}
	p.operations = list{
		columns: []column{
			{title: "Frames", width: 11}, {title: "Time", width: 10, right: true, drop: 5}, {title: "RDMA", width: 5}, {title: "By", width: 6, drop: 4},
			{title: "Key", width: 10, drop: 1}, {title: "Address", width: 18, drop: 2}, {title: "Length", width: 9, right: true}, {title: "Moved", width: 9, right: true},
			{title: "Took", width: 8, right: true, drop: 3}, {title: "Exchange", width: 8, right: true}, {title: "Remark", width: 8, grow: 1, drop: 6},
		},
		count: func() int { return len(p.ops) },
		row:   p.operation,
		open:  func(i int) { u.frame(p.ops[i].FirstFrame) },
		about: p.aboutOperation,
		links: func(i int) []target {
			o := &p.ops[i]
			l := links{u: u}
			return l.exchange(o.Exchange).frame("the operation begins", o.FirstFrame).frame("its last packet", o.LastFrame).list
		},
	}
	for col, num := range map[int]func(o *flows.RDMAOperation) int64{
		0: func(o *flows.RDMAOperation) int64 { return int64(o.FirstFrame) },
		1: func(o *flows.RDMAOperation) int64 { return o.FirstTime },
		6: func(o *flows.RDMAOperation) int64 { return int64(o.Length) },
		7: func(o *flows.RDMAOperation) int64 { return int64(o.Moved) },
		8: func(o *flows.RDMAOperation) int64 { return o.LastTime - o.FirstTime },
		9: func(o *flows.RDMAOperation) int64 { return int64(o.Exchange) },
	} {
		p.operations.columns[col].num = func(i int) int64 { return num(&p.ops[i]) }
	}
	p.operations.of = func() any { return p.of }
	return p
}

func (p *rdmaView) panes() []pane { return []pane{&p.list, &p.operations} }

func (p *rdmaView) count() int { return len(p.u.res.RDMA) }

func (p *rdmaView) selected() *flows.RDMAConnection {
	if i := p.list.chosen(); i >= 0 {
		return &p.u.res.RDMA[i]
	}
	return nil
}

func (p *rdmaView) crumb() string {
	if r := p.selected(); r != nil {
		return fmt.Sprintf("connection %d", r.Conn)
	}
	return "none"
}

func (p *rdmaView) why() string { return p.u.empty("RDMA", "no connection uses SMB Direct") }

// follow takes over the operations of the selected connection.
func (p *rdmaView) follow() bool {
	r := p.selected()
	if r == nil || r.Conn == p.of && r.Last == p.last {
		return false
	}
	p.of, p.last, p.ops = r.Conn, r.Last, p.u.src.RDMAOperations(r.Conn)
	return true
}

func (p *rdmaView) row(i int, cells []string) tcell.Style {
	r := &p.u.res.RDMA[i]
	cells[0] = strconv.Itoa(r.Conn)
	cells[1], cells[2] = r.Client.Addr.String(), queuePair(r.Client)
	cells[3], cells[4] = r.Server.Addr.String(), queuePair(r.Server)
	cells[5] = report.TransportName(r.Transport)
	cells[6] = fmt.Sprintf("%d–%d", r.First, r.Last)
	if r.MTU > 0 {
		cells[7] = strconv.Itoa(r.MTU)
	}
	cells[8] = report.Count(r.Messages[0] + r.Messages[1])
	if r.Packets > 0 {
		cells[9] = report.Count(r.Packets)
	}
	var said []string
	style := plain
	if n := len(r.Faults); n > 0 {
		said, style = append(said, report.Plural(n, "fault", "faults")), bad
	}
	for _, is := range []struct {
		n    int
		what string
		bad  bool
	}{
		{r.Lost, "lost", true}, {r.BadCRC, "with a wrong CRC", true}, {r.Refused, "refused", true}, {r.NotReady, "not ready", false}, {r.Repeated, "sent again", false},
	} {
		if is.n > 0 {
			said = append(said, report.Count(is.n)+" "+is.what)
			if is.bad {
				style = bad
			}
		}
	}
	if r.Closed > 0 {
		said = append(said, "closed in "+frameName(r.Closed))
	}
	cells[10] = strings.Join(said, ", ")
	return style
}

// queuePair prints the number of a queue pair; iWARP has none.
func queuePair(q flows.QueuePair) string {
	if q.Number == 0 {
		return ""
	}
	return fmt.Sprintf("0x%06x", q.Number)
}

func (p *rdmaView) operation(i int, cells []string) tcell.Style {
	o := &p.ops[i]
	cells[0] = fmt.Sprintf("f%d–%d", o.FirstFrame, max(o.FirstFrame, o.LastFrame))
	cells[1] = p.u.clock(o.FirstTime)
	cells[2], cells[3] = "write", "server"
	if o.Read {
		cells[2] = "read"
	}
	if o.ByClient {
		cells[3] = "client"
	}
	cells[4], cells[5] = fmt.Sprintf("0x%08x", o.Key), fmt.Sprintf("0x%016x", o.Address)
	cells[6], cells[7] = offset(uint64(o.Length)), offset(uint64(o.Moved))
	if o.LastTime > o.FirstTime {
		cells[8] = report.Took(time.Duration(o.LastTime - o.FirstTime))
	}
	cells[9] = "none"
	if o.Exchange > 0 {
		cells[9] = strconv.Itoa(o.Exchange)
	}
	var said []string
	if o.Moved < o.Length {
		said = append(said, "not all of it moved")
	}
	if o.Repeated > 0 {
		said = append(said, report.Plural(o.Repeated, "packet", "packets")+" sent again")
	}
	cells[10] = strings.Join(said, ", ")
	if o.Moved < o.Length || o.Exchange == 0 {
		return bad
	}
	return plain
}

func (p *rdmaView) aboutOperation(i int) string {
	o := &p.ops[i]
	if o.Exchange == 0 {
		return "no request that waited for an answer gave this memory"
	}
	var x flows.Exchange
	if p.u.src.Exchange(o.Exchange-1, &x); x.ID != o.Exchange {
		return ""
	}
	return fmt.Sprintf("for exchange %d: %s of %s, f%d", x.ID, report.CallName(x.Command, x.Function), name(x.File), x.RequestFrame)
}

func (p *rdmaView) draw(c canvas) {
	top, rest := c.split(min(p.count()+2, max(c.h/3, 4)))
	p.u.section(top, &p.list, p.u.crumbs())
	r := p.selected()
	rest.rule(0, "SMB Direct, as both sides agreed and used it", false)
	y := 1
	for _, line := range report.RDMAFacts(r) {
		if y+len(wrap(line, rest.w-2)) > rest.h*2/3 {
			break
		}
		y = rest.paragraph(y, plain, strings.Join(strings.Fields(line), " "))
	}
	for i, side := range [2]string{"Client's credits", "Server's credits"} {
		if len(r.Ledgers[i].History) > 1 && y < rest.h*2/3 {
			drawCredits(rest, y, side, r.Ledgers[i].History)
			y++
		}
	}
	title := report.Plural(len(p.ops), "operation", "operations")
	if r.Unlisted > 0 {
		title += fmt.Sprintf(", and %s more that are not kept", report.Count(r.Unlisted))
	}
	if len(p.ops) == 0 {
		title = "No operation: all went in messages"
	}
	_, rest = rest.split(y)
	p.u.section(rest, &p.operations, title)
}

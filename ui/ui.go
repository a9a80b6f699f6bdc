package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// ui is the state of the interface, and the one primitive that tview runs.
type ui struct {
	*tview.Box
	src  Source
	file string // name of the capture

	res        *flows.Results // as of the last refresh; never nil
	frames     int            // indexed, as of then
	exchanges  int
	done, size int64
	read       error // why the pass ended early
	ended      bool  // Run has returned

	pages   []page
	names   []string // of the pages
	page    int
	focus   []int   // a pane a page
	trail   []place // where back goes
	resumed bool    // the page is that of before
	resume  *place  // where the user was when this capture was open before; nil for the start

	tail    following
	zoomed  bool
	keymap  keymap
	help    *list   // nil if it is not shown
	menu    *menu   // nil if none is open
	prompt  *prompt // nil if none is open
	history [baselinePrompt + 1][]string
	filter  string // "" for none
	fields  []*wire.Field
	seek    search
	told    told
	job     *job // nil if no file is being written
	named   named
	marks   map[int]bool // frames
	times   timeForm
	since   reference
	theme   theme
	linked  *[]target // where the selection leads, once somebody asked since the last key
	message string
	failed  bool // message is an error
	touched bool // the user has done something

	counting bool // a number before a key is being typed
	counted  int
	failures []string // messages that were errors, the oldest first
	rate     rate     // of reading

	spots  []spot // what was drawn where, for the mouse
	screen tcell.Screen

	quit    func()
	suspend func()       // nil where it is not possible
	later   func(func()) // runs a function between two events; nil in tests: at once
	asides  asides
}

// page is a set of panes that belong together.
type page interface {
	panes() []pane
	draw(c canvas)
	crumb() string // what is selected, for the breadcrumb
	count() int    // for the tab; what there is to see
	why() string   // why there is nothing, if count is 0
}

// place is where the user was.
type place struct {
	page, focus, sel int // sel is the position of a row
	crumb            string
}

// spot is a pane as it was drawn, or a tab if that is nil.
type spot struct {
	c    canvas
	pane pane
	page int
}

// The pages, by position.
const (
	copiesPage = iota
	tokensPage
	packetsPage
	exchangesPage
	sessionsPage
	findingsPage
	statsPage
	rdmaPage
	ladderPage // this and those after it have no number
	pairPage
)

func newUI(src Source, file string) *ui {
	u := &ui{Box: tview.NewBox(), src: src, file: file, res: &flows.Results{}, page: packetsPage, fields: flows.Fields(), theme: themes[0]}
	u.names = []string{"Copies", "Tokens", "Packets", "Exchanges", "Sessions", "Findings", "Stats", "RDMA", "Ladder", "Both"}
	u.pages = []page{newCopies(u), newTokens(u), newPackets(u), newExchanges(u), newSessions(u), newFindings(u), newStats(u), newRDMA(u), newLadder(u), newPair(u)}
	u.focus = make([]int, len(u.pages))
	u.keymap = newKeymap(u.names[:ladderPage])
	return u
}

// refresh takes over what the pass has found, and tells whether that is news.
func (u *ui) refresh() bool {
	res, frames, exchanges := u.src.Results(), u.src.Frames(), u.src.Exchanges()
	done, size := u.src.Progress()
	if res == nil {
		res = u.res
	}
	if res == u.res && frames == u.frames && exchanges == u.exchanges && done == u.done {
		news := u.catchUp()
		return u.follow() || news
	}
	u.res, u.frames, u.exchanges, u.done, u.size = res, frames, exchanges, done, size
	if !u.touched && len(res.Copies) > 0 && !u.resumed {
		u.page = copiesPage
	}
	u.resumeAt()
	u.follow()
	u.catchUp()
	return true
}

// follower is a page with something that is made aside.
type follower interface {
	// follow takes over what is made, begins what is not under way yet, and tells
	// whether there is news.
	follow() bool
}

func (u *ui) follow() (news bool) {
	news = u.followJob()
	if f, ok := u.pages[u.page].(follower); ok {
		news = f.follow() || news
	}
	for _, p := range u.pages[u.page].panes() {
		if l, ok := p.(*list); ok && l.arrange(u) {
			news = true
		}
	}
	return news
}

func (u *ui) pane() pane { return u.pages[u.page].panes()[u.focus[u.page]] }

// The smallest screen that still shows something of everything.
const minWidth, minHeight = 60, 16

// Draw draws everything.
func (u *ui) Draw(screen tcell.Screen) {
	u.screen = screen
	u.spots, u.linked = u.spots[:0], nil
	u.follow()
	x, y, w, h := u.GetRect()
	c := canvas{screen, x, y, w, h, u.theme.within(screen.Colors())}
	if c.theme.ground != tcell.ColorDefault {
		screen.Fill(' ', c.theme.style(plain))
	}
	screen.HideCursor()
	if w < minWidth || h < minHeight {
		c.paragraph(0, plain, fmt.Sprintf("This terminal has %d columns and %d lines; odxray needs %d and %d. q quits.", w, h, minWidth, minHeight))
		return
	}
	u.drawHead(c)
	u.drawTabs(c.sub(0, 1, w, 1))
	body := c.sub(0, 2, w, h-4)
	switch p := u.pages[u.page]; {
	case u.help != nil:
		u.section(body, u.help, "Keys and commands: Enter does it, Esc closes")
	case p.count() == 0:
		body.rule(0, u.crumbs(), true)
		body.paragraph(2, plain, p.why())
	case u.zoomed:
		u.section(body, u.pane(), u.crumbs())
	default:
		p.draw(body)
	}
	if u.help == nil {
		u.drawFilter(body)
	}
	if u.menu != nil {
		u.menu.draw(body)
	}
	u.drawStatus(c.sub(0, h-2, w, 1))
	foot := c.sub(0, h-1, w, 1)
	if u.prompt != nil {
		u.prompt.draw(foot)
	} else {
		u.drawFoot(foot)
	}
}

func (u *ui) drawHead(c canvas) {
	x := c.text(1, 0, bold, "odxray")
	facts := report.Plural(u.frames, "frame", "frames")
	if u.res.Last > u.res.First {
		facts += " · " + report.Took(time.Duration(u.res.Last-u.res.First))
	}
	facts += " · " + report.Plural(len(u.res.Connections), "connection", "connections")
	state, style := u.state()
	room := c.w - width(state) - 2
	name := u.file
	if most := max(room-x-width(facts)-5, 12); width(name) > most {
		name = "…" + cutLeft(name, most-1)
	}
	x = c.text(x+2, 0, plain, name)
	c.sub(0, 0, room, 1).text(x+2, 0, faint, facts)
	c.text(c.w-1-width(state), 0, style, state)
}

// state says how far the capture has been read, and how well.
func (u *ui) state() (string, tcell.Style) {
	switch {
	case u.read != nil && u.frames == 0:
		return "not readable ✗", bad
	case u.read != nil:
		return "incomplete !", bad
	case u.tail.live != nil && !u.ended:
		if u.tail.live.Lost() {
			return u.tail.status, bad
		}
		return u.tail.status, special
	case !u.ended && !u.res.Done && u.size > 0:
		return fmt.Sprintf("reading %d%%%s", min(u.done*100/u.size, 100), u.rate.of(u.done)), special
	case !u.ended && !u.res.Done:
		return "reading " + report.Size(uint64(max(u.done, 0))) + u.rate.of(u.done), special
	case u.res.Incomplete:
		return "incomplete !", bad
	}
	return "complete ✓", good
}

// drawTabs names the pages; the one that is shown in brackets. Where they do not fit with
// room between them they move together, then the number of findings goes, and where that is
// not enough only that one keeps its name.
func (u *ui) drawTabs(c canvas) {
	names := u.names[:ladderPage:ladderPage]
	if u.page >= ladderPage {
		names = append(names, u.names[u.page])
	}
	tabs, letters := make([]string, len(names)), 1
	for i, name := range names {
		tabs[i] = fmt.Sprintf("%d %s", i+1, name)
		if i == ladderPage {
			tabs[i] = name[:1] + " " + name
		}
		if n := u.pages[i].count(); i == findingsPage && n > 0 {
			tabs[i] += " " + report.Count(n)
		}
		letters += width(tabs[i]) + 1
	}
	if name := fmt.Sprintf("%d %s", findingsPage+1, u.names[findingsPage]); letters > c.w && u.page != findingsPage {
		letters -= width(tabs[findingsPage]) - width(name) // how many findings there are goes first
		tabs[findingsPage] = name
	}
	gap := 1
	if letters+len(tabs) <= c.w {
		gap = 2
	}
	x := 0
	for i, tab := range tabs {
		shown := i == min(u.page, ladderPage)
		if !shown && letters > c.w {
			tab = tab[:1]
		}
		w := width(tab) + 2
		if shown {
			c.text(x, 0, marked.Bold(true), "["+tab+"]")
		} else {
			c.text(x+1, 0, faint, tab)
		}
		u.spots = append(u.spots, spot{c: c.sub(x, 0, w, 1), page: tabPage(i, u.page)})
		x += w - 2 + gap
	}
}

// tabPage returns the page of tab i: the last one may be that of any page without a number.
func tabPage(i, page int) int {
	if i == ladderPage {
		return page
	}
	return i
}

// crumbs is how the user came here, from the page where that began.
func (u *ui) crumbs() string {
	var parts []string
	page := -1
	for _, p := range u.trail {
		if p.page != page || p.crumb != parts[len(parts)-1] {
			parts = append(parts, p.crumb)
		}
		page = p.page
	}
	if now := u.pages[u.page].crumb(); page != u.page || now != parts[len(parts)-1] {
		parts = append(parts, now)
	}
	if len(parts) > 4 {
		parts = append([]string{"…"}, parts[len(parts)-4:]...)
	}
	from := u.page
	if len(u.trail) > 0 {
		from = u.trail[0].page
	}
	return u.names[from] + " › " + strings.Join(parts, " › ")
}

// section draws a pane below a rule with its title.
func (u *ui) section(c canvas, p pane, title string) {
	focused := p == u.active()
	c.rule(0, title, focused)
	_, body := c.split(1)
	p.draw(body, focused)
	u.spots = append(u.spots, spot{c: body, pane: p})
}

func (u *ui) drawStatus(c canvas) {
	p := u.active()
	at, of := p.where()
	if u.help == nil && u.pages[u.page].count() == 0 {
		at, of = 0, 0
	}
	right := u.standing()
	if of > 0 && (u.prompt == nil || u.prompt.kind != filterPrompt) {
		right = strings.TrimPrefix(right+" · ", " · ") + fmt.Sprintf("%s/%s (%d%%)", report.Count(at), report.Count(of), at*100/of)
	}
	left, style := u.message, plain
	switch {
	case u.seek.running():
		left = "searching for " + u.seek.text + " … any key stops"
	case u.job != nil && left == "":
		left = fmt.Sprintf("writing %s: %d%% … Esc stops", u.job.file, u.job.at.Load()*100/int64(max(u.job.of, 1)))
	case u.prompt != nil && left == "" && u.prompt.problem() != "":
		left, style = "! "+u.prompt.problem(), bad
	case left == "" && u.read != nil:
		left, style = u.read.Error(), bad
	case left == "" && of > 0:
		left, style = p.info(), faint
	case u.failed:
		style = bad
	}
	if left == "" && len(u.res.Problems) > 0 {
		left = u.res.Problems[0]
		if n := len(u.res.Problems); n > 1 {
			left += fmt.Sprintf(" (and %d more)", n-1)
		}
	}
	c.text(c.w-1-width(right), 0, plain, right)
	c.cell(1, 0, max(c.w-3-width(right), 0), false, style, left)
}

// active is the pane that keys go to.
func (u *ui) active() pane {
	switch {
	case u.menu != nil:
		return &u.menu.list
	case u.help != nil:
		return u.help
	}
	return u.pane()
}

// say shows a message until the next key.
func (u *ui) say(format string, args ...any) {
	u.message, u.failed = fmt.Sprintf(format, args...), false
}

func (u *ui) fail(format string, args ...any) {
	u.message, u.failed = "! "+fmt.Sprintf(format, args...), true
	const most = 100
	u.failures = append(u.failures[max(len(u.failures)-most+1, 0):], u.message)
}

// here is where the user is.
func (u *ui) here() place {
	at := place{page: u.page, focus: u.focus[u.page], crumb: u.pages[u.page].crumb()}
	if s, ok := u.pages[u.page].panes()[0].(*list); ok {
		at.sel = s.at(s.sel)
	}
	return at
}

// maxTrail bounds how far back goes.
const maxTrail = 100

func (u *ui) remember() {
	if len(u.trail) == maxTrail {
		u.trail = u.trail[1:]
	}
	u.trail = append(u.trail, u.here())
}

// down gives the focus to a pane of the page, from which back returns.
func (u *ui) down(focus int) {
	u.remember()
	u.focus[u.page] = focus
}

// visit shows line sel of a page, from which back returns.
func (u *ui) visit(page, sel, focus int) {
	u.remember()
	u.page, u.focus[page] = page, focus
	u.pages[page].panes()[0].(*list).visit(sel)
}

// back returns to where the user came from, and tells whether there was something.
func (u *ui) back() bool {
	if n := len(u.trail); n > 0 {
		at := u.trail[n-1]
		u.trail = u.trail[:n-1]
		if u.page == exchangesPage && at.page == statsPage {
			u.pages[exchangesPage].(*exchanges).all()
		}
		u.page, u.focus[at.page] = at.page, at.focus
		if l, ok := u.pages[at.page].panes()[0].(*list); ok {
			l.visit(at.sel)
		}
		return true
	}
	if u.focus[u.page] > 0 {
		u.focus[u.page] = 0
		return true
	}
	return false
}

// turn shows a page that was asked for by name.
func (u *ui) turn(page int) {
	u.page, u.trail, u.help, u.menu = page, nil, nil, nil
	u.pages[exchangesPage].(*exchanges).all()
}

// frame goes to a frame of the packet list.
func (u *ui) frame(n int) {
	if n < 1 || n > u.frames {
		u.fail("there is no frame %d: the list ends at %d", n, u.frames)
		return
	}
	u.help = nil
	u.visit(packetsPage, n-1, 0)
}

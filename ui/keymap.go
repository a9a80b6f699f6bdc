package ui

import (
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// command is something that a user can do. The command line accepts its name, with
// an argument if it takes one.
type command struct {
	name string
	arg  string   // what the argument is; "" if there is none
	keys []string // as keyName names them
	help string
	foot string         // in a word, for the footer; "" to leave it out
	when func(*ui) bool // nil if it is always possible
	run  func(u *ui, arg string)

	modal bool               // also while a menu is open
	words func(*ui) []string // what the argument may be, for completion; nil if anything
	moves bool               // a number before it says how often
}

// keymap is all that can be done, in the order in which help shows it. The footer
// shows those with a word for it that are possible where the user is.
type keymap struct {
	commands []command
	byKey    map[string][]*command
}

// newKeymap returns the commands, and one for each page.
func newKeymap(pages []string) keymap {
	m := keymap{byKey: make(map[string][]*command)}
	m.commands = []command{
		{name: "open", modal: true, keys: []string{"Enter"}, help: "go down: copy, call, frame, field, bytes; follow a link", foot: "open",
			when: func(u *ui) bool { return u.opens() },
			run:  func(u *ui, _ string) { u.enter() }},
		{name: "back", modal: true, keys: []string{"Esc", "Backspace"}, help: "go back to where you came from; where there is nothing, remove the filter", foot: "back",
			when: func(u *ui) bool {
				return u.menu != nil || len(u.trail) > 0 || u.focus[u.page] > 0 || u.help != nil || u.page == copiesPage && u.pages[copiesPage].(*copies).reasons || u.filter != "" && u.filters()
			},
			run: func(u *ui, _ string) { u.escape() }},
		{name: "next-pane", keys: []string{"Tab"}, help: "give the focus to the next pane", foot: "pane",
			when: func(u *ui) bool { return len(u.pages[u.page].panes()) > 1 && u.help == nil && u.filled() },
			run:  func(u *ui, _ string) { u.turnFocus(1) }},
		{name: "previous-pane", keys: []string{"Shift-Tab"}, help: "give the focus to the pane before",
			run: func(u *ui, _ string) { u.turnFocus(-1) }},
		{name: "zoom", keys: []string{"z"}, help: "let the pane fill the page, or not any more", foot: "zoom",
			when: func(u *ui) bool { return len(u.pages[u.page].panes()) > 1 && u.help == nil && u.filled() },
			run:  func(u *ui, _ string) { u.zoomed = !u.zoomed }},

		{name: "down", modal: true, moves: true, keys: []string{"j", "Down"}, help: "one line down", run: move(down)},
		{name: "up", modal: true, moves: true, keys: []string{"k", "Up"}, help: "one line up", run: move(up)},
		{name: "left", moves: true, keys: []string{"h", "Left"}, help: "a byte back; fold a field; scroll a list to the left", run: move(left)},
		{name: "right", moves: true, keys: []string{"l", "Right"}, help: "a byte on; unfold a field; scroll a list to the right", run: move(right)},
		{name: "page-down", modal: true, moves: true, keys: []string{"PgDn", "Ctrl-F"}, help: "a page down", run: move(pageDown)},
		{name: "page-up", modal: true, moves: true, keys: []string{"PgUp", "Ctrl-B"}, help: "a page up", run: move(pageUp)},
		{name: "half-page-down", modal: true, moves: true, keys: []string{"Ctrl-D"}, help: "half a page down", run: move(halfDown)},
		{name: "half-page-up", modal: true, moves: true, keys: []string{"Ctrl-U"}, help: "half a page up", run: move(halfUp)},
		{name: "first", modal: true, keys: []string{"g", "Home"}, help: "to the first line", run: move(first)},
		{name: "last", modal: true, keys: []string{"G", "End"}, help: "to the last line, or to the line of a number before it", run: move(last)},

		{name: "follow", keys: []string{"F"}, help: "while it is captured: show what comes last, or stay where you are", foot: "follow",
			when: func(u *ui) bool { return u.tail.live != nil && !u.ended && u.help == nil },
			run:  func(u *ui, _ string) { u.toggleTail() }},
		{name: "fold", keys: []string{"Space"}, help: "fold or unfold a field", foot: "fold",
			when: func(u *ui) bool { return u.active() == &u.packets().tree },
			run: func(u *ui, _ string) {
				if u.active() == &u.packets().tree {
					u.packets().tree.toggle()
				}
			}},
		{name: "next-buffer", keys: []string{"b"}, help: "show the next buffer of the frame: as captured, reassembled, decrypted", foot: "buffer",
			when: func(u *ui) bool { return u.page == packetsPage && len(u.packets().hex.tabs) > 1 && u.help == nil },
			run:  func(u *ui, _ string) { u.packets().hex.next() }},
		{name: "other-side", keys: []string{"o"}, help: "from a request to its answer, and back", foot: "other side",
			when: func(u *ui) bool { return u.page == packetsPage && u.focus[packetsPage] == 0 && u.help == nil },
			run:  func(u *ui, _ string) { u.otherSide() }},
		{name: "why", keys: []string{"w"}, help: "why a copy was not offloaded, and what to do; again for its story", foot: "why",
			when: func(u *ui) bool { return u.page == copiesPage && u.help == nil && u.filled() },
			run:  func(u *ui, _ string) { u.why() }},
		{name: "token", keys: []string{"t"}, help: "to the token of what is selected", foot: "token", when: leadsTo(tokensPage),
			run: func(u *ui, _ string) { u.followTo(tokensPage, "token") }},
		{name: "copy", keys: []string{"c"}, help: "to the copy of what is selected", foot: "copy", when: leadsTo(copiesPage),
			run: func(u *ui, _ string) { u.followTo(copiesPage, "copy") }},
		{name: "exchange", keys: []string{"e"}, help: "to the exchange of what is selected", foot: "exchange", when: leadsTo(exchangesPage),
			run: func(u *ui, _ string) { u.followTo(exchangesPage, "exchange") }},
		{name: "links", keys: []string{"."}, help: "choose among all that what is selected leads to", foot: "links",
			when: func(u *ui) bool { return len(u.targets()) > 1 },
			run:  func(u *ui, _ string) { u.chooseLink() }},
		{name: "by", arg: "what", keys: []string{"s"}, help: "statistics by command, code, file, share, client or user; s alone takes the next", foot: "by",
			when:  func(u *ui) bool { return u.page == statsPage && u.help == nil },
			run:   func(u *ui, arg string) { u.by(arg) },
			words: func(*ui) []string { return report.StatsBy() }},
		{name: "both", keys: []string{"B"}, help: "show request and answer side by side", foot: "both",
			when: func(u *ui) bool { return u.page == exchangesPage && u.help == nil && u.filled() },
			run:  func(u *ui, _ string) { u.both() }},
		{name: "ladder", arg: "what", keys: []string{"L"}, help: "draw who said what when: of the copy, the connection or the marks", foot: "ladder",
			when:  func(u *ui) bool { return u.page < ladderPage && u.page != statsPage && u.help == nil && u.filled() },
			run:   func(u *ui, arg string) { u.ladder(arg) },
			words: func(*ui) []string { return []string{"copy", "connection", "marks"} }},
		{name: "mark", keys: []string{"m"}, help: "mark the frame of what is selected, or do not any more",
			run: func(u *ui, _ string) { u.mark() }},
		{name: "next-mark", moves: true, keys: []string{"'"}, help: "to the next marked frame", run: func(u *ui, _ string) { u.nextMark() }},
		{name: "unmark", keys: []string{"M"}, help: "mark no frame any more", run: func(u *ui, _ string) { u.unmark() }},
		{name: "time", arg: "form", keys: []string{"T"}, help: "times: relative, delta, clock, utc, epoch; T alone takes the next",
			run:   func(u *ui, arg string) { u.setTimes(arg) },
			words: func(*ui) []string { return timeForms }},
		{name: "theme", arg: "name", help: "colours: default, dark, light; theme alone takes the next",
			run:   func(u *ui, arg string) { u.setTheme(arg) },
			words: func(*ui) []string { return themeNames() }},
		{name: "sort", arg: "column", keys: []string{"S"}, help: "sort the list by a column; -NAME the largest first, off; a click on a title does it too", foot: "sort",
			when: choosesColumns, run: func(u *ui, arg string) { u.sort(arg) }, words: (*ui).sortWords},
		{name: "columns", arg: "names", keys: []string{"C"}, help: "choose columns, their order and widths; with names (No.,Time,Info or names of fields) those; all",
			when: choosesColumns, run: func(u *ui, arg string) { u.setColumns(arg) }, words: (*ui).columnWords},
		{name: "more-columns", keys: []string{"+"}, help: "show another column", when: choosesColumns, run: func(u *ui, _ string) { u.moreColumns() }},
		{name: "fewer-columns", keys: []string{"-"}, help: "hide a column", when: choosesColumns, run: func(u *ui, _ string) { u.fewerColumns() }},
		{name: "reference", keys: []string{"Ctrl-T"}, help: "times count from the selected frame, or from the first one again",
			run: func(u *ui, _ string) { u.setReference() }},
		{name: "goto", arg: "frame", help: "go to a frame; a number alone does it too",
			run: func(u *ui, arg string) {
				n, err := strconv.Atoi(strings.TrimPrefix(arg, "f"))
				if err != nil {
					u.fail("goto takes the number of a frame, not %q", arg)
					return
				}
				u.frame(n)
			}},

		{name: "search", arg: "text", keys: []string{"/"}, help: "look for text in the pane", foot: "search",
			when: func(u *ui) bool { return u.filled() },
			run: func(u *ui, arg string) {
				if arg == "" {
					u.ask(searchPrompt)
					return
				}
				u.search(arg, 1)
			}},
		{name: "filter", arg: "expression", keys: []string{"\\", "f"}, help: "frames, exchanges and statistics of what a display filter is true for; Tab completes", foot: "filter",
			when: func(u *ui) bool { return u.filters() && u.help == nil },
			run: func(u *ui, arg string) {
				if arg == "" {
					u.ask(filterPrompt)
					return
				}
				u.setFilter(arg)
			}},
		{name: "next-match", moves: true, keys: []string{"n"}, help: "to the next line that holds it", foot: "next",
			when: func(u *ui) bool { return u.seek.text != "" },
			run:  func(u *ui, _ string) { u.search(u.seek.text, 1) }},
		{name: "previous-match", moves: true, keys: []string{"N"}, help: "to the line before that holds it",
			run: func(u *ui, _ string) { u.search(u.seek.text, -1) }},
		{name: "yank", arg: "form", keys: []string{"y"}, help: "copy what is selected to the clipboard: as text (yy), json, hex or filter", foot: "yank",
			when:  func(u *ui) bool { return u.filled() },
			run:   func(u *ui, arg string) { u.chooseYank(arg) },
			words: func(*ui) []string { return []string{"text", "json", "hex", "filter"} }},
		{name: "export", arg: "form file", keys: []string{"x"}, help: "write rows as text, csv or json, or frames as pcapng", foot: "export",
			when:  func(u *ui) bool { return u.filled() && u.help == nil },
			run:   func(u *ui, arg string) { u.export(arg) },
			words: (*ui).exportWords},
		{name: "baseline", arg: "file", keys: []string{"b"}, help: "add the finding to a file for odxray audit --baseline, which leaves it out", foot: "baseline",
			when:  func(u *ui) bool { return u.page == findingsPage && u.help == nil && u.filled() },
			run:   func(u *ui, arg string) { u.askBaseline(arg) },
			words: func(*ui) []string { return []string{baselineFile} }},
		{name: "percentiles", keys: []string{"p"}, help: "bars: how many percent of calls of that kind took as long or less", foot: "bars",
			when: func(u *ui) bool { return u.page == exchangesPage && u.help == nil && u.filled() },
			run:  func(u *ui, _ string) { u.percentiles() }},

		{name: "command", keys: []string{":"}, help: "type a command by its name; Tab completes it", foot: "command",
			run: func(u *ui, _ string) { u.ask(commandPrompt) }},
		{name: "errors", keys: []string{"E"}, help: "what went wrong so far, and what could not be read", run: func(u *ui, _ string) { u.showErrors() }},
		{name: "help", keys: []string{"?", "F1"}, help: "show this", foot: "help", run: func(u *ui, _ string) { u.toggleHelp() }},
		{name: "redraw", modal: true, keys: []string{"Ctrl-L"}, help: "draw everything again", run: func(u *ui, _ string) { u.redraw() }},
		{name: "suspend", modal: true, keys: []string{"Ctrl-Z"}, help: "back to the shell for a while",
			when: func(u *ui) bool { return u.suspend != nil },
			run: func(u *ui, _ string) {
				if u.suspend != nil {
					u.suspend()
				}
			}},
		{name: "leave", modal: true, keys: []string{"q"}, help: "go back, and quit where there is no back", foot: "quit",
			run: func(u *ui, _ string) {
				if !u.escape() {
					u.quit()
				}
			}},
		{name: "quit", modal: true, keys: []string{"Q", "Ctrl-C"}, help: "quit", run: func(u *ui, _ string) { u.quit() }},
	}
	for i, name := range pages {
		m.commands = append(m.commands, command{name: strings.ToLower(name), keys: []string{strconv.Itoa(i + 1)}, help: "show the page " + name,
			run: func(u *ui, _ string) { u.turn(i) }})
	}
	for i := range m.commands {
		for _, k := range m.commands[i].keys {
			m.byKey[k] = append(m.byKey[k], &m.commands[i])
		}
	}
	return m
}

// bound returns the command of a key: where several have it, the first that is possible where
// the user is, or else the first. nil if none has it.
func (m *keymap) bound(u *ui, key string) *command {
	all := m.byKey[key]
	for _, c := range all {
		if c.when != nil && c.when(u) {
			return c
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return nil
}

// leadsTo tells whether the selection leads to a page that it is not on.
func leadsTo(page int) func(*ui) bool {
	return func(u *ui) bool {
		_, ok := u.targetOn(page)
		return ok && u.page != page
	}
}

func move(m motion) func(*ui, string) {
	return func(u *ui, _ string) { u.active().move(m) }
}

// keyName names a key as the table of commands does.
func keyName(ev *tcell.EventKey) string {
	switch k := ev.Key(); k {
	case tcell.KeyRune:
		if ev.Rune() == ' ' {
			return "Space"
		}
		return string(ev.Rune())
	case tcell.KeyBacktab:
		return "Shift-Tab"
	case tcell.KeyBackspace2, tcell.KeyBackspace:
		return "Backspace"
	default:
		return tcell.KeyNames[k]
	}
}

// key does what a key is for.
func (u *ui) key(ev *tcell.EventKey) {
	u.touched, u.linked = true, nil
	if u.prompt != nil && ev.Key() != tcell.KeyCtrlC {
		u.prompt.key(ev)
		return
	}
	u.message = ""
	name := keyName(ev)
	if u.seek.running() {
		u.seek.stop() // a late jump would surprise who has moved on
		if name == "Esc" {
			return
		}
	}
	if u.count(ev) {
		return
	}
	times := min(u.counted, maxCount)
	u.counted, u.counting = 0, false
	c := u.keymap.bound(u, name)
	if u.menu != nil {
		if u.menu.key(name) || c == nil || !c.modal {
			return
		}
	}
	switch {
	case c == nil:
	case times > 0 && (c.name == "first" || c.name == "last" || c.name == "open"):
		u.line(times)
		return
	case times > 0 && c.moves:
		for range min(times, maxMoves) {
			c.run(u, "")
		}
		return
	default:
		c.run(u, "")
		u.held()
		return
	}
	u.say("%s does nothing here; ? lists the keys", name)
}

// maxCount bounds the number before a key, maxMoves how often a key is pressed at most.
const (
	maxCount = 1 << 31
	maxMoves = 1 << 16
)

// count takes digits of the number before a key, and tells whether ev is one. The digits
// of pages cannot begin it, but a 0 or Alt with any of them can.
func (u *ui) count(ev *tcell.EventKey) bool {
	r := ev.Rune()
	if ev.Key() != tcell.KeyRune || r < '0' || r > '9' {
		return false
	}
	if !u.counting && r != '0' && ev.Modifiers()&tcell.ModAlt == 0 {
		return false
	}
	u.counting = true
	u.counted = min(u.counted*10+int(r-'0'), maxCount)
	u.say("%d: a motion goes so often, G goes to that line", u.counted)
	return true
}

// line goes to line n of the pane, from 1.
func (u *ui) line(n int) {
	p, ok := u.active().(interface{ choose(i int) })
	_, of := u.active().where()
	if !ok || of == 0 {
		return
	}
	p.choose(max(min(n, of)-1, 0))
}

// do does what the command line says.
func (u *ui) do(line string) {
	name, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
	arg = strings.TrimSpace(arg)
	if n, err := strconv.Atoi(name); err == nil {
		u.frame(n)
		return
	}
	c := u.keymap.find(name)
	switch {
	case name == "":
	case c == nil:
		u.fail("there is no command %q; ? lists them", name)
	case c.arg == "" && arg != "":
		u.fail("%s takes no argument", c.name)
	default:
		c.run(u, arg)
	}
}

// find returns the command of a name, or of the only name that begins so.
func (m *keymap) find(name string) *command {
	if name == "q" || name == "q!" {
		name = "quit"
	}
	var found *command
	for i := range m.commands {
		switch c := &m.commands[i]; {
		case c.name == name:
			return c
		case name != "" && strings.HasPrefix(c.name, name):
			if found != nil {
				return nil
			}
			found = c
		}
	}
	return found
}

// drawFoot names the keys that do something here. Those that help further keep their
// place where there is no room for all.
func (u *ui) drawFoot(c canvas) {
	var here, always []*command
	need := 0
	for i := range u.keymap.commands {
		k := &u.keymap.commands[i]
		switch {
		case k.foot == "" || u.menu != nil && !k.modal || k.when != nil && !k.when(u):
		case k.name == "command" || k.name == "help" || k.name == "leave":
			always = append(always, k)
			need += width(k.keys[0]) + width(k.foot) + 3
		default:
			here = append(here, k)
		}
	}
	x := 1
	draw := func(k *command) {
		x = c.text(x, 0, bold, k.keys[0])
		x = c.text(x, 0, faint, " "+k.foot) + 2
	}
	for _, k := range here {
		if x+width(k.keys[0])+width(k.foot)+1+need > c.w {
			break
		}
		draw(k)
	}
	for _, k := range always {
		draw(k)
	}
}

func (u *ui) toggleHelp() {
	if u.help != nil {
		u.help = nil
		return
	}
	commands := u.keymap.commands
	u.help = &list{
		columns: []column{{title: "Key", width: 16}, {title: "Command", width: 16}, {title: "", width: 30, grow: 1}},
		count:   func() int { return len(commands) + 1 + len(levelSigns) + len(signs) },
		row: func(i int, cells []string) tcell.Style {
			switch {
			case i < len(commands):
				c := &commands[i]
				cells[0], cells[1], cells[2] = strings.Join(c.keys, " "), c.name, c.help
				if c.arg != "" {
					cells[1] += " " + strings.ToUpper(c.arg)
				}
			case i == len(commands):
				cells[2] = "Letters in front of a frame:"
			case i <= len(commands)+len(levelSigns):
				s := levelSigns[i-len(commands)-1]
				cells[0], cells[2] = s.letter, s.means
				return s.style
			default:
				s := signs[i-len(commands)-1-len(levelSigns)]
				cells[0], cells[2] = s.letter, s.means
				return s.style
			}
			return plain
		},
		open: func(i int) {
			u.help = nil
			if i < len(commands) {
				commands[i].run(u, "")
			}
		},
	}
}

func (u *ui) packets() *packets { return u.pages[packetsPage].(*packets) }

// filled tells whether something is shown that has lines.
func (u *ui) filled() bool { return u.menu != nil || u.help != nil || u.pages[u.page].count() > 0 }

// opens tells whether Enter may do something.
func (u *ui) opens() bool {
	l, ok := u.active().(*list)
	return u.filled() && (!ok || l.open != nil)
}

func (u *ui) enter() {
	if u.filled() {
		u.active().enter()
	}
}

// escape closes what is on top, or goes back, and tells whether there was something.
func (u *ui) escape() bool {
	switch {
	case u.menu != nil:
		u.menu = nil
	case u.job != nil:
		u.job.stop()
	case u.help != nil:
		u.help = nil
	case u.zoomed:
		u.zoomed = false
	case u.page == copiesPage && u.pages[copiesPage].(*copies).reasons:
		u.why()
	case u.back():
	case u.filter != "" && u.filters():
		u.setFilter("")
	default:
		return false
	}
	return true
}

func (u *ui) turnFocus(by int) {
	n := len(u.pages[u.page].panes())
	u.focus[u.page] = (u.focus[u.page] + by + n) % n
}

// otherSide goes from the frame of a request to that of its answer, or back.
func (u *ui) otherSide() {
	at := u.packets().frame()
	if u.page != packetsPage || at > u.frames {
		return
	}
	for _, i := range u.src.ExchangesOf(at) {
		var x flows.Exchange
		u.src.Exchange(i, &x)
		to := x.RequestFrame
		if to == at {
			to = x.AnswerFrame
		}
		if to > 0 {
			focus := u.focus[packetsPage]
			u.frame(to)
			u.focus[packetsPage] = focus
			return
		}
	}
	u.say("frame %d is no side of an exchange with two", at)
}

func (u *ui) redraw() {
	u.screen.Sync()
	u.say("drawn again")
}

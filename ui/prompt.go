package ui

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
)

// What a prompt is for; a position in ui.history.
const (
	commandPrompt = iota
	searchPrompt
	filterPrompt
	exportPrompt
	baselinePrompt
)

// prompt is the line that commands, texts to search for and filters are typed into.
type prompt struct {
	u     *ui
	kind  int
	field *tview.InputField
	line  int // of the history; its length is the new one

	outlet outlet // what is written where the user says

	checked, wrong string // a filter, and what is wrong with it
}

func (u *ui) ask(kind int) {
	p := &prompt{u: u, kind: kind, line: len(u.history[kind])}
	p.field = tview.NewInputField().SetLabel([...]string{":", "/", "filter: ", "write to: ", "baseline: "}[kind])
	p.field.Focus(nil)
	if kind == filterPrompt {
		p.field.SetText(u.filter)
	}
	u.prompt = p
}

func (p *prompt) draw(c canvas) {
	p.field.SetFieldStyle(c.theme.style(plain)).SetLabelStyle(c.theme.style(bold)).SetBackgroundColor(c.theme.ground)
	p.field.SetRect(c.x, c.y, c.w, 1)
	p.field.Draw(c.screen)
}

func (p *prompt) key(ev *tcell.EventKey) {
	u, past := p.u, p.u.history[p.kind]
	if p.kind == filterPrompt {
		u.message = "" // of completion
	}
	switch ev.Key() {
	case tcell.KeyEscape:
		u.prompt = nil
	case tcell.KeyBackspace, tcell.KeyBackspace2:
		if p.field.GetText() == "" {
			u.prompt = nil
			return
		}
		p.edit(ev)
	case tcell.KeyEnter:
		u.prompt = nil
		u.message = ""
		text := p.field.GetText()
		if text == "" && p.kind == filterPrompt {
			u.setFilter("")
		}
		if text == "" {
			return
		}
		if p.kind == filterPrompt && u.compile(text) != nil {
			u.prompt = p // there is something to correct
			return
		}
		const most = 100
		past = append(slices.DeleteFunc(past, func(s string) bool { return s == text }), text)
		u.history[p.kind] = past[max(len(past)-most, 0):]
		switch p.kind {
		case searchPrompt:
			u.search(text, 1)
		case filterPrompt:
			u.setFilter(text)
		case exportPrompt:
			u.write(p.outlet, text, false)
		case baselinePrompt:
			u.baseline(text)
		default:
			u.do(text)
		}
	case tcell.KeyUp:
		p.recall(max(p.line-1, 0))
	case tcell.KeyDown:
		p.recall(min(p.line+1, len(past)))
	case tcell.KeyTab:
		switch p.kind {
		case commandPrompt:
			p.complete()
		case filterPrompt:
			p.completeFilter()
		}
	default:
		p.edit(ev)
	}
}

// problem says what is wrong with what was typed so far; "" if nothing is.
func (p *prompt) problem() string {
	text := p.field.GetText()
	if p.kind != filterPrompt || strings.TrimSpace(text) == "" {
		return ""
	}
	if text != p.checked {
		p.checked, p.wrong = text, ""
		if err := p.u.compile(text); err != nil {
			p.wrong = err.Error()
		}
	}
	return p.wrong
}

func (p *prompt) edit(ev *tcell.EventKey) { p.field.InputHandler()(ev, func(tview.Primitive) {}) }

func (p *prompt) recall(line int) {
	p.line = line
	text := ""
	if past := p.u.history[p.kind]; line < len(past) {
		text = past[line]
	}
	p.field.SetText(text)
}

// complete adds what all commands that begin so have in common, or all that may be their
// argument, and lists them if there are several.
func (p *prompt) complete() {
	typed := p.field.GetText()
	before, begun, isArg := "", typed, false
	var words []string
	if name, arg, found := strings.Cut(typed, " "); found {
		isArg = true
		c := p.u.keymap.find(name)
		if c == nil {
			p.u.fail("there is no command %q; ? lists them", name)
			return
		}
		if c.name == "filter" {
			p.completeFilter()
			return
		}
		if c.words == nil {
			p.u.say("%s", cmp.Or(c.help, name))
			return
		}
		words = c.words(p.u)
		if i := strings.LastIndexByte(arg, ','); i >= 0 { // a list: its last word
			before, begun = name+" "+arg[:i+1], arg[i+1:]
		} else {
			before, begun = name+" ", arg
		}
	} else {
		for _, c := range p.u.keymap.commands {
			words = append(words, c.name)
		}
	}
	var names []string
	for _, word := range words {
		if len(word) >= len(begun) && strings.EqualFold(word[:len(begun)], begun) {
			names = append(names, word)
		}
	}
	if len(names) == 0 {
		p.u.say("nothing begins so: %s", strings.Join(words, "  "))
		return
	}
	common := names[0]
	for _, name := range names {
		for !strings.HasPrefix(strings.ToLower(name), strings.ToLower(common)) {
			common = common[:len(common)-1]
		}
	}
	if len(names) == 1 && !isArg {
		common += " "
	}
	p.field.SetText(before + common)
	p.u.say("%s", strings.Join(names, "  "))
}

package ui

import (
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
)

// What a prompt is for; a position in ui.history.
const (
	commandPrompt = iota
	searchPrompt
)

// prompt is the line that commands and texts to search for are typed into.
type prompt struct {
	u     *ui
	kind  int
	field *tview.InputField
	line  int // of the history; its length is the new one
}

func (u *ui) ask(kind int) {
	p := &prompt{u: u, kind: kind, line: len(u.history[kind])}
	p.field = tview.NewInputField().SetLabel([...]string{":", "/"}[kind]).SetFieldStyle(plain).SetLabelStyle(bold)
	p.field.SetBackgroundColor(tcell.ColorDefault)
	p.field.Focus(nil)
	u.prompt = p
}

func (p *prompt) draw(c canvas) {
	p.field.SetRect(c.x, c.y, c.w, 1)
	p.field.Draw(c.screen)
}

func (p *prompt) key(ev *tcell.EventKey) {
	u, past := p.u, p.u.history[p.kind]
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
		if text == "" {
			return
		}
		const most = 100
		past = append(slices.DeleteFunc(past, func(s string) bool { return s == text }), text)
		u.history[p.kind] = past[max(len(past)-most, 0):]
		if p.kind == searchPrompt {
			u.search(text, 1)
		} else {
			u.do(text)
		}
	case tcell.KeyUp:
		p.recall(max(p.line-1, 0))
	case tcell.KeyDown:
		p.recall(min(p.line+1, len(past)))
	case tcell.KeyTab:
		if p.kind == commandPrompt {
			p.complete()
		}
	default:
		p.edit(ev)
	}
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

// complete adds what all commands that begin so have in common, and lists them if
// there are several.
func (p *prompt) complete() {
	typed := p.field.GetText()
	var names []string
	for _, c := range p.u.keymap.commands {
		if strings.HasPrefix(c.name, typed) {
			names = append(names, c.name)
		}
	}
	if len(names) == 0 {
		p.u.say("no command begins so")
		return
	}
	common := names[0]
	for _, name := range names {
		for !strings.HasPrefix(name, common) {
			common = common[:len(common)-1]
		}
	}
	if len(names) == 1 {
		common += " "
	}
	p.field.SetText(common)
	p.u.say("%s", strings.Join(names, "  "))
}

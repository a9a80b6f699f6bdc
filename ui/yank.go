package ui

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/odxray/odxray/dissect/wire"
)

// form is a way to say what is selected.
type form struct {
	key, name string
	text      func() string
}

// yanker is a pane whose selection has more forms than its text.
type yanker interface {
	forms() []form
}

// chooseYank offers the forms of what is selected; yy takes the first, its text.
func (u *ui) chooseYank(as string) {
	p := u.active()
	forms := []form{{"y", "text", p.yank}}
	if p, ok := p.(yanker); ok {
		forms = append(forms, p.forms()...)
	}
	if l, ok := p.(*list); ok {
		forms = append(forms, u.listForms(l)...)
	}
	m := &menu{title: "Copy to the clipboard as"}
	for _, f := range forms {
		if as == f.name {
			u.clip(f.text())
			return
		}
		if f.text() != "" {
			m.add(f.key, f.name, func() { u.clip(f.text()) })
		}
	}
	switch {
	case as != "":
		u.fail("what is selected has no form %q", as)
	case len(m.items) == 0:
		u.say("nothing is selected")
	default:
		u.open(m)
	}
}

// listForms are those of a row beside its text.
func (u *ui) listForms(l *list) []form {
	i := l.chosen()
	if i < 0 || u.help != nil {
		return nil
	}
	var frames []string
	hex := func() string { return "" }
	if p, ok := u.pages[u.page].(*packets); ok && l == &p.list {
		frames = []string{strconv.Itoa(i + 1)}
		hex = func() string {
			p.load()
			if p.shown != i+1 || len(p.data.Bufs) == 0 {
				return ""
			}
			return fmt.Sprintf("%x", p.data.Bufs[0])
		}
	} else {
		for _, t := range l.targets() {
			if t.page == packetsPage {
				frames = append(frames, strconv.Itoa(t.at+1))
			}
		}
	}
	filter := func() string {
		switch len(frames) {
		case 0:
			return ""
		case 1:
			return "frame.number == " + frames[0]
		}
		return "frame.number in {" + strings.Join(frames, ",") + "}"
	}
	return []form{{"J", "json", func() string { return string(l.json(i)) }}, {"x", "hex", hex}, {"F", "filter", filter}}
}

// json returns row i as an object: what stands in its columns, by their names.
func (l *list) json(i int) []byte {
	cells := make([]string, len(l.columns))
	l.row(i, cells)
	var b bytes.Buffer
	for _, k := range l.shownColumns() {
		if cells[k] == "" {
			continue
		}
		sep := byte(',')
		if b.Len() == 0 {
			sep = '{'
		}
		b.WriteByte(sep)
		key, _ := json.Marshal(l.columnName(k)) // a string is never refused
		value, _ := json.Marshal(clean(cells[k]))
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	if b.Len() == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.Bytes()
}

// forms of a field.
func (t *tree) forms() []form {
	i := t.node()
	if i < 0 {
		return nil
	}
	n := &t.data.Nodes[i]
	hex := func() string {
		if b := t.data.Bufs; n.Generated || n.Len == 0 || int(n.Buf) >= len(b) || int(n.Off+n.Len) > len(b[n.Buf]) {
			return ""
		}
		return fmt.Sprintf("%x", t.data.Bufs[n.Buf][n.Off:n.Off+n.Len])
	}
	object := func() string {
		b, err := json.Marshal(map[string]string{n.Field.Name: clean(t.data.Value(i))})
		if err != nil || n.Field.Name == "" {
			return ""
		}
		return string(b)
	}
	return []form{{"J", "json", object}, {"x", "hex", hex}, {"F", "filter", func() string { return filterFor(t.data, i) }}}
}

// filterFor returns the display filter that is true for a field's value, or for the field
// where values of its kind have no literal.
func filterFor(t *wire.Tree, i int) string {
	n := &t.Nodes[i]
	f := n.Field
	if f.Name == "" || strings.HasPrefix(f.Name, "_ws.") {
		return ""
	}
	switch f.Kind {
	case wire.KindUint, wire.KindEnum, wire.KindFrame:
		if f.Hex {
			return fmt.Sprintf("%s == 0x%x", f.Name, n.Val)
		}
		return fmt.Sprintf("%s == %d", f.Name, n.Val)
	case wire.KindBool:
		return fmt.Sprintf("%s == %d", f.Name, min(n.Val, 1))
	case wire.KindString, wire.KindASCII:
		if v := t.Value(i); clean(v) == v {
			return fmt.Sprintf("%s == %q", f.Name, v)
		}
	case wire.KindAddress, wire.KindGUID:
		return f.Name + " == " + t.Value(i)
	}
	return f.Name
}

// forms of the marked bytes.
func (h *hex) forms() []form {
	b := h.data()
	if h.tab != 0 || h.start >= h.end || h.end > len(b) || len(h.tabs) == 0 || h.tabs[0] != "frame" {
		return nil
	}
	filter := func() string {
		parts := make([]string, 0, h.end-h.start)
		for _, c := range b[h.start:h.end] {
			parts = append(parts, fmt.Sprintf("%02x", c))
		}
		return fmt.Sprintf("frame[%d:%d] == %s", h.start, h.end-h.start, strings.Join(parts, ":"))
	}
	return []form{{"F", "filter", filter}}
}

// maxYank bounds what is sent to the terminal.
const maxYank = 64 << 10

// clip sends text to the clipboard, by OSC 52. Below tmux the terminal outside gets it too.
func (u *ui) clip(text string) {
	text = clean(text)
	switch {
	case text == "":
		u.say("nothing is selected")
		return
	case len(text) > maxYank:
		u.fail("%d characters are too many for the clipboard", len(text))
		return
	}
	u.screen.SetClipboard([]byte(text))
	if tty, ok := u.screen.Tty(); ok && os.Getenv("TMUX") != "" {
		_, _ = tty.Write(passedThrough(text)) // what the clipboard got nobody says anyway
	}
	u.say("copied to the clipboard: %s", text)
}

// passedThrough is OSC 52 for the terminal that tmux runs in.
func passedThrough(text string) []byte {
	const esc = "\x1b"
	osc := esc + "]52;c;" + base64.StdEncoding.EncodeToString([]byte(text)) + "\a"
	return []byte(esc + "Ptmux;" + strings.ReplaceAll(osc, esc, esc+esc) + esc + "\\")
}

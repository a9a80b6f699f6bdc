package ui

import (
	"strconv"
	"strings"
	"testing"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"github.com/odxray/odxray/flows"
)

// The acceptance path: six keys from the first screen to the bytes of a field.
func TestSixKeysToTransferLength(t *testing.T) {
	u := newUser(t, sample(), 110, 36)
	u.sees("[1 Copies]")
	u.press(":50", "Enter", "Enter", "G")
	u.sees("━━ Frame 50")
	u.sees("── TransferLength")
	u.sees("[00 00 00 32 00 00]") // and two more in the next line
	u.press("yy")
	if got := string(u.sim.GetClipboardData()); got != "TransferLength: 838860800" {
		t.Errorf("yanked %q", got)
	}
	u.press("Enter", "yy")
	if got := string(u.sim.GetClipboardData()); got != "0000003200000000" {
		t.Errorf("yanked %q from the bytes", got)
	}
}

func TestDownAndBack(t *testing.T) {
	u := newUser(t, sample(), 100, 30)
	for _, step := range []struct{ key, sees string }{
		{"Enter", "━━ Story of copy 1"},
		{"j", "▸   f48"},
		{"Enter", "Copies › copy 1 › frame 48"},
		{"Enter", "━━ Frame 48"},
		{"G", "── Filename"},
		{"Enter", "━━ Filename"},
		{"Esc", "━━ Frame 48"},
		{"Esc", "━━ Copies › copy 1 › frame 48"},
		{"Esc", "━━ Story of copy 1"},
		{"t", "Copies › copy 1 › token 7f3a91c2"},
		{"Enter", "━━ Life of 7f3a91c2"},
		{"Esc", "━━ Copies › copy 1 › token"},
		{"Esc", "━━ Story of copy 1"},
		{"Esc", "━━ Copies › copy 1"},
		{"Esc", "━━ Copies › copy 1"}, // never quits
	} {
		u.press(step.key)
		u.sees(step.sees)
	}
}

// What keys did is said of every session, and of what belongs to one.
func TestKeys(t *testing.T) {
	src := sample()
	src.res.Sessions = sealedSessions
	u := newUser(t, src, 160, 30)
	u.press("5", "Tab")
	u.sees("20 of 20 decrypted (a session key)")
	u.press("j")
	u.sees("not decrypted, from frame 9 on: no key was given")
	u.press("4")
	u.sees("session 0x40000000001 is decrypted with a session key")
	for id, want := range map[uint64]string{2: "session 0x2 is not decrypted: no key was given", 3: "session 0x3 is decrypted with a password, but not all of it: they are damaged", 4: "", 5: ""} {
		if got := u.keys(id); got != want {
			t.Errorf("session %d: %q, want %q", id, got, want)
		}
	}
}

var sealedSessions = []flows.Session{
	{ID: 0x40000000001, Server: "10.10.0.153", User: `LAB\anna`, Conns: []int{1}, Sealed: true, Encrypted: 20, Decrypted: 20, KeyOrigin: "a session key"},
	{ID: 2, Server: "10.10.0.153", Conns: []int{1}, Sealed: true, Encrypted: 12, Trouble: "no key was given", TroubleFrame: 9},
	{ID: 3, Server: "10.10.0.153", Conns: []int{1}, Sealed: true, Encrypted: 12, Decrypted: 9, KeyOrigin: "a password", Trouble: "they are damaged", TroubleFrame: 40},
	{ID: 4, Server: "10.10.0.153", Conns: []int{1}, Signed: true, Verified: 3, BadSignatures: []int{7}},
}

func TestWhy(t *testing.T) {
	u := newUser(t, sample(), 110, 36)
	u.press("w")
	u.sees("Why copy 1 went as it did")
	u.sees("All of it was offloaded")
	u.press("Esc")
	u.sees("Story of copy 1")
	u.press("3", "w")
	u.sees("only the page Copies tells why")
	src := sample()
	src.res.Copies[0].Offloads, src.res.Copies[0].Method = 0, flows.Plain
	u = newUser(t, src, 110, 36)
	u.press("zw")
	u.sees("What  nobody asked the server to offload: ")
	u.sees(" Do ")
	u.press("q")
	u.sees("Story of copy 1")
}

func TestQuits(t *testing.T) {
	for _, keys := range [][]string{{"q"}, {"Q"}, {"3", "Q"}, {":q", "Enter"}, {":quit", "Enter"}, {"Tab", "q", "q"}, {"?", "q", "q"}} {
		u := newUser(t, sample(), 80, 24)
		quit := 0
		u.quit = func() { quit++ }
		if u.press(keys...); quit != 1 {
			t.Errorf("%q quit %d times", keys, quit)
		}
	}
}

func TestLinksBetweenFrames(t *testing.T) {
	u := newUser(t, sample(), 100, 30)
	u.press(":50", "Enter", "Tab", "/response to", "Enter")
	u.sees("[Response to: 48] ↵")
	u.press("Enter")
	u.sees("━━ Frame 48")
	u.press("Esc")
	u.sees("━━ Frame 50")
	u.press("Shift-Tab", "o")
	u.sees("frame 49")
	u.press(":999", "Enter")
	u.sees("there is no frame 999")
}

func TestByteSelectsField(t *testing.T) {
	u := newUser(t, sample(), 100, 30)
	u.press(":49", "Enter", "Tab", "Tab", "g")
	u.sees("━━ Destination ") // the first byte of the Ethernet header, which was folded
	u.press("jjl")
	if got := u.packets().tree.yank(); !strings.HasPrefix(got, "Filename") {
		t.Errorf("byte 33 selected %q", got)
	}
	u.press("G")
	if n := u.packets().tree.at(0, 79); n >= 0 {
		t.Errorf("byte 79 belongs to node %d; nothing reads it", n)
	}
}

func TestBuffers(t *testing.T) {
	u := newUser(t, sample(), 100, 30)
	u.press(":48", "Enter", "b")
	u.sees("[Filename, 17 bytes]")
	u.sees("72 65 61 73 73")
	u.press("b")
	u.sees("[frame]")
}

func TestSearch(t *testing.T) {
	u := newUser(t, sample(), 100, 30)
	u.press("3", "/rEsPonse", "Enter")
	u.sees("▸ O       2")
	u.press("n")
	u.sees("▸ O       4")
	u.press("N", "N")
	u.sees("went on at the other end")
	u.press("/no such text", "Enter")
	u.sees(`"no such text" is in none of 60 lines`)
}

func TestCommandLine(t *testing.T) {
	u := newUser(t, sample(), 100, 30)
	u.press(":tok", "Tab")
	u.sees(":token")
	u.press("Esc", ":tokens", "Enter")
	u.sees("[2 Tokens]")
	u.press(":goto 12", "Enter")
	u.sees("frame 12")
	u.press(":", "Up", "Up", "Enter") // tokens again
	u.sees("[2 Tokens]")
	u.press(":nonsense", "Enter")
	u.sees(`there is no command "nonsense"`)
	u.press(":zoom 3", "Enter")
	u.sees("zoom takes no argument")
}

// Every command has a name of its own, a key or an argument, and a word of help; no
// two have the same key, unless there is no page where both are possible.
func TestKeymap(t *testing.T) {
	u := newUser(t, example(t, 100, 30).src, 100, 30)
	m := &u.keymap
	names := map[string]bool{}
	for _, c := range m.commands {
		if names[c.name] || c.help == "" || len(c.keys) == 0 && c.arg == "" {
			t.Errorf("command %+v", c)
		}
		names[c.name] = true
	}
	for key, all := range m.byKey {
		for page := range u.pages {
			u.turn(page)
			u.show()
			possible := 0
			for _, c := range all {
				if c.when == nil || c.when(u.ui) {
					possible++
				}
			}
			if len(all) > 1 && possible > 1 {
				t.Errorf("%d commands have the key %s on the page %s", possible, key, u.names[page])
			}
		}
	}
}

// Every command is harmless everywhere, also where there is nothing.
func TestEveryCommandEverywhere(t *testing.T) {
	t.Chdir(t.TempDir()) // some write files
	for _, src := range []*fake{sample(), empty(0, flows.Results{})} {
		for _, c := range newKeymap(nil).commands {
			for page := range newUI(nil, "").pages {
				u := newUser(t, src, minWidth, minHeight)
				u.turn(page)
				for focus := range u.pages[page].panes() {
					u.focus[page] = focus
					c.run(u.ui, "1")
				}
				u.show()
			}
		}
	}
}

func TestAnySize(t *testing.T) {
	for page := range newUI(nil, "").pages {
		u := newUser(t, sample(), 80, 24)
		u.turn(page)
		for w := 1; w < 200; w += 19 {
			for h := 1; h < 60; h += 8 {
				u.sim.SetSize(w, h)
				if got := u.show(); w >= minWidth && h >= minHeight && !strings.Contains(got, u.names[page]+"]") && !strings.Contains(got, "["+strconv.Itoa(page+1)+" ") {
					t.Errorf("page %d at %d×%d:\n%s", page+1, w, h, got)
				}
			}
		}
	}
	u := newUser(t, sample(), 50, 10)
	u.sees("50 columns and 10 lines")
}

func TestMouse(t *testing.T) {
	u := newUser(t, sample(), 80, 24)
	at := func(text string) (x, y int) {
		for y, line := range strings.Split(u.show(), "\n") {
			if i := strings.Index(line, text); i >= 0 {
				return width(line[:i]), y
			}
		}
		t.Fatalf("%q is not on the screen", text)
		return 0, 0
	}
	click := func(action tview.MouseAction, text string) {
		x, y := at(text)
		u.mouse(action, x, y)
	}
	click(tview.MouseLeftClick, "3 Packets")
	u.sees("[3 Packets]")
	click(tview.MouseScrollDown, "▸ O")
	u.sees("  O       9")
	click(tview.MouseLeftClick, "  7    0.070000")
	u.sees("━━ Packets › frame 7 ")
	click(tview.MouseLeftClick, "▸ Ethernet")
	u.sees("━━ Frame 7 ")
	u.sees("▾ Ethernet")
	x, y := at("00000 ")
	u.mouse(tview.MouseLeftClick, x+hexOffset+3*7, y)
	u.sees("── Frame 7 ")
	if got := u.packets().tree.yank(); !strings.HasPrefix(got, "Source") {
		t.Errorf("byte 7 selected %q", got)
	}
	click(tview.MouseLeftClick, "1 Copies")
	click(tview.MouseLeftDoubleClick, "f48")
	u.sees("frame 48")
}

func TestFillsWhileReading(t *testing.T) {
	src := &fake{}
	u := newUser(t, src, 80, 24)
	u.ended = false
	u.sees("No frames yet: the capture is being read")
	src.set(12, &flows.Results{Frames: 12, Messages: 3})
	u.refresh()
	u.sees("12 frames")
	u.sees("reading 12%")
	full := sample()
	src.set(60, full.res)
	u.refresh()
	u.sees("[1 Copies]") // nobody has touched a key, and there are copies now
	src.set(61, full.res)
	u.press("3")
	u.refresh()
	u.sees("1/61")
}

// What a row in view costs does not depend on how many there are.
func TestLongListsAreVirtual(t *testing.T) {
	u := newUser(t, empty(20_000_000, flows.Results{Messages: 1}), 80, 24)
	u.press("3", "G")
	u.sees("20,000,000/20,000,000 (100%)")
	u.press("g")
	u.sees("1/20,000,000 (0%)")
}

func TestClusters(t *testing.T) {
	for _, test := range []struct {
		in, want string
		width    int
	}{
		{"plain", "plain", 5},
		{"\x1b[2J\r\n", "�[2J��", 6},
		{"[red]x[-]", "[red]x[-]", 9},
		{"\u202etxt", "�txt", 4},
		{"\xff\xfe", "��", 2},
		{"報告", "報告", 4},
		{"e\u0301", "e\u0301", 1},
		{"\u0301", "◌\u0301", 1},
		{"e" + strings.Repeat("\u0301", 50), "e" + strings.Repeat("\u0301", maxMarks), 1},
	} {
		if got := cut(test.in, 100); got != test.want || width(test.in) != test.width {
			t.Errorf("%q shows as %q, %d wide; want %q, %d", test.in, got, width(test.in), test.want, test.width)
		}
	}
	if got := cut("a報告", 2); got != "a" {
		t.Errorf("half a wide character: %q", got)
	}
}

func TestKeyNames(t *testing.T) {
	for want, ev := range map[string]*tcell.EventKey{
		"Ctrl-C": tcell.NewEventKey(tcell.KeyCtrlC, 0, 0),
		"Ctrl-F": tcell.NewEventKey(tcell.KeyCtrlF, 0, 0),
		"PgDn":   tcell.NewEventKey(tcell.KeyPgDn, 0, 0),
		"Esc":    tcell.NewEventKey(tcell.KeyEscape, 0, 0),
		"Enter":  tcell.NewEventKey(tcell.KeyEnter, 0, 0),
		"Tab":    tcell.NewEventKey(tcell.KeyTab, 0, 0),
		"F1":     tcell.NewEventKey(tcell.KeyF1, 0, 0),
		"Space":  tcell.NewEventKey(tcell.KeyRune, ' ', 0),
	} {
		if got := keyName(ev); got != want {
			t.Errorf("keyName = %q, want %q", got, want)
		}
	}
}

// Many findings take no page its name on a narrow screen.
func TestTabsOfNarrowScreens(t *testing.T) {
	src := sample()
	for f := src.res.Findings[0]; len(src.res.Findings) < 1234; {
		src.res.Findings = append(src.res.Findings, f)
	}
	u := newUser(t, src, 80, 24)
	u.sees("[1 Copies]2 Tokens 3 Packets 4 Exchanges 5 Sessions 6 Findings 7 Stats 8 RDMA")
	u.press("6")
	u.sees("[6 Findings 1,234]")
}

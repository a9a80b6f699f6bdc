package ui

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"

	"github.com/odxray/odxray/flows"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC // trees print local times
	os.Exit(m.Run())
}

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// user is a ui on a simulated screen, and who sits in front of it.
type user struct {
	*ui
	t   testing.TB
	sim tcell.SimulationScreen
}

func newUser(t testing.TB, src Source, w, h int) *user {
	t.Helper()
	sim := tcell.NewSimulationScreen("UTF-8")
	if err := sim.Init(); err != nil {
		t.Fatal(err)
	}
	sim.SetSize(w, h)
	u := &user{newUI(src, "copy-sparse2.snoop"), t, sim}
	u.quit = func() {}
	u.ended = true
	u.refresh()
	u.show()
	return u
}

// show draws and returns what is on the screen.
func (u *user) show() string {
	w, h := u.sim.Size()
	u.SetRect(0, 0, w, h)
	u.sim.Clear()
	u.Draw(u.sim)
	u.sim.Show()
	cells, w, h := u.sim.GetContents()
	var b strings.Builder
	for y := range h {
		var line strings.Builder
		for x := 0; x < w; {
			s := string(cells[y*w+x].Runes)
			if s == "" {
				s = " "
			}
			line.WriteString(s)
			x += max(uniseg.StringWidth(s), 1)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// press presses keys, named as in the help; others are typed letter by letter. It
// draws after each, as tview does.
func (u *user) press(keys ...string) *user {
	for _, k := range keys {
		named := map[string]tcell.Key{"Enter": tcell.KeyEnter, "Esc": tcell.KeyEscape, "Tab": tcell.KeyTab, "Shift-Tab": tcell.KeyBacktab,
			"Up": tcell.KeyUp, "Down": tcell.KeyDown, "Left": tcell.KeyLeft, "Right": tcell.KeyRight, "PgDn": tcell.KeyPgDn, "End": tcell.KeyEnd}
		if key, ok := named[k]; ok {
			u.key(tcell.NewEventKey(key, 0, 0))
			u.show()
			continue
		}
		for _, r := range k {
			u.key(tcell.NewEventKey(tcell.KeyRune, r, 0))
			u.show()
		}
	}
	return u
}

func (u *user) sees(want string) {
	u.t.Helper()
	if got := u.show(); !strings.Contains(got, want) {
		u.t.Errorf("%q is not on the screen:\n%s", want, got)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the screen is not %s (-update accepts it):\n%s", file, got)
	}
}

func TestFrames(t *testing.T) {
	hostile := sample()
	hostile.file = "\x1b[31m[red]evil\x07\u202egnp.exe 報告書 e\u0301\u0301\u0301\u0301\u0301\u0301 x"
	hostile.res.Copies[0].Source.Path = hostile.file
	hostile.res.Mints[0].Source = hostile.file
	sealed := sample()
	sealed.res.Sessions = sealedSessions
	lossy := sample()
	lossy.res.Sessions, lossy.dropped = sealedSessions, 1234
	broken := empty(0, flows.Results{})
	broken.err = errors.New("captures: x.pcap is no capture")
	for _, test := range []struct {
		name string
		src  *fake
		keys []string
	}{
		{"copies", sample(), nil},
		{"story", sample(), []string{"Enter", "jj"}},
		{"tokens", sample(), []string{"2"}},
		{"packets", sample(), []string{":48", "Enter", "Tab", "G"}},
		{"exchanges", sample(), []string{"4"}},
		{"percentiles", direct(), []string{"4", "p", "jj"}},
		{"sessions", sample(), []string{"5"}},
		{"sealed-sessions", sealed, []string{"5", "Tab", "j"}},
		{"drops", lossy, []string{"4", ":tea", "Enter", "j"}},
		{"findings", sample(), []string{"6"}},
		{"stats", sample(), []string{"7"}},
		{"rdma", direct(), []string{"8", "Enter", "jj"}},
		{"no-rdma", sample(), []string{"8"}},
		{"links", sample(), []string{"Enter", "j", "."}},
		{"ladder", direct(), []string{"L"}},
		{"both", sample(), []string{"4", "B", "G"}},
		{"help", sample(), []string{"?"}},
		{"command", sample(), []string{":pa", "Tab"}},
		{"empty", empty(0, flows.Results{}), []string{"3"}},
		{"no-smb", empty(20, flows.Results{Protocols: map[string]int{"TCP": 12, "ARP": 3, "TLSv1.2": 5}}), []string{"1"}},
		{"encrypted", empty(20, flows.Results{Messages: 10, Incomplete: true, Connections: []flows.Connection{{ID: 1, Encrypted: 10}}}), []string{"1"}},
		{"broken", broken, []string{"1"}},
		{"hostile", hostile, nil},
		{"hostile-packets", hostile, []string{":50", "Enter", "Tab", "/evil", "Enter"}},
	} {
		for _, size := range []struct {
			name string
			w, h int
		}{{"80x24", 80, 24}, {"140x45", 140, 45}} {
			t.Run(test.name+"-"+size.name, func(t *testing.T) {
				u := newUser(t, test.src, size.w, size.h)
				u.read = test.src.err
				u.press(test.keys...)
				golden(t, test.name+"-"+size.name, u.show())
			})
		}
	}
}

package ui

import (
	"errors"
	"testing"

	"github.com/gdamore/tcell/v2"

	"github.com/odxray/odxray/flows"
)

// What is lost, what stays closed and what went wrong is always said.
func TestStanding(t *testing.T) {
	src := sample()
	src.res.Sessions, src.dropped = sealedSessions, 1234
	u := newUser(t, src, 80, 24)
	u.sees("keys for 1/3 · 1,234 dropped · 1/1 (100%)")
	u.press(":tea", "Enter")
	u.sees("1,234 dropped · E: 1 · 1/1")
	u.press("3")
	u.sees("E: 1")
	u.press("E")
	u.sees(`! there is no command "tea"`)
	u.press("Esc")
	u.read = errors.New("x.pcap: cut at byte 9")
	u.press("E")
	u.sees("! x.pcap: cut at byte 9")
	u = newUser(t, empty(3, flows.Results{}), 80, 24)
	u.press("E")
	u.sees("nothing went wrong")
}

func TestCounts(t *testing.T) {
	u := newUser(t, sample(), 100, 30)
	u.press("3", "012j")
	u.sees("▸ O      13 ")
	u.press("03k")
	u.sees("▸ O      10 ")
	u.press("040G")
	u.sees("▸ O      40 ")
	u.key(tcell.NewEventKey(tcell.KeyRune, '7', tcell.ModAlt))
	u.press("G")
	u.sees("▸ O       7 ")
	u.press("099999999999999999G")
	u.sees("60/60 (100%)")
	u.press("7") // a page, as ever
	u.sees("[7 Stats]")
	u.press("0", "Esc", "j") // Esc ends a number
	u.sees("1/1 (100%)")
}

func TestCompletion(t *testing.T) {
	u := newUser(t, sample(), 120, 30)
	u.press("4")
	for _, test := range []struct{ typed, want string }{
		{":tim", ":time"},
		{":time c", ":time clock"},
		{":by sh", ":by share"},
		{":sort -T", ":sort -T"},
		{":sort -ti", ":sort -Time"},
		{":columns Time,Off", ":columns Time,Offset"},
		{":ladder co", ":ladder co"},
		{":export cs", ":export csv odxray-exchanges.csv"},
		{":yank f", ":yank filter"},
		{":filter smb2.cmd == CREA", ":filter smb2.cmd == CREATE"},
		{`\smb2.cmd == IOC`, "filter: smb2.cmd == IOCTL"},
	} {
		u.press(test.typed, "Tab")
		u.sees(test.want)
		u.press("Esc")
	}
	u.press(":goto x", "Tab")
	u.sees("go to a frame")
	u.press("Esc", ":time x", "Tab")
	u.sees("nothing begins so: relative  delta  clock  utc  epoch")
	u.press("Esc", ":tea x", "Tab")
	u.sees(`there is no command "tea"`)
}

// A frame that a finding names has its letter, and the status line says which.
func TestRulesColourFrames(t *testing.T) {
	src := sample()
	src.res.Findings[0].Level = flows.Error
	u := newUser(t, src, 120, 30)
	u.press(":50", "Enter")
	u.sees("▸ E      50 ")
	u.sees("E: copy/token-churn: the server moves 16 MB")
	u.press("jj")
	u.sees("▸ N      52 ")
	u.press("?", "G")
	u.sees("an error that the audit found")
}

package ui

import (
	"testing"
	"unicode"

	"github.com/odxray/odxray/flows"
)

// Drawing is done ten times a second while a capture is read, so it must stay a
// matter of what is on the screen.
func TestDrawAllocatesLittle(t *testing.T) {
	const most = 3000
	long := sample()
	long.frames = 20_000_000
	for c := long.res.Copies[0]; len(long.res.Copies) < 1000; {
		long.res.Copies = append(long.res.Copies, c)
	}
	for f := long.res.Findings[0]; len(long.res.Findings) < 1000; {
		f.Copy = 2
		long.res.Findings = append(long.res.Findings, f)
	}
	for page, name := range newUI(nil, "").names {
		u := newUser(t, long, 140, 45)
		u.turn(page)
		u.show()
		if n := testing.AllocsPerRun(10, func() { u.refresh(); u.Draw(u.sim) }); n > most {
			t.Errorf("%s: %.0f allocations a frame", name, n)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("a[red]\x1b[2J報告e\u0301\u202e", 5)
	f.Fuzz(func(t *testing.T, s string, w int) {
		for _, got := range []string{cut(s, w), cutLeft(s, w)} {
			if n := width(got); n > max(w, 0) {
				t.Errorf("%q is %d wide, more than %d", got, n, w)
			}
			for _, r := range got {
				if !unicode.IsPrint(r) {
					t.Errorf("%q holds %U", got, r)
				}
			}
		}
	})
}

func TestCutLeft(t *testing.T) {
	for _, test := range []struct {
		in   string
		w    int
		want string
	}{{`dir\file.vhdx`, 9, "file.vhdx"}, {"報告", 3, "告"}, {"x", 5, "x"}, {"x", -1, ""}} {
		if got := cutLeft(test.in, test.w); got != test.want {
			t.Errorf("cutLeft(%q, %d) = %q, want %q", test.in, test.w, got, test.want)
		}
	}
}

func TestBar(t *testing.T) {
	for _, test := range []struct {
		ranges []flows.Range
		total  uint64
		want   string
	}{
		{nil, 0, "░░░░ –"},
		{nil, 100, "░░░░ 0%"},
		{[]flows.Range{{Start: 0, End: 100}}, 100, "████ 100%"},
		{[]flows.Range{{Start: 0, End: 25}, {Start: 30, End: 40}, {Start: 75, End: 100}}, 100, "█▒░█ 60%"},
		{[]flows.Range{{Start: 0, End: 1<<62 - 1}}, 1<<64 - 1, "█░░░ 25%"},
	} {
		if got := bar(test.ranges, test.total, 4); got != test.want {
			t.Errorf("bar(%v, %d) = %q, want %q", test.ranges, test.total, got, test.want)
		}
	}
}

package ui

import (
	"strings"
	"testing"

	"github.com/rivo/tview"

	"github.com/odxray/odxray/flows"
)

// rows returns what stands in a column of the first n lines.
func (l *list) rows(col, n int) string {
	var got []string
	for line := range min(n, l.count()) {
		cells := make([]string, len(l.columns))
		l.row(l.at(line), cells)
		got = append(got, cells[col])
	}
	return strings.Join(got, " ")
}

func TestSort(t *testing.T) {
	u := newUser(t, sample(), 140, 45)
	story := &u.pages[copiesPage].(*copies).story
	u.press("Enter", ":sort -Offset", "Enter")
	u.sees("Offset▼")
	if got := story.rows(3, 5); got != "48M 32M 16M 0 0" {
		t.Errorf("offsets, the largest first: %s", got)
	}
	u.press("g")
	u.sees("f54")
	u.press("Enter") // a line leads to its own row
	u.sees("frame 54")
	u.press("Esc", ":sort off", "Enter")
	if got := story.rows(0, 5); got != "f45 f48 f50 f52 f54" {
		t.Errorf("unsorted: %s", got)
	}
	u.press("S")
	u.sees("Sort by which column?")
	u.press("j", "j", "Enter")
	if got := story.rows(2, 5); !strings.HasSuffix(got, "OFFLOAD_WRITE") {
		t.Errorf("by name: %s", got)
	}
	u.press(":sort tea", "Enter")
	u.sees(`there is no column "tea"`)
}

// A long list is sorted aside, under its filter, and keeps what is selected.
func TestSortLong(t *testing.T) {
	u := newUser(t, empty(5000, flows.Results{Messages: 1}), 120, 30)
	p := u.packets()
	u.press(":4000", "Enter", ":sort -No.", "Enter")
	u.sees("▸ O    4000 ")
	if got := p.list.rows(1, 3); got != "5000 4999 4998" {
		t.Errorf("sorted: %s", got)
	}
	u.press("\\frame.number < 100", "Enter")
	if got := p.list.rows(1, 3); got != "99 98 97" {
		t.Errorf("sorted and filtered: %s", got)
	}
	u.press(":2000", "Enter") // it is not among them, and shows all the same
	u.sees("▸ O    2000 ")
	u.press("\\", "Esc", "Esc")
	u.press(":sort Info", "Enter")
	if got := p.list.rows(1, 3); got != "1 3 5" {
		t.Errorf("by text: %s", got)
	}
}

func TestHeaderClickSorts(t *testing.T) {
	u := newUser(t, sample(), 140, 45)
	u.press("4")
	x, y := 0, 0
	for at, line := range strings.Split(u.show(), "\n") {
		if i := strings.Index(line, "Request"); i >= 0 {
			x, y = width(line[:i]), at
			break
		}
	}
	u.mouse(tview.MouseLeftClick, x-10, y) // Time
	u.sees("Time▲")
	u.mouse(tview.MouseLeftClick, x-10, y)
	u.sees("Time▼")
	u.sees("▸      1    0.0") // the selection stays
	if got := u.pages[exchangesPage].(*exchanges).list.rows(0, 2); got != "30 29" {
		t.Errorf("the latest first: %s", got)
	}
	u.mouse(tview.MouseLeftClick, x-10, y)
	u.sees(" Time ")
}

func TestColumns(t *testing.T) {
	u := newUser(t, sample(), 140, 45)
	u.press(":48", "Enter", ":columns Info,No.,smb2.fid", "Enter")
	u.sees("  Info  ")
	head := ""
	for line := range strings.SplitSeq(u.show(), "\n") {
		if strings.HasPrefix(line, "  Info") {
			head = strings.Join(strings.Fields(line), " ")
		}
	}
	if head != "Info No. smb2.fid" {
		t.Errorf("columns %q", head)
	}
	u.press(":columns all", "Enter")
	u.sees("Destination")
	u.press("C", "Space", "j", ">", "Esc")
	u.sees("  Time  ")
	u.press(":columns No.,Time", "Enter", "+", "Enter")
	u.sees("No.")
	u.press("-", "Enter")
	if got := u.packets().list.shownColumns(); len(got) != 2 {
		t.Errorf("%d columns", len(got))
	}
	u.press(":columns tea", "Enter")
	u.sees(`there is no column "tea"`)
	for range 5 {
		u.press("-", "Enter")
	}
	if got := u.packets().list.shownColumns(); len(got) != 1 {
		t.Errorf("%d columns; the last one stays", len(got))
	}
}

// A field of any frame as a column.
func TestSampleFieldColumn(t *testing.T) {
	u := example(t, 140, 45)
	u.press(":48", "Enter", ":columns No.,smb2.msg_id,Info", "Enter")
	u.sees("▸     48 ")
	u.sees("48 68 ")
	u.press(":sort -smb2.msg_id", "Enter", "g")
	u.sees("smb2.msg_i▼")
}

// What only some ask for is there, and can be sorted by.
func TestSampleMoreColumns(t *testing.T) {
	u := shared(t, "own/rocev2-311.pcap.zst", 120, 30)
	u.press("4", ":columns #,Request,Moved,RDMA,Transport,User", "Enter", ":sort -RDMA", "Enter", "g")
	u.sees(`31 WRITE `)
	u.sees(`1M      1M RoCEv2     RIG\rig`)
}

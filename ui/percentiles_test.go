package ui

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/flows"
)

// p shows the bars, sorts by them like by any column, and hides them again.
func TestPercentiles(t *testing.T) {
	u := example(t, 140, 45)
	before := u.press("4").show()
	u.press("p")
	u.sees("Percentile")
	u.press(":sort -Percentile", "Enter", "g")
	u.sees("█████ 100%")
	u.sees("as long or less")
	p := u.pages[exchangesPage].(*exchanges)
	last := 101
	for line := range p.count() {
		x := p.get(p.list.at(line))
		rank, _, _ := p.ranks.rank(&x)
		if rank > last {
			t.Fatalf("line %d: %d%% after %d%%", line, rank, last)
		}
		last = rank
	}
	file := filepath.Join(t.TempDir(), "x.csv")
	u.press(":export csv "+file, "Enter")
	if got := read(t, file); !strings.Contains(got, ",Took,Percentile,") || !strings.Contains(got, ",100%,") || strings.Contains(got, "█") {
		t.Errorf("exported:\n%s", got)
	}
	u.press(":sort off", "Enter", "g", "p", "j", "k")
	if got := u.show(); got != before {
		t.Errorf("afterwards:\n%s", got)
	}
}

// Half of what takes 1 to 100 ms takes 50 ms or less, among calls of the same kind alone.
func TestRank(t *testing.T) {
	calls := &ranked{fake: sample()}
	p := &percentiles{of: 200}
	p.count(t.Context(), calls)
	for _, test := range []struct{ i, want int }{{0, 1}, {49, 50}, {98, 99}, {99, 100}, {100, 1}, {149, 50}, {199, 100}} {
		var x flows.Exchange
		calls.Exchange(test.i, &x)
		if got, of, ok := p.rank(&x); !ok || of != 100 || got != test.want {
			t.Errorf("exchange %d: %d%% of %d, %v", test.i, got, of, ok)
		}
	}
	if _, _, ok := p.rank(&flows.Exchange{RequestFrame: 1}); ok {
		t.Error("what was not answered has a rank")
	}
}

// ranked has 100 reads of 1 to 100 ms, and as many writes of ten times that.
type ranked struct{ *fake }

func (*ranked) Exchange(i int, x *flows.Exchange) {
	*x = flows.Exchange{ID: i + 1, Command: 8, RequestFrame: 1, AnswerFrame: 2, RequestTime: start}
	took := time.Duration(i+1) * time.Millisecond
	if i >= 100 {
		x.Command, took = 9, time.Duration(i-99)*10*time.Millisecond
	}
	x.AnswerTime = start + int64(took)
}

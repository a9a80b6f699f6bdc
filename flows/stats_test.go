package flows

import (
	"fmt"
	"testing"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// call is an answered exchange that took so many microseconds.
func call(file string, micro int64) *Exchange {
	return &Exchange{Command: smb2.Read, File: file, RequestFrame: 1, AnswerFrame: 2, AnswerTime: micro * 1000, Moved: uint64(micro)}
}

func TestStats(t *testing.T) {
	s := NewStats(ByCommand)
	for i := range int64(1000) {
		s.Add(call("f", i+1))
	}
	refused := call("f", 5000)
	refused.Status, refused.Moved = ntstatus.Status(0xc0000022), 0
	s.Add(refused)
	s.Add(&Exchange{Command: smb2.Read, RequestFrame: 9})
	s.Add(&Exchange{Command: smb2.Read, AnswerFrame: 9})
	s.Add(&Exchange{Command: smb2.Echo, RequestFrame: 9})
	list := s.Groups()
	if len(list) != 2 || list[0].Command != smb2.Read || list[1].Command != smb2.Echo {
		t.Fatalf("groups %v", list)
	}
	g := list[0]
	if g.Calls != 1001 || g.Unanswered != 1 || g.Unasked != 1 || g.Errors[refused.Status] != 1 || g.Sizes.N != 1000 || g.Sizes.Sum != 500500 {
		t.Errorf("%+v", g)
	}
	if d := &g.Times; d.Min != 1000 || d.Max != 5e6 || d.Sum != 505_500_000 {
		t.Errorf("times from %d to %d, sum %d", d.Min, d.Max, d.Sum)
	}
	for q, want := range map[float64]int64{0: 1000, 0.5: 501_000, 0.95: 951_000, 0.99: 991_000, 1: 5_000_000} {
		if got := g.Times.Quantile(q); got < want-want/500 || got > want+want/500 {
			t.Errorf("quantile %v is %d, want %d", q, got, want)
		}
	}
}

// TestStatsOfManyFiles: what has no line is in the rest, and nothing is lost.
func TestStatsOfManyFiles(t *testing.T) {
	s := NewStats(ByFile)
	const files, busy = 20 * maxGroups, 10
	total, sum := 0, int64(0)
	add := func(name string, micro int64) {
		s.Add(call(name, micro))
		total, sum = total+1, sum+micro*1000
	}
	for i := range files {
		add(fmt.Sprintf("file %d", i), int64(i%500+1))
		add(fmt.Sprintf("busy %d", i%busy), 3)
	}
	list := s.Groups()
	if len(list) != maxGroups+1 {
		t.Fatalf("%d groups", len(list))
	}
	for i, g := range list[:busy] {
		if g.Name[:4] != "busy" || g.Calls != files/busy || g.Missing != 0 {
			t.Errorf("line %d: %+v", i, g)
		}
	}
	calls, times := 0, int64(0)
	for _, g := range list {
		calls, times = calls+g.Calls, times+g.Times.Sum
	}
	rest := list[len(list)-1]
	if calls != total || times != sum || rest.Keys != files+busy-maxGroups || rest.Times.Max != 500_000 || rest.Times.Quantile(0.5) < 200_000 {
		t.Errorf("%d calls of %d, %d ns of %d, %d in the rest: %+v", calls, total, times, sum, rest.Keys, rest)
	}
}

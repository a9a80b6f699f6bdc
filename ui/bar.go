package ui

import (
	"fmt"
	"strings"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// seconds prints a time since the start of the capture.
func seconds(ns int64) string { return fmt.Sprintf("%.6f", float64(ns)/1e9) }

// bar draws which parts of total bytes ranges cover, in w columns, and says it.
func bar(ranges []flows.Range, total uint64, w int) string {
	if total == 0 {
		return strings.Repeat("░", w) + " –"
	}
	var b strings.Builder
	b.Grow(len("█")*w + len(" 100%"))
	for i := range uint64(w) {
		// The part of column i; w is small, but total may be any 64-bit number.
		start, end := part(total, i, uint64(w)), part(total, i+1, uint64(w))
		switch n := covered(ranges, start, max(end, start+1)); {
		case n == 0:
			b.WriteString("░")
		case n >= end-start:
			b.WriteString("█")
		default:
			b.WriteString("▒")
		}
	}
	b.WriteByte(' ')
	b.WriteString(report.Percent(covered(ranges, 0, total), total))
	return b.String()
}

// part returns total*i/n.
func part(total, i, n uint64) uint64 { return total/n*i + total%n*i/n }

// covered returns how many bytes of [start, end) lie in ranges, which are sorted and
// disjoint.
func covered(ranges []flows.Range, start, end uint64) (n uint64) {
	for _, r := range ranges {
		if from, to := max(r.Start, start), min(r.End, end); from < to {
			n += to - from
		}
	}
	return n
}

package report

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/odxray/odxray/flows"
)

// statsBy are the words for what exchanges are grouped by, in the order of flows.By.
var statsBy = []string{"command", "code", "file", "share", "client", "user"}

// StatsBy lists the words that ParseBy takes.
func StatsBy() []string { return statsBy }

// ParseBy returns what one of StatsBy groups by.
func ParseBy(word string) flows.By { return flows.By(max(0, slices.Index(statsBy, word))) }

// Stats reads a capture and prints the response times and sizes of its exchanges.
func Stats(ctx context.Context, w io.Writer, c *flows.Capture, by flows.By, f Format, s Style) error {
	stats := flows.NewStats(by)
	readErr := c.EachExchange(ctx, func(x *flows.Exchange) bool {
		stats.Add(x)
		return true
	})
	return cmp.Or(writeStats(w, stats.Groups(), by, f, s), readErr)
}

func writeStats(w io.Writer, groups []*flows.Group, by flows.By, f Format, s Style) error {
	switch f {
	case Text:
		return statsText(w, groups, by, s)
	case JSON:
		j := newJSONWriter(w)
		for _, g := range groups {
			if err := j.line(newStatsJSON(g, by)); err != nil {
				return err
			}
		}
		return nil
	case CSV:
		return statsCSV(w, groups, by)
	}
	return errFormat(f)
}

// groupName returns the name of a group, which nil stands for if it has none.
func groupName(g *flows.Group, by flows.By) any {
	switch {
	case g.Keys > 0:
		return nil
	case by == flows.ByCommand:
		return CommandName(g.Command)
	case by == flows.ByCode:
		return FunctionName(g.Function)
	}
	return known(g.Name)
}

// statsJSON is a group as docs/schema/stats.json describes it.
type statsJSON struct {
	By         string         `json:"by"`
	Name       any            `json:"name"`
	Share      any            `json:"share"`
	Calls      int            `json:"calls"`
	Unanswered int            `json:"unanswered"`
	Unasked    int            `json:"without_request"`
	Seconds    *timesJSON     `json:"seconds"`
	Bytes      *sizesJSON     `json:"bytes"`
	Errors     map[string]int `json:"errors"`
	Rest       any            `json:"rest"`
	Missing    int            `json:"missing"`
}

type timesJSON struct {
	Min any `json:"min"`
	P50 any `json:"p50"`
	P95 any `json:"p95"`
	P99 any `json:"p99"`
	Max any `json:"max"`
	Sum any `json:"sum"`
}

type sizesJSON struct {
	Calls int   `json:"calls"`
	Min   int64 `json:"min"`
	P50   int64 `json:"p50"`
	P95   int64 `json:"p95"`
	P99   int64 `json:"p99"`
	Max   int64 `json:"max"`
	Sum   int64 `json:"sum"`
}

func newStatsJSON(g *flows.Group, by flows.By) *statsJSON {
	j := &statsJSON{By: statsBy[by], Name: groupName(g, by), Share: known(g.Share), Calls: g.Calls, Unanswered: g.Unanswered,
		Unasked: g.Unasked, Errors: make(map[string]int), Rest: known(g.Keys), Missing: g.Missing}
	if d := &g.Times; d.N > 0 {
		j.Seconds = &timesJSON{seconds(d.Min), seconds(d.Quantile(0.5)), seconds(d.Quantile(0.95)), seconds(d.Quantile(0.99)), seconds(d.Max), seconds(d.Sum)}
	}
	if d := &g.Sizes; d.N > 0 {
		j.Bytes = &sizesJSON{d.N, d.Min, d.Quantile(0.5), d.Quantile(0.95), d.Quantile(0.99), d.Max, d.Sum}
	}
	for status, n := range g.Errors {
		j.Errors[StatusName(status)] = n
	}
	if g.MoreErrors > 0 {
		j.Errors["others"] = g.MoreErrors
	}
	return j
}

var statsNames = [...]string{"Command", "Control code", "File", "Share", "Client", "User"}

// StatsHeads returns what stands above the columns of StatsRow. All but the first and
// the last one are numbers.
func StatsHeads(by flows.By) []string {
	return []string{statsNames[by], "Calls", "Min", "p50", "p95", "p99", "Max", "Sum", "Bytes", "p50", "p95", "Max", "Errors"}
}

// StatsRow returns the cells of a group, escaped; those that it has no numbers for are
// empty.
func StatsRow(g *flows.Group, by flows.By) []string {
	row := []string{groupText(g, by), Count(g.Calls)}
	took := func(ns int64) string { return Took(time.Duration(ns)) }
	if d := &g.Times; d.N > 0 {
		row = append(row, took(d.Min), took(d.Quantile(0.5)), took(d.Quantile(0.95)), took(d.Quantile(0.99)), took(d.Max), took(d.Sum))
	} else {
		row = append(row, make([]string, 6)...)
	}
	size := func(n int64) string { return Size(uint64(n)) }
	if d := &g.Sizes; d.N > 0 {
		row = append(row, size(d.Sum), size(d.Quantile(0.5)), size(d.Quantile(0.95)), size(d.Max))
	} else {
		row = append(row, make([]string, 4)...)
	}
	return append(row, StatsErrors(g, 3))
}

func statsText(w io.Writer, groups []*flows.Group, by flows.By, s Style) error {
	if len(groups) == 0 {
		_, err := io.WriteString(w, "No exchanges.\n")
		return err
	}
	var t table
	heads := StatsHeads(by)
	last := len(heads) - 1
	for i, head := range heads {
		t.columns = append(t.columns, column{head, i > 0 && i < last})
	}
	missing := 0
	for _, g := range groups {
		missing = max(missing, g.Missing)
		row := make([]cell, len(heads))
		for i, text := range StatsRow(g, by) {
			row[i].text = text
		}
		row[last].color = red
		t.add(row...)
	}
	if err := t.write(w, s); err != nil || missing == 0 {
		return err
	}
	_, err := io.WriteString(w, StatsMissing(missing)+"\n")
	return err
}

// StatsMissing says what Group.Missing means.
func StatsMissing(missing int) string {
	return fmt.Sprintf("There are too many to count each from its beginning: up to %s of a line may be counted in the last one.",
		Plural(missing, "exchange", "exchanges"))
}

func groupText(g *flows.Group, by flows.By) string {
	if g.Keys > 0 {
		return fmt.Sprintf("(all others: %s times one that has no line)", Count(g.Keys))
	}
	name, ok := groupName(g, by).(string)
	if !ok {
		return "(none or unknown)"
	}
	if g.Share != "" {
		name = g.Share + `\` + name
	}
	return Escape(name)
}

// StatsErrors says what went wrong, the most frequent first and no more than most of
// them apart, and what is not there.
func StatsErrors(g *flows.Group, most int) string {
	var parts []string
	more := g.MoreErrors
	for i, status := range g.Statuses() {
		if n := g.Errors[status]; i < most {
			parts = append(parts, StatusName(status)+" "+Count(n))
		} else {
			more += n
		}
	}
	if more > 0 {
		parts = append(parts, "others "+Count(more))
	}
	if g.Unanswered > 0 {
		parts = append(parts, "no answer "+Count(g.Unanswered))
	}
	if g.Unasked > 0 {
		parts = append(parts, "no request "+Count(g.Unasked))
	}
	return strings.Join(parts, ", ")
}

func statsCSV(w io.Writer, groups []*flows.Group, by flows.By) error {
	head := []string{"by", "name", "share", "calls", "unanswered", "without_request", "min", "p50", "p95", "p99", "max", "sum",
		"bytes_calls", "bytes_min", "bytes_p50", "bytes_p95", "bytes_p99", "bytes_max", "bytes_sum", "errors", "rest", "missing"}
	return writeCSV(w, head, func(yield func([]string) bool) {
		for _, g := range groups {
			j := newStatsJSON(g, by)
			row := []string{j.By, csvCell(j.Name), csvCell(j.Share), strconv.Itoa(j.Calls), strconv.Itoa(j.Unanswered), strconv.Itoa(j.Unasked)}
			if t := j.Seconds; t != nil {
				row = append(row, csvCell(t.Min), csvCell(t.P50), csvCell(t.P95), csvCell(t.P99), csvCell(t.Max), csvCell(t.Sum))
			} else {
				row = append(row, make([]string, 6)...)
			}
			if b := j.Bytes; b != nil {
				for _, n := range []int64{int64(b.Calls), b.Min, b.P50, b.P95, b.P99, b.Max, b.Sum} {
					row = append(row, strconv.FormatInt(n, 10))
				}
			} else {
				row = append(row, make([]string, 7)...)
			}
			var errors []string
			for _, status := range g.Statuses() {
				errors = append(errors, fmt.Sprintf("%s=%d", StatusName(status), g.Errors[status]))
			}
			if g.MoreErrors > 0 {
				errors = append(errors, fmt.Sprintf("others=%d", g.MoreErrors))
			}
			if !yield(append(row, strings.Join(errors, " "), csvCell(j.Rest), strconv.Itoa(j.Missing))) {
				return
			}
		}
	})
}

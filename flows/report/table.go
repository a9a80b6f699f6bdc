package report

import (
	"bufio"
	"encoding/csv"
	"io"
	"strings"

	"github.com/rivo/uniseg"
)

// cell is a word of a text table: its text, escaped already, and its colour.
type cell struct{ text, color string }

// column is a column of a text table.
type column struct {
	head  string
	right bool // numbers
}

// table is text in aligned columns, as wide as its widest cells.
type table struct {
	columns []column
	rows    [][]cell
}

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

func (t *table) write(w io.Writer, s Style) error {
	widths := make([]int, len(t.columns))
	head := make([]cell, len(t.columns))
	for i, c := range t.columns {
		head[i] = cell{c.head, bold}
		widths[i] = uniseg.StringWidth(c.head)
	}
	for _, row := range t.rows {
		for i, c := range row {
			widths[i] = max(widths[i], uniseg.StringWidth(c.text))
		}
	}
	out := bufio.NewWriter(w)
	for _, row := range append([][]cell{head}, t.rows...) {
		var line strings.Builder
		for i, c := range row {
			pad := strings.Repeat(" ", widths[i]-uniseg.StringWidth(c.text))
			if i > 0 {
				line.WriteString("  ")
			}
			if t.columns[i].right {
				line.WriteString(pad + s.paint(c.color, c.text))
			} else {
				line.WriteString(s.paint(c.color, c.text) + pad)
			}
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return out.Flush()
}

// plain makes a cell of text from a capture.
func plain(s string) cell { return cell{text: Escape(s)} }

// writeCSV writes a header and rows. What a cell holds is escaped like text, so a
// row is always a line.
func writeCSV(w io.Writer, head []string, rows func(yield func([]string) bool)) error {
	out := csv.NewWriter(w)
	if err := out.Write(head); err != nil {
		return err
	}
	for row := range rows {
		for i := range row {
			row[i] = Escape(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

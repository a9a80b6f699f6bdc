package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
)

// exchangeJSON is an exchange as docs/schema/exchanges.json describes it.
type exchangeJSON struct {
	ID          int    `json:"id"`
	Command     string `json:"command"`
	ControlCode any    `json:"control_code"`
	File        any    `json:"file"`
	Offset      any    `json:"offset"`
	Length      any    `json:"length"`
	Status      any    `json:"status"`
	Request     any    `json:"request_frame"`
	Response    any    `json:"response_frame"`
	Interim     []int  `json:"interim_frames"`
	Seconds     any    `json:"seconds"`
	Connection  int    `json:"connection"`
	Transport   string `json:"transport"`
	Session     any    `json:"session"`
	Tree        any    `json:"tree"`
	User        any    `json:"user"`
	RDMA        any    `json:"rdma"`
	Uncertain   any    `json:"uncertain"`
}

func (j *exchangeJSON) fill(x *flows.Exchange) {
	*j = exchangeJSON{ID: x.ID, Command: CommandName(x.Command), File: known(x.File), Request: known(x.RequestFrame),
		Response: known(x.AnswerFrame), Interim: j.Interim[:0], Connection: x.Conn, Transport: "tcp", Session: sessionID(x.SessionID),
		Tree: known(x.Share), User: known(x.User), Uncertain: known(x.Uncertain)}
	if x.Command == smb2.Ioctl {
		j.ControlCode = FunctionName(x.Function)
	}
	if x.HasRange {
		j.Offset, j.Length = x.Offset, x.Length
	}
	if x.AnswerFrame != 0 {
		j.Status = StatusName(x.Status)
	}
	if x.InterimFrame != 0 {
		j.Interim = append(j.Interim, x.InterimFrame)
	}
	if took, ok := x.Took(); ok {
		j.Seconds = seconds(int64(took))
	}
	j.Interim = orEmpty(j.Interim)
}

// Exchanges prints the exchanges of an indexed capture that has been run, in the
// order of their completion; unanswered ones come last.
func Exchanges(w io.Writer, c *flows.Capture, f Format, s Style) error {
	return printExchanges(w, c, f, c.Results().First, s)
}

// exchangeSource is what a flows.Capture has of exchanges.
type exchangeSource interface {
	Exchanges() int
	Exchange(i int, x *flows.Exchange)
}

// printExchanges prints what c has; first is the time that text counts from.
func printExchanges(w io.Writer, c exchangeSource, f Format, first int64, s Style) error {
	order := completion(c)
	switch f {
	case Text:
		return exchangesText(w, c, order, first, s)
	case JSON:
		return exchangesJSON(w, c, order)
	case CSV:
		return exchangesCSV(w, c, order)
	}
	return errFormat(f)
}

// completion returns the positions of all exchanges in the order of their answers.
func completion(c exchangeSource) []int32 {
	type key struct{ answer, id, at int32 }
	keys := make([]key, c.Exchanges())
	var x flows.Exchange
	for i := range keys {
		c.Exchange(i, &x)
		keys[i] = key{int32(x.AnswerFrame), int32(x.ID), int32(i)}
		if x.AnswerFrame == 0 {
			keys[i].answer = math.MaxInt32
		}
	}
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(cmp.Compare(a.answer, b.answer), cmp.Compare(a.id, b.id)) })
	order := make([]int32, len(keys))
	for i := range keys {
		order[i] = keys[i].at
	}
	return order
}

func exchangesJSON(w io.Writer, c exchangeSource, order []int32) error {
	j := newJSONWriter(w)
	var x flows.Exchange
	var line exchangeJSON
	for _, i := range order {
		c.Exchange(int(i), &x)
		line.fill(&x)
		if err := j.line(&line); err != nil {
			return err
		}
	}
	return nil
}

// exchangesText prints lines of fixed columns, so that a long list begins at once.
func exchangesText(w io.Writer, c exchangeSource, order []int32, first int64, s Style) error {
	if len(order) == 0 {
		_, err := io.WriteString(w, "No exchanges.\n")
		return err
	}
	const columns = "%8s %8s %12s  %-30s %11s %8s  %-*s %9s"
	head := fmt.Sprintf(columns, "Request", "Answer", "Time", "Call", "Offset", "Length", statusWidth, "Status", "Took")
	if _, err := io.WriteString(w, s.paint(bold, head+"  File")+"\n"); err != nil {
		return err
	}
	var x flows.Exchange
	for _, i := range order {
		c.Exchange(int(i), &x)
		offset, length, took, status, color := "", "", "", "(no answer)", yellow
		if x.HasRange {
			offset, length = Exact(x.Offset), Exact(x.Length)
		}
		if d, ok := x.Took(); ok {
			took = Took(d)
		}
		if x.AnswerFrame != 0 {
			status, color = StatusName(x.Status), ""
			if x.Status.IsError() {
				color = red
			}
		}
		at := x.RequestTime
		if x.RequestFrame == 0 {
			at = x.AnswerTime
		}
		line := fmt.Sprintf(columns, frameOrDash(x.RequestFrame), frameOrDash(x.AnswerFrame), seconds6(at-first),
			CallName(x.Command, x.Function), offset, length, statusWidth, status, took)
		if x.File != "" {
			line += "  " + Escape(x.File)
		}
		// Paint last: the width of a colour's escape sequence would count.
		line = strings.Replace(line, "  "+status, "  "+s.paint(color, status), 1)
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			return err
		}
	}
	return nil
}

const statusWidth = 26 // of the names that are seen daily

func frameOrDash(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

// seconds6 prints a time in seconds with six digits after the point.
func seconds6(ns int64) string { return strconv.FormatFloat(float64(ns)/1e9, 'f', 6, 64) }

func exchangesCSV(w io.Writer, c exchangeSource, order []int32) error {
	head := []string{"id", "command", "control_code", "file", "offset", "length", "status", "request_frame", "response_frame",
		"interim_frames", "seconds", "connection", "transport", "session", "tree", "user", "uncertain"}
	return writeCSV(w, head, func(yield func([]string) bool) {
		var x flows.Exchange
		var j exchangeJSON
		for _, i := range order {
			c.Exchange(int(i), &x)
			j.fill(&x)
			interim := ""
			if x.InterimFrame != 0 {
				interim = strconv.Itoa(x.InterimFrame)
			}
			if !yield([]string{strconv.Itoa(j.ID), j.Command, csvCell(j.ControlCode), csvCell(j.File), csvCell(j.Offset), csvCell(j.Length),
				csvCell(j.Status), csvCell(j.Request), csvCell(j.Response), interim, csvCell(j.Seconds), strconv.Itoa(j.Connection),
				j.Transport, csvCell(j.Session), csvCell(j.Tree), csvCell(j.User), csvCell(j.Uncertain)}) {
				return
			}
		}
	})
}

// csvCell prints a value of a JSON form; null is an empty cell.
func csvCell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return fmt.Sprint(v)
}

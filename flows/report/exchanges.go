package report

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

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
	Timing      any    `json:"timing"`
	Cancel      any    `json:"cancel_frame"`
	Replay      bool   `json:"replay"`
}

// timingJSON is the parts of the time that an exchange took.
type timingJSON struct {
	Interim any `json:"interim_seconds"`
	Pending any `json:"pending_seconds"`
	Credit  any `json:"credit_wait_seconds"`
	Server  any `json:"server_seconds"`
}

// timingOf returns what is known of an exchange's time; nil if nothing is.
func timingOf(x *flows.Exchange) any {
	var t timingJSON
	if d, ok := x.UntilInterim(); ok {
		t.Interim = seconds(int64(d))
	}
	if d, ok := x.Pending(); ok {
		t.Pending = seconds(int64(d))
	}
	if x.CreditWait > 0 {
		t.Credit = seconds(int64(x.CreditWait))
	}
	if d, ok := x.InServer(); ok {
		t.Server = seconds(int64(d))
	}
	return known(t)
}

// rdmaMovedJSON is what moved by RDMA for an exchange.
type rdmaMovedJSON struct {
	Operations int    `json:"operations"`
	Bytes      uint64 `json:"bytes"`
	splitJSON
}

// splitJSON is the parts of the time that data by RDMA took.
type splitJSON struct {
	First any `json:"first_byte_seconds"`
	Data  any `json:"data_seconds"`
	After any `json:"response_seconds"`
}

func newSplitJSON(s flows.Split) (j splitJSON) {
	for _, part := range []struct {
		took time.Duration
		to   *any
	}{{s.Before, &j.First}, {s.Data, &j.Data}, {s.After, &j.After}} {
		if part.took >= 0 {
			*part.to = seconds(int64(part.took))
		}
	}
	return j
}

func (j *exchangeJSON) fill(x *flows.Exchange) {
	*j = exchangeJSON{ID: x.ID, Command: CommandName(x.Command), File: known(x.File), Request: known(x.RequestFrame),
		Response: known(x.AnswerFrame), Interim: j.Interim[:0], Connection: x.Conn, Transport: string(cmp.Or(x.Transport, flows.TCP)), Session: sessionID(x.SessionID),
		Tree: known(x.Share), User: known(x.User), Timing: timingOf(x), Cancel: known(x.CancelFrame), Replay: x.Replay, Uncertain: known(x.Uncertain)}
	if x.Command == smb2.Ioctl {
		j.ControlCode = FunctionName(x.Function)
	}
	if x.RDMA.Offered > 0 {
		j.RDMA = rdmaMovedJSON{x.RDMA.Operations, x.RDMA.Bytes, newSplitJSON(x.Split())}
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

// Exchanges prints the exchanges of a capture while it reads it, in the order of
// their completion; unanswered ones come last.
func Exchanges(ctx context.Context, w io.Writer, c *flows.Capture, f Format, s Style) error {
	p, err := newExchangePrinter(w, f, s)
	if err != nil {
		return err
	}
	var failed error
	err = c.EachExchange(ctx, func(x *flows.Exchange) bool {
		failed = p.print(x, c.First())
		return failed == nil
	})
	return cmp.Or(failed, p.end(), err)
}

// exchangePrinter prints a line an exchange.
type exchangePrinter struct {
	w     io.Writer
	form  Format
	style Style
	json  *jsonWriter
	csv   *csv.Writer
	line  exchangeJSON
}

// exchangeColumns are fixed, so that a long list begins at once.
const (
	exchangeColumns = "%8s %8s %12s  %-30s %11s %8s  %-*s %9s"
	statusWidth     = 26 // of the names that are seen daily
)

func newExchangePrinter(w io.Writer, f Format, s Style) (*exchangePrinter, error) {
	p := &exchangePrinter{w: w, form: f, style: s}
	switch f {
	case Text:
		head := fmt.Sprintf(exchangeColumns, "Request", "Answer", "Time", "Call", "Offset", "Length", statusWidth, "Status", "Took")
		_, err := io.WriteString(w, s.paint(bold, head+"  File")+"\n")
		return p, err
	case JSON:
		p.json = newJSONWriter(w)
		return p, nil
	case CSV:
		p.csv = csv.NewWriter(w)
		return p, p.csv.Write([]string{"id", "command", "control_code", "file", "offset", "length", "status", "request_frame",
			"response_frame", "interim_frames", "seconds", "connection", "transport", "session", "tree", "user", "uncertain",
			"interim_seconds", "pending_seconds", "credit_wait_seconds", "server_seconds", "cancel_frame", "replay",
			"rdma_operations", "rdma_bytes", "first_byte_seconds", "data_seconds", "response_seconds"})
	}
	return nil, errFormat(f)
}

// print writes the line of x; first is the time that text counts from.
func (p *exchangePrinter) print(x *flows.Exchange, first int64) error {
	switch p.form {
	case JSON:
		p.line.fill(x)
		return p.json.line(&p.line)
	case CSV:
		p.line.fill(x)
		return p.csv.Write(p.line.cells())
	}
	_, err := io.WriteString(p.w, exchangeText(x, first, p.style))
	return err
}

// end writes what is still buffered.
func (p *exchangePrinter) end() error {
	if p.csv == nil {
		return nil
	}
	p.csv.Flush()
	return p.csv.Error()
}

func exchangeText(x *flows.Exchange, first int64, s Style) string {
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
	line := fmt.Sprintf(exchangeColumns, frameOrDash(x.RequestFrame), frameOrDash(x.AnswerFrame), seconds6(at-first),
		CallName(x.Command, x.Function), offset, length, statusWidth, status, took)
	if x.File != "" {
		line += "  " + Escape(x.File)
	}
	if note := exchangeNote(x); note != "" {
		line += "  " + s.paint(dim, note)
	}
	// Paint last: the width of a colour's escape sequence would count.
	return strings.Replace(line, "  "+status, "  "+s.paint(color, status), 1) + "\n"
}

// exchangeNote says in brackets what is unusual about an exchange's way.
func exchangeNote(x *flows.Exchange) string {
	var parts []string
	if d, ok := x.UntilInterim(); ok {
		parts = append(parts, fmt.Sprintf("pending f%d after %s", x.InterimFrame, Took(d)))
	} else if x.InterimFrame != 0 {
		parts = append(parts, fmt.Sprintf("pending f%d", x.InterimFrame))
	}
	if x.CancelFrame != 0 {
		parts = append(parts, fmt.Sprintf("cancelled f%d", x.CancelFrame))
	}
	if x.CreditWait > 0 {
		parts = append(parts, "no credits for "+Took(x.CreditWait))
	}
	if x.Replay {
		parts = append(parts, "replay")
	}
	if x.RDMA.Operations > 0 {
		parts = append(parts, RDMATimes(x))
	}
	if parts == nil {
		return ""
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// RDMATimes says what RDMA moved for an exchange, and how its time splits.
func RDMATimes(x *flows.Exchange) string {
	text := Plural(x.RDMA.Operations, "RDMA operation", "RDMA operations")
	s := x.Split()
	if s.Before >= 0 {
		text += ", first byte after " + Took(s.Before)
	}
	if s.Data >= 0 {
		text += ", data in " + Took(s.Data)
	}
	if s.After >= 0 {
		text += ", answer after " + Took(s.After)
	}
	return text
}

func frameOrDash(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

// seconds6 prints a time in seconds with six digits after the point.
func seconds6(ns int64) string { return strconv.FormatFloat(float64(ns)/1e9, 'f', 6, 64) }

// cells makes a row of CSV, with an empty cell for null.
func (j *exchangeJSON) cells() []string {
	interim := make([]string, len(j.Interim))
	for i, n := range j.Interim {
		interim[i] = strconv.Itoa(n)
	}
	t, _ := j.Timing.(timingJSON) // else it is null
	cells := []string{strconv.Itoa(j.ID), j.Command, csvCell(j.ControlCode), csvCell(j.File), csvCell(j.Offset), csvCell(j.Length),
		csvCell(j.Status), csvCell(j.Request), csvCell(j.Response), strings.Join(interim, " "), csvCell(j.Seconds),
		strconv.Itoa(j.Connection), j.Transport, csvCell(j.Session), csvCell(j.Tree), csvCell(j.User), csvCell(j.Uncertain),
		csvCell(t.Interim), csvCell(t.Pending), csvCell(t.Credit), csvCell(t.Server), csvCell(j.Cancel), strconv.FormatBool(j.Replay)}
	if r, ok := j.RDMA.(rdmaMovedJSON); ok {
		cells = append(cells, strconv.Itoa(r.Operations), strconv.FormatUint(r.Bytes, 10), csvCell(r.First), csvCell(r.Data), csvCell(r.After))
	} else {
		cells = append(cells, "", "", "", "", "")
	}
	for i := range cells {
		cells[i] = Escape(cells[i])
	}
	return cells
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

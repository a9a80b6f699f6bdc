package report

import (
	"cmp"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/odxray/odxray/flows"
)

// copyJSON is a copy as docs/schema/copies.json describes it.
type copyJSON struct {
	ID          int         `json:"id" expr:"id"`
	Method      string      `json:"method" expr:"method"`
	Methods     []string    `json:"methods" expr:"methods"`
	Fallback    any         `json:"fallback" expr:"fallback"`
	Source      endJSON     `json:"source" expr:"source"`
	Destination endJSON     `json:"destination" expr:"destination"`
	Bytes       uint64      `json:"bytes" expr:"bytes"`
	WireBytes   uint64      `json:"wire_bytes" expr:"wire_bytes"`
	Mints       int         `json:"mints" expr:"mints"`
	Calls       callsJSON   `json:"calls" expr:"calls"`
	Covered     [][2]uint64 `json:"covered" expr:"covered"`
	Gaps        [][2]uint64 `json:"gaps" expr:"gaps"`
	Verdict     string      `json:"verdict" expr:"verdict"`
	Uncertain   any         `json:"uncertain" expr:"uncertain"`
	FirstFrame  int         `json:"first_frame" expr:"first_frame"`
	LastFrame   int         `json:"last_frame" expr:"last_frame"`
	Seconds     float64     `json:"seconds" expr:"seconds"`
}

type endJSON struct {
	Server string `json:"server" expr:"server"`
	Share  any    `json:"share" expr:"share"`
	Path   any    `json:"path" expr:"path"`
	Size   any    `json:"size" expr:"size"`
}

type callsJSON struct {
	Read  int `json:"read" expr:"read"`
	Write int `json:"write" expr:"write"`
}

func newEndJSON(e *flows.End) endJSON {
	j := endJSON{Server: e.Server, Share: known(e.Share), Path: known(e.Path)}
	if e.HasSize {
		j.Size = e.Size
	}
	return j
}

func newCopyJSON(c *flows.Copy) copyJSON {
	methods := make([]string, len(c.Methods))
	for i, m := range c.Methods {
		methods[i] = m.String()
	}
	return copyJSON{
		ID: c.ID, Method: c.Method.String(), Methods: methods, Fallback: known(c.Fallback),
		Source: newEndJSON(&c.Source), Destination: newEndJSON(&c.Destination),
		Bytes: c.Bytes, WireBytes: c.WireBytes, Mints: c.Mints, Calls: callsJSON{c.Reads, c.Writes},
		Covered: ranges(c.Covered), Gaps: ranges(c.Gaps), Verdict: c.Verdict.String(), Uncertain: known(c.Uncertain),
		FirstFrame: c.FirstFrame, LastFrame: c.LastFrame, Seconds: c.Seconds(),
	}
}

// Copies prints the copies of a capture.
func Copies(w io.Writer, r *flows.Results, f Format, s Style) error {
	switch f {
	case Text:
		return copiesText(w, r.Copies, s)
	case JSON:
		j := newJSONWriter(w)
		for i := range r.Copies {
			if err := j.line(newCopyJSON(&r.Copies[i])); err != nil {
				return err
			}
		}
		return nil
	case CSV:
		return copiesCSV(w, r.Copies)
	}
	return errFormat(f)
}

// Path names a file for people: what is not known has a word.
func Path(path string) string { return Escape(cmp.Or(path, "(unknown)")) }

// Method names the way of a copy, and those that it tried before: "odx, plain".
func Method(c *flows.Copy) string {
	names := make([]string, len(c.Methods))
	for i, m := range c.Methods {
		names[i] = m.String()
	}
	return cmp.Or(strings.Join(names, ", "), c.Method.String())
}

func copiesText(w io.Writer, copies []flows.Copy, s Style) error {
	if len(copies) == 0 {
		_, err := io.WriteString(w, "No copies.\n")
		return err
	}
	t := table{columns: []column{{"#", true}, {"Source", false}, {"Destination", false}, {"Method", false}, {"Bytes", true},
		{"On wire", true}, {"Time", true}, {"Rate", true}, {"Calls", true}, {"Covered", true}, {"Frames", true}, {"Verdict", false}}}
	for i := range copies {
		c := &copies[i]
		took := time.Duration(c.LastTime - c.FirstTime)
		covered := Size(Total(c.Covered))
		if c.Source.HasSize {
			covered = Percent(Total(c.Covered), c.Source.Size)
		}
		t.add(cell{text: strconv.Itoa(c.ID)}, cell{text: Path(c.Source.Path)}, cell{text: Path(c.Destination.Path)},
			cell{text: Method(c)}, cell{text: Size(c.Bytes)}, cell{text: Size(c.WireBytes)}, cell{text: Took(took)},
			cell{text: Rate(c.Bytes, took)}, cell{text: calls(c)}, cell{text: covered},
			cell{text: strconv.Itoa(c.FirstFrame) + "-" + strconv.Itoa(c.LastFrame)}, cell{c.Verdict.String(), verdictColor(c.Verdict)})
	}
	if err := t.write(w, s); err != nil {
		return err
	}
	for i := range copies {
		c := &copies[i]
		for _, note := range []struct{ what, text string }{
			{"fell back after ", c.Fallback}, {"not covered: ", Spans(c.Gaps)}, {"uncertain: ", c.Uncertain},
		} {
			if note.text == "" {
				continue
			}
			if _, err := io.WriteString(w, "copy "+strconv.Itoa(c.ID)+" "+note.what+Escape(note.text)+"\n"); err != nil {
				return err
			}
		}
	}
	return nil
}

// calls counts the calls of a copy: "8r 113w".
func calls(c *flows.Copy) string { return strconv.Itoa(c.Reads) + "r " + strconv.Itoa(c.Writes) + "w" }

func copiesCSV(w io.Writer, copies []flows.Copy) error {
	head := []string{"id", "method", "methods", "fallback", "source_server", "source_share", "source_path", "source_size",
		"destination_server", "destination_share", "destination_path", "destination_size", "bytes", "wire_bytes", "mints",
		"reads", "writes", "covered", "gaps", "verdict", "uncertain", "first_frame", "last_frame", "seconds"}
	return writeCSV(w, head, func(yield func([]string) bool) {
		for i := range copies {
			c := &copies[i]
			if !yield([]string{strconv.Itoa(c.ID), c.Method.String(), strings.ReplaceAll(Method(c), ", ", " "), c.Fallback,
				c.Source.Server, c.Source.Share, c.Source.Path, sizeCSV(&c.Source),
				c.Destination.Server, c.Destination.Share, c.Destination.Path, sizeCSV(&c.Destination),
				number(c.Bytes), number(c.WireBytes), strconv.Itoa(c.Mints), strconv.Itoa(c.Reads), strconv.Itoa(c.Writes),
				rangesCSV(c.Covered), rangesCSV(c.Gaps), c.Verdict.String(), c.Uncertain, strconv.Itoa(c.FirstFrame),
				strconv.Itoa(c.LastFrame), seconds(c.LastTime - c.FirstTime).String()}) {
				return
			}
		}
	})
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

func sizeCSV(e *flows.End) string {
	if !e.HasSize {
		return ""
	}
	return number(e.Size)
}

// rangesCSV puts ranges into a cell: "0-16 32-48", ends not included.
func rangesCSV(rs []flows.Range) string {
	s := make([]string, len(rs))
	for i, r := range rs {
		s[i] = number(r.Start) + "-" + number(r.End)
	}
	return strings.Join(s, " ")
}

package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
)

// jsonWriter writes JSON values, each on a line of its own, with a buffer that it
// reuses.
type jsonWriter struct {
	w        io.Writer
	raw, out bytes.Buffer
	enc      *json.Encoder
}

func newJSONWriter(w io.Writer) *jsonWriter {
	j := &jsonWriter{w: w}
	j.enc = json.NewEncoder(&j.raw)
	j.enc.SetEscapeHTML(false)
	return j
}

// JSONLine writes v as JSON on a line of its own, in which nothing can do anything to a
// terminal.
func JSONLine(w io.Writer, v any) error { return newJSONWriter(w).line(v) }

// line writes v and a line feed.
func (j *jsonWriter) line(v any) error {
	j.raw.Reset()
	if err := j.enc.Encode(v); err != nil {
		return err
	}
	j.out.Reset()
	j.out.Write(escapeJSON(j.out.AvailableBuffer(), j.raw.Bytes()))
	_, err := j.w.Write(j.out.Bytes())
	return err
}

// member is a name and a value of a document.
type member struct {
	name  string
	value any
}

// document writes an object whose members stand on lines of their own, and whose
// lists have a line an element: one can read it, and compare two with diff.
func (j *jsonWriter) document(members ...member) error {
	for i, m := range members {
		open := ",\n "
		if i == 0 {
			open = "{"
		}
		if _, err := fmt.Fprintf(j.w, "%s%q:", open, m.name); err != nil {
			return err
		}
		if err := j.value(m.value); err != nil {
			return err
		}
	}
	_, err := io.WriteString(j.w, "}\n")
	return err
}

// each is a list that is made while it is written.
type each func(yield func(any) bool)

func (j *jsonWriter) value(v any) error {
	list, ok := v.(each)
	if !ok {
		return j.bare(v)
	}
	sep := "[\n  "
	for v := range list {
		if _, err := io.WriteString(j.w, sep); err != nil {
			return err
		}
		if err := j.bare(v); err != nil {
			return err
		}
		sep = ",\n  "
	}
	end := "]"
	if sep[0] == '[' {
		end = "[]"
	}
	_, err := io.WriteString(j.w, end)
	return err
}

// bare writes v without a line feed.
func (j *jsonWriter) bare(v any) error {
	j.raw.Reset()
	if err := j.enc.Encode(v); err != nil {
		return err
	}
	j.out.Reset()
	j.out.Write(escapeJSON(j.out.AvailableBuffer(), bytes.TrimSuffix(j.raw.Bytes(), []byte("\n"))))
	_, err := j.w.Write(j.out.Bytes())
	return err
}

// What the capture does not show is null: known returns nil for a zero value.
func known[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// stamp prints a time as RFC 3339 with as many digits as it needs of six and nine.
func stamp(ns int64) string { return string(appendStamp(nil, ns)) }

func appendStamp(dst []byte, ns int64) []byte {
	t := time.Unix(0, ns).UTC()
	if ns%1000 == 0 {
		return t.AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	}
	return t.AppendFormat(dst, "2006-01-02T15:04:05.000000000Z")
}

// stampOrNull is stamp, but for the zero of "there is none".
func stampOrNull(ns int64) any {
	if ns == 0 {
		return nil
	}
	return stamp(ns)
}

// seconds makes a JSON number of nanoseconds that loses none of them.
func seconds(ns int64) json.Number { return json.Number(appendSeconds(nil, ns)) }

// appendSeconds appends what seconds returns.
func appendSeconds(dst []byte, ns int64) []byte {
	if ns < 0 {
		dst, ns = append(dst, '-'), -ns
	}
	dst = strconv.AppendInt(dst, ns/1e9, 10)
	if ns %= 1e9; ns == 0 {
		return dst
	}
	start := len(dst)
	dst = strconv.AppendInt(dst, 1e9+ns, 10)
	dst[start] = '.' // in place of the 1 that kept the zeros
	return bytes.TrimRight(dst, "0")
}

// ranges makes [start, end] pairs; an empty list is [], not null.
func ranges(rs []flows.Range) [][2]uint64 {
	pairs := make([][2]uint64, len(rs))
	for i, r := range rs {
		pairs[i] = [2]uint64{r.Start, r.End}
	}
	return pairs
}

// orEmpty returns a list that prints as [] if it has no elements.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// sessionID prints a session id as odxray does everywhere: 0x and 16 digits.
func sessionID(id uint64) any {
	if id == 0 {
		return nil
	}
	return fmt.Sprintf("0x%016x", id)
}

// CommandName returns the specification's name of a command.
func CommandName(c smb2.Command) string {
	if name := c.Name(); name != "" {
		return name
	}
	return fmt.Sprintf("0x%04x", uint16(c))
}

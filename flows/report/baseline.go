package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/odxray/odxray/flows"
)

// auditDocument is the JSON of an audit, with what it lists as it stands there.
type auditDocument struct {
	Schema   string            `json:"schema"`
	Capture  json.RawMessage   `json:"capture"`
	Copies   []json.RawMessage `json:"copies"`
	Mints    []json.RawMessage `json:"mints"`
	Findings []json.RawMessage `json:"findings"`
	Counts   countsJSON        `json:"counts"`
}

// AddToBaseline writes the JSON of an audit of files that has finding f of r and the copy
// that it is about, after all that old has: the JSON of another audit;
// nil for none. It returns false, and writes nothing, if old has that finding already. What
// is no JSON of an audit is an error.
func AddToBaseline(w io.Writer, old []byte, files []string, r *flows.Results, f *flows.Finding) (bool, error) {
	var doc auditDocument
	ids := 0                  // the highest of a copy
	at := map[[2]string]int{} // copies by source and destination
	if old != nil {
		if _, err := ReadBaseline(bytes.NewReader(old)); err != nil {
			return false, err
		}
		if err := json.Unmarshal(old, &doc); err != nil {
			return false, err
		}
		for _, raw := range doc.Copies {
			var c struct {
				ID                  int
				Source, Destination struct{ Path string }
			}
			if err := json.Unmarshal(raw, &c); err != nil {
				return false, err
			}
			ids = max(ids, c.ID)
			at[[2]string{c.Source.Path, c.Destination.Path}] = c.ID
		}
	}

	// Numbers of copies are those of the document: in old they may be of another capture.
	one := *r
	one.Copies, one.Mints, one.Findings = nil, nil, []flows.Finding{*f}
	if i := slices.IndexFunc(r.Copies, func(c flows.Copy) bool { return f.Copy != 0 && c.ID == f.Copy }); i >= 0 {
		c := r.Copies[i]
		id, known := at[[2]string{c.Source.Path, c.Destination.Path}]
		switch {
		case known:
			c.ID = id
		case old != nil:
			c.ID = ids + 1
		}
		one.Findings[0].Copy = c.ID
		if !known {
			one.Copies = []flows.Copy{c}
		}
	}
	var buf bytes.Buffer
	if err := (&Audit{Files: files, Results: &one}).json(&buf); err != nil {
		return false, err
	}
	var added auditDocument
	if err := json.Unmarshal(buf.Bytes(), &added); err != nil {
		return false, err
	}
	if has, err := hasFinding(doc.Findings, added.Findings[0]); has || err != nil {
		return false, err
	}
	if old == nil {
		doc.Schema, doc.Capture = added.Schema, added.Capture
	}
	doc.Copies = append(doc.Copies, added.Copies...)
	doc.Findings = append(doc.Findings, added.Findings...)
	doc.Counts.Error += added.Counts.Error
	doc.Counts.Warning += added.Counts.Warning
	doc.Counts.Note += added.Counts.Note
	raws := func(list []json.RawMessage) each {
		return func(yield func(any) bool) {
			for _, raw := range list {
				if !yield(raw) {
					return
				}
			}
		}
	}
	return true, newJSONWriter(w).document(member{"schema", doc.Schema}, member{"capture", doc.Capture}, member{"copies", raws(doc.Copies)},
		member{"mints", raws(doc.Mints)}, member{"findings", raws(doc.Findings)}, member{"counts", doc.Counts})
}

// hasFinding tells whether list has a finding: the same rule, of the same copy, that names the
// same frames in the same words.
func hasFinding(list []json.RawMessage, raw json.RawMessage) (bool, error) {
	key := func(raw json.RawMessage) (string, error) {
		var f struct {
			Rule, Level, Message string
			Frames               []int
			Copy                 int
		}
		err := json.Unmarshal(raw, &f)
		return fmt.Sprintf("%q", []any{f.Rule, f.Level, f.Message, f.Frames, f.Copy}), err
	}
	want, err := key(raw)
	if err != nil {
		return false, err
	}
	for _, raw := range list {
		if is, err := key(raw); err != nil || is == want {
			return err == nil, err
		}
	}
	return false, nil
}

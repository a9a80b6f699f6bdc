package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/audit"
)

// AuditSchema names the form of the audit's JSON.
const AuditSchema = "odxray.audit/1"

// captureJSON is the capture as docs/schema/audit.json describes it; a capture of
// several files has a list of them.
type captureJSON struct {
	File     any      `json:"file,omitempty" expr:"file"`
	Files    []string `json:"files,omitempty" expr:"files"`
	Frames   int      `json:"frames" expr:"frames"`
	Messages int      `json:"messages" expr:"messages"`
	First    any      `json:"first" expr:"first"`
	Last     any      `json:"last" expr:"last"`
	Complete bool     `json:"complete" expr:"complete"`
	Problems []string `json:"problems" expr:"problems"`
}

func newCaptureJSON(files []string, r *flows.Results) captureJSON {
	j := captureJSON{Frames: r.Frames, Messages: r.Messages, First: stampOrNull(r.First), Last: stampOrNull(r.Last),
		Complete: !r.Incomplete, Problems: orEmpty(r.Problems)}
	if len(files) == 1 {
		j.File = files[0]
	} else {
		j.Files = files
	}
	return j
}

type findingJSON struct {
	Rule      string `json:"rule" expr:"rule"`
	Level     string `json:"level" expr:"level"`
	Message   string `json:"message" expr:"message"`
	Frames    []int  `json:"frames" expr:"frames"`
	Copy      any    `json:"copy" expr:"copy"`
	Mint      any    `json:"mint" expr:"mint"`
	Uncertain any    `json:"uncertain" expr:"uncertain"`
	At        []At   `json:"at,omitempty" expr:"at"`
}

// At is where a frame of a timeline of several files came from.
type At struct {
	File  string `json:"file" expr:"file"`
	Frame int    `json:"frame" expr:"frame"`
}

func (a *Audit) newFindingJSON(f *flows.Finding) findingJSON {
	return findingJSON{Rule: f.Rule, Level: f.Level.String(), Message: f.Message, Frames: orEmpty(f.Frames), Copy: known(f.Copy),
		Mint: known(f.Mint), Uncertain: known(f.Uncertain), At: a.at(f)}
}

// at says where the frames of a finding came from, if there are several files.
func (a *Audit) at(f *flows.Finding) []At {
	if len(a.Files) < 2 || a.Origin == nil {
		return nil
	}
	at := make([]At, len(f.Frames))
	for i, n := range f.Frames {
		file, frame := a.Origin(n)
		at[i] = At{a.Files[file], frame}
	}
	return at
}

type countsJSON struct {
	Error   int `json:"error" expr:"error"`
	Warning int `json:"warning" expr:"warning"`
	Note    int `json:"note" expr:"note"`
}

func newCounts(r *flows.Results) countsJSON {
	return countsJSON{r.Count(flows.Error), r.Count(flows.Warning), r.Count(flows.Note)}
}

// Audit is what an audit prints: the findings of a capture that were asked for.
type Audit struct {
	Files   []string
	Rules   []audit.Rule                       // those that were asked for
	Origin  func(frame int) (file, number int) // of a timeline of several files
	Results *flows.Results                     // its Findings are those to print
	Known   int                                // findings left out because the baseline has them
	FailOn  flows.Level                        // what fails, for JUnit
	Never   bool                               // nothing fails
}

// Print prints the audit.
func (a *Audit) Print(w io.Writer, f Format, s Style) error {
	switch f {
	case Text:
		return a.text(w, s)
	case JSON:
		return a.json(w)
	case SARIF:
		return a.sarif(w)
	case JUnit:
		return a.junit(w)
	}
	return errFormat(f)
}

func (a *Audit) json(w io.Writer) error {
	r := a.Results
	return newJSONWriter(w).document(
		member{"schema", AuditSchema},
		member{"capture", newCaptureJSON(a.Files, r)},
		member{"copies", each(func(yield func(any) bool) {
			for i := range r.Copies {
				if !yield(newCopyJSON(&r.Copies[i])) {
					return
				}
			}
		})},
		member{"mints", each(func(yield func(any) bool) {
			for i := range r.Mints {
				if !yield(newMintJSON(&r.Mints[i])) {
					return
				}
			}
		})},
		member{"findings", each(func(yield func(any) bool) {
			for i := range r.Findings {
				if !yield(a.newFindingJSON(&r.Findings[i])) {
					return
				}
			}
		})},
		member{"counts", newCounts(r)})
}

// text prints the findings, worst first, each with the frames that prove it.
func (a *Audit) text(w io.Writer, s Style) error {
	for level := flows.Error; ; level-- {
		for i := range a.Results.Findings {
			f := &a.Results.Findings[i]
			if f.Level != level {
				continue
			}
			if _, err := fmt.Fprintf(w, "%s %s: %s%s\n", s.paint(levelColor(level), fmt.Sprintf("%-7s", level)), Escape(f.Rule),
				Escape(f.Message), about(f)); err != nil {
				return err
			}
		}
		if level == flows.Note {
			break
		}
	}
	_, err := fmt.Fprintln(w, a.verdict())
	return err
}

// about says what a finding is about: "(frames 48, 50; copy 1; token 7f3a91c2)".
func about(f *flows.Finding) string {
	var parts []string
	if len(f.Frames) > 0 {
		parts = append(parts, FrameList(f.Frames))
	}
	if f.Copy != 0 {
		parts = append(parts, "copy "+strconv.Itoa(f.Copy))
	}
	if f.Mint != "" {
		parts = append(parts, "token "+f.Mint)
	}
	if f.Uncertain != "" {
		parts = append(parts, "uncertain: "+Escape(f.Uncertain))
	}
	if parts == nil {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

// FrameList names frames, the first few of many: "frames 48, 50".
func FrameList(frames []int) string {
	const most = 6
	s := make([]string, 0, most)
	for i, n := range frames {
		if i == most {
			return "frames " + strings.Join(s, ", ") + fmt.Sprintf(" and %d more", len(frames)-most)
		}
		s = append(s, strconv.Itoa(n))
	}
	if len(s) == 1 {
		return "frame " + s[0]
	}
	return "frames " + strings.Join(s, ", ")
}

func (a *Audit) verdict() string {
	r := a.Results
	s := Plural(r.Count(flows.Error), "error", "errors") + ", " + Plural(r.Count(flows.Warning), "warning", "warnings") + ", " +
		Plural(r.Count(flows.Note), "note", "notes") + " in " + Plural(len(r.Copies), "copy", "copies") + " and " +
		Plural(len(r.Mints), "token", "tokens")
	if a.Known > 0 {
		s += "; " + Plural(a.Known, "finding", "findings") + " in the baseline not shown"
	}
	if r.Incomplete {
		s += "; the capture is incomplete"
	}
	return s
}

// Baseline is what an earlier audit found, to tell new findings from old ones. Two
// findings are the same if rule, level and what they are about are: frames and
// numbers differ from capture to capture.
type Baseline map[baselineKey]int

type baselineKey struct{ rule, level, source, destination string }

// ReadBaseline reads the JSON of an audit.
func ReadBaseline(r io.Reader) (Baseline, error) {
	var doc struct {
		Schema string
		Copies []struct {
			ID                  int
			Source, Destination struct{ Path string }
		}
		Findings []struct {
			Rule, Level string
			Copy        int
		}
	}
	if err := json.NewDecoder(r).Decode(&doc); err != nil {
		return nil, err
	}
	if doc.Schema != AuditSchema {
		return nil, fmt.Errorf("schema %q is not %q: make it with audit -T json", doc.Schema, AuditSchema)
	}
	b := Baseline{}
	for _, f := range doc.Findings {
		key := baselineKey{rule: f.Rule, level: f.Level}
		for _, c := range doc.Copies {
			if f.Copy != 0 && c.ID == f.Copy {
				key.source, key.destination = c.Source.Path, c.Destination.Path
			}
		}
		b[key]++
	}
	return b, nil
}

// Filter returns r with the findings of rules, without those that the baseline has,
// and how many these are. A baseline entry stands for one finding.
func Filter(r *flows.Results, rules []audit.Rule, b Baseline) (*flows.Results, int) {
	left := make(Baseline, len(b))
	for k, n := range b {
		left[k] = n
	}
	known, out := 0, *r
	out.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f flows.Finding) bool {
		if !slices.ContainsFunc(rules, func(r audit.Rule) bool { return r.ID == f.Rule }) {
			return true
		}
		key := baselineKey{rule: f.Rule, level: f.Level.String()}
		for i := range r.Copies {
			if c := &r.Copies[i]; f.Copy != 0 && c.ID == f.Copy {
				key.source, key.destination = c.Source.Path, c.Destination.Path
			}
		}
		if left[key] == 0 {
			return false
		}
		left[key]--
		known++
		return true
	})
	return &out, known
}

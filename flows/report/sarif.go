package report

import (
	"encoding/json"
	"io"
	"slices"

	"github.com/odxray/odxray/flows"
)

// The parts of SARIF 2.1.0 that an audit fills. https://docs.oasis-open.org/sarif/sarif/v2.1.0/

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID            string          `json:"id"`
	Short         sarifText       `json:"shortDescription"`
	Help          sarifText       `json:"help"`
	Configuration sarifConfig     `json:"defaultConfiguration"`
	Properties    sarifProperties `json:"properties"`
}

type sarifConfig struct {
	Level string `json:"level"`
}

type sarifProperties struct {
	Specification string `json:"specification"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID     string          `json:"ruleId"`
	RuleIndex  int             `json:"ruleIndex"`
	Level      string          `json:"level"`
	Message    sarifText       `json:"message"`
	Locations  []sarifLocation `json:"locations"`
	Properties map[string]any  `json:"properties"`
}

type sarifLocation struct {
	Physical   sarifPhysical  `json:"physicalLocation"`
	Properties map[string]int `json:"properties,omitempty"`
}

type sarifPhysical struct {
	Artifact struct {
		URI string `json:"uri"`
	} `json:"artifactLocation"`
}

func (a *Audit) sarif(w io.Writer) error {
	var run sarifRun
	run.Tool.Driver = sarifDriver{Name: "odxray", InformationURI: "https://github.com/odxray/odxray", Rules: []sarifRule{}}
	run.Results = []sarifResult{}
	index := map[string]int{}
	for i, r := range a.Rules {
		index[r.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{ID: r.ID, Short: sarifText{r.Meaning}, Help: sarifText{r.Advice},
			Configuration: sarifConfig{r.Level.String()}, Properties: sarifProperties{r.Spec}})
	}
	for i := range a.Results.Findings {
		f := &a.Results.Findings[i]
		run.Results = append(run.Results, sarifResult{RuleID: f.Rule, RuleIndex: index[f.Rule], Level: f.Level.String(),
			Message: sarifText{Escape(f.Message) + about(f)}, Locations: a.locations(f),
			Properties: map[string]any{"frames": orEmpty(f.Frames), "copy": known(f.Copy), "mint": known(f.Mint), "uncertain": known(f.Uncertain)}})
	}
	doc, err := json.MarshalIndent(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}, "", " ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(escapeJSON(nil, doc), '\n'))
	return err
}

// locations says where a finding is: its first frame in each of the captures.
func (a *Audit) locations(f *flows.Finding) []sarifLocation {
	at := a.at(f)
	if at == nil {
		for _, n := range f.Frames[:min(1, len(f.Frames))] {
			at = append(at, At{a.Files[0], n})
		}
	}
	list := []sarifLocation{}
	for i, p := range at {
		if slices.ContainsFunc(at[:i], func(q At) bool { return p.File == q.File }) {
			continue
		}
		l := sarifLocation{Properties: map[string]int{"frame": p.Frame}}
		l.Physical.Artifact.URI = fileURI(p.File)
		list = append(list, l)
	}
	if len(list) == 0 { // it is about the capture as a whole
		for _, file := range a.Files {
			var l sarifLocation
			l.Physical.Artifact.URI = fileURI(file)
			list = append(list, l)
		}
	}
	return list
}

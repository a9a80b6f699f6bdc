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
	ID string `json:"id"`
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
	Physical sarifPhysical `json:"physicalLocation"`
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
	rules := ruleIDs(a.Results.Findings)
	for _, id := range rules {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{ID: id})
	}
	var locations []sarifLocation
	for _, file := range a.Files {
		var l sarifLocation
		l.Physical.Artifact.URI = fileURI(file)
		locations = append(locations, l)
	}
	for i := range a.Results.Findings {
		f := &a.Results.Findings[i]
		run.Results = append(run.Results, sarifResult{RuleID: f.Rule, RuleIndex: slices.Index(rules, f.Rule), Level: f.Level.String(),
			Message: sarifText{Escape(f.Message) + about(f)}, Locations: locations,
			Properties: map[string]any{"frames": orEmpty(f.Frames), "copy": known(f.Copy), "mint": known(f.Mint), "uncertain": known(f.Uncertain)}})
	}
	doc, err := json.MarshalIndent(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}, "", " ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(escapeJSON(nil, doc), '\n'))
	return err
}

// ruleIDs lists the rules of findings once, in order.
func ruleIDs(findings []flows.Finding) []string {
	var ids []string
	for i := range findings {
		ids = append(ids, findings[i].Rule)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

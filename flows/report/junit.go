package report

import (
	"encoding/xml"
	"io"
	"strings"

	"github.com/odxray/odxray/flows"
)

// The form that Jenkins, GitLab and others read: a test case a rule, which fails if
// it has findings at the level that fails the audit.

type junitSuites struct {
	XMLName xml.Name   `xml:"testsuites"`
	Suite   junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

func (a *Audit) junit(w io.Writer) error {
	suite := junitSuite{Name: "odxray audit " + Escape(strings.Join(a.Files, " "))}
	for _, r := range a.Rules {
		class, name, _ := strings.Cut(r.ID, "/")
		suite.Cases = append(suite.Cases, a.junitCase(junitCase{Class: class, Name: name}, r.ID))
	}
	suite.Tests = len(suite.Cases)
	for i := range suite.Cases {
		if suite.Cases[i].Failure != nil {
			suite.Failures++
		}
	}
	doc, err := xml.MarshalIndent(junitSuites{Suite: suite}, "", " ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(doc)+"\n")
	return err
}

// junitCase fills the case of rule id.
func (a *Audit) junitCase(c junitCase, id string) junitCase {
	var bad, rest []string
	worst, message := flows.Note, ""
	for i := range a.Results.Findings {
		f := &a.Results.Findings[i]
		if f.Rule != id {
			continue
		}
		line := f.Level.String() + ": " + Escape(f.Message) + about(f)
		if a.Never || f.Level < a.FailOn {
			rest = append(rest, line)
			continue
		}
		if bad == nil || f.Level > worst {
			worst, message = f.Level, Escape(f.Message)
		}
		bad = append(bad, line)
	}
	if bad != nil {
		c.Failure = &junitFailure{Message: message, Type: worst.String(), Text: strings.Join(bad, "\n")}
	}
	c.Out = strings.Join(rest, "\n")
	return c
}

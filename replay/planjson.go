package replay

import (
	"io"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows/report"
)

// stepJSON is a step as docs/schema/replay-plan.json describes it.
type stepJSON struct {
	ID          int      `json:"id"`
	Frame       int      `json:"frame"`
	Connection  int      `json:"connection"`
	Compound    []int    `json:"compound"` // steps of it; empty unless there are several
	Seconds     float64  `json:"seconds"`  // since the first request
	Command     string   `json:"command"`
	ControlCode any      `json:"control_code"`
	File        any      `json:"file"`
	Needs       []string `json:"needs"`
	Gives       []string `json:"gives"`
	After       []int    `json:"after"`
	Behind      []int    `json:"behind"`
	Status      any      `json:"status"`
	Took        any      `json:"took_seconds"`
	Skip        any      `json:"skip"`
}

// JSON prints the plan: a line a step.
func (p *Plan) JSON(w io.Writer) error {
	gives := p.gives()
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Skip == notSelected {
			continue
		}
		g := &p.Groups[s.Group]
		j := stepJSON{ID: s.ID, Frame: s.Exchange.RequestFrame, Connection: p.Conns[g.Conn].ID, Seconds: float64(g.Sent-p.First) / 1e9,
			Command: report.CommandName(s.Header.Command), File: known(s.Exchange.File), Skip: known(s.Skip),
			Compound: []int{}, Needs: []string{}, Gives: []string{}, After: []int{}, Behind: []int{}}
		if len(g.Steps) > 1 {
			j.Compound = g.Steps
		}
		if s.Header.Command == smb2.Ioctl {
			j.ControlCode = report.FunctionName(s.Exchange.Function)
		}
		for _, slot := range p.slotsOf(s) {
			j.Needs = append(j.Needs, p.Slots[slot].String())
		}
		j.Gives = append(j.Gives, gives[s.ID]...)
		for _, o := range g.After {
			j.After = append(j.After, p.Groups[o].Steps[:min(1, len(p.Groups[o].Steps))]...)
		}
		for _, o := range g.Behind {
			j.Behind = append(j.Behind, p.Groups[o].Steps[:min(1, len(p.Groups[o].Steps))]...)
		}
		if s.Answered() {
			j.Status = report.StatusName(statusOf(s.Answer))
		}
		if took, ok := s.Exchange.Took(); ok {
			j.Took = took.Seconds()
		}
		if err := report.JSONLine(w, j); err != nil {
			return err
		}
	}
	return nil
}

// known returns v, or nil if that says nothing.
func known[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

package replay

// A plan for people and for programs.

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
)

// Text prints the plan: a line a step.
func (p *Plan) Text(w io.Writer) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	gives := p.gives()
	fmt.Fprintln(t, "Step\tFrame\tConn\tTime\tCall\tNeeds\tGives\tAfter\tExpect\tFile")
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Skip == notSelected {
			continue
		}
		g := &p.Groups[s.Group]
		expect := "no answer"
		switch {
		case s.Skip != "":
			expect = "skipped: " + s.Skip
		case s.Login != 0 && s.Login != s.ID:
			expect = fmt.Sprintf("part of step %d", s.Login)
		case s.Header.Command == smb2.Cancel:
			expect = fmt.Sprintf("ends step %d", s.Cancel)
		case s.Answered():
			expect = report.StatusName(statusOf(s.Answer))
		}
		call := report.CallName(s.Header.Command, s.Exchange.Function)
		if s.Position > 0 {
			call = "+ " + call
		}
		after := ""
		if s.Position == 0 {
			after = p.after(g)
		}
		fmt.Fprintf(t, "%d\t%d\t%d\t%.6f\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, s.Exchange.RequestFrame, p.Conns[g.Conn].ID,
			float64(g.Sent-p.First)/1e9, call, p.slotNames(s.Uses, s), slotList(gives[s.ID]), after, report.Escape(expect), report.Escape(s.Exchange.File))
	}
	t.Flush()
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	for _, k := range p.Breaks {
		if _, err := fmt.Fprintln(w, p.breakText(&k)); err != nil {
			return err
		}
	}
	for _, problem := range p.Problems {
		if _, err := fmt.Fprintln(w, report.Escape(problem)); err != nil {
			return err
		}
	}
	return nil
}

// breakText says what the captured server took back, and what acknowledges that.
func (p *Plan) breakText(k *Break) string {
	what := "a file"
	if k.Slot >= 0 {
		what = p.Slots[k.Slot].String()
	}
	kind := smb2.OplockLevel(k.Level).String()
	if k.Lease {
		kind = "lease state " + flows.Caching{Oplock: smb2.OplockLease, Lease: smb2.LeaseState(k.Level)}.String()
	}
	text := fmt.Sprintf("Break in frame %d on connection %d: %s down to %s", k.Frame, p.Conns[k.Conn].ID, what, kind)
	if k.Ack != 0 {
		text += fmt.Sprintf(", acknowledged by step %d", k.Ack)
	}
	return text
}

// after lists the steps that a group waits for; those that only have to be sent stand in
// brackets.
func (p *Plan) after(g *Group) string {
	var list []string
	for _, o := range g.After {
		list = append(list, p.groupName(o))
	}
	for _, o := range g.Behind {
		list = append(list, "("+p.groupName(o)+")")
	}
	if most := 6; len(list) > most {
		list = append(list[:most-1], fmt.Sprintf("and %d more", len(list)-most+1))
	}
	return strings.Join(list, " ")
}

// groupName is the group's first step, or the connection that it ends.
func (p *Plan) groupName(g int) string {
	if group := &p.Groups[g]; group.Ends {
		return fmt.Sprintf("end of connection %d", p.Conns[group.Conn].ID)
	}
	return fmt.Sprint(p.Groups[g].Steps[0])
}

// gives lists, by step, the slots that its answer brings.
func (p *Plan) gives() map[int][]string {
	list := make(map[int][]string)
	for i := range p.Slots {
		if s := &p.Slots[i]; s.Defined != 0 {
			list[s.Defined] = append(list[s.Defined], s.String())
		}
	}
	return list
}

// slotNames lists the slots that a step uses, that of its header first.
func (p *Plan) slotNames(uses []Use, s *Step) string {
	var list []string
	if s.Tree >= 0 && s.Header.Command != smb2.TreeConnect {
		list = append(list, p.Slots[s.Tree].String())
	} else if s.Session >= 0 && s.Header.Command != smb2.SessionSetup {
		list = append(list, p.Slots[s.Session].String())
	}
	for _, u := range uses {
		list = append(list, p.Slots[u.Slot].String())
	}
	return slotList(list)
}

// slotList joins names, the first few of many.
func slotList(list []string) string {
	if most := 5; len(list) > most {
		list = append(list[:most:most], fmt.Sprintf("and %d more", len(list)-most))
	}
	return strings.Join(list, " ")
}

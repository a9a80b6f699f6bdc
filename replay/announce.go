package replay

// A whole replay: what it says before, what is made before and removed after it.

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows/report"
)

// Announce says what a replay would do.
func (p *Plan) Announce(w io.Writer, o Options, presupposed []*Entry, clean bool) error {
	chosen, sent, changes := 0, 0, 0
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Skip == notSelected {
			continue
		}
		chosen++
		if s.Skip == "" {
			sent++
			if p.changes(s) {
				changes++
			}
		}
	}
	_, err := fmt.Fprintf(w, "At %s: %s of %s, %s of which write, rename, delete or may.\n",
		report.Escape(o.Target.String()), report.Plural(sent, "request", "requests"), report.Count(chosen), report.Count(changes))
	if err != nil {
		return err
	}
	if len(presupposed) > 0 {
		fmt.Fprintf(w, "Made before, where it is not there:\n")
		if err := WriteManifest(w, presupposed); err != nil {
			return err
		}
	}
	if clean {
		fmt.Fprintln(w, "What was made is removed afterwards.")
	}
	for _, problem := range p.Problems {
		fmt.Fprintln(w, report.Escape(problem))
	}
	return nil
}

// changes reports whether a request may change what the server holds.
func (p *Plan) changes(s *Step) bool {
	switch s.Header.Command {
	case smb2.Write, smb2.SetInfo:
		return true
	case smb2.Create:
		if len(s.Request) < headerSize+44 {
			return true
		}
		return smb2.Disposition(le.Uint32(s.Request[headerSize+36:])) != smb2.Open ||
			smb2.CreateOptions(le.Uint32(s.Request[headerSize+40:]))&smb2.OptionDeleteOnClose != 0
	case smb2.Ioctl:
		for _, t := range p.touches(s) {
			if t.access == writes {
				return true
			}
		}
	}
	return false
}

// At prepares the target, replays there, and cleans up. The error is that the target
// cannot be reached or prepared.
func At(ctx context.Context, p *Plan, o Options, presupposed []*Entry, clean bool) (*Result, error) {
	stage, err := OpenStage(ctx, p, o)
	if err != nil {
		return nil, err
	}
	defer stage.Close()
	tidy := func(r *Result) {
		if !clean {
			return
		}
		brief, stop := context.WithTimeout(context.WithoutCancel(ctx), max(o.timeOut(), time.Minute))
		defer stop()
		var made []string
		if r != nil {
			made = r.Made
		}
		left := stage.Clean(brief, made)
		for _, path := range left {
			if r != nil {
				r.Notes = append(r.Notes, "left at the target: "+path)
			}
		}
	}
	if err := stage.Prepare(ctx, presupposed); err != nil {
		tidy(nil)
		return nil, fmt.Errorf("the target cannot be prepared: %w", err)
	}
	r := Run(ctx, p, o)
	tidy(r)
	return r, nil
}

package audit

import (
	"fmt"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/flows"
)

var copyRules = []Rule{
	{ID: "copy/gap", Level: flows.Error, check: copyGap,
		Meaning: "A range of the destination was written by nothing in the capture, and more was copied after it.",
		Advice:  "Compare the files: unless the source has zeros there, the copy is not one.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "copy/misplaced", Level: flows.Error, check: copyMisplaced,
		Meaning: "Bytes of a copy of a whole file went to another offset than they came from.",
		Advice:  "Compare the files: the client mixed up its offsets.",
		Spec:    "[MS-FSCC] 2.3.43"},
	{ID: "copy/overlap", Level: flows.Warning, check: copyOverlap,
		Meaning: "A range of the destination was written more than once by one method.",
		Advice:  "The client does work twice, or has lost count of what is done.",
		Spec:    "[MS-FSCC] 2.3.43"},
	{ID: "copy/wrong-resume", Level: flows.Warning, check: copyWrongResume,
		Meaning: "After a call that moved less than it was asked for, the client went on elsewhere and never came back.",
		Advice:  "A client must go on at FileOffset plus LengthWritten.",
		Spec:    "[MS-FSCC] 2.3.44"},
	{ID: "copy/abandoned", Level: flows.Warning, check: copyAbandoned,
		Meaning: "A copy ended before it was done: a call failed for good, or the end of the destination was never written.",
		Advice:  "The destination is not a copy: look at the status, and at what the client told its user.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "copy/size-differs", Level: flows.Warning, check: copySizeDiffers,
		Meaning: "Source and destination of a whole copy have different ends of file; a note if the destination is shorter and was never made as long.",
		Advice:  "Compare the files.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "copy/not-presized", Level: flows.Warning, check: copyNotPresized,
		Meaning: "An offload write begins at or past the destination's end of file.",
		Advice:  "Offload writes do not extend a file: set its end first.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "copy/source-changed", Level: flows.Note, check: copySourceChanged,
		Meaning: "The source was written while it was copied.",
		Advice:  "The copy may hold some old and some new bytes.",
		Spec:    "[MS-FSA] 2.1.5.10.18"},
	{ID: "copy/fell-back", Level: flows.Warning, check: copyFellBack,
		Meaning: "A copy went on with a slower method than it began with.",
		Advice:  "odxray why says what caused it.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "copy/not-offloaded", Level: flows.Note, check: copyNotOffloaded,
		Meaning: "A whole file went through the client by READ and WRITE and nobody tried to offload it; a warning if the server offloads on that share.",
		Advice:  "odxray why lists what keeps clients from trying.",
		Spec:    "[MS-FSA] 2.1.5.10.18"},
	{ID: "copy/token-churn", Level: flows.Note, check: copyTokenChurn,
		Meaning: "The server moves far less per call than it was asked for.",
		Advice:  "Raise the server's limits for one offload write or one token: every call costs a round trip.",
		Spec:    "[MS-FSCC] 2.3.44"},
	{ID: "copy/lease-stall", Level: flows.Warning, check: copyLeaseStall,
		Meaning: "An offload call waited for the same client to acknowledge a lease or oplock break.",
		Advice:  "The client's own lease holds up its copy: it should not ask for one, or use the handle that has it.",
		Spec:    "[MS-SMB2] 3.3.4.7"},
}

// whole yields the copies with a known source that rules about copies apply to.
func (j *judge) known(yield func(*flows.Copy) bool) {
	for i := range j.Copies {
		if c := &j.Copies[i]; c.Source.File != 0 && c.Destination.File != 0 && !yield(c) {
			return
		}
	}
}

// onCopy adds a finding about a copy.
func (j *judge) onCopy(level flows.Level, c *flows.Copy, frames []int, format string, args ...any) *flows.Finding {
	f := j.report(level, frames, format, args...)
	f.Copy = c.ID
	return f
}

// files names both ends of a copy.
func files(c *flows.Copy) string { return name(c.Source.Path) + " to " + name(c.Destination.Path) }

// last is the end of the last byte that a copy covers.
func last(c *flows.Copy) uint64 {
	if len(c.Covered) == 0 {
		return 0
	}
	return c.Covered[len(c.Covered)-1].End
}

// settled is how long after its last call a copy whose destination is closed is taken for
// over while the capture goes on: clients that change the method open it anew at once.
const settled = 5 * time.Second

// over reports whether nothing more is expected of a copy.
func (j *judge) over(c *flows.Copy) bool {
	return j.Done || c.Closed && j.Last-c.LastTime >= int64(settled)
}

func copyGap(j *judge) {
	for c := range j.known {
		if !j.over(c) || !c.Whole || !c.Source.HasSize || c.Blurred {
			continue
		}
		end := last(c)
		if c.Destination.HasSize {
			end = min(end, c.Destination.Size)
		}
		for _, g := range flows.Ranges(c.Gaps).Cut(flows.Range{Start: 0, End: end}) {
			f := j.onCopy(flows.Error, c, around(c, g), "bytes %d to %d of %s were written by nothing", g.Start, g.End, name(c.Destination.Path))
			doubt(f, j.missing(c.Conns...))
			doubt(f, pending(c, g))
			if c.Sparse && flows.Ranges(c.Proved).Overlap(g) == 0 && f.Uncertain == "" {
				doubt(f, "the source may hold nothing but zeros there")
			}
		}
	}
}

// pending says which call for bytes of a hole was still to be answered when the capture
// ended: nobody knows what became of them; "" if there was none.
func pending(c *flows.Copy, g flows.Range) string {
	for i := range c.Calls {
		k := &c.Calls[i]
		if k.Answer == 0 && !k.Ended && time.Duration(k.Waited) <= patience && k.Function != fscc.OffloadRead && k.Offset < g.End && g.Start < endOf(k.Offset, k.Asked) {
			return fmt.Sprintf("the answer to frame %d is not in the capture", k.Frame)
		}
	}
	return ""
}

// around returns the calls on both sides of a hole in the destination.
func around(c *flows.Copy, g flows.Range) []int {
	before, after := c.FirstFrame, c.LastFrame
	for i := range c.Calls {
		k := &c.Calls[i]
		if k.Function == fscc.OffloadRead || k.Moved == 0 {
			continue
		}
		if endOf(k.Offset, k.Moved) == g.Start {
			before = k.Frame
		}
		if k.Offset == g.End {
			after = k.Frame
		}
	}
	if before > after {
		before, after = after, before
	}
	return []int{before, after}
}

func copyMisplaced(j *judge) {
	for c := range j.known {
		if c.Whole && c.Sized && len(c.Misplaced) > 0 {
			j.onCopy(flows.Error, c, c.Misplaced, "%d calls of the copy of %s moved bytes to another offset than they came from", len(c.Misplaced), files(c))
		}
	}
}

func copyOverlap(j *judge) {
	for c := range j.known {
		lost := 0 // frame of the first call without an answer
		for i := range c.Calls {
			if k := &c.Calls[i]; (k.Answer == 0 || k.Cut) && (lost == 0 || k.Frame < lost) {
				lost = k.Frame
			}
		}
		var frames []int
		var first flows.Overlap
		n := 0
		for _, o := range c.Overlaps {
			if c.Source.HasSize && c.Destination.HasSize {
				o.End = min(o.End, max(c.Source.Size, c.Destination.Size))
			}
			if o.Len() == 0 || lost != 0 && lost < o.Again {
				continue
			}
			if n++; n == 1 {
				first = o
			}
			frames = append(frames, o.First, o.Again)
		}
		if n > 0 {
			j.onCopy(flows.Warning, c, frames, "%s of the copy of %s wrote what was written before, first bytes %d to %d", times(n, "call"), files(c), first.Start, first.End)
		}
	}
}

func times(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func copyWrongResume(j *judge) {
	for c := range j.known {
		for _, r := range c.Resumes {
			f := j.onCopy(flows.Warning, c, []int{r.Short, r.Next}, "frame %d stopped at %d of %s; the client went on elsewhere and never asked for bytes %d to %d",
				r.Short, r.At, name(c.Destination.Path), r.Left.Start, r.Left.End)
			doubt(f, j.missing(c.Conns...))
		}
	}
}

func copyAbandoned(j *judge) {
	for c := range j.known {
		if !j.over(c) {
			continue
		}
		if len(c.Failures) > 0 {
			frames := make([]int, 0, 2*len(c.Failures))
			for _, x := range c.Failures {
				frames = append(frames, x.Frame, x.Answer)
			}
			x := &c.Failures[0]
			what := x.Function.String()
			if x.Function == 0 {
				what = "WRITE"
			}
			f := j.onCopy(flows.Warning, c, frames, "%s failed with %v and nothing took over: bytes %d to %d of %s were not copied", what, x.Status, x.Left[0].Start, x.Left[0].End, files(c))
			doubt(f, j.missing(c.Conns...))
			if left := x.Left[0].Start; !c.Source.HasSize && left > 0 && left >= last(c) && f.Uncertain == "" {
				doubt(f, "the source may end there")
			}
			continue
		}
		if !c.Whole || !c.Sized || !c.Source.HasSize || c.Blurred || len(c.Gaps) == 0 {
			continue
		}
		if g := c.Gaps[len(c.Gaps)-1]; g.End >= c.Source.Size && g.Start >= last(c) {
			f := j.onCopy(flows.Warning, c, []int{c.FirstFrame, c.LastFrame}, "the copy of %s ended with bytes %d to %d unwritten", files(c), g.Start, g.End)
			doubt(f, j.missing(c.Conns...))
			doubt(f, pending(c, g))
		}
	}
}

func copySizeDiffers(j *judge) {
	for c := range j.known {
		s, d := &c.Source, &c.Destination
		if !j.over(c) || !c.Whole || !s.HasSize || !d.HasSize || s.Size == d.Size || c.Bytes == 0 {
			continue
		}
		level := flows.Note
		if c.Sized || d.Size > s.Size {
			level = flows.Warning
		}
		f := j.onCopy(level, c, []int{c.FirstFrame, c.LastFrame}, "%s has %d bytes, %s has %d", name(s.Path), s.Size, name(d.Path), d.Size)
		doubt(f, j.missing(c.Conns...))
	}
}

func copyNotPresized(j *judge) {
	for c := range j.known {
		if len(c.Unsized) > 0 {
			f := j.onCopy(flows.Warning, c, c.Unsized, "%s to %s at or past its end of file", times(len(c.Unsized), "offload write"), name(c.Destination.Path))
			doubt(f, j.missing(c.Conns...))
		}
	}
}

func copySourceChanged(j *judge) {
	for c := range j.known {
		if len(c.Changes) == 0 {
			continue
		}
		var frames []int
		for _, ch := range c.Changes {
			frames = append(frames, ch.Frame)
		}
		j.onCopy(flows.Note, c, frames, "%s was changed while it was copied", name(c.Source.Path))
	}
}

func copyFellBack(j *judge) {
	for c := range j.known {
		if c.Fallback == "" {
			continue
		}
		slower := c.Methods[len(c.Methods)-1]
		for _, m := range c.Methods {
			if m < c.First {
				slower = m
				break
			}
		}
		f := j.onCopy(flows.Warning, c, []int{c.FailedAt, c.LeftAt}, "the copy of %s began with %v and moved %d bytes by %v, after %s", files(c), c.First, c.Slower, slower, c.Fallback)
		if c.FailedAt == 0 {
			doubt(f, j.missing(c.Conns...))
		}
	}
}

// worthIt is the size from which Windows clients try to offload.
const worthIt = 256 << 10

func copyNotOffloaded(j *judge) {
	for c := range j.known {
		if c.Method != flows.Plain || len(c.Methods) != 1 || c.Offloads > 0 || !c.Source.HasSize || c.Source.Size < worthIt ||
			!c.Whole || len(c.Gaps) > 0 || c.Source.Server != c.Destination.Server {
			continue
		}
		level, but := flows.Note, ""
		if c.OffloadOK {
			level, but = flows.Warning, ", where the server takes offload calls on that share"
		}
		f := j.onCopy(level, c, []int{c.FirstFrame, c.LastFrame}, "%d bytes of %s went through the client%s", c.Bytes, files(c), but)
		if c.Guessed {
			doubt(f, "what was read and written could not be compared")
		} else {
			doubt(f, j.missing(c.Conns...))
		}
	}
}

func copyTokenChurn(j *judge) {
	for i := range j.Copies {
		c := &j.Copies[i]
		switch {
		case c.Tokens > 0 && c.ShortFirsts*2 > c.Tokens:
			k := callAt(c, c.ShortFrames[0])
			f := j.onCopy(flows.Note, c, c.ShortFrames, "the server moves %d bytes of %d asked for: %d calls spend %d tokens, %d more round trips than tokens need",
				k.Moved, k.Asked, c.Writes, c.Mints, c.Writes-c.Mints)
			f.Mint = k.Mint
		case c.Tokens >= 4 && c.SmallMints*2 > c.Tokens:
			j.onCopy(flows.Note, c, []int{c.FirstFrame}, "%d of %d tokens stand for less than 1/8 of what was asked for: %d round trips", c.SmallMints, c.Tokens, c.Reads+c.Writes)
		}
	}
}

// callAt returns the call of a copy whose request is that frame.
func callAt(c *flows.Copy, frame int) flows.Call {
	for _, k := range c.Calls {
		if k.Frame == frame {
			return k
		}
	}
	return flows.Call{}
}

func copyLeaseStall(j *judge) {
	for k, c := range j.offloads() {
		if k.Break == 0 {
			continue
		}
		took := time.Duration(k.Took)
		if k.Answer == 0 {
			took = time.Duration(k.Waited)
		}
		about(j.report(flows.Warning, []int{k.Frame, k.Break, k.Ack, k.Answer}, "%v on %s waited for the client to acknowledge the break in frame %d, %v in all",
			k.Function, name(k.File), k.Break, took.Round(time.Microsecond)), k, c)
	}
}

package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
)

// diagnosis says why a copy was not offloaded, or not all of it, as
// docs/schema/why.json describes it.
type diagnosis struct {
	Copy        any      `json:"copy"` // null for an offload call that no copy followed
	Source      any      `json:"source"`
	Destination any      `json:"destination"`
	Method      any      `json:"method"`
	Problem     string   `json:"problem"`
	What        string   `json:"what"`
	Status      any      `json:"status"`
	Frames      []int    `json:"frames"`
	Causes      []string `json:"causes"`
	Advice      []string `json:"advice"`
}

// Kinds of problems.
const (
	refusedOffload = "refused"     // the server refused to offload, and another method did the work
	fellBack       = "fell-back"   // part of it was offloaded
	notTried       = "not-tried"   // nobody asked the server
	unfinished     = "unfinished"  // offloaded as far as it went
	littlePerCall  = "little-each" // offloaded, in many small calls
)

// Why prints, for each copy that was not or not all offloaded, what happened, why,
// and what to do.
func Why(w io.Writer, r *flows.Results, f Format, s Style) error {
	list := diagnose(r)
	switch f {
	case Text:
		return whyText(w, r, list, s)
	case JSON:
		j := newJSONWriter(w)
		for i := range list {
			if err := j.line(list[i]); err != nil {
				return err
			}
		}
		return nil
	}
	return errFormat(f)
}

func whyText(w io.Writer, r *flows.Results, list []diagnosis, s Style) error {
	if len(list) == 0 {
		all := "No copies.\n"
		if len(r.Copies) > 0 {
			all = "Every copy was offloaded.\n"
		}
		_, err := io.WriteString(w, all)
		return err
	}
	for i := range list {
		d := &list[i]
		var b strings.Builder
		if i > 0 {
			b.WriteByte('\n')
		}
		title := "No copy followed"
		if d.Copy != nil {
			title = fmt.Sprintf("Copy %v: %s to %s, by %v", d.Copy, pathOf(d.Source), pathOf(d.Destination), d.Method)
		} else if d.Source != nil {
			title += ": " + pathOf(d.Source)
		}
		b.WriteString(s.paint(bold, title) + "\n")
		for _, r := range d.reasons() {
			fmt.Fprintf(&b, "  %-6s%s\n", r.Label, Escape(r.Text))
		}
		if _, err := io.WriteString(w, b.String()); err != nil {
			return err
		}
	}
	return nil
}

// Reason is a sentence about a copy that was not offloaded, or not well.
type Reason struct {
	Label string // What, Why or Do; "" for another one of the sort before
	Text  string
}

func (d *diagnosis) reasons() []Reason {
	what := d.What
	if len(d.Frames) > 0 {
		what += " (" + FrameList(d.Frames) + ")"
	}
	list := []Reason{{"What", what}}
	for k, c := range d.Causes {
		list = append(list, Reason{[...]string{"Why", ""}[min(k, 1)], c})
	}
	for k, c := range d.Advice {
		list = append(list, Reason{[...]string{"Do", ""}[min(k, 1)], c})
	}
	return list
}

// WhyCopy says what Why says of a copy: nil if all of it was offloaded, and well.
func WhyCopy(r *flows.Results, c *flows.Copy) []Reason {
	d, ok := diagnoseCopy(r, c)
	if !ok {
		return nil
	}
	return d.reasons()
}

func pathOf(v any) string {
	s, _ := v.(string)
	return Path(s)
}

// diagnose looks at every copy, and at offload calls that no copy followed.
func diagnose(r *flows.Results) []diagnosis {
	var list []diagnosis
	for i := range r.Copies {
		if d, ok := diagnoseCopy(r, &r.Copies[i]); ok {
			list = append(list, d)
		}
	}
	for i := range r.Loose {
		k := &r.Loose[i]
		if k.Refused() && (k.Function == fscc.OffloadRead || k.Function == fscc.OffloadWrite) {
			d := diagnosis{Source: known(k.File), Problem: refusedOffload, What: refusal(k), Status: StatusName(k.Status), Frames: []int{k.Frame, k.Answer}}
			d.Causes, d.Advice = refusedFor(k.Status)
			list = append(list, d)
		}
	}
	return list
}

func diagnoseCopy(r *flows.Results, c *flows.Copy) (diagnosis, bool) {
	d := diagnosis{Copy: c.ID, Source: known(c.Source.Path), Destination: known(c.Destination.Path), Method: Method(c), Causes: []string{}, Advice: []string{}}
	refused := decidingRefusal(c)
	switch {
	case c.Fallback != "" && c.First == flows.ODX && refused != nil:
		d.Problem = fellBack
		if c.Slower == c.Bytes {
			d.Problem = refusedOffload
		}
		d.What = fmt.Sprintf("%s; %s of %s then went by %v", refusal(refused), Size(c.Slower), Size(c.Bytes), slowest(c))
	case c.Fallback != "":
		d.Problem = fellBack
		d.What = fmt.Sprintf("it began with %v and moved %s of %s by %v, after %s", c.First, Size(c.Slower), Size(c.Bytes), slowest(c), c.Fallback)
		d.Frames = []int{c.LeftAt}
	case len(c.Failures) > 0 || refused != nil && c.Verdict != flows.Complete:
		d.Problem = unfinished
		d.What = refusal(refused) + ", and nothing took over"
	case c.Verdict != flows.Complete && lost(c) != nil:
		k := lost(c)
		d.Problem = unfinished
		until := "before the capture ended" // too soon after the request to say more
		if k.Ended {
			until = "before its connection ended"
		} else if k.Waited >= 1e9 {
			until = "in " + Took(time.Duration(k.Waited))
		}
		d.What = fmt.Sprintf("%s got no answer %s, and nothing took over", CallName(k.Command, k.Function), until)
		d.Frames = []int{k.Frame}
		if k.Break != 0 {
			d.Frames = append(d.Frames, k.Break)
			d.Causes = []string{"the server waited for the client to acknowledge a lease or oplock break: the client's own lease held up its copy"}
			d.Advice = []string{"mount without leases, or use a client that copies by the handle that has the lease"}
		}
	case c.Offloads == 0:
		d.Problem = notTried
		d.What = fmt.Sprintf("nobody asked the server to offload: %s went by %v", Size(c.Bytes), c.Method)
		if c.Method == flows.Plain {
			d.What += fmt.Sprintf(", %s of them over the network", Size(c.WireBytes))
		}
		d.Frames = []int{c.FirstFrame}
		d.Causes, d.Advice = whyNotTried(r, c)
	case c.Method == flows.Plain:
		d.Problem = refusedOffload
		d.What = fmt.Sprintf("the server took the call and granted nothing: %s went by READ and WRITE", Size(c.Bytes))
		d.Frames = []int{c.FirstFrame}
		d.Causes = []string{"what was asked for is less than a sector, or the server cannot offload this range"}
	case c.Tokens > 0 && c.ShortFirsts*2 > c.Tokens || c.Tokens >= 4 && c.SmallMints*2 > c.Tokens:
		d.Problem = littlePerCall
		d.What = fmt.Sprintf("all of it was offloaded, in %d round trips: the server moves little per call", c.Reads+c.Writes)
		d.Frames = slices.Clone(c.ShortFrames)
		d.Causes = []string{"the server limits what one token stands for, or what one offload write moves"}
		d.Advice = []string{"raise those limits on the server; each call costs a round trip and a turn of the client"}
	default:
		return d, false
	}
	if refused != nil && d.Problem != littlePerCall {
		d.Status = StatusName(refused.Status)
		d.Frames = []int{refused.Frame, refused.Answer}
		d.Causes, d.Advice = refusedFor(refused.Status)
		if l := refused.Limits; refused.Limited {
			d.Causes = []string{fmt.Sprintf("it is more than the server takes in one call: %d chunks of %s, %s in all", l.Chunks, Size(uint64(l.ChunkBytes)), Size(uint64(l.TotalBytes)))}
			d.Advice = []string{"a client should ask again within these limits"}
		}
	}
	d.Frames = slices.DeleteFunc(d.Frames, func(n int) bool { return n == 0 })
	d.Frames, d.Causes, d.Advice = orEmpty(d.Frames), orEmpty(d.Causes), orEmpty(d.Advice)
	return d, true
}

// decidingRefusal returns the call whose refusal made of a copy what it became: the one that
// ended its first method, or the first that nothing took over from, else the first of all; nil
// if none was refused.
func decidingRefusal(c *flows.Copy) *flows.Call {
	answer := c.FailedAt
	if answer == 0 && len(c.Failures) > 0 {
		answer = c.Failures[0].Answer
	}
	for i := range c.Calls {
		if k := &c.Calls[i]; k.Refused() && (k.Answer == answer || answer == 0 && !k.Limited) {
			return k
		}
	}
	if len(c.Failures) > 0 && c.Failures[0].Answer == answer {
		f := &c.Failures[0]
		k := flows.Call{Command: smb2.Ioctl, Function: f.Function, Frame: f.Frame, Answer: f.Answer, Status: f.Status}
		if f.Function == 0 {
			k.Command = smb2.Write
		}
		return &k
	}
	return nil
}

// lost returns the first offload call of a copy that was never answered.
func lost(c *flows.Copy) *flows.Call {
	for i := range c.Calls {
		if c.Calls[i].Answer == 0 {
			return &c.Calls[i]
		}
	}
	return nil
}

// slowest is the slowest method of a copy.
func slowest(c *flows.Copy) flows.Method {
	return slices.Min(append(slices.Clone(c.Methods), c.Method))
}

// refusal says which call was refused how.
func refusal(k *flows.Call) string {
	return fmt.Sprintf("the server refused %s with %s", CallName(k.Command, k.Function), StatusName(k.Status))
}

// offloadSize is from where on Windows clients try to offload. They do on 3.x only.
const offloadSize = 256 << 10

// whyNotTried lists what keeps clients from asking. There is no capability that says
// whether a server offloads: it is only known by what it answered.
func whyNotTried(r *flows.Results, c *flows.Copy) (causes, advice []string) {
	if c.Method != flows.Plain {
		return []string{fmt.Sprintf("%v keeps the bytes on the server too: nothing is lost but what offloading storage would save", c.Method)}, nil
	}
	for i := range r.Connections {
		if n := &r.Connections[i]; slices.Contains(c.Conns, n.ID) && n.Dialect != 0 && n.Dialect < smb2.Dialect300 {
			causes = append(causes, fmt.Sprintf("the connection speaks %v: Windows clients offload on 3.0 and later only (a hint, no proof)", n.Dialect))
			advice = append(advice, "let client and server negotiate 3.x")
			break
		}
	}
	if c.Source.HasSize && c.Source.Size < offloadSize {
		causes = append(causes, fmt.Sprintf("the source has %s: Windows clients offload from 256 KB on (a hint, no proof)", Size(c.Source.Size)))
	}
	if c.Source.Server != c.Destination.Server {
		causes = append(causes, "source and destination are on different servers: most clients do not even try")
	}
	if c.Whole && !c.Sized {
		causes = append(causes, "the client did not make the destination as long as the source before: who offloads does")
	}
	switch {
	case c.OffloadOK:
		causes = append(causes, "the server does offload on that share, as other calls in the capture show: it is the client that did not ask")
		advice = append(advice, "look at the client: Explorer, robocopy and Copy-Item offload; many tools read and write by themselves")
	case len(causes) == 0:
		causes = append(causes, "the capture does not show a reason: no capability says whether a server offloads, only what it answers")
	}
	if !c.OffloadOK {
		advice = append(advice, "copy a file of some MB with a client that offloads and look at what the server answers")
	}
	return causes, advice
}

// refusedFor says what a refusal of an offload call means and what to do.
func refusedFor(s ntstatus.Status) (causes, advice []string) {
	e, ok := refusals[s]
	if !ok {
		text, _, _ := strings.Cut(s.Text(), ". ")
		return []string{text}, []string{"look into the server's log at that time"}
	}
	return []string{e.cause}, []string{e.advice}
}

type refusalText struct{ cause, advice string }

var refusals = map[ntstatus.Status]refusalText{
	ntstatus.NotSupported: {"the server or its file system does not implement the call",
		"turn the feature on, or update the server; clients remember the refusal and do not ask again for a while"},
	ntstatus.InvalidDeviceRequest: {"the server or its file system does not know the call",
		"turn the feature on, or update the server"},
	ntstatus.OffloadReadFilterUnsupported: {"a filter driver on the server's volume (virus scanner, backup, replication) does not allow offload reads",
		"list the filters with fltmc and update or detach the one whose SupportedFeatures lacks offload read"},
	ntstatus.OffloadWriteFilterUnsupported: {"a filter driver on the server's volume (virus scanner, backup, replication) does not allow offload writes",
		"list the filters with fltmc and update or detach the one whose SupportedFeatures lacks offload write"},
	ntstatus.OffloadReadFileUnsupported: {"the source is a file that cannot be offloaded: encrypted, compressed, deduplicated or resident",
		"copy such files plainly, or remove the attribute"},
	ntstatus.OffloadWriteFileUnsupported: {"the destination is a file that cannot be offloaded to: encrypted, compressed, deduplicated or resident",
		"create it without the attribute; look at what it inherits from its directory"},
	ntstatus.DeviceFeatureNotSupported: {"the storage behind the volume does not support token copies",
		"check the array's firmware and licence, and that all paths lead to it"},
	ntstatus.DeviceUnreachable: {"the storage behind the volume could not reach the token's source",
		"check that both volumes are on storage that knows each other"},
	ntstatus.InvalidToken: {"the server does not take the token: expired, used up, or from elsewhere",
		"see the token/* findings of odxray audit"},
	ntstatus.InvalidLevel: {"the server does not take the token, in the words of ksmbd",
		"see the token/* findings of odxray audit"},
	ntstatus.InvalidParameter: {"offsets or lengths do not fit: not aligned to sectors, beyond the end of file, or structures that are wrong",
		"see the odx/* findings of odxray audit"},
	ntstatus.BufferTooSmall: {"the client left no room for the answer", "a fault of the client: MaxOutputResponse must hold the answer"},
	ntstatus.AccessDenied: {"the handle was not opened for that: the source needs read access, the destination write access",
		"a fault of the client, or of the permissions on the file"},
	ntstatus.FileClosed: {"the handle was closed before the call arrived", "a fault of the client, or of a server that closed it"},
	ntstatus.DiskFull:   {"the volume is full", "make room"},
}

package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
)

// DialectName prints a dialect as people write it: "3.1.1"; "" if it is unknown.
func DialectName(d smb2.Dialect) string {
	switch {
	case d == 0:
		return ""
	case d == smb2.DialectWildcard:
		return "2.???"
	case d&0xf == 0:
		return fmt.Sprintf("%d.%d", d>>8, d>>4&0xf)
	}
	return fmt.Sprintf("%d.%d.%d", d>>8, d>>4&0xf, d&0xf)
}

// treeTypes are the share types of [MS-SMB2] 2.2.10.
var treeTypes = [...]string{1: "disk", 2: "pipe", 3: "printer"}

// TreeType names the type of a share; "" if it is unknown.
func TreeType(t uint8) string {
	if int(t) < len(treeTypes) {
		return treeTypes[t]
	}
	return ""
}

// methods counts copies by method, in the order of flows.Method, best first.
func methods(r *flows.Results) (names []string, counts []int) {
	for _, m := range []flows.Method{flows.ODX, flows.DuplicateExtents, flows.CopyChunk, flows.Plain} {
		n := 0
		for i := range r.Copies {
			if r.Copies[i].Method == m {
				n++
			}
		}
		if n > 0 {
			names, counts = append(names, m.String()), append(counts, n)
		}
	}
	return names, counts
}

// Summary prints what is in a capture, and what could not be read.
func Summary(w io.Writer, files []string, r *flows.Results, f Format, s Style) error {
	switch f {
	case Text:
		return summaryText(w, files, r, s)
	case JSON:
		return summaryJSON(w, files, r)
	}
	return errFormat(f)
}

func summaryText(w io.Writer, files []string, r *flows.Results, s Style) error {
	var b strings.Builder
	line := func(head string, text string) {
		b.WriteString(s.paint(bold, fmt.Sprintf("%-12s", head)) + text + "\n")
	}
	list := func(head string, texts []string) {
		for i, t := range texts {
			if i > 0 {
				head = ""
			}
			line(head, t)
		}
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = Escape(f)
	}
	list("Capture", names)
	if r.First != 0 {
		line("Time", fmt.Sprintf("%s to %s (%s)", stamp(r.First), stamp(r.Last), Took(time.Duration(r.Last-r.First))))
	}
	line("Frames", Count(r.Frames)+protocolList(r.Protocols))
	line("Messages", Plural(r.Messages, "SMB message", "SMB messages")+", "+Plural(r.Exchanges, "exchange", "exchanges")+
		", "+Plural(r.Opens, "open", "opens"))
	list("Connections", some(r.Connections, connectionLine))
	list("Sessions", some(r.Sessions, sessionLine))
	list("Shares", shareLines(r))
	if text := cachingLine(r); text != "" {
		line("Caching", text)
	}
	kinds, counts := methods(r)
	copies := "none"
	for i, kind := range kinds {
		text := fmt.Sprintf("%s %s", Count(counts[i]), kind)
		if i == 0 {
			copies = text
		} else {
			copies += ", " + text
		}
	}
	line("Copies", copies)
	list("", some(r.Copies, func(c *flows.Copy) string { return copyLine(c, s) }))
	if len(r.Mints) > 0 {
		line("Tokens", Count(len(r.Mints)))
	}
	line("Findings", findingCounts(r, s))
	list("Not read", some(r.Problems, func(p *string) string { return Escape(*p) }))
	if len(r.Problems) == 0 && r.Incomplete {
		line("Not read", "something was lost, cut or encrypted")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// some makes a line of each of a list, and one of the rest of a long one.
func some[T any](list []T, text func(*T) string) (lines []string) {
	const most = 10
	for i := range list {
		if i == most && len(list) > most+1 {
			return append(lines, fmt.Sprintf("and %s more", Count(len(list)-most)))
		}
		lines = append(lines, text(&list[i]))
	}
	return lines
}

// protocolList says which protocols the frames are, the most frequent first.
func protocolList(protocols map[string]int) string {
	names := slices.SortedFunc(maps.Keys(protocols), func(a, b string) int {
		return cmp.Or(cmp.Compare(protocols[b], protocols[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, name := range names {
		parts = append(parts, Escape(name)+" "+Count(protocols[name]))
	}
	if parts == nil {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// LostPart says what the capture lacks of a connection.
func LostPart(c *flows.Connection) string {
	if c.Transport == flows.TCP || c.Transport == flows.IWARP {
		return Size(c.LostBytes) + " lost"
	}
	return "packets lost"
}

func connectionLine(c *flows.Connection) string {
	parts := []string{"SMB " + cmp.Or(DialectName(c.Dialect), "dialect unknown"), Plural(c.Messages, "message", "messages")}
	if c.LateStart {
		parts = append(parts, "began before the capture")
	}
	if c.LostBytes > 0 {
		parts = append(parts, LostPart(c))
	}
	if c.Credits.Stalls > 0 {
		parts = append(parts, Plural(c.Credits.Stalls, "time", "times")+" out of credits, "+Took(time.Duration(c.Credits.Stalled)))
	}
	for _, count := range []struct {
		n         int
		one, many string
	}{
		{c.Retransmitted, "frame retransmitted", "frames retransmitted"}, {c.CutFrames, "frame cut", "frames cut"},
		{c.Encrypted, "message encrypted", "messages encrypted"}, {c.Malformed, "message malformed", "messages malformed"},
	} {
		if count.n > 0 {
			parts = append(parts, Plural(count.n, count.one, count.many))
		}
	}
	return fmt.Sprintf("%s → %s  %s", c.Client, c.Server, strings.Join(parts, ", "))
}

func sessionLine(x *flows.Session) string {
	parts := []string{fmt.Sprintf("0x%016x", x.ID), Escape(cmp.Or(x.User, "(user unknown)"))}
	if x.Host != "" {
		parts = append(parts, "from "+Escape(x.Host))
	}
	if len(x.Earlier) > 0 {
		parts = append(parts, "before that "+Escape(strings.Join(x.Earlier, ", ")))
	}
	if len(x.Conns) > 1 {
		parts = append(parts, Plural(len(x.Conns), "channel", "channels"))
	}
	if x.Previous != 0 {
		parts = append(parts, fmt.Sprintf("after 0x%016x", x.Previous))
	}
	for _, fact := range []struct {
		is   bool
		word string
	}{{x.Guest, "guest"}, {x.Signed, "signed"}, {x.Sealed, "sealed"}} {
		if fact.is {
			parts = append(parts, fact.word)
		}
	}
	return strings.Join(append(parts, KeyWords(x)...), "  ")
}

// KeyWords says what keys opened and proved of a session, and what they did not.
func KeyWords(x *flows.Session) (words []string) {
	if x.KeyOrigin != "" {
		words = append(words, fmt.Sprintf("%s of %s decrypted (%s)", Count(x.Decrypted), Count(x.Encrypted), Escape(x.KeyOrigin)))
	}
	if x.Trouble != "" {
		words = append(words, fmt.Sprintf("not decrypted, from frame %s on: %s", Count(x.TroubleFrame), Escape(x.Trouble)))
	}
	if x.Verified > 0 {
		words = append(words, Plural(x.Verified, "signature", "signatures")+" verified")
	}
	if n := len(x.BadSignatures); n > 0 {
		words = append(words, Plural(n, "signature", "signatures")+" wrong")
	}
	if x.Unverified > 0 {
		words = append(words, fmt.Sprintf("%s that no key fits", Plural(x.Unverified, "signature", "signatures")))
	}
	return words
}

// shareLines names every share once.
func shareLines(r *flows.Results) []string {
	var lines []string
	for i := range r.Sessions {
		for _, t := range r.Sessions[i].Trees {
			if t.Share == "" {
				continue
			}
			line := Escape(t.Share)
			if kind := TreeType(t.Type); kind != "" {
				line += "  " + kind
			}
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	return some(lines, func(s *string) string { return *s })
}

// cachingLine says what clients were allowed to keep, and what was taken back; "" if
// there was nothing.
func cachingLine(r *flows.Results) string {
	var parts []string
	for _, count := range []struct {
		n         int
		one, many string
	}{
		{r.Caching.Leases, "lease", "leases"}, {r.Caching.Oplocks, "oplock", "oplocks"}, {r.Caching.Breaks, "break", "breaks"},
		{r.Durables, "durable open", "durable opens"}, {r.Resumptions, "reconnected open", "reconnected opens"},
	} {
		if count.n > 0 {
			parts = append(parts, Plural(count.n, count.one, count.many))
		}
	}
	return strings.Join(parts, ", ")
}

func copyLine(c *flows.Copy, s Style) string {
	return fmt.Sprintf("%d  %s → %s  %s  %s  %s", c.ID, Path(c.Source.Path), Path(c.Destination.Path), Method(c), Size(c.Bytes),
		s.paint(verdictColor(c.Verdict), c.Verdict.String()))
}

func findingCounts(r *flows.Results, s Style) string {
	var parts []string
	for _, level := range []flows.Level{flows.Error, flows.Warning, flows.Note} {
		if n := r.Count(level); n > 0 {
			parts = append(parts, s.paint(levelColor(level), Plural(n, level.String(), level.String()+"s")))
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

type connectionJSON struct {
	ID            int            `json:"id"`
	Client        netip.AddrPort `json:"client"`
	Server        netip.AddrPort `json:"server"`
	Dialect       any            `json:"dialect"`
	First         int            `json:"first_frame"`
	Last          int            `json:"last_frame"`
	Messages      int            `json:"messages"`
	LateStart     bool           `json:"late_start"`
	LostBytes     uint64         `json:"lost_bytes"`
	CutFrames     int            `json:"cut_frames"`
	Retransmitted int            `json:"retransmitted_frames"`
	Encrypted     int            `json:"encrypted_messages"`
	Malformed     int            `json:"malformed_messages"`
	Credits       creditsJSON    `json:"credits"`
}

type creditsJSON struct {
	Asked   uint64 `json:"requested"`
	Granted uint64 `json:"granted"`
	Charged uint64 `json:"charged"`
	Window  any    `json:"window"`
	Most    any    `json:"most"`
	Stalls  any    `json:"stalls"`
	Stalled any    `json:"stalled_seconds"`
}

func newCreditsJSON(k *flows.Credits) creditsJSON {
	j := creditsJSON{Asked: k.Asked, Granted: k.Granted, Charged: k.Charged}
	if k.Known {
		j.Window, j.Most, j.Stalls, j.Stalled = k.Window, k.Most, k.Stalls, seconds(k.Stalled)
	}
	return j
}

type cachingJSON struct {
	Leases  int         `json:"leases"`
	Oplocks int         `json:"oplocks"`
	Count   int         `json:"breaks"`
	Breaks  []breakJSON `json:"shown"`
	Durable int         `json:"durable_opens"`
	Resumed int         `json:"reconnected_opens"`
}

type breakJSON struct {
	Frame      int    `json:"frame"`
	Connection int    `json:"connection"`
	File       any    `json:"file"`
	From       any    `json:"from"`
	To         string `json:"to"`
	Needed     bool   `json:"acknowledgement_needed"`
	Ack        any    `json:"acknowledgement_frame"`
	Kept       any    `json:"kept"`
	Seconds    any    `json:"seconds"`
}

func newCachingJSON(r *flows.Results) cachingJSON {
	j := cachingJSON{Leases: r.Caching.Leases, Oplocks: r.Caching.Oplocks, Count: r.Caching.Breaks, Breaks: []breakJSON{},
		Durable: r.Durables, Resumed: r.Resumptions}
	for i := range r.Caching.Shown {
		y := &r.Caching.Shown[i]
		b := breakJSON{Frame: y.Frame, Connection: y.Conn, File: known(y.File), To: y.To.String(), Needed: y.Needed, Ack: known(y.Ack)}
		if y.FromKnown {
			b.From = y.From.String()
		}
		if y.Ack != 0 {
			b.Kept, b.Seconds = y.Kept.String(), seconds(y.AckTime-y.Time)
		}
		j.Breaks = append(j.Breaks, b)
	}
	return j
}

type sessionJSON struct {
	ID          any        `json:"id"`
	Server      string     `json:"server"`
	User        any        `json:"user"`
	Host        any        `json:"host"`
	Connections []int      `json:"connections"`
	Guest       bool       `json:"guest"`
	Signed      bool       `json:"signed"`
	Sealed      bool       `json:"sealed"`
	Encrypted   int        `json:"encrypted_messages"`
	Decrypted   int        `json:"decrypted_messages"`
	Key         any        `json:"key"`
	Trouble     any        `json:"undecrypted_because"`
	Closed      any        `json:"undecrypted_frame"`
	Verified    int        `json:"verified_signatures"`
	Bad         int        `json:"wrong_signatures"`
	Unverified  int        `json:"unverified_signatures"`
	Trees       []treeJSON `json:"trees"`
	Earlier     []string   `json:"earlier_users"`
	Previous    any        `json:"previous"`
	Ended       any        `json:"ended_frame"`
	Opens       int        `json:"opens"`
}

type treeJSON struct {
	ID    uint32 `json:"id"`
	Share any    `json:"share"`
	Type  any    `json:"type"`
}

func summaryJSON(w io.Writer, files []string, r *flows.Results) error {
	byMethod := map[string]int{}
	kinds, counts := methods(r)
	for i, kind := range kinds {
		byMethod[kind] = counts[i]
	}
	protocols := r.Protocols
	if protocols == nil {
		protocols = map[string]int{}
	}
	return newJSONWriter(w).document(
		member{"schema", "odxray.summary/1"},
		member{"capture", newCaptureJSON(files, r)},
		member{"protocols", protocols},
		member{"exchanges", r.Exchanges},
		member{"opens", r.Opens},
		member{"connections", each(func(yield func(any) bool) {
			for i := range r.Connections {
				c := &r.Connections[i]
				if !yield(connectionJSON{c.ID, c.Client, c.Server, known(DialectName(c.Dialect)), c.First, c.Last, c.Messages, c.LateStart,
					c.LostBytes, c.CutFrames, c.Retransmitted, c.Encrypted, c.Malformed, newCreditsJSON(&c.Credits)}) {
					return
				}
			}
		})},
		member{"sessions", each(func(yield func(any) bool) {
			for i := range r.Sessions {
				x := &r.Sessions[i]
				trees := make([]treeJSON, len(x.Trees))
				for i, t := range x.Trees {
					trees[i] = treeJSON{t.ID, known(t.Share), known(TreeType(t.Type))}
				}
				if !yield(sessionJSON{sessionID(x.ID), x.Server, known(x.User), known(x.Host), orEmpty(x.Conns), x.Guest, x.Signed, x.Sealed,
					x.Encrypted, x.Decrypted, known(x.KeyOrigin), known(x.Trouble), known(x.TroubleFrame), x.Verified, len(x.BadSignatures), x.Unverified, trees,
					orEmpty(x.Earlier), sessionID(x.Previous), known(x.Ended), x.Opens}) {
					return
				}
			}
		})},
		member{"caching", newCachingJSON(r)},
		member{"copies", byMethod},
		member{"tokens", len(r.Mints)},
		member{"findings", newCounts(r)})
}

package ui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/odxray/odxray/flows/report"
)

// empty says why a page has nothing to show: what the capture holds instead, or else
// the reason that the page gives.
func (u *ui) empty(things, reason string) string {
	r := u.res
	var encrypted int
	for i := range r.Connections {
		encrypted += r.Connections[i].Encrypted
	}
	var said string
	switch {
	case u.frames == 0 && u.read != nil:
		return fmt.Sprintf("Nothing could be read: %v.", u.read)
	case !u.ended && !r.Done && r.Messages == 0:
		return fmt.Sprintf("No %s yet: the capture is being read, %s so far.", things, report.Plural(u.frames, "frame", "frames"))
	case u.frames == 0:
		said = "No frames: the capture is empty."
	case r.Messages == 0 && encrypted == 0:
		said = fmt.Sprintf("No SMB traffic: %s, of them %s. Captured with a filter?", report.Plural(u.frames, "frame", "frames"), protocols(r.Protocols))
	case encrypted > 0 && encrypted >= r.Messages:
		said = fmt.Sprintf("No %s: all %s are encrypted, and no key that was given fits. Keys come from --password, --nt-hash, --keytab, --session-key or --keys.",
			things, report.Plural(encrypted, "message", "messages"))
	case !u.ended && !r.Done:
		said = fmt.Sprintf("No %s yet.", things)
	default:
		said = fmt.Sprintf("No %s: %s in %s, and %s.", things, report.Plural(r.Messages, "SMB2 message", "SMB2 messages"),
			report.Plural(u.frames, "frame", "frames"), reason)
		if encrypted > 0 {
			said += fmt.Sprintf(" But %s could not be decrypted.", report.Plural(encrypted, "message", "messages"))
		}
	}
	if len(r.Problems) > 0 {
		said += "\n\n" + strings.Join(r.Problems[:min(len(r.Problems), 5)], "\n")
	}
	return said
}

// protocols lists the most frequent ones.
func protocols(frames map[string]int) string {
	names := make([]string, 0, len(frames))
	for name := range frames {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(frames[b], frames[a]), cmp.Compare(a, b))
	})
	var said []string
	for _, name := range names[:min(len(names), 3)] {
		said = append(said, report.Count(frames[name])+" "+name)
	}
	if said == nil {
		return "none that is known"
	}
	return strings.Join(said, ", ")
}

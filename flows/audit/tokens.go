package audit

import (
	"fmt"
	"strings"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/flows"
)

// zeroData is the token type that stands for zeros. [MS-FSCC] 2.1.11
const zeroData = 0xffff0001

var tokenRules = []Rule{
	{ID: "token/unknown", Level: flows.Error, check: tokenUnknown,
		Meaning: "A token was refused that nobody minted in the capture.",
		Advice:  "The client made it up, kept it over a restart of the server, or took it from elsewhere.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "token/altered", Level: flows.Error, check: tokenAltered,
		Meaning: "A token was refused that differs in a few bytes from one that the server minted.",
		Advice:  "Tokens are opaque: client or network changed it on the way.",
		Spec:    "[MS-FSCC] 2.1.11"},
	{ID: "token/overrun", Level: flows.Error, check: tokenOverrun,
		Meaning: "The server took a write that ends beyond what the token stands for.",
		Advice:  "What was written there is nobody's data: compare the files.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "token/overrun-asked", Level: flows.Warning, check: tokenOverrunAsked,
		Meaning: "The client asked for bytes beyond what the token stands for, and the server held it back.",
		Advice:  "The client should ask for TransferLength at most.",
		Spec:    "[MS-FSCC] 2.3.43"},
	{ID: "token/unused", Level: flows.Warning, check: tokenUnused,
		Meaning: "A token was minted and never presented.",
		Advice:  "The client threw away what the server had prepared: look at what it did instead.",
		Spec:    "[MS-FSA] 2.1.5.10.18"},
	{ID: "token/part-used", Level: flows.Warning, check: tokenPartUsed,
		Meaning: "A token was spent in part: bytes below the source's end of file were never written from it.",
		Advice:  "See copy/gap and copy/abandoned for whether the rest went another way.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "token/reused", Level: flows.Note, check: tokenReused,
		Meaning: "Bytes of a token were written more than once.",
		Advice:  "Legal, and what a client does that makes several copies of one file.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "token/one-shot", Level: flows.Warning, check: tokenOneShot,
		Meaning: "After a first successful use the server refused the token for another part.",
		Advice:  "Tokens must live until their time is over: a client that writes in pieces falls back here.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "token/expired-used", Level: flows.Note, check: tokenExpiredUsed,
		Meaning: "The server took a token whose time was over; a warning above ten times its time.",
		Advice:  "Servers may, clients should not count on it.",
		Spec:    "[MS-FSCC] 2.3.41"},
	{ID: "token/expired-refused", Level: flows.Note, check: tokenExpiredRefused,
		Meaning: "A token was refused after its time was over.",
		Advice:  "The client was too slow, or asked for too short a time.",
		Spec:    "[MS-FSCC] 2.3.41"},
	{ID: "token/refused", Level: flows.Warning, check: tokenRefused,
		Meaning: "The server refused a token that it had minted, within its time.",
		Advice:  "Look at what happened to the source in between: the finding says what the capture shows.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "token/stale-source", Level: flows.Warning, check: tokenStaleSource,
		Meaning: "The source was changed between the mint of a token and its use: old or new bytes may have been copied.",
		Advice:  "Keep writers away from a file that is being copied, or compare the files.",
		Spec:    "[MS-FSA] 2.1.5.10.18"},
	{ID: "token/other-session", Level: flows.Note, check: tokenOtherSession,
		Meaning: "A token was presented on another session than it was minted on; a warning if it was refused.",
		Advice:  "Whether tokens hold across sessions is up to the server.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "token/other-server", Level: flows.Note, check: tokenOtherServer,
		Meaning: "A token was presented to another server than the one that minted it.",
		Advice:  "Works where both share storage.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
}

// judged reports whether token rules apply to a mint at all.
func judged(m *flows.Mint) bool { return !m.IsZero() && m.Length > 0 }

// uses yields every use that is kept of the tokens that rules apply to.
func (j *judge) uses(yield func(*flows.Mint, *flows.Use) bool) {
	for i := range j.Mints {
		m := &j.Mints[i]
		if !judged(m) {
			continue
		}
		for u := range m.Uses {
			if !yield(m, &m.Uses[u]) {
				return
			}
		}
	}
}

// onUse adds a finding about a use.
func (j *judge) onUse(level flows.Level, m *flows.Mint, u *flows.Use, frames []int, format string, args ...any) *flows.Finding {
	f := j.report(level, append(frames, u.Frame, u.Response), "token %s "+format, append([]any{m.ID}, args...)...)
	f.Mint, f.Copy = m.ID, int(u.Copy)
	return f
}

// strangers yields the tokens presented that nobody minted, and whether they are
// altered ones.
func (j *judge) strangers(yield func(k *flows.Call, c *flows.Copy) bool) {
	for k, c := range j.offloads() {
		if k.Function == fscc.OffloadWrite && k.Mint == "" && k.TokenType != zeroData && !k.Forgotten && !k.Damaged && k.Answer != 0 && !yield(k, c) {
			return
		}
	}
}

func tokenUnknown(j *judge) {
	for k, c := range j.strangers {
		if k.Altered() {
			continue
		}
		what := "took"
		if k.Refused() {
			what = "refused"
		}
		f := j.report(flows.Error, []int{k.Frame, k.Answer}, "the server %s a token for %s that nobody minted in the capture", what, name(k.File))
		about(f, k, c)
		doubt(f, j.unseen(k.Host))
		if k.Accepted() && f.Uncertain == "" {
			doubt(f, "the server knows it")
		}
	}
}

func tokenAltered(j *judge) {
	for k, c := range j.strangers {
		if !k.Altered() {
			continue
		}
		f := j.report(flows.Error, []int{k.Frame, k.Answer}, "the server refused a token that differs from %s, which it had minted, in %d of 512 bytes", k.Nearest, k.Differs)
		about(f, k, c)
		f.Mint = k.Nearest
		doubt(f, j.unseen(k.Host))
	}
}

func tokenOverrun(j *judge) {
	for m, u := range j.uses {
		if end := endOf(u.TokenOffset, u.Written); u.Accepted() && u.Written > 0 && end > roundUp(m.Length, sector(m.Sector)) {
			j.onUse(flows.Error, m, u, []int{m.Frame}, "stands for %d bytes; the server wrote from it up to %d", m.Length, end)
		}
	}
}

func tokenOverrunAsked(j *judge) {
	for m, u := range j.uses {
		limit := roundUp(m.Length, sector(m.Sector))
		asked := endOf(u.TokenOffset, u.Asked)
		if asked <= limit || u.Asked == 0 || !u.Refused() && !(u.Accepted() && u.Written < u.Asked && (endOf(u.TokenOffset, u.Written) <= limit || u.Written == 0)) {
			continue
		}
		j.onUse(flows.Warning, m, u, []int{m.Frame}, "stands for %d bytes; the client asked for bytes up to %d", m.Length, asked)
	}
}

func tokenUnused(j *judge) {
	told := make(map[int]bool) // copies
	for i := range j.Mints {
		m := &j.Mints[i]
		if !judged(m) || len(m.Uses) > 0 || !j.Done || m.State != flows.Unused {
			continue
		}
		if m.Instead != 0 {
			if told[m.Instead] {
				continue
			}
			told[m.Instead] = true
			f := j.report(flows.Note, []int{m.Frame, m.InsteadFrame}, "token %s for %d bytes of %s was never presented, after what happened in frame %d", m.ID, m.Length, name(m.Source), m.InsteadFrame)
			f.Mint, f.Copy = m.ID, m.Instead
			doubt(f, j.missing(m.Conn))
			continue
		}
		f := j.report(flows.Warning, []int{m.Frame}, "token %s for %d bytes of %s from offset %d was never presented", m.ID, m.Length, name(m.Source), m.Offset)
		f.Mint, f.Copy = m.ID, m.Copy
		doubt(f, j.missing(m.Conn))
	}
}

func tokenPartUsed(j *judge) {
	for i := range j.Mints {
		m := &j.Mints[i]
		if !judged(m) || len(m.Uses) == 0 || !j.Done {
			continue
		}
		left := flows.Ranges(m.Consumed).Gaps(flows.Range{Start: 0, End: m.Below})
		if len(left) == 0 {
			continue
		}
		// What the server would not write is no waste of the client's: a finding about
		// the refusal says it.
		level, frames, after := flows.Warning, []int{m.Frame}, ""
		if len(m.Consumed) == 0 {
			level = flows.Note
		}
		conns := []int{m.Conn}
		for k := range m.Uses {
			u := &m.Uses[k]
			conns = append(conns, int(u.Conn))
			asked := flows.Ranges{{Start: u.TokenOffset, End: endOf(u.TokenOffset, u.Asked)}}
			if !u.Accepted() && asked.Overlap(left[0]) > 0 {
				level = flows.Note
				frames, after = append(frames[:1], u.Frame), ": there was no answer"
				if u.Refused() {
					after = fmt.Sprintf(": the server refused them with %v", u.Status)
				}
			}
		}
		f := j.report(level, frames, "of token %s, %d of %d bytes were never written, the first at its offset %d%s", m.ID, left.Len(), m.Length, left[0].Start, after)
		f.Mint, f.Copy = m.ID, m.Copy
		doubt(f, j.missing(conns...))
	}
}

func tokenReused(j *judge) {
	for i := range j.Mints {
		m := &j.Mints[i]
		var frames []int
		var again uint64
		for k := range m.Uses {
			if u := &m.Uses[k]; judged(m) && len(u.Again) > 0 && u.Accepted() {
				frames = append(frames, u.Frame)
				again += flows.Ranges(u.Again).Len()
			}
		}
		if frames == nil {
			continue
		}
		f := j.report(flows.Note, frames, "%d bytes of token %s were written more than once", again, m.ID)
		f.Mint, f.Copy = m.ID, m.Copy
	}
}

// refusesToken reports whether a status is about the token and not about the file.
func refusesToken(s ntstatus.Status) bool {
	return s == ntstatus.InvalidToken || s == ntstatus.InvalidLevel
}

// aLittle is within what time a token whose time is not known is alive.
const aLittle = 10 * time.Second

// alive reports whether a use came within the token's time, and why that is not
// certain.
func alive(m *flows.Mint, u *flows.Use) (in bool, why string) {
	if m.TTL != 0 {
		return u.Age <= int64(m.TTL)*1e6, ""
	}
	if u.Age > int64(aLittle) {
		why = "the token's time is the server's default, which is not known"
	}
	return true, why
}

func tokenOneShot(j *judge) {
	for m, u := range j.uses {
		in, why := alive(m, u)
		if !u.Refused() || !refusesToken(u.Status) || u.Before == 0 || !in {
			continue
		}
		if flows.Ranges(m.Consumed).Overlap(flows.Range{Start: u.TokenOffset, End: endOf(u.TokenOffset, u.Asked)}) > 0 {
			continue // not another part
		}
		doubt(j.onUse(flows.Warning, m, u, []int{m.Frame}, "was refused with %v for another part, %v after it was used", u.Status, age(u)), why)
	}
}

// age is how old a token was, for people.
func age(u *flows.Use) time.Duration { return time.Duration(u.Age).Round(time.Millisecond) }

// expired reports whether a use came after the token's time.
func expired(m *flows.Mint, u *flows.Use) bool { return m.TTL != 0 && u.Age > int64(m.TTL)*1e6 }

func tokenExpiredUsed(j *judge) {
	for m, u := range j.uses {
		if !u.Accepted() || !expired(m, u) {
			continue
		}
		level := flows.Note
		if u.Age > 10*int64(m.TTL)*1e6 {
			level = flows.Warning
		}
		j.onUse(level, m, u, []int{m.Frame}, "was to live for %d ms and was taken after %v", m.TTL, age(u))
	}
}

func tokenExpiredRefused(j *judge) {
	for m, u := range j.uses {
		if u.Refused() && refusesToken(u.Status) && expired(m, u) {
			j.onUse(flows.Note, m, u, []int{m.Frame}, "was to live for %d ms and was refused after %v", m.TTL, age(u))
		}
	}
}

func tokenRefused(j *judge) {
	for m, u := range j.uses {
		in, why := alive(m, u)
		if !u.Refused() || !refusesToken(u.Status) || !in {
			continue
		}
		var but []string
		for _, x := range []struct {
			is   bool
			text string
		}{
			{u.Closed, "the source had been closed"}, {u.Changed, "the source had been changed"},
			{u.Before > 0, "it had been used"},
		} {
			if x.is {
				but = append(but, x.text)
			}
		}
		text := ""
		if but != nil {
			text = ": " + strings.Join(but, ", ")
		}
		doubt(j.onUse(flows.Warning, m, u, []int{m.Frame}, "was refused with %v after %v%s", u.Status, age(u), text), why)
	}
}

func tokenStaleSource(j *judge) {
	for m, u := range j.uses {
		if len(u.Stale) == 0 {
			continue
		}
		frames := []int{m.Frame}
		for _, ch := range u.Stale {
			frames = append(frames, ch.Frame)
		}
		ch := u.Stale[0]
		what := ch.Command.String()
		if ch.Function != 0 {
			what = ch.Function.String()
		}
		j.onUse(flows.Warning, m, u, frames, "was used after %s had changed what it stands for in %s: old or new bytes may have been copied", what, name(m.Source))
	}
}

func tokenOtherSession(j *judge) {
	for m, u := range j.uses {
		if int(u.Host) != m.Host || int(u.Session) == m.Session || u.Session == 0 || m.Session == 0 {
			continue
		}
		level, what := flows.Note, ""
		if u.Refused() {
			level, what = flows.Warning, fmt.Sprintf(" and refused with %v", u.Status)
		}
		j.onUse(level, m, u, []int{m.Frame}, "was minted on session 0x%016x and presented on 0x%016x%s", m.SessionID, u.SessionID, what)
	}
}

func tokenOtherServer(j *judge) {
	for m, u := range j.uses {
		if int(u.Host) == m.Host {
			continue
		}
		other := "another server"
		if c := j.conns[int(u.Conn)]; c != nil {
			other = c.Server.Addr().String()
		}
		j.onUse(flows.Note, m, u, []int{m.Frame}, "was minted by %s and presented to %s", m.Server, other)
	}
}

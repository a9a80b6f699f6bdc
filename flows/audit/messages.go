package audit

import (
	"fmt"
	"time"

	"github.com/odxray/odxray/flows"
)

var messageRules = []Rule{
	{ID: "smb/replayed", Level: flows.Note, check: smbReplayed,
		Meaning: "An offload or copychunk request was on the wire twice.",
		Advice:  "One is a retransmission or a replay: the network or the server was slow to confirm the first.",
		Spec:    "[MS-SMB2] 3.2.4.1.2"},
	{ID: "smb/unanswered", Level: flows.Warning, check: smbUnanswered,
		Meaning: "An offload or copychunk request got no final answer before its connection ended or 60 seconds had passed.",
		Advice:  "Look at what the server was doing: its log at that time, other calls that it did answer.",
		Spec:    "[MS-SMB2] 3.2.6.1"},
	{ID: "smb/bad-signature", Level: flows.Error, check: smbBadSignature,
		Meaning: "A message says that it is signed, and the key that fits others of its session says that it is not by whom it seems to be from.",
		Advice:  "Somebody or something changed the message on its way, or sender and receiver lost step over the session's keys.",
		Spec:    "[MS-SMB2] 3.1.5.1"},
}

var captureRules = []Rule{
	{ID: "capture/gap", Level: flows.Note, check: captureGap,
		Meaning: "Frames are missing or cut in a connection that carries a copy.",
		Advice:  "Capture nearer to the hosts, with larger buffers and without a snap length.",
		Spec:    "[RFC9293] 3.4"},
	{ID: "capture/undecrypted", Level: flows.Note, check: captureUndecrypted,
		Meaning: "Messages of a connection are encrypted and no key opens them.",
		Advice:  "Give a password, a keytab or session keys.",
		Spec:    "[MS-SMB2] 2.2.41"},
}

func smbReplayed(j *judge) {
	for k, c := range j.calls() {
		if !isOffload(k) && !isChunk(k) {
			continue
		}
		if len(k.Repeats) > 0 {
			about(j.report(flows.Note, append([]int{k.Frame}, k.Repeats...), "%v was sent again and is counted once", k.Function), k, c)
		}
		if k.Replay {
			about(j.report(flows.Note, []int{k.Frame, k.Answer}, "%v is a replay: the client had no answer to it before", k.Function), k, c)
		}
	}
}

// smbBadSignature judges messages that were captured whole, outside encryption. Where
// no signature of a session is right it is the key that is wrong.
func smbBadSignature(j *judge) {
	for i := range j.Sessions {
		s := &j.Sessions[i]
		for _, frame := range s.BadSignatures {
			j.report(flows.Error, []int{frame}, "a message of session 0x%016x has a wrong signature; %d of its messages have a right one", s.ID, s.Verified)
		}
		if s.Verified == 0 && s.Unverified > 0 {
			doubt(j.report(flows.Note, []int{s.First}, "none of %d signatures of session 0x%016x is right: the key is wrong", s.Unverified, s.ID), "the key is wrong")
		}
	}
}

// patience is how long clients wait for an answer.
const patience = 60 * time.Second

func smbUnanswered(j *judge) {
	for k, c := range j.calls() {
		if k.Answer != 0 || !isOffload(k) && !isChunk(k) {
			continue
		}
		level, why := flows.Warning, fmt.Sprintf("in %.0f s", time.Duration(k.Waited).Seconds())
		switch {
		case k.Ended:
			why = "before its connection ended"
		case time.Duration(k.Waited) <= patience:
			level, why = flows.Note, "before the capture ended"
		}
		if k.Interim != 0 {
			level = flows.Note
			why += ", after STATUS_PENDING"
		}
		f := j.report(level, []int{k.Frame, k.Interim}, "%v on %s got no answer %s", k.Function, name(k.File), why)
		about(f, k, c)
		doubt(f, j.missing(k.Conn))
	}
}

func captureGap(j *judge) {
	copies := make(map[int]*flows.Copy)
	for i := range j.Copies {
		for _, id := range j.Copies[i].Conns {
			if copies[id] == nil {
				copies[id] = &j.Copies[i]
			}
		}
	}
	for i := range j.Connections {
		c := &j.Connections[i]
		y := copies[c.ID]
		if y == nil || c.LostBytes == 0 && c.CutFrames == 0 {
			continue
		}
		what := c.Missing() + " are missing"
		switch {
		case c.LostBytes == 0:
			what = fmt.Sprintf("%d frames are cut", c.CutFrames)
		case c.CutFrames > 0:
			what += fmt.Sprintf(" and %d frames are cut", c.CutFrames)
		}
		f := j.report(flows.Note, []int{c.First, c.Last}, "%s in connection %d, which carries a copy: what rests on things not seen is uncertain", what, c.ID)
		f.Copy = y.ID
	}
}

func captureUndecrypted(j *judge) {
	closed := make(map[int]*flows.Session) // by connection, the first that is
	for i := range j.Sessions {
		s := &j.Sessions[i]
		for _, conn := range s.Conns {
			if s.Trouble != "" && closed[conn] == nil {
				closed[conn] = s
			}
		}
	}
	for i := range j.Connections {
		c := &j.Connections[i]
		if c.Encrypted == 0 {
			continue
		}
		why, frames := "they name no session", []int{c.First, c.Last}
		if s := closed[c.ID]; s != nil {
			why, frames = s.Trouble, []int{s.TroubleFrame}
		}
		j.report(flows.Note, frames, "%d messages of connection %d are encrypted: %s", c.Encrypted, c.ID, why)
	}
}

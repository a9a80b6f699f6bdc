package audit

import (
	"fmt"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/flows"
)

var offloadRules = []Rule{
	{ID: "odx/struct-size", Level: flows.Error, check: structSize,
		Meaning: "The Size of an offload structure is not 32, 528, 544 or 16, or the buffer is shorter than the structure.",
		Advice:  "The side that sent it does not follow the protocol: report it to its vendor.",
		Spec:    "[MS-FSCC] 2.3.41 to 2.3.44"},
	{ID: "odx/read-too-long", Level: flows.Error, check: readTooLong,
		Meaning: "A token stands for more than was asked for, rounded up to a logical sector.",
		Advice:  "The server must not grant more than CopyLength: report it to its vendor.",
		Spec:    "[MS-FSA] 2.1.5.10.18"},
	{ID: "odx/read-empty", Level: flows.Error, check: readEmpty,
		Meaning: "An offload read succeeded and granted nothing; a warning if it asked for less than a sector or at the end of file.",
		Advice:  "A client can only loop or fall back: a server that cannot offload should refuse.",
		Spec:    "[MS-FSA] 2.1.5.10.18"},
	{ID: "odx/write-too-long", Level: flows.Error, check: writeTooLong,
		Meaning: "An offload write says that it wrote more than it was asked to.",
		Advice:  "Compare the files: the bytes after the range may be overwritten.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "odx/write-empty", Level: flows.Warning, check: writeEmpty,
		Meaning: "An offload write of bytes inside the token succeeded and wrote nothing.",
		Advice:  "A client can only loop or fall back: the server should say why.",
		Spec:    "[MS-FSA] 2.1.5.10.19"},
	{ID: "odx/result-unaligned", Level: flows.Error, check: resultUnaligned,
		Meaning: "What a server granted or wrote is no multiple of the logical sector size and does not end at the end of file.",
		Advice:  "The client cannot go on from there with aligned calls.",
		Spec:    "[MS-FSCC] 2.3.42, 2.3.44"},
	{ID: "odx/unaligned", Level: flows.Warning, check: unaligned,
		Meaning: "An offset or length that the client asked for is no multiple of the logical sector size.",
		Advice:  "Windows servers refuse such calls: the client should align them.",
		Spec:    "[MS-FSA] 2.1.5.10.18, 2.1.5.10.19"},
	{ID: "odx/token-format", Level: flows.Error, check: tokenFormat,
		Meaning: "A minted token has a TokenIdLength above 504 or a reserved TokenType; a note if its other fields do not fit together.",
		Advice:  "Clients pass tokens on unseen, but storage behind the server may not take it.",
		Spec:    "[MS-FSCC] 2.1.11"},
	{ID: "odx/output-small", Level: flows.Warning, check: outputSmall,
		Meaning: "The client left less room for the answer than it needs, and was refused.",
		Advice:  "MaxOutputResponse must be 528 for a read and 16 for a write.",
		Spec:    "[MS-SMB2] 2.2.31"},
	{ID: "odx/slow", Level: flows.Warning, check: slow,
		Meaning: "An offload call took more than 20 seconds and the server did not say STATUS_PENDING; a note above 4 seconds.",
		Advice:  "Clients give up after 60 seconds: let the server move less per call.",
		Spec:    "[MS-SMB2] 3.2.6.1"},
}

// Sizes of the structures, in bytes. [MS-FSCC] 2.3.41 to 2.3.44
func sizes(k *flows.Call) (request, answer uint32) {
	if k.Function == fscc.OffloadRead {
		return 32, 528
	}
	return 544, 16
}

func structSize(j *judge) {
	for k, c := range j.offloads() {
		request, answer := sizes(k)
		say := func(format string, args ...any) {
			about(j.report(flows.Error, []int{k.Frame, k.Answer}, format, args...), k, c)
		}
		good := k.Accepted() && k.Status == ntstatus.Success && !k.Cut
		switch {
		case k.Input < request:
			say("the request of %v has a buffer of %d bytes, not %d", k.Function, k.Input, request)
		case k.Size != request && !(k.Size == 0 && k.Damaged):
			say("the request of %v says that its structure has %d bytes, not %d", k.Function, k.Size, request)
		case good && k.Output < answer:
			say("the answer to %v has a buffer of %d bytes, not %d", k.Function, k.Output, answer)
		case good && k.AnswerSize != answer:
			say("the answer to %v says that its structure has %d bytes, not %d", k.Function, k.AnswerSize, answer)
		case k.Damaged:
			say("a buffer of %v ends before its structure does", k.Function)
		}
	}
}

func readTooLong(j *judge) {
	for k, c := range j.offloads() {
		if k.Function == fscc.OffloadRead && k.Moved > roundUp(k.Asked, sector(k.Sector)) {
			about(j.report(flows.Error, []int{k.Frame, k.Answer}, "the server granted %d bytes of %s where %d were asked for", k.Moved, name(k.File), k.Asked), k, c)
		}
	}
}

func readEmpty(j *judge) {
	for k, c := range j.offloads() {
		// A range that holds nothing but zeros to the end of file is no empty promise.
		if k.Function != fscc.OffloadRead || !granted(k) || k.Moved > 0 || k.Asked == 0 || k.AllZero {
			continue
		}
		level, why := flows.Error, ""
		switch {
		case k.Asked < sector(k.Sector):
			level, why = flows.Warning, ", which is less than a sector"
		case k.HasEnd && k.Offset >= k.End:
			level, why = flows.Warning, fmt.Sprintf(", at or past its end at %d", k.End)
		}
		f := j.report(level, []int{k.Frame, k.Answer}, "the server granted nothing of %s for %d bytes from %d%s", name(k.File), k.Asked, k.Offset, why)
		about(f, k, c)
		if level == flows.Error && !k.HasEnd {
			doubt(f, "the capture does not show where the file ends")
		}
	}
}

// granted reports whether a call was answered with its structure.
func granted(k *flows.Call) bool {
	_, answer := sizes(k)
	return k.Accepted() && k.AnswerSize != 0 && k.Output >= answer
}

func writeTooLong(j *judge) {
	for k, c := range j.offloads() {
		if k.Function == fscc.OffloadWrite && k.Moved > k.Asked {
			about(j.report(flows.Error, []int{k.Frame, k.Answer}, "the server wrote %d bytes to %s where %d were asked for", k.Moved, name(k.File), k.Asked), k, c)
		}
	}
}

func writeEmpty(j *judge) {
	for k, c := range j.offloads() {
		if k.Function != fscc.OffloadWrite || !granted(k) || k.Moved > 0 || k.Asked == 0 {
			continue
		}
		m := j.mints[k.Mint]
		if k.TokenType != zeroData && (m == nil || endOf(k.From, k.Asked) > roundUp(m.Length, sector(m.Sector))) {
			continue // outside the token, or nobody knows
		}
		about(j.report(flows.Warning, []int{k.Frame, k.Answer}, "the server wrote nothing of %d bytes to %s at %d", k.Asked, name(k.File), k.Offset), k, c)
	}
}

func resultUnaligned(j *judge) {
	for k, c := range j.offloads() {
		unit := sector(k.Sector)
		end := endOf(k.Offset, k.Moved)
		if k.Moved%unit == 0 || end%unit == 0 || k.HasEnd && end == k.End {
			continue
		}
		known := k.HasEnd
		if m := j.mints[k.Mint]; k.Function == fscc.OffloadWrite {
			known = k.HasSourceEnd
			if m != nil && k.HasSourceEnd && endOf(m.Offset+k.From, k.Moved) == k.SourceEnd {
				continue
			}
		}
		f := j.report(flows.Error, []int{k.Frame, k.Answer}, "the server moved %d bytes of %s, no multiple of the sector size %d and not up to the end of file", k.Moved, name(k.File), unit)
		about(f, k, c)
		if !known {
			doubt(f, "the capture does not show where the file ends")
		}
	}
}

func unaligned(j *judge) {
	for k, c := range j.offloads() {
		unit := sector(k.Sector)
		what := ""
		switch {
		case k.Damaged || k.Input == 0:
			continue
		case k.Offset%unit != 0:
			what = fmt.Sprintf("FileOffset %d", k.Offset)
		case k.Asked%unit != 0:
			what = fmt.Sprintf("CopyLength %d", k.Asked)
		case k.Function == fscc.OffloadWrite && k.From%unit != 0:
			what = fmt.Sprintf("TransferOffset %d", k.From)
		default:
			continue
		}
		if !k.Refused() && atEnd(j, k) {
			continue
		}
		f := j.report(flows.Warning, []int{k.Frame, k.Answer}, "%s of %v on %s is no multiple of the sector size %d", what, k.Function, name(k.File), unit)
		about(f, k, c)
		if !k.Refused() && (!k.HasEnd || k.Function == fscc.OffloadWrite && !k.HasSourceEnd) {
			doubt(f, "the capture does not show where the file ends")
		}
	}
}

// atEnd reports whether what a call asks for ends exactly at an end of file.
func atEnd(j *judge, k *flows.Call) bool {
	if k.HasEnd && endOf(k.Offset, k.Asked) == k.End {
		return true
	}
	m := j.mints[k.Mint]
	return k.Function == fscc.OffloadWrite && m != nil && k.HasSourceEnd && endOf(m.Offset+k.From, k.Asked) == k.SourceEnd
}

// Tokens of reserved types begin here. [MS-FSCC] 2.1.11
const reservedTypes = 0xffff0002

func tokenFormat(j *judge) {
	type kind struct {
		host int
		what string
	}
	odd := make(map[kind]*oddTokens)
	var kinds []kind
	for i := range j.Mints {
		m := &j.Mints[i]
		level, what := flows.Note, ""
		switch {
		case m.IDLength > 504:
			level, what = flows.Error, fmt.Sprintf("TokenIdLength %d is more than the 504 bytes there are", m.IDLength)
		case m.Type >= reservedTypes:
			level, what = flows.Error, fmt.Sprintf("TokenType 0x%08x is reserved", m.Type)
		case m.IsZero() && m.HasID:
			what = "it stands for zeros and has an id"
		case m.IDLength == 0 && m.HasID:
			what = "TokenIdLength is 0 and there is an id"
		case m.Reserved != 0:
			what = fmt.Sprintf("Reserved is 0x%04x", m.Reserved)
		default:
			continue
		}
		if level == flows.Error {
			f := j.report(level, []int{m.Frame}, "token %s is not one that the specification knows: %s", m.ID, what)
			f.Mint, f.Copy = m.ID, m.Copy
			continue
		}
		k := kind{m.Host, what}
		if odd[k] == nil {
			odd[k] = &oddTokens{first: m}
			kinds = append(kinds, k)
		}
		odd[k].frames = append(odd[k].frames, m.Frame)
	}
	for _, k := range kinds {
		o := odd[k]
		f := j.report(flows.Note, o.frames, "%s minted by %s has a form of its own: %s", times(len(o.frames), "token"), o.first.Server, k.what)
		f.Mint, f.Copy = o.first.ID, o.first.Copy
	}
}

// oddTokens is the tokens of one server that are odd in the same way.
type oddTokens struct {
	first  *flows.Mint
	frames []int
}

func outputSmall(j *judge) {
	for k, c := range j.offloads() {
		if _, need := sizes(k); k.MaxOutput < need && k.Refused() {
			about(j.report(flows.Warning, []int{k.Frame, k.Answer}, "MaxOutputResponse of %v is %d and must be %d: refused with %v", k.Function, k.MaxOutput, need, k.Status), k, c)
		}
	}
}

func slow(j *judge) {
	for k, c := range j.offloads() {
		took := time.Duration(k.Took)
		if took <= 4*time.Second || k.Interim != 0 {
			continue
		}
		level := flows.Note
		if took > 20*time.Second {
			level = flows.Warning
		}
		f := j.report(level, []int{k.Frame, k.Answer}, "%v on %s took %.1f s and the server did not say STATUS_PENDING", k.Function, name(k.File), took.Seconds())
		about(f, k, c)
		doubt(f, j.missing(k.Conn))
	}
}

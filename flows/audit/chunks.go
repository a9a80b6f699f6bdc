package audit

import (
	"fmt"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/flows"
)

var chunkRules = []Rule{
	{ID: "chunk/limits", Level: flows.Note, check: chunkLimits,
		Meaning: "The server refused a copychunk for its size and said what it takes.",
		Advice:  "A client asks again within the limits; none of the three numbers counts bytes copied.",
		Spec:    "[MS-SMB2] 3.3.5.15.6.2"},
	{ID: "chunk/key-unknown", Level: flows.Error, check: chunkKeyUnknown,
		Meaning: "A copychunk was refused for a source key that no answer in the capture gave.",
		Advice:  "The client made the key up or used one of another server.",
		Spec:    "[MS-SMB2] 3.3.5.15.6"},
	{ID: "chunk/short", Level: flows.Warning, check: chunkShort,
		Meaning: "A copychunk succeeded and copied less than the sum of its chunks.",
		Advice:  "A client that trusts the status leaves a hole: compare the files.",
		Spec:    "[MS-SMB2] 2.2.32.1"},
	{ID: "clone/unaligned", Level: flows.Warning, check: cloneUnaligned,
		Meaning: "Offsets or length of DUPLICATE_EXTENTS are no multiples of the cluster size.",
		Advice:  "Only the last cluster of a file may be cloned in part.",
		Spec:    "[MS-FSA] 2.1.5.10.4"},
}

func chunkLimits(j *judge) {
	for k, c := range j.calls() {
		if !isChunk(k) || !k.Limited || k.Output != 12 || k.Status != ntstatus.InvalidParameter {
			continue
		}
		about(j.report(flows.Note, []int{k.Frame, k.Answer}, "the server takes %d chunks of %d bytes, %d bytes in all; asked for were %d bytes",
			k.Limits.Chunks, k.Limits.ChunkBytes, k.Limits.TotalBytes, k.Asked), k, c)
	}
}

func chunkKeyUnknown(j *judge) {
	for k, c := range j.calls() {
		if !isChunk(k) || k.KeyKnown || !k.Accepted() && k.Status != ntstatus.ObjectNameNotFound {
			continue
		}
		f := j.report(flows.Error, []int{k.Frame, k.Answer}, "the copychunk to %s names a source by a key that no answer in the capture gave", name(k.File))
		about(f, k, c)
		doubt(f, j.unseen(k.Host))
		if k.Accepted() && f.Uncertain == "" {
			doubt(f, "the server took it")
		}
	}
}

func chunkShort(j *judge) {
	for k, c := range j.calls() {
		if isChunk(k) && k.Accepted() && !k.Cut && k.Moved < k.Asked {
			about(j.report(flows.Warning, []int{k.Frame, k.Answer}, "the copychunk to %s succeeded and copied %d bytes of %d", name(k.File), k.Moved, k.Asked), k, c)
		}
	}
}

func cloneUnaligned(j *judge) {
	for k, c := range j.calls() {
		if k.Function != fscc.DuplicateExtents && k.Function != fscc.DuplicateExtentsEx {
			continue
		}
		// What no sector divides, no cluster divides either.
		unit, what := uint64(k.Cluster), "cluster"
		if unit == 0 {
			unit, what = sector(k.Sector), "sector"
		}
		bad := ""
		switch {
		case k.From%unit != 0:
			bad = fmt.Sprintf("SourceFileOffset %d", k.From)
		case k.Offset%unit != 0:
			bad = fmt.Sprintf("TargetFileOffset %d", k.Offset)
		case k.Asked%unit != 0 && !(k.HasSourceEnd && endOf(k.From, k.Asked) == k.SourceEnd) && !(k.HasEnd && endOf(k.Offset, k.Asked) == k.End):
			bad = fmt.Sprintf("ByteCount %d", k.Asked)
		default:
			continue
		}
		about(j.report(flows.Warning, []int{k.Frame, k.Answer}, "%s of the clone to %s is no multiple of the %s size %d", bad, name(k.File), what, unit), k, c)
	}
}

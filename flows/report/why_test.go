package report

import (
	"slices"
	"testing"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
)

// TestWhyNames: of the calls that were refused, Why names the one that mattered.
func TestWhyNames(t *testing.T) {
	call := func(f fscc.Code, frame int, s ntstatus.Status) flows.Call {
		return flows.Call{Command: smb2.Ioctl, Function: f, Frame: frame, Answer: frame + 1, Status: s}
	}
	early, late := call(fscc.OffloadRead, 10, ntstatus.InvalidParameter), call(fscc.OffloadWrite, 20, ntstatus.DiskFull)
	limits := call(fscc.CopyChunk, 30, ntstatus.InvalidParameter)
	limits.Limited, limits.Limits = true, fscc.CopyChunkLimits{Chunks: 256, ChunkBytes: 1 << 20, TotalBytes: 16 << 20}
	failure := func(k flows.Call) []flows.Failure {
		return []flows.Failure{{Frame: k.Frame, Answer: k.Answer, Function: k.Function, Status: k.Status, Left: []flows.Range{{Start: 0, End: 1}}}}
	}
	for name, x := range map[string]struct {
		copy   flows.Copy
		frames []int
		what   string
	}{
		"what ended its method": {flows.Copy{Calls: []flows.Call{early, late}, Methods: []flows.Method{flows.ODX, flows.Plain}, First: flows.ODX, Fallback: "STATUS_DISK_FULL", FailedAt: 21, Slower: 5, Bytes: 9},
			[]int{20, 21}, "the server refused FSCTL_OFFLOAD_WRITE with STATUS_DISK_FULL; 5 B of 9 B then went by plain"},
		"what nothing took over from": {flows.Copy{Calls: []flows.Call{early, late}, Failures: failure(late)},
			[]int{20, 21}, "the server refused FSCTL_OFFLOAD_WRITE with STATUS_DISK_FULL, and nothing took over"},
		"the server's limits": {flows.Copy{Calls: []flows.Call{limits}, Failures: failure(limits), Method: flows.CopyChunk},
			[]int{30, 31}, "the server refused FSCTL_SRV_COPYCHUNK with STATUS_INVALID_PARAMETER, and nothing took over"},
		"a WRITE": {flows.Copy{Failures: []flows.Failure{{Frame: 40, Answer: 41, Status: ntstatus.DiskFull, Left: []flows.Range{{Start: 0, End: 1}}}}},
			[]int{40, 41}, "the server refused WRITE with STATUS_DISK_FULL, and nothing took over"},
	} {
		d, ok := diagnoseCopy(&flows.Results{}, &x.copy)
		if !ok || d.What != x.what || !slices.Equal(d.Frames, x.frames) {
			t.Errorf("%s: %q %v", name, d.What, d.Frames)
		}
	}
}

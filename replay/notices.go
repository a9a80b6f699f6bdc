package replay

// What CHANGE_NOTIFY tells: what counts is which changes of a directory are told, however
// many answers they come in, and in which order. [MS-SMB2] 2.2.36, [MS-FSCC] 2.7.1

import (
	"slices"
	"strings"

	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/flows/report"
)

// notices is what is told of a directory, by the handle that is watched.
type notices struct {
	was, is []string
	steps   []int // Step.ID of answers that tell other changes than the captured ones
}

// tells are the statuses with which a watch ends: with changes, or with none as yet.
var tells = map[smb2.Status]bool{ntstatus.Success: true, ntstatus.Cancelled: true, notifyCleanup: true}

const notifyCleanup smb2.Status = 0x0000010b // STATUS_NOTIFY_CLEANUP

// noticed takes the answer to a CHANGE_NOTIFY. If it tells other changes than the captured
// one, the verdict waits for the end.
func (r *run) noticed(s *Step, o *Outcome) {
	slot := -1
	for _, u := range s.Uses {
		slot = u.Slot
	}
	var d decoder
	d.decode(s.Answer, s.AnsSize, &s.Context, nil)
	a := changesIn(&d.tree)
	d.decode(o.Answer, len(o.Answer), &s.Context, nil)
	b := changesIn(&d.tree)
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.notices[slot]
	if n == nil {
		n = new(notices)
		r.notices[slot] = n
	}
	const most = 1 << 16
	if len(n.was)+len(n.is) < most {
		n.was, n.is = append(n.was, a...), append(n.is, b...)
	}
	if !alike(a, b) {
		n.steps = append(n.steps, s.ID)
	}
}

// changesIn lists the changes in an answer.
func changesIn(t *wire.Tree) (list []string) {
	action := ""
	for _, l := range leaves(t) {
		switch l.name {
		case "smb2.notify.action":
			action = l.text
		case "smb2.filename":
			list = append(list, action+" "+l.text)
		}
	}
	return list
}

// alike compares two lists as sets.
func alike(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// lateNotices gives the steps a verdict whose answers told other changes than the captured
// ones: all in all they may be the same.
func (r *run) lateNotices() {
	for _, n := range r.notices {
		if alike(n.was, n.is) {
			continue
		}
		for _, id := range n.steps {
			o := &r.outcomes[id-1]
			o.add("smb2.nt_status", report.StatusName(statusOf(r.plan.Step(id).Answer)), report.StatusName(statusOf(o.Answer)))
			o.add("changes in the directory", beyond(n.was, n.is), beyond(n.is, n.was))
			r.judge(r.plan.Step(id), o)
		}
	}
}

// beyond lists what one has and the other has not.
func beyond(of, other []string) string {
	var only []string
	for _, x := range of {
		if !slices.Contains(other, x) && !slices.Contains(only, x) {
			only = append(only, x)
		}
	}
	slices.Sort(only)
	return strings.TrimPrefix(some(only), "others are ")
}

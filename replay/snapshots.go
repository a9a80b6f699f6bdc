package replay

// Snapshots are named by their times: in paths as @GMT-…, in CREATE contexts as FILETIME.
// Those that the target lists take the place of the captured ones, in their order.

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/odxray/odxray/dissect/smb2"
)

var snapshotToken = regexp.MustCompile(`@GMT-\d{4}\.\d\d\.\d\d-\d\d\.\d\d\.\d\d`)

// fileTimeOf returns the FILETIME of a token; 0 if it is none. [MS-SMB2] 2.2.32.2
func fileTimeOf(token string) uint64 {
	t, err := time.Parse("@GMT-2006.01.02-15.04.05", token)
	if err != nil {
		return 0
	}
	const toUnix = 11644473600 // seconds from 1601 to 1970
	return uint64(t.Unix()+toUnix) * 1e7
}

// text returns a snapshot slot's value as text.
func text(b []byte) string { return strings.TrimRight(decode(b), "\x00") }

// timeWarp returns where the time of the snapshot stands in a CREATE; 0 if nowhere.
func (d *decoder) timeWarp(b []byte) int {
	d.decode(b, len(b), nil, nil)
	for i := range d.tree.Nodes {
		if n := &d.tree.Nodes[i]; n.Field.Name == "smb2.twrp_timestamp" && n.Len == 8 {
			return int(n.Off)
		}
	}
	return 0
}

// snapshot notes the snapshot that a CREATE is about.
func (x *extraction) snapshot(s *Step) {
	if s.Header.Command != smb2.Create {
		return
	}
	name, _ := createName(s.Request)
	token := snapshotToken.FindString(name)
	at := uint64(0)
	if token == "" {
		if off := x.d.timeWarp(s.Request); off > 0 {
			at = le.Uint64(s.Request[off:])
		}
	}
	if token == "" && at == 0 {
		return
	}
	for k, slot := range x.current {
		if k.kind == SlotSnapshot && (text(x.plan.Slots[slot].Old) == token || at != 0 && fileTimeOf(text(x.plan.Slots[slot].Old)) == at) {
			s.Uses = append(s.Uses, Use{Slot: slot})
			return
		}
	}
}

// inSnapshot puts the target's snapshot into a CREATE in place of the captured one.
func (r *run) inSnapshot(s *Step, b []byte) []byte {
	for _, u := range s.Uses {
		slot := &r.plan.Slots[u.Slot]
		if slot.Kind != SlotSnapshot {
			continue
		}
		old, now := text(slot.Old), text(r.value(u.Slot))
		if name, ok := createName(b); ok && strings.Contains(name, old) {
			return setCreate(b, strings.ReplaceAll(name, old, now))
		}
		var d decoder
		if off := d.timeWarp(b); off > 0 {
			b = slices.Clone(b)
			le.PutUint64(b[off:], fileTimeOf(now))
		}
	}
	return b
}

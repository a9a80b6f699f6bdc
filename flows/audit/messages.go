package audit

import (
	"github.com/odxray/odxray/flows"
)

var messageRules = []Rule{
	{ID: "smb/replayed", Level: flows.Note, check: smbReplayed,
		Meaning: "An offload or copychunk request was on the wire twice.",
		Advice:  "One is a retransmission or a replay: the network or the server was slow to confirm the first.",
		Spec:    "[MS-SMB2] 3.2.4.1.2"},
}

var captureRules = []Rule{}

func smbReplayed(j *judge) {
	for i := range j.Copies {
		c := &j.Copies[i]
		for _, k := range c.Calls {
			if len(k.Repeats) == 0 {
				continue
			}
			f := j.report(append([]int{k.Frame}, k.Repeats...), "%v was sent again and is counted once", k.Function)
			f.Copy, f.Mint = c.ID, k.Mint
		}
	}
}

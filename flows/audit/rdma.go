package audit

import (
	"fmt"
	"slices"

	"github.com/odxray/odxray/flows"
)

var rdmaRules = []Rule{
	{ID: "smbd/negotiate", Level: flows.Error, check: smbdNegotiate,
		Meaning: "The negotiation of SMB Direct says what it must not say.",
		Advice:  "One of the two implementations is wrong: look at the values in the frame.",
		Spec:    "[MS-SMBD] 3.1.5.1"},
	{ID: "smbd/header", Level: flows.Error, check: faults(flows.FaultHeader),
		Meaning: "The header of a data transfer of SMB Direct is wrong.",
		Advice:  "The sender is wrong: a receiver ends the connection over it.",
		Spec:    "[MS-SMBD] 2.2.3"},
	{ID: "smbd/fragment", Level: flows.Error, check: faults(flows.FaultFragment),
		Meaning: "A fragment does not go on from the one before, or is larger than was agreed.",
		Advice:  "The sender is wrong: a receiver ends the connection over it.",
		Spec:    "[MS-SMBD] 3.1.5.2"},
	{ID: "smbd/credit-overrun", Level: flows.Error, check: faults(flows.FaultOverrun),
		Meaning: "A data transfer of SMB Direct was sent without a credit for it.",
		Advice:  "The sender is wrong: the receiver may have no buffer for the message, and then ends the connection.",
		Spec:    "[MS-SMBD] 3.1.5.1"},
	{ID: "smbd/last-credit", Level: flows.Warning, check: faults(flows.FaultLastCredit),
		Meaning: "A data transfer spends the sender's last credit and grants the receiver none.",
		Advice:  "The sender is wrong: if the receiver does the same, neither may ever send again.",
		Spec:    "[MS-SMBD] 3.1.5.1"},
	{ID: "smbd/credit-starved", Level: flows.Warning, check: faults(flows.FaultStarved),
		Meaning: "An end had something to send and for more than 100 ms no credit for it.",
		Advice:  "The other end grants too few credits, or too late: look at how many receives it posts.",
		Spec:    "[MS-SMBD] 3.1.1.1"},
	{ID: "smbd/keepalive-unanswered", Level: flows.Warning, check: faults(flows.FaultKeepAlive),
		Meaning: "An end was asked for an answer, could have sent one, and sent nothing for 5 seconds.",
		Advice:  "The end hangs, or ignores SMB_DIRECT_RESPONSE_REQUESTED: the other one ends the connection over it.",
		Spec:    "[MS-SMBD] 3.1.6.1"},
	{ID: "rdma/short", Level: flows.Error, check: faults(flows.FaultShort),
		Meaning: "A READ or WRITE succeeded, and less moved by RDMA than its answer says.",
		Advice:  "Data is missing: compare the file on both sides.",
		Spec:    "[MS-SMB2] 3.3.5.12"},
	{ID: "rdma/out-of-bounds", Level: flows.Error, check: faults(flows.FaultBounds),
		Meaning: "The server reached for memory that no waiting request had given it.",
		Advice:  "The server is wrong, or a key outlived its request.",
		Spec:    "[MS-SMBD] 3.1.4.3"},
	{ID: "rdma/after-invalidate", Level: flows.Error, check: faults(flows.FaultInvalidated),
		Meaning: "The server reached for memory with a key that a response or a Send with Invalidate had ended.",
		Advice:  "The server is wrong: it must move all data before it answers.",
		Spec:    "[MS-SMB2] 3.3.5.12"},
	{ID: "rdma/inline", Level: flows.Note, check: rdmaInline,
		Meaning: "READs or WRITEs of 8 KiB or more went inline on a connection that has RDMA.",
		Advice:  "Signing and encryption keep clients from RDMA, else their threshold does: inline data costs processor time and credits.",
		Spec:    "[MS-SMB2] 3.2.4.6"},
	{ID: "rdma/wrong-direction", Level: flows.Error, check: faults(flows.FaultDirection),
		Meaning: "An RDMA operation goes the wrong way.",
		Advice:  "Only servers reach for memory: they write for a READ and read for a WRITE.",
		Spec:    "[MS-SMB2] 3.3.5.12"},
	{ID: "rdma/too-long", Level: flows.Error, check: faults(flows.FaultLong),
		Meaning: "A READ or WRITE by RDMA is longer than the server said it would move.",
		Advice:  "The client is wrong: the server fails such requests.",
		Spec:    "[MS-SMBD] 2.2.2"},
	{ID: "rdma/retransmit", Level: flows.Note, check: rdmaRetransmit,
		Meaning: "Packets of a queue pair were sent again.",
		Advice:  "The network loses or delays packets, or a receiver was not ready: look at flow control and congestion.",
		Spec:    "[IBTA] 9.7.5.2"},
	{ID: "rdma/bad-icrc", Level: flows.Warning, check: rdmaBadCRC,
		Meaning: "The invariant CRC of packets, or the CRC of FPDUs, is wrong.",
		Advice:  "They were damaged on their way, or changed by what lies between.",
		Spec:    "[IBTA] A17.3.3"},
}

// faults reports what was found of a kind.
func faults(kind flows.FaultKind) func(*judge) {
	return func(j *judge) {
		for i := range j.RDMA {
			r := &j.RDMA[i]
			for _, f := range r.Faults {
				if f.Kind != kind {
					continue
				}
				found := j.report(f.Level, []int{f.Frame, f.Answer}, "%s", f.Text)
				doubt(found, f.Uncertain)
				switch kind {
				case flows.FaultBounds, flows.FaultShort, flows.FaultDirection, flows.FaultInvalidated:
					doubt(found, j.notAll(r))
				case flows.FaultOverrun, flows.FaultLastCredit, flows.FaultStarved, flows.FaultKeepAlive:
					doubt(found, j.notCounted(r))
				}
			}
		}
	}
}

// notAll is missing for a connection of RDMA, whose start counts too.
func (j *judge) notAll(r *flows.RDMAConnection) string {
	if why := j.missing(r.Conn); why != "" {
		return why
	}
	switch c := j.conns[r.Conn]; {
	case c == nil:
		return "no message of SMB on the connection could be read"
	case c.LateStart:
		return "the connection began before the capture"
	}
	return ""
}

// notCounted says why not all messages of SMB Direct on a connection were seen; "" if they
// were. Their headers are never encrypted.
func (j *judge) notCounted(r *flows.RDMAConnection) string {
	c := j.conns[r.Conn]
	switch {
	case j.Unread:
		return "the capture was not read to its end"
	case r.Lost > 0 || c != nil && c.LostBytes > 0:
		return fmt.Sprintf("packets of connection %d are missing from the capture", r.Conn)
	case c != nil && c.CutFrames > 0:
		return fmt.Sprintf("%d frames of connection %d were cut", c.CutFrames, r.Conn)
	}
	return ""
}

// rdmaInline says how many READs and WRITEs went inline, and why.
func rdmaInline(j *judge) {
	for i := range j.RDMA {
		r := &j.RDMA[i]
		for k := range r.Inline {
			n := &r.Inline[k]
			what := "READs"
			if n.Write {
				what = "WRITEs"
			}
			j.report(flows.Note, n.Frames, "%d %s of 8 KiB or more of connection %d, %d bytes in all, went inline: %s", n.Count, what, r.Conn, n.Bytes, n.Cause)
		}
	}
}

// smbdNegotiate checks the limits of [MS-SMBD] 3.1.5.1 and 3.1.5.2.
func smbdNegotiate(j *judge) {
	for i := range j.RDMA {
		r := &j.RDMA[i]
		q, a := &r.Request, &r.Response
		check := func(frame int, bad bool, format string, args ...any) {
			if frame != 0 && bad {
				j.report(flows.Error, []int{frame}, format, args...)
			}
		}
		check(r.RequestFrame, q.CreditsRequested == 0, "the request asks for no credits")
		check(r.RequestFrame, q.MaxReceiveSize < 128, "the client takes %d bytes at once, less than 128", q.MaxReceiveSize)
		check(r.RequestFrame, q.MaxFragmentedSize < 131072, "the client takes messages of %d bytes, less than 131072", q.MaxFragmentedSize)
		if a.Status != 0 {
			continue
		}
		check(r.ResponseFrame, a.CreditsRequested == 0, "the response asks for no credits")
		check(r.ResponseFrame, a.CreditsGranted == 0, "the response grants no credits")
		check(r.ResponseFrame, a.MaxReceiveSize < 128, "the server takes %d bytes at once, less than 128", a.MaxReceiveSize)
		check(r.ResponseFrame, a.MaxFragmentedSize < 131072, "the server takes messages of %d bytes, less than 131072", a.MaxFragmentedSize)
		check(r.ResponseFrame, r.RequestFrame != 0 && a.PreferredSendSize > q.MaxReceiveSize, "the server would send %d bytes at once, and the client takes %d", a.PreferredSendSize, q.MaxReceiveSize)
	}
}

func rdmaRetransmit(j *judge) {
	const named = 5 // requests, the most delayed ones
	for i := range j.RDMA {
		r := &j.RDMA[i]
		if r.Repeated+r.Refused+r.NotReady == 0 {
			continue
		}
		text := fmt.Sprintf("%d of %d packets of connection %d were sent again: %d NAKs, %d times not ready", r.Repeated, r.Packets, r.Conn, r.Refused, r.NotReady)
		frames := []int{r.FirstRepeat}
		worst := slices.SortedStableFunc(slices.Values(r.Delays), func(a, b flows.Delay) int { return b.Packets - a.Packets })
		for k, d := range worst[:min(len(worst), named)] {
			if frames = append(frames, d.Frame); k == 0 {
				text += fmt.Sprintf("; they delayed %d requests, of them", len(r.Delays))
			} else {
				text += ","
			}
			text += fmt.Sprintf(" the %v of frame %d by %d packets", d.Command, d.Frame, d.Packets)
		}
		j.report(flows.Note, frames, "%s", text)
	}
}

func rdmaBadCRC(j *judge) {
	for i := range j.RDMA {
		r := &j.RDMA[i]
		packet, crc := "packet", "invariant CRC"
		if r.Transport == flows.IWARP {
			packet, crc = "FPDU", "CRC"
		}
		switch {
		case r.NoGoodCRC:
			j.report(flows.Note, []int{r.First}, "no %s of a direction of connection %d has a right %s: the point of capture does not carry it", packet, r.Conn, crc)
		case r.BadCRC > 0:
			j.report(flows.Warning, []int{r.FirstBadCRC}, "the %s of %d %ss of connection %d is wrong", crc, r.BadCRC, packet, r.Conn)
		}
	}
}

package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/odxray/odxray/flows"
)

// rdmaJSON is a connection of RDMA as docs/schema/rdma.json describes it.
type rdmaJSON struct {
	Connection int                 `json:"connection"`
	Client     queuePairJSON       `json:"client"`
	Server     queuePairJSON       `json:"server"`
	Transport  string              `json:"transport"`
	PairedBy   any                 `json:"paired_by"`
	Confidence any                 `json:"confidence"`
	First      int                 `json:"first_frame"`
	Last       int                 `json:"last_frame"`
	Closed     any                 `json:"closed_frame"`
	Port       any                 `json:"port"`
	MTU        any                 `json:"mtu"`
	Negotiated any                 `json:"negotiated"`
	Packets    int                 `json:"packets"`
	Repeated   int                 `json:"repeated_packets"`
	Refused    int                 `json:"naks"`
	NotReady   int                 `json:"receiver_not_ready"`
	Lost       int                 `json:"lost_packets"`
	BadCRC     int                 `json:"bad_icrc"`
	Marked     int                 `json:"congestion_marked"`
	Notified   int                 `json:"congestion_notified"`
	Unanswered int                 `json:"unanswered_requests"`
	Faults     []rdmaFaultJSON     `json:"faults"`
	Operations []rdmaOperationJSON `json:"operations"`
	Unlisted   int                 `json:"operations_not_listed"`
}

type queuePairJSON struct {
	Address          string `json:"address"`
	QueuePair        any    `json:"queue_pair"`
	Messages         int    `json:"messages"`
	CreditsRequested uint64 `json:"credits_requested"`
	CreditsGranted   uint64 `json:"credits_granted"`
	Ledger           any    `json:"ledger"`
	KeepAlives       int    `json:"keep_alives"`
}

// ledgerJSON is what an end may send.
type ledgerJSON struct {
	Target   int           `json:"credits_wanted"`
	Received int           `json:"credits_received"`
	Spent    int           `json:"credits_spent"`
	Window   int           `json:"credits"`
	Most     int           `json:"most_credits"`
	Least    any           `json:"least_credits"`
	Overruns int           `json:"overruns"`
	Stalls   int           `json:"starved"`
	Stalled  any           `json:"starved_seconds"`
	History  []historyJSON `json:"history"`
}

// historyJSON is the credits in a stretch of time.
type historyJSON struct {
	Time string `json:"time"`
	Low  int    `json:"low"`
	High int    `json:"high"`
}

// newLedgerJSON returns nil if the capture does not tell.
func newLedgerJSON(l *flows.CreditLedger) any {
	if !l.Known {
		return nil
	}
	j := ledgerJSON{Target: l.Requested, Received: l.Received, Spent: l.Spent, Window: l.Window, Most: l.Most, Overruns: l.Overruns,
		Stalls: l.Stalls, Stalled: seconds(l.Stalled), History: make([]historyJSON, len(l.History))}
	if l.Least >= 0 {
		j.Least = l.Least
	}
	for i, p := range l.History {
		j.History[i] = historyJSON{stamp(p.Time), p.Low, p.High}
	}
	return j
}

// rdmaFaultJSON is something that is wrong.
type rdmaFaultJSON struct {
	Level    string `json:"level"`
	Text     string `json:"text"`
	Frame    int    `json:"frame"`
	Until    any    `json:"until_frame"`
	Exchange any    `json:"exchange"`
}

// negotiatedJSON is what both sides said in the negotiation of SMB Direct.
type negotiatedJSON struct {
	Version   any          `json:"version"`
	Status    any          `json:"status"`
	ReadWrite any          `json:"max_read_write_size"`
	Client    directLimits `json:"client"`
	Server    directLimits `json:"server"`
}

type directLimits struct {
	CreditsRequested any `json:"credits_requested"`
	CreditsGranted   any `json:"credits_granted"`
	PreferredSend    any `json:"preferred_send_size"`
	MaxReceive       any `json:"max_receive_size"`
	MaxFragmented    any `json:"max_fragmented_size"`
}

type rdmaOperationJSON struct {
	Kind     string `json:"kind"`
	By       string `json:"by"`
	Key      string `json:"key"`
	Address  string `json:"address"`
	Length   uint32 `json:"length"`
	Moved    uint32 `json:"moved"`
	First    int    `json:"first_frame"`
	Last     any    `json:"last_frame"`
	Repeated int    `json:"repeated_packets"`
	Exchange any    `json:"exchange"`
	splitJSON
	Incomplete any `json:"incomplete"`
}

func newRDMAJSON(r *flows.RDMAConnection) rdmaJSON {
	end := func(q flows.QueuePair, i int) queuePairJSON {
		var number any
		if q.Number != 0 {
			number = fmt.Sprintf("0x%06x", q.Number)
		}
		return queuePairJSON{q.Addr.String(), number, r.Messages[i], r.CreditsRequested[i], r.CreditsGranted[i],
			newLedgerJSON(&r.Ledgers[i]), r.Ledgers[i].KeepAlives}
	}
	j := rdmaJSON{Connection: r.Conn, Client: end(r.Client, 0), Server: end(r.Server, 1), Transport: string(r.Transport), PairedBy: known(r.Evidence), Confidence: known(confidence(r)), First: r.First, Last: r.Last,
		Closed: known(r.Closed), Port: known(r.Port), MTU: known(r.MTU), Packets: r.Packets, Repeated: r.Repeated, Refused: r.Refused,
		NotReady: r.NotReady, Lost: r.Lost, BadCRC: r.BadCRC, Marked: r.Marked, Notified: r.Notified, Operations: make([]rdmaOperationJSON, len(r.Operations)), Unlisted: r.Unlisted}
	if q, s := &r.Request, &r.Response; q.Kind != 0 || s.Kind != 0 {
		n := negotiatedJSON{Client: directLimits{CreditsRequested: known(q.CreditsRequested), PreferredSend: known(q.PreferredSendSize), MaxReceive: known(q.MaxReceiveSize), MaxFragmented: known(q.MaxFragmentedSize)}}
		if s.Kind != 0 {
			n.Version, n.Status, n.ReadWrite = fmt.Sprintf("0x%04x", s.NegotiatedVersion), StatusName(s.Status), s.MaxReadWriteSize
			n.Server = directLimits{s.CreditsRequested, s.CreditsGranted, s.PreferredSendSize, s.MaxReceiveSize, s.MaxFragmentedSize}
		}
		j.Negotiated = n
	}
	j.Unanswered, j.Faults = r.Unanswered, make([]rdmaFaultJSON, len(r.Faults))
	for i, f := range r.Faults {
		j.Faults[i] = rdmaFaultJSON{f.Level.String(), f.Text, f.Frame, known(f.Answer), known(f.Exchange)}
	}
	for i := range r.Operations {
		o := &r.Operations[i]
		j.Operations[i] = rdmaOperationJSON{operationName(o), operationBy(o), fmt.Sprintf("0x%08x", o.Key), fmt.Sprintf("0x%016x", o.Address),
			o.Length, o.Moved, o.FirstFrame, known(o.LastFrame), o.Repeated, known(o.Exchange), newSplitJSON(o.Split()), known(o.Incomplete)}
	}
	return j
}

// RDMAFacts says what both sides of a connection of RDMA agreed on, and how it went: a
// line each.
func RDMAFacts(r *flows.RDMAConnection) (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if q := &r.Request; q.Kind != 0 {
		say("Client asks for: %d credits, sends up to %d bytes, takes %d, in fragments %d", q.CreditsRequested, q.PreferredSendSize, q.MaxReceiveSize, q.MaxFragmentedSize)
	}
	if a := &r.Response; a.Kind != 0 {
		say("Server answers:  %s, %d credits, sends up to %d bytes, takes %d, in fragments %d; reads and writes up to %d by RDMA",
			StatusName(a.Status), a.CreditsGranted, a.PreferredSendSize, a.MaxReceiveSize, a.MaxFragmentedSize, a.MaxReadWriteSize)
	}
	for i, side := range [2]string{"Client", "Server"} {
		say("%s: %d messages, %d credits granted; %s", side, r.Messages[i], r.CreditsGranted[i], ledgerText(&r.Ledgers[i]))
	}
	if r.Transport == flows.IWARP {
		say("%d FPDUs, %d with a wrong CRC", r.Packets, r.BadCRC)
		return lines
	}
	mtu := "unknown"
	if r.MTU != 0 {
		mtu = strconv.Itoa(r.MTU)
	}
	say("MTU %s; %d packets, %d sent again, %d NAKs, %d times not ready, %d lost, %d with a wrong invariant CRC",
		mtu, r.Packets, r.Repeated, r.Refused, r.NotReady, r.Lost, r.BadCRC)
	if r.Marked+r.Notified > 0 {
		say("Congestion: met by %s (ECN), told of %s (CNP)", Plural(r.Marked, "packet", "packets"), Plural(r.Notified, "time", "times"))
	}
	return lines
}

// confidence says how sure it is that two queue pairs belong together.
func confidence(r *flows.RDMAConnection) string {
	switch {
	case r.Evidence == "":
		return ""
	case r.Evidence == "connect":
		return "certain"
	case r.Sure:
		return "likely"
	}
	return "uncertain"
}

// ledgerText says what an end may send, and how it fared.
func ledgerText(l *flows.CreditLedger) string {
	text := "what it may send is unknown: not all messages are in the capture"
	if l.Known {
		text = fmt.Sprintf("it may send %d of the %d it wants", l.Window, l.Requested)
		if l.Least >= 0 {
			text += fmt.Sprintf(", at least %d all along", l.Least)
		}
		if l.Overruns > 0 {
			text += fmt.Sprintf(", %d sent without a credit", l.Overruns)
		}
		if l.Stalls > 0 {
			text += fmt.Sprintf(", starved %s for %s", Plural(l.Stalls, "time", "times"), Took(time.Duration(l.Stalled)))
		}
	}
	if l.KeepAlives > 0 {
		text += ", asked " + Plural(l.KeepAlives, "time", "times") + " for an answer"
	}
	return text
}

func operationName(o *flows.RDMAOperation) string {
	if o.Read {
		return "read"
	}
	return "write"
}

func operationBy(o *flows.RDMAOperation) string {
	if o.ByClient {
		return "client"
	}
	return "server"
}

// part is a cell for a part of a time, empty if it is unknown.
func part(d time.Duration) cell {
	if d < 0 {
		return cell{}
	}
	return cell{Took(d), ""}
}

func queuePair(q flows.QueuePair) string {
	if q.Number == 0 {
		return q.Addr.String()
	}
	return fmt.Sprintf("%s QP 0x%06x", q.Addr, q.Number)
}

// TransportName returns the name of a transport for people.
func TransportName(t flows.Transport) string {
	switch t {
	case flows.RoCEv2:
		return "RoCEv2"
	case flows.RoCEv1:
		return "RoCEv1"
	case flows.InfiniBand:
		return "InfiniBand"
	case flows.IWARP:
		return "iWARP"
	}
	return "TCP"
}

// RDMA prints the connections of RDMA of a capture and their operations.
func RDMA(w io.Writer, list []flows.RDMAConnection, f Format, s Style) error {
	if f == JSON {
		out := newJSONWriter(w)
		for i := range list {
			if err := out.line(newRDMAJSON(&list[i])); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range list {
		if err := rdmaText(w, &list[i], s, i > 0); err != nil {
			return err
		}
	}
	return nil
}

func rdmaText(w io.Writer, r *flows.RDMAConnection, s Style, more bool) error {
	out := bufio.NewWriter(w)
	if more {
		out.WriteString("\n")
	}
	head := fmt.Sprintf("Connection %d: %s → %s", r.Conn, queuePair(r.Client), queuePair(r.Server))
	fmt.Fprintf(out, "%s, %s, frames %d-%d", s.paint(bold, head), TransportName(r.Transport), r.First, r.Last)
	if r.Evidence != "" {
		fmt.Fprintf(out, ", paired by %s", r.Evidence)
		if c := confidence(r); c != "certain" {
			fmt.Fprintf(out, " (%s)", c)
		}
	}
	out.WriteString("\n")
	for _, line := range RDMAFacts(r) {
		fmt.Fprintf(out, "  %s\n", line)
	}
	const most = 20 // faults
	for i := range min(len(r.Faults), most) {
		f := &r.Faults[i]
		fmt.Fprintf(out, "  %s frame %d: %s\n", s.paint(levelColor(f.Level), f.Level.String()), f.Frame, f.Text)
	}
	if n := len(r.Faults) - most; n > 0 {
		fmt.Fprintf(out, "  and %d more: odxray audit\n", n)
	}
	if err := out.Flush(); err != nil || len(r.Operations) == 0 {
		return err
	}
	t := table{columns: []column{{"Frames", true}, {"RDMA", false}, {"By", false}, {"Key", false}, {"Address", false}, {"Length", true}, {"Moved", true}, {"Exchange", true}, {"First byte", true}, {"Data", true}, {"Answer", true}, {"", false}}}
	for i := range r.Operations {
		o := &r.Operations[i]
		split := o.Split()
		color, exchange := "", "-"
		if o.Exchange != 0 {
			exchange = strconv.Itoa(o.Exchange)
		}
		if o.Moved < o.Length {
			color = yellow
		}
		t.add(cell{fmt.Sprintf("%d-%d", o.FirstFrame, max(o.FirstFrame, o.LastFrame)), ""}, cell{operationName(o), ""}, cell{operationBy(o), ""},
			cell{fmt.Sprintf("0x%08x", o.Key), ""}, cell{fmt.Sprintf("0x%016x", o.Address), ""}, cell{strconv.Itoa(int(o.Length)), ""},
			cell{strconv.Itoa(int(o.Moved)), color}, cell{exchange, ""}, part(split.Before), part(split.Data), part(split.After), cell{o.Incomplete, yellow})
	}
	if err := t.write(w, s); err != nil {
		return err
	}
	if r.Unlisted > 0 {
		_, err := fmt.Fprintf(w, "and %d more\n", r.Unlisted)
		return err
	}
	return nil
}

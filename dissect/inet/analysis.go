package inet

import (
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

var (
	times     = fields.Section("")
	fTimes    = times.Struct("", "Timestamps")
	fTCPSince = times.Duration("tcp.time_relative", "Time since first frame in this TCP stream")
	fTCPDelta = times.Duration("tcp.time_delta", "Time since previous frame in this TCP stream")

	analyses     = fields.Section("")
	fAnalysis    = analyses.Struct("tcp.analysis", "SEQ/ACK analysis")
	fAcks        = analyses.Frame("tcp.analysis.acks_frame", "This is an ACK to the segment in frame")
	fRTT         = analyses.Duration("tcp.analysis.ack_rtt", "The RTT to ACK the segment was")
	fInitialRTT  = analyses.Duration("tcp.analysis.initial_rtt", "iRTT")
	fInFlight    = analyses.Uint("tcp.analysis.bytes_in_flight", "Bytes in flight")
	fPushed      = analyses.Uint("tcp.analysis.push_bytes_sent", "Bytes sent since last PSH flag")
	fWords       = analyses.Struct("tcp.analysis.flags", "TCP Analysis Flags")
	fRTO         = analyses.Duration("tcp.analysis.rto", "The RTO for this segment was")
	fRTOFrame    = analyses.Frame("tcp.analysis.rto_frame", "RTO based on delta from frame")
	fDupAck      = analyses.Struct("tcp.analysis.duplicate_ack", "This is a TCP duplicate ack")
	fDupRemarked = analyses.Struct("tcp.analysis.duplicate_ack", "Duplicate ACK")
	fDupNumber   = analyses.Uint("tcp.analysis.duplicate_ack_num", "Duplicate ACK #")
	fDupFrame    = analyses.Frame("tcp.analysis.duplicate_ack_frame", "Duplicate to the ACK in frame")
)

// TalkFields lists the fields that need to know what the conversation sent before: those
// of Context.Completeness, StreamPrevTime, Analysis but for its words, and all that a
// Context tells of UDP.
func TalkFields() []*wire.Field {
	return []*wire.Field{fComplete, fFinActive, fFinPassive, fTCPDelta, fAnalysis, fAcks, fRTT, fInitialRTT, fInFlight, fPushed, fRTO, fRTOFrame,
		fUDPStream, fUDPTimes, fUDPSince, fUDPDelta}
}

// words is the remarks in the order in which tshark's tree shows them. The Info column
// shows them in the opposite one.
var words = [...]struct {
	word  Word
	info  string
	field *wire.Field
	level severity
}{
	{ReusedPorts, "Port numbers reused", analyses.Struct("tcp.analysis.reused_ports",
		"A new tcp session is started with the same ports as an earlier session in this trace"), severityNote},
	{FastRetransmission, "Fast Retransmission", analyses.Struct("tcp.analysis.fast_retransmission",
		"This frame is a (suspected) fast retransmission"), severityNote},
	{SpuriousRetransmission, "Spurious Retransmission", analyses.Struct("tcp.analysis.spurious_retransmission",
		"This frame is a (suspected) spurious retransmission"), severityNote},
	{Retransmission, "Retransmission", analyses.Struct("tcp.analysis.retransmission",
		"This frame is a (suspected) retransmission"), severityNote},
	{OutOfOrder, "Out-Of-Order", analyses.Struct("tcp.analysis.out_of_order",
		"This frame is a (suspected) out-of-order segment"), severityWarning},
	{PreviousNotCaptured, "Previous segment not captured", analyses.Struct("tcp.analysis.lost_segment",
		"Previous segment(s) not captured (common at capture start)"), severityWarning},
	{AckedUnseen, "ACKed unseen segment", analyses.Struct("tcp.analysis.ack_lost_segment",
		"ACKed segment that wasn't captured (common at capture start)"), severityWarning},
	{WindowUpdate, "Window Update", analyses.Struct("tcp.analysis.window_update",
		"TCP window update"), severityChat},
	{WindowFull, "Window Full", analyses.Struct("tcp.analysis.window_full",
		"TCP window specified by the receiver is now completely full"), severityWarning},
	{KeepAlive, "Keep-Alive", analyses.Struct("tcp.analysis.keep_alive",
		"TCP keep-alive segment"), severityNote},
	{KeepAliveAck, "Keep-Alive ACK", analyses.Struct("tcp.analysis.keep_alive_ack",
		"ACK to a TCP keep-alive segment"), severityNote},
	{ZeroWindowProbe, "ZeroWindowProbe", analyses.Struct("tcp.analysis.zero_window_probe",
		"TCP Zero Window Probe"), severityNote},
	{ZeroWindow, "ZeroWindow", analyses.Struct("tcp.analysis.zero_window",
		"TCP Zero Window segment"), severityWarning},
	{ZeroWindowProbeAck, "ZeroWindowProbeAck", analyses.Struct("tcp.analysis.zero_window_probe_ack",
		"ACK to a TCP Zero Window Probe"), severityNote},
}

func (w *walk) timestamps(c *wire.Cursor) {
	if ctx := w.ctx; ctx.HasStream {
		m := c.Note(fTimes, 0, "")
		since(c, fTCPSince, ctx.Time, ctx.StreamFirstTime)
		since(c, fTCPDelta, ctx.Time, ctx.StreamPrevTime)
		c.Close(m)
	}
}

// analysis notes what comparing the segment with its stream told.
func analysis(c *wire.Cursor, a *Analysis) {
	if *a == (Analysis{}) {
		return
	}
	m := c.Note(fAnalysis, 0, "")
	if a.AcksFrame != 0 {
		c.Note(fAcks, uint64(a.AcksFrame), "")
		c.Note(fRTT, uint64(a.RTT), "")
	}
	if a.InitialRTT != 0 {
		c.Note(fInitialRTT, uint64(a.InitialRTT), "")
	}
	if a.BytesInFlight != 0 {
		c.Note(fInFlight, uint64(a.BytesInFlight), "")
	}
	if a.PushBytes != 0 {
		c.Note(fPushed, uint64(a.PushBytes), "")
	}
	if a.Words != 0 {
		noteWords(c, a)
	}
	c.Close(m)
}

func noteWords(c *wire.Cursor, a *Analysis) {
	m := c.Note(fWords, 0, "")
	set := a.Words
	if set&(FastRetransmission|SpuriousRetransmission) != 0 {
		set |= Retransmission
	}
	for _, word := range words {
		if set&word.word != 0 {
			remark(c, word.field, word.level, groupSequence, "")
		}
	}
	if set&DuplicateAck != 0 {
		c.Note(fDupAck, 0, "")
	}
	if a.RTOFrame != 0 {
		c.Note(fRTO, uint64(a.RTO), "")
		c.Note(fRTOFrame, uint64(a.RTOFrame), "")
	}
	c.Close(m)
	if set&DuplicateAck != 0 {
		c.Note(fDupNumber, uint64(a.DupAckNumber), "")
		frame := c.Note(fDupFrame, uint64(a.DupAckFrame), "")
		remark(c, fDupRemarked, severityNote, groupSequence, fmt.Sprintf(" (#%d)", a.DupAckNumber))
		c.Close(frame)
	}
}

// appendAnalysis adds the remarks as they stand before the Info of a segment.
func appendAnalysis(b []byte, a *Analysis) []byte {
	if a.Words == 0 {
		return b
	}
	set := a.Words
	if set&(FastRetransmission|SpuriousRetransmission) != 0 {
		set &^= Retransmission
	}
	for i := len(words) - 1; i >= 0; i-- {
		if words[i].word == KeepAliveAck && set&DuplicateAck != 0 { // its place is above keep-alives
			b = appendUint(append(b, "[TCP Dup ACK "...), uint64(a.DupAckFrame))
			b = appendUint(append(b, '#'), uint64(a.DupAckNumber))
			b = append(b, "] "...)
		}
		if set&words[i].word != 0 {
			b = append(append(append(b, "[TCP "...), words[i].info...), "] "...)
		}
	}
	return b
}

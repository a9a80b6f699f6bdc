package flows

import (
	"testing"
	"time"

	"github.com/odxray/odxray/dissect/inet"
)

// TestTalk holds what is told of segments to what Wireshark tells of the same: the
// comparison with tshark on real captures is TestFieldsTshark of cmd/odxray.
func TestTalk(t *testing.T) {
	const ms = int64(time.Millisecond)
	type told = inet.Analysis
	tests := []struct {
		name string
		from int
		h    inet.Headers
		word inet.Word
		want told
	}{
		{"SYN", 0, inet.Headers{Seq: 100, Flags: inet.SYN}, 0, told{}},
		{"SYN, ACK", 1, inet.Headers{Seq: 500, Ack: 101, Flags: inet.SYN | inet.ACK}, 0, told{AcksFrame: 1, RTT: time.Millisecond, InitialRTT: 2}},
		{"ACK", 0, inet.Headers{Seq: 101, Ack: 501, Flags: inet.ACK}, 0, told{AcksFrame: 2, RTT: time.Millisecond, InitialRTT: 2}},
		{"data", 0, inet.Headers{Seq: 101, Ack: 501, Flags: inet.ACK, PayloadLen: 10}, 0, told{BytesInFlight: 10, PushBytes: 10, InitialRTT: 2}},
		{"pushed", 0, inet.Headers{Seq: 111, Ack: 501, Flags: inet.ACK | inet.PSH, PayloadLen: 20}, 0, told{BytesInFlight: 30, PushBytes: 30, InitialRTT: 2}},
		{"after the push", 0, inet.Headers{Seq: 131, Ack: 501, Flags: inet.ACK, PayloadLen: 5}, 0, told{BytesInFlight: 35, PushBytes: 5, InitialRTT: 2}},
		{"ACK of a part", 1, inet.Headers{Seq: 501, Ack: 121, Flags: inet.ACK}, 0, told{}},
		{"less under way", 0, inet.Headers{Seq: 136, Ack: 501, Flags: inet.ACK, PayloadLen: 5}, 0, told{BytesInFlight: 20, PushBytes: 10, InitialRTT: 2}},
		{"selective ACK", 1, inet.Headers{Seq: 501, Ack: 121, Flags: inet.ACK, SACK: [4][2]uint32{{131, 136}}, NSACK: 1}, 0, told{}},
		{"but for what was selected", 0, inet.Headers{Seq: 141, Ack: 501, Flags: inet.ACK, PayloadLen: 5}, 0, told{BytesInFlight: 20, PushBytes: 15, InitialRTT: 2}},
		{"after a hole", 0, inet.Headers{Seq: 200, Ack: 501, Flags: inet.ACK, PayloadLen: 5}, inet.PreviousNotCaptured, told{Words: inet.PreviousNotCaptured, InitialRTT: 2}},
		{"unknown until an ACK", 0, inet.Headers{Seq: 205, Ack: 501, Flags: inet.ACK, PayloadLen: 5}, 0, told{}},
		{"ACK", 1, inet.Headers{Seq: 501, Ack: 121, Flags: inet.ACK}, 0, told{}},
		{"known again", 0, inet.Headers{Seq: 210, Ack: 501, Flags: inet.ACK, PayloadLen: 5}, 0, told{BytesInFlight: 94, PushBytes: 20, InitialRTT: 2}},
		{"again", 0, inet.Headers{Seq: 121, Ack: 501, Flags: inet.ACK, PayloadLen: 10}, inet.Retransmission,
			told{Words: inet.Retransmission, RTO: 10 * time.Millisecond, RTOFrame: 5, BytesInFlight: 94, PushBytes: 30, InitialRTT: 2}},
	}
	var k talk
	for i, test := range tests {
		got := told{Words: test.word}
		k.add(test.from, &test.h, uint32(i+1), int64(i)*ms, 2, &got)
		if got != test.want {
			t.Errorf("frame %d, %s: %+v, want %+v", i+1, test.name, got, test.want)
		}
	}
}

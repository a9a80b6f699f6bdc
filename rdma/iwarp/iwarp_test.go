package iwarp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/wire"
	"github.com/odxray/odxray/dissect/wire/wiretest"
)

// numbers joins big-endian numbers of 1 to 8 bytes, given as their size and value.
func numbers(pairs ...uint64) (b []byte) {
	for i := 0; i < len(pairs); i += 2 {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], pairs[i+1])
		b = append(b, n[8-pairs[i]:]...)
	}
	return b
}

func untagged(op Opcode, invalidate, queue, msn, mo uint32, body []byte) []byte {
	return append(numbers(1, 0x41, 1, uint64(0x40|op), 4, uint64(invalidate), 4, uint64(queue), 4, uint64(msn), 4, uint64(mo)), body...)
}

func tagged(op Opcode, stag uint32, offset uint64, last bool, body []byte) []byte {
	control := uint64(0x81)
	if last {
		control |= 0x40
	}
	return append(numbers(1, control, 1, uint64(0x40|op), 4, uint64(stag), 8, offset), body...)
}

// fpdu frames a segment; crc: with a checksum, else with zeros.
func fpdu(segment []byte, crc bool) []byte {
	b := append(numbers(2, uint64(len(segment))), segment...)
	b = append(b, make([]byte, -len(b)&3)...)
	sum := make([]byte, 4)
	if crc {
		binary.LittleEndian.PutUint32(sum, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	}
	return append(b, sum...)
}

func startup(key string, flags, revision byte, private string) []byte {
	return append(append([]byte(key), flags, revision, 0, byte(len(private))), private...)
}

var readRequest = numbers(4, 0x11, 8, 0x2233, 4, 4096, 4, 0x44, 8, 0x5566)

// sample is a unit, and what the Info column says of its segment.
type sample struct {
	name string
	b    []byte
	info string
}

var samples = []sample{
	{"read_request", fpdu(untagged(ReadRequested, 0, 1, 1, 0, readRequest), false), "Read Request [last DDP segment]"},
	{"send", fpdu(untagged(Send, 0, 0, 1, 0, []byte("hello")), true), "Send [last DDP segment]"},
	{"send_invalidate", fpdu(untagged(SendInvalidate, 0x77, 0, 2, 0, []byte("hello!")), false), "Send with Invalidate [last DDP segment]"},
	{"send_event", fpdu(untagged(SendEvent, 0, 0, 3, 0, nil), false), "Send with SE [last DDP segment]"},
	{"send_event_invalidate", fpdu(untagged(SendEventInvalidate, 0x78, 0, 4, 0, []byte("hello")), false), "Send with SE and Invalidate [last DDP segment]"},
	{"immediate", fpdu(untagged(ImmediateData, 0, 0, 5, 0, []byte("12345678")), false), "Immediate Data [last DDP segment]"},
	{"fetch_add", fpdu(untagged(AtomicRequest, 0, 1, 2, 0, numbers(4, 0, 4, 9, 4, 0x44, 8, 0x5566, 8, 1, 8, 2, 8, 3, 8, 4)), false), "Atomic Request [last DDP segment]"},
	{"compare_swap", fpdu(untagged(AtomicRequest, 0, 1, 2, 0, numbers(4, 2, 4, 9, 4, 0x44, 8, 0x5566, 8, 1, 8, 2, 8, 3, 8, 4)), false), "Atomic Request [last DDP segment]"},
	{"atomic_response", fpdu(untagged(AtomicResponse, 0, 3, 1, 0, numbers(4, 9, 8, 77)), false), "Atomic Response [last DDP segment]"},
	{"unknown", fpdu(untagged(12, 0, 0, 7, 0, []byte("xx")), false), "Unknown [last DDP segment]"},
	{"write", fpdu(tagged(Write, 0x55, 0x1000, false, bytes.Repeat([]byte("x"), 32)), false), "Write [more DDP segments]"},
	{"read_response", fpdu(tagged(ReadResponse, 0x55, 0x1020, true, bytes.Repeat([]byte("x"), 31)), false), "Read Response [last DDP segment]"},
	{"terminate_rdma", fpdu(untagged(Terminated, 0, 2, 1, 0, append(numbers(1, 0x01, 1, 1, 2, 0xe000, 2, 46), untagged(ReadRequested, 0, 1, 1, 0, readRequest)...)), false), "Terminate [last DDP segment]"},
	{"terminate_tagged", fpdu(untagged(Terminated, 0, 2, 1, 0, append(numbers(1, 0x11, 1, 1, 2, 0xc000, 2, 40), tagged(Write, 0x55, 0x1000, true, nil)...)), false), "Terminate [last DDP segment]"},
	{"terminate_untagged", fpdu(untagged(Terminated, 0, 2, 1, 0, append(numbers(1, 0x12, 1, 2, 2, 0xc000, 2, 40), untagged(Send, 0, 0, 9, 0, nil)...)), false), "Terminate [last DDP segment]"},
	{"terminate_mpa", fpdu(untagged(Terminated, 0, 2, 1, 0, numbers(1, 0x20, 1, 2, 2, 0)), false), "Terminate [last DDP segment]"},
	{"terminate_other", fpdu(untagged(Terminated, 0, 2, 1, 0, numbers(1, 0x30, 1, 2, 2, 0)), false), "Terminate [last DDP segment]"},
	{"request_enhanced", startup(requestKey, 0x10, 2, "\x40\x20\x80\x10private"), ""},
	{"reply", startup(replyKey, 0xc0, 1, "passive"), ""},
	{"reply_refused", startup(replyKey, 0x20, 1, ""), ""},
}

// decode decodes a sample into tree.
func decode(s *sample, c *wire.Cursor) (seg Segment, start Startup) {
	if s.info == "" {
		start.Decode(c)
		return seg, start
	}
	u := Unit{Bytes: s.b, Len: len(s.b), Raw: s.b, Size: len(s.b), CRC: CRCUnused}
	if s.name == "send" {
		u.CRC = CRCGood
	}
	u.Decode(&seg, c, nil)
	return seg, start
}

func TestGolden(t *testing.T) {
	for i := range samples {
		s := &samples[i]
		var tree wire.Tree
		c := wire.New(s.b, &tree)
		seg, _ := decode(s, &c)
		if got := string(seg.AppendInfo(nil)); c.Err() != nil || s.info != "" && got != s.info {
			t.Errorf("%s: %v, Info %q, want %q", s.name, c.Err(), got, s.info)
		}
		var got bytes.Buffer
		tree.Dump(&got)
		wiretest.Golden(t, s.name, got.Bytes())
	}
}

// TestPrefixes: nothing is read past the end, and a cut blames the capture.
func TestPrefixes(t *testing.T) {
	for i := range samples {
		s := samples[i]
		whole := s.b
		body := len(whole)
		for n := range whole {
			s.b = whole[:n]
			c := wire.NewCut(s.b, len(whole), nil)
			if decode(&s, &c); !errors.Is(c.Err(), wire.ErrTruncated) && n < body {
				t.Errorf("%s: cut after %d of %d bytes: %v", s.name, n, len(whole), c.Err())
			}
			c = wire.New(s.b, nil)
			if decode(&s, &c); !errors.Is(c.Err(), wire.ErrShort) {
				t.Errorf("%s: %d of %d bytes: %v", s.name, n, len(whole), c.Err())
			}
		}
	}
}

func TestStartup(t *testing.T) {
	for _, s := range samples {
		c := wire.New(s.b, nil)
		_, m := decode(&s, &c)
		switch s.name {
		case "request_enhanced":
			if m.Reply || !m.Enhanced || m.IRD != 0x20 || m.ORD != 0x10 || string(m.Private) != "private" || m.Revision != 2 || m.CRC || m.Markers {
				t.Errorf("%+v", m)
			}
		case "reply":
			if !m.Reply || m.Enhanced || !m.CRC || !m.Markers || m.Rejected || string(m.Private) != "passive" {
				t.Errorf("%+v", m)
			}
		case "reply_refused":
			if !m.Rejected {
				t.Errorf("%+v", m)
			}
		}
	}
}

func TestTerminate(t *testing.T) {
	want := map[string]string{
		"terminate_rdma":     "RDMA: Remote Protection Error, Base or bounds violation",
		"terminate_untagged": "DDP: Untagged Buffer Error, Invalid MSN - no buffer available",
		"terminate_mpa":      "LLP: MPA Error, MPA CRC Error",
		"terminate_other":    "Unknown: Unknown, Unknown",
	}
	for _, s := range samples {
		c := wire.New(s.b, nil)
		seg, _ := decode(&s, &c)
		if w := want[s.name]; w != "" && seg.Terminate.String() != w {
			t.Errorf("%s: %v, want %s", s.name, seg.Terminate, w)
		}
	}
}

func TestNames(t *testing.T) {
	wiretest.Names(t, Fields(), func(name string) bool {
		return strings.HasPrefix(name, "rdma.")
	})
}

package audit

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Where things lie in a buffer. [MS-FSCC] 2.3.41 to 2.3.44
const (
	structureSize, tokenTTL        = 0, 8 // both requests; of a read
	readOffset, readLength         = 16, 24
	granted_, mintedToken          = 8, 16 // of its answer
	writeOffset, writeLength       = 8, 16 // of a write
	writeFrom, presented, written_ = 24, 32, 8
	maxOutput, outputCount         = 108, 100 // of the IOCTL
)

// fillToken changes n bytes of a token from a place on.
func fillToken(b []byte, at, n int) {
	for i := range n {
		b[at+i] ^= 0x5a
	}
}

const invalidToken, invalidLevel, bufferTooSmall, nameNotFound, invalidParameter, notSupported = 0xc0000465, 0xc0000148, 0xc0000023, 0xc0000034, 0xc000000d, 0xc00000bb

// TestPlantedOffload plants faults in the copy of src-aligned.bin to dst3.bin in frames 7104
// to 7151 of a capture of ksmbd: a token stands for 256 KiB and is spent by four writes.
func TestPlantedOffload(t *testing.T) {
	plant(t, "odx-multi-30", []planted{
		{"nothing", func(m *tape) {}, ""},
		{"Size of a request", func(m *tape) { put32(m.request(7106), structureSize, 31) }, "+error odx/struct-size"},
		{"Size of an answer", func(m *tape) { put32(m.answer(7107), structureSize, 20) }, "+error odx/struct-size"},
		{"Size of a read's answer", func(m *tape) { put32(m.answer(7105), structureSize, 520) }, "+error odx/struct-size"},
		{"a larger MaxOutputResponse", func(m *tape) { put32(m.message(7106, ioctl), maxOutput, 65536) }, ""},

		{"a read that grants a sector too much", func(m *tape) { put64(m.answer(7105), granted_, 256*kib+512) },
			"+error odx/read-too-long, +warning token/part-used"},
		{"the end of a file rounded up to a sector", func(m *tape) {
			put64(m.answer(10150), granted_, 37888)
			put64(m.request(10151), writeLength, 37888)
			put64(m.answer(10152), written_, 37888)
		}, ""},
		{"a read that grants nothing", func(m *tape) { put64(m.answer(7105), granted_, 0) }, "+error odx/read-empty"},
		{"a read that says all is zero", func(m *tape) { put64(m.answer(7105), granted_, 0); put32(m.answer(7105), 4, 1) }, ""},

		{"a write of a sector too much", func(m *tape) { put64(m.answer(7107), written_, 64*kib+512) },
			"+error odx/write-too-long, +note token/reused, +warning copy/overlap"},
		{"a write past the token", func(m *tape) { put64(m.answer(7151), written_, 64*kib+512) }, "+error odx/write-too-long, +error token/overrun"},
		{"a write of nothing", func(m *tape) { put64(m.answer(7107), written_, 0) },
			"+warning odx/write-empty, +error copy/gap, +warning copy/wrong-resume, +warning token/part-used"},
		{"a write that stops within a sector", func(m *tape) { put64(m.answer(7107), written_, 64*kib-100) },
			"+error odx/result-unaligned, +error copy/gap, +warning copy/wrong-resume, +warning token/part-used"},
		{"a read that stops within a sector", func(m *tape) { put64(m.answer(7141), granted_, 256*kib-100) }, "+error odx/result-unaligned"},
		{"a read that stops at the end of file", func(m *tape) { put64(m.answer(10150), granted_, 37856) }, "+warning token/part-used"},
		{"a short write that is gone on with", func(m *tape) {
			put64(m.answer(7107), written_, 32*kib)
			b := m.request(7108)
			put64(b, writeOffset, 32*kib)
			put64(b, writeFrom, 32*kib)
			put64(b, writeLength, 96*kib)
			put64(m.answer(7109), written_, 96*kib)
		}, ""},

		{"FileOffset within a sector", func(m *tape) { put64(m.request(7108), writeOffset, 64*kib+100) },
			"+warning odx/unaligned, +error copy/misplaced, +error copy/gap, +warning copy/overlap"},
		{"TransferOffset within a sector", func(m *tape) { put64(m.request(7108), writeFrom, 64*kib+100) },
			"+warning odx/unaligned, +error copy/misplaced, +note token/reused, +warning token/part-used"},
		{"two ranges exchanged", func(m *tape) {
			put64(m.request(7108), writeOffset, 128*kib)
			put64(m.request(7111), writeOffset, 64*kib)
		}, "+error copy/misplaced"},
		{"two writes in another order", func(m *tape) {
			for f, at := range map[int]uint64{7108: 128 * kib, 7111: 64 * kib} {
				put64(m.request(f), writeOffset, at)
				put64(m.request(f), writeFrom, at)
			}
		}, ""},

		{"a TokenIdLength of 505", func(m *tape) {
			for _, b := range [][]byte{m.answer(7105)[mintedToken:], m.request(7106)[presented:], m.request(7108)[presented:], m.request(7111)[presented:], m.request(7113)[presented:]} {
				b[6], b[7] = 1, 249
			}
		}, "+error odx/token-format"},
		{"a reserved TokenType", func(m *tape) {
			for _, b := range [][]byte{m.answer(7105)[mintedToken:], m.request(7106)[presented:], m.request(7108)[presented:], m.request(7111)[presented:], m.request(7113)[presented:]} {
				copy(b, "\xff\xff\x00\x05")
			}
		}, "+error odx/token-format"},
		{"room for 8 bytes", func(m *tape) { put32(m.message(7106, ioctl), maxOutput, 8); m.refuse(7107, ioctl, bufferTooSmall) },
			"+warning odx/output-small, +warning copy/abandoned, +error copy/gap, +note token/part-used"},
		{"room for 8 bytes, taken", func(m *tape) { put32(m.message(7106, ioctl), maxOutput, 8) }, ""},
		{"an answer after 5 s", func(m *tape) { m.later(7107, 5*time.Second) }, "+note odx/slow"},
		{"an answer after 21 s", func(m *tape) { m.later(7107, 21*time.Second) }, "+warning odx/slow"},
		{"an answer after 3.9 s", func(m *tape) { m.later(7107, 3900*time.Millisecond) }, ""},
	})
}

// TestPlantedToken plants faults in what is done with tokens.
func TestPlantedToken(t *testing.T) {
	const broken = ", +error copy/gap, +warning copy/abandoned, +note token/part-used" // a write was refused, and nothing took over
	plant(t, "odx-multi-30", []planted{
		{"an unknown token, refused", func(m *tape) { fillToken(m.request(7106), presented, 512); m.refuse(7107, ioctl, invalidToken) },
			"+error token/unknown, +warning copy/abandoned, +warning token/part-used"},
		{"an unknown token, taken", func(m *tape) { fillToken(m.request(7106), presented, 512) }, "+note token/unknown?, +warning token/part-used"},
		{"an unknown token, late start", func(m *tape) {
			m.from(7080)
			fillToken(m.request(7106), presented, 512)
			m.refuse(7107, ioctl, invalidToken)
		}, "+note token/unknown?, +warning copy/abandoned, +warning token/part-used"},
		{"an altered token", func(m *tape) { fillToken(m.request(7106), presented+100, 16); m.refuse(7107, ioctl, invalidToken) },
			"+error token/altered, +error copy/gap, +warning copy/abandoned, +warning token/part-used"},
		{"a token with 17 other bytes", func(m *tape) { fillToken(m.request(7106), presented+100, 17); m.refuse(7107, ioctl, invalidToken) },
			"+error token/unknown, +warning copy/abandoned, +warning token/part-used"},
		{"more asked for than there is", func(m *tape) { put64(m.request(7113), writeLength, 128*kib) }, "+warning token/overrun-asked"},
		{"more asked for than there is, refused", func(m *tape) {
			put64(m.request(7113), writeLength, 128*kib)
			m.refuse(7114, ioctl, invalidParameter)
		}, "+warning token/overrun-asked" + broken},
		{"a token not used", func(m *tape) { m.unsay(1101, 1102) }, "+warning token/unused, +error copy/gap"},
		{"a token used in part", func(m *tape) { m.unsay(7111, 7112) }, "+warning token/part-used, +error copy/gap"},
		{"a token used twice", func(m *tape) { m.say(7114, 7106, 7107) }, "+note token/reused, +warning copy/overlap"},
		{"the second use refused", func(m *tape) { m.refuse(7109, ioctl, invalidToken) }, "+warning token/one-shot, +warning token/refused" + broken},
		{"the first use refused", func(m *tape) { m.refuse(7107, ioctl, invalidLevel) }, "+warning token/refused" + broken},
		{"the disk is full", func(m *tape) { m.refuse(7107, ioctl, diskFull) }, "" + broken[2:]},
		{"refused after 11 s of an unknown time", func(m *tape) { m.refuse(7107, ioctl, invalidToken); m.later(7106, 11*time.Second) }, "+note token/refused?" + broken},
		{"taken after twice its time", func(m *tape) { put32(m.request(7104), tokenTTL, 1000); m.later(7106, 2*time.Second) }, "+note token/expired-used"},
		{"taken after 11 times its time", func(m *tape) { put32(m.request(7104), tokenTTL, 1000); m.later(7106, 11*time.Second) }, "+warning token/expired-used"},
		{"taken within its time", func(m *tape) { put32(m.request(7104), tokenTTL, 1000); m.later(7106, 900*time.Millisecond) }, ""},
		{"each use within the time after the last", func(m *tape) {
			put32(m.request(7104), tokenTTL, 1000)
			for _, f := range []int{7106, 7108, 7111, 7113} {
				m.later(f, 900*time.Millisecond)
			}
		}, ""},
		{"refused after its time", func(m *tape) {
			put32(m.request(7104), tokenTTL, 1000)
			m.later(7106, 2*time.Second)
			m.refuse(7107, ioctl, invalidToken)
		}, "+note token/expired-refused, +note token/expired-used" + broken},
		{"the source written before the use", func(m *tape) { writeSource(m, 7105, 0) }, "+warning token/stale-source"},
		{"the source written elsewhere", func(m *tape) { writeSource(m, 7105, 512*kib) }, "+note copy/source-changed"},
		{"the source written after the last use", func(m *tape) { writeSource(m, 7114, 0) }, "+note copy/source-changed"},
		{"the source written before the mint", func(m *tape) { writeSource(m, 7103, 0) }, ""},
		{"the source written, in vain", func(m *tape) { f := writeSource(m, 7105, 0); m.refuse(f[1], 9, diskFull) }, ""},
		{"another session", func(m *tape) { m.message(7106, ioctl)[40] = 9; m.message(7107, ioctl)[40] = 9 }, "+note token/other-session"},
		{"another session, refused", func(m *tape) {
			m.message(7106, ioctl)[40], m.message(7107, ioctl)[40] = 9, 9
			m.refuse(7107, ioctl, invalidToken)
		}, "+warning token/other-session, +warning token/refused, +warning copy/abandoned, +note token/part-used"},
	})
}

// writeSource repeats the WRITE of frame 10160 after a frame, to the source of frame 7104.
func writeSource(m *tape, after int, offset uint64) []int {
	f := m.say(after, 10160, 10161)
	b := m.message(f[0], 9)
	put64(b, 72, offset)
	copy(b[80:96], m.message(7104, ioctl)[72:88])
	return f
}

// TestPlantedCopy plants faults in what becomes of copies.
func TestPlantedCopy(t *testing.T) {
	plant(t, "odx-multi-30", []planted{
		{"a write twice", func(m *tape) { m.say(7107, 7106, 7107) }, "+warning copy/overlap, +note token/reused"},
		{"a write never answered, and again", func(m *tape) { m.say(7105, 7106) }, "+warning smb/unanswered"},
		{"the tail not written", func(m *tape) { m.unsay(7140, 7141, 7143, 7144, 7145, 7146, 7148, 7149, 7150, 7151) }, "+warning copy/abandoned"},
		{"the end of file not set", func(m *tape) { m.unsay(7102, 7103) }, "+warning copy/not-presized, +warning copy/size-differs"}, // AlSi said how large
		{"nor room made", func(m *tape) { m.unsay(7102, 7103); b := m.bytes(7086); put64(b, bytes.Index(b, []byte("AlSi"))+8, 0) }, "+warning copy/not-presized, +note copy/size-differs"},
		{"the end of file set too far", func(m *tape) { put64(m.message(7102, 17), 96, 2*mib) }, "+warning copy/size-differs"},
		{"tokens for a sixteenth", func(m *tape) {
			for _, f := range []int{7104, 7115, 7128, 7140} {
				put64(m.request(f), readLength, 4*mib)
			}
		}, "+note copy/token-churn"},
		{"tokens for an eighth", func(m *tape) {
			for _, f := range []int{7104, 7115, 7128, 7140} {
				put64(m.request(f), readLength, 2*mib)
			}
		}, ""},
		{"a retransmission", func(m *tape) { m.again(7106, 7106) }, "+note smb/replayed"},
		{"an answer's retransmission", func(m *tape) { m.again(7107, 7107) }, ""},
		{"an answer never given", func(m *tape) { m.unsay(7107) }, "+warning smb/unanswered, +error copy/gap, +note token/part-used"},
		{"an answer lost", func(m *tape) { m.lose(7107) }, "+note capture/gap, +note smb/unanswered?, +note copy/gap?, +note token/part-used?"},
		{"a request lost", func(m *tape) { m.lose(7108) }, "+note capture/gap, +note copy/gap?, +note token/part-used?"},
		{"the read lost", func(m *tape) { m.lose(7104) }, "+note capture/gap, +note token/unknown? 4"},
		{"the capture ends at a request", func(m *tape) { m.until(7150) }, "+note copy/abandoned?, +note smb/unanswered, +note token/part-used, -warning odx/read-empty 2"},
	})
}

// TestPlantedVerdict: what becomes of the copy to dst3.bin, and that it stays one copy.
func TestPlantedVerdict(t *testing.T) {
	for _, x := range []struct {
		name string
		do   func(m *tape)
		want string
	}{
		{"nothing", func(m *tape) {}, "complete []"},
		{"a write never answered, and again", func(m *tape) { m.say(7105, 7106) }, "complete []"},
		{"an unknown token first", func(m *tape) { fillToken(m.request(7106), presented, 512); m.refuse(7107, ioctl, invalidToken) }, "partial [{0 65536}]"},
		{"an altered token", func(m *tape) { fillToken(m.request(7111), presented, 1); m.refuse(7112, ioctl, invalidToken) }, "partial [{131072 196608}]"},
		{"a write refused, and again", func(m *tape) { f := m.say(7105, 7106, 7107); m.refuse(f[1], ioctl, diskFull) }, "complete []"},
		{"a write of nothing", func(m *tape) { put64(m.answer(7107), written_, 0) }, "partial [{0 65536}]"},
		{"a write lost", func(m *tape) { m.lose(7108, 7109) }, "partial [{65536 131072}] not all of connection 1 can be seen"},
		{"the tail refused", func(m *tape) { m.refuse(7151, ioctl, diskFull) }, "partial [{983040 1048576}]"},
	} {
		m := load(t, "odx-multi-30")
		x.do(m)
		_, r := m.findings()
		var got []string
		for _, c := range r.Copies {
			if c.Destination.Path == "dst3.bin" {
				got = append(got, strings.TrimSpace(fmt.Sprint(c.Verdict, " ", c.Gaps, " ", c.Uncertain)))
			}
		}
		if s := strings.Join(got, "; "); s != x.want {
			t.Errorf("%s: %s, want %s", x.name, s, x.want)
		}
	}
}

package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/flowtest"
)

// Every rule reports what it is for, and nothing that only looks like it.
func TestRules(t *testing.T) {
	for _, test := range []struct {
		name  string
		want  string // findings, "level rule" in any order; those at note level may be left out
		write func(*scene)
	}{
		{"a good copy", "", func(s *scene) { s.copied() }},
		{"short writes and resumes", "", func(s *scene) {
			tok := s.mint(1)
			for at := uint64(0); at < mib; at += 256 * kib {
				s.OffloadWrite(s.dst, at, mib-at, at, tok, 256*kib)
			}
		}},
		{"several tokens, minted ahead", "", func(s *scene) {
			a, b := flowtest.NewToken(1), flowtest.NewToken(2)
			s.OffloadRead(s.src, 0, 512*kib, 512*kib, a)
			s.OffloadRead(s.src, 512*kib, 512*kib, 512*kib, b)
			s.OffloadWrite(s.dst, 512*kib, 512*kib, 0, b, 512*kib)
			s.OffloadWrite(s.dst, 0, 512*kib, 0, a, 512*kib)
		}},
		{"pipelined writes answered in the other order", "", func(s *scene) {
			tok := s.mint(1)
			s.Meet = func() { s.write(tok, 512*kib, 512*kib) }
			s.write(tok, 0, 512*kib)
		}},
		{"a range of the source", "", func(s *scene) {
			dst := s.New("part")
			s.SetSize(dst, 256*kib)
			tok := flowtest.NewToken(1)
			s.OffloadRead(s.src, 512*kib, 256*kib, 256*kib, tok)
			s.OffloadWrite(dst, 0, 256*kib, 0, tok, 256*kib)
		}},
		{"all zero beyond", "", func(s *scene) {
			tok := flowtest.NewToken(1)
			s.OffloadReadTTL(s.src, 0, mib, 256*kib, tok, 0, 1)
			s.OffloadWrite(s.dst, 0, 256*kib, 0, tok, 256*kib)
		}},
		{"zero token", "", func(s *scene) {
			tok := flowtest.NewToken(1)
			s.OffloadRead(s.src, 0, 512*kib, 512*kib, tok)
			s.OffloadWrite(s.dst, 0, 512*kib, 0, tok, 512*kib)
			s.OffloadRead(s.src, 512*kib, 512*kib, 512*kib, flowtest.ZeroToken())
			s.OffloadWrite(s.dst, 512*kib, 512*kib, 0, flowtest.ZeroToken(), 512*kib)
		}},
		{"zero token first, and zero tokens of another copy", "", func(s *scene) {
			other, otherDst := s.Client.Open("other", mib), s.New("other copy")
			s.SetSize(otherDst, mib)
			s.OffloadRead(s.src, 0, 512*kib, 512*kib, flowtest.ZeroToken())
			s.OffloadRead(other, 0, mib, mib, flowtest.NewToken(9))
			s.OffloadWrite(s.dst, 0, 512*kib, 0, flowtest.ZeroToken(), 512*kib)
			s.OffloadWrite(otherDst, 0, mib, 0, flowtest.NewToken(9), mib)
			tok := flowtest.NewToken(1)
			s.OffloadRead(s.src, 512*kib, 512*kib, 512*kib, tok)
			s.OffloadWrite(s.dst, 512*kib, 512*kib, 0, tok, 512*kib)
		}},
		{"the first part of a file", "", func(s *scene) {
			dst := s.New("head")
			s.SetSize(dst, 512*kib)
			tok := flowtest.NewToken(1)
			s.OffloadRead(s.src, 0, 512*kib, 512*kib, tok)
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, 512*kib)
		}},
		{"the source by another name of the server", "warning token/stale-source", func(s *scene) {
			tok := s.mint(1)
			o := s.Capture.Login("10.0.0.2:50001", "10.0.0.9:445", `\\10.0.0.9\Share`)
			o.ZeroData(o.Open("src", mib), 0, 4096)
			s.write(tok, 0, mib)
		}},
		{"CopyLength 0", "", func(s *scene) {
			s.copied()
			s.OffloadRead(s.src, 0, 0, 0, flowtest.NewToken(9))
		}},

		{"odx/struct-size of a request", "error odx/struct-size", func(s *scene) {
			s.refuse(flowtest.InvalidParameter)
			s.Ioctl(odxRead, s.src, make([]byte, 32), nil)
			s.copied()
		}},
		{"odx/struct-size of a short buffer", "error odx/struct-size", func(s *scene) {
			s.refuse(flowtest.InvalidParameter)
			s.Ioctl(odxRead, s.src, append(u32(32), make([]byte, 16)...), nil)
			s.copied()
		}},
		{"odx/struct-size of an answer", "error odx/struct-size", func(s *scene) {
			tok := s.mint(1)
			s.Ioctl(odxWrite, s.dst, slices.Concat(u32(544), u32(0), u64(0), u64(mib), u64(0), tok[:]), slices.Concat(u32(24), u32(0), u64(mib)))
		}},
		{"odx/read-too-long", "error odx/read-too-long", func(s *scene) {
			s.OffloadRead(s.src, 0, 512*kib, mib, flowtest.NewToken(1))
			s.write(flowtest.NewToken(1), 0, mib)
		}},
		{"a read rounded up to a sector", "", func(s *scene) {
			src, dst := s.Client.Open("odd", 1000), s.New("odd copy")
			s.SetSize(dst, 1000)
			s.OffloadRead(src, 0, 1000, 1024, flowtest.NewToken(1))
			s.OffloadWrite(dst, 0, 1000, 0, flowtest.NewToken(1), 1000)
		}},
		{"odx/read-empty", "error odx/read-empty", func(s *scene) {
			s.OffloadRead(s.src, 0, mib, 0, flowtest.NewToken(9))
			s.copied()
		}},
		{"odx/read-empty at the end", "warning odx/read-empty", func(s *scene) {
			s.copied()
			s.OffloadRead(s.src, mib, 64*kib, 0, flowtest.NewToken(9))
		}},
		{"nothing but zeros from here on", "", func(s *scene) {
			tok := flowtest.NewToken(1)
			s.OffloadRead(s.src, 0, 512*kib, 512*kib, tok)
			s.write(tok, 0, 512*kib)
			s.OffloadReadTTL(s.src, 512*kib, 512*kib, 0, flowtest.NewToken(2), 0, 1)
			s.ZeroData(s.dst, 512*kib, mib)
		}},
		{"odx/write-too-long", "error odx/write-too-long", func(s *scene) {
			tok := s.mint(1)
			s.OffloadWrite(s.dst, 0, 512*kib, 0, tok, 768*kib)
			s.write(tok, 768*kib, 256*kib)
		}},
		{"odx/write-empty", "warning odx/write-empty", func(s *scene) {
			tok := s.mint(1)
			s.OffloadWrite(s.dst, 0, mib, 0, tok, 0)
			s.write(tok, 0, mib)
		}},
		{"odx/result-unaligned", "error odx/result-unaligned", func(s *scene) {
			s.SectorSize(s.src, 4096, 1)
			tok := s.mint(1)
			s.OffloadWrite(s.dst, 0, mib, 0, tok, 512*kib+512)
			s.write(tok, 512*kib+512, 512*kib-512)
		}},
		{"as unaligned on smaller sectors", "", func(s *scene) {
			tok := s.mint(1)
			s.OffloadWrite(s.dst, 0, mib, 0, tok, 512*kib+512)
			s.write(tok, 512*kib+512, 512*kib-512)
		}},
		{"odx/unaligned", "warning odx/unaligned", func(s *scene) {
			s.refuse(flowtest.InvalidParameter)
			s.OffloadRead(s.src, 100, 512*kib, 0, flowtest.NewToken(7))
			s.copied()
		}},
		{"unaligned up to the end of file", "", func(s *scene) {
			src, dst := s.Client.Open("odd", mib+100), s.New("odd copy")
			s.SetSize(dst, mib+100)
			s.OffloadRead(src, 0, mib+100, mib+100, flowtest.NewToken(1))
			s.OffloadWrite(dst, 0, mib+100, 0, flowtest.NewToken(1), mib+100)
		}},
		{"odx/token-format", "error odx/token-format", func(s *scene) {
			tok := flowtest.NewToken(1)
			tok[6], tok[7] = 2, 0
			s.OffloadRead(s.src, 0, mib, mib, tok)
			s.write(tok, 0, mib)
		}},
		{"odx/token-format, reserved type", "error odx/token-format", func(s *scene) {
			tok := flowtest.NewToken(1)
			tok[0], tok[1], tok[2], tok[3] = 0xff, 0xff, 0, 2
			s.OffloadRead(s.src, 0, mib, mib, tok)
			s.write(tok, 0, mib)
		}},
		{"a form of its own", "note odx/token-format", func(s *scene) {
			tok := flowtest.NewToken(1)
			tok[7] = 0
			s.OffloadRead(s.src, 0, mib, mib, tok)
			s.write(tok, 0, mib)
		}},
		{"odx/output-small", "warning odx/output-small", func(s *scene) {
			s.Room = 100
			s.refuse(0xc0000023)
			s.OffloadRead(s.src, 0, mib, 0, flowtest.NewToken(7))
			s.copied()
		}},
		{"little room is enough", "", func(s *scene) {
			tok := s.mint(1)
			s.Room = 16
			s.write(tok, 0, mib)
		}},
		{"odx/slow", "warning odx/slow", func(s *scene) {
			tok := s.mint(1)
			s.Meet = func() { s.Wait(21 * time.Second) }
			s.write(tok, 0, mib)
		}},
		{"slow, and the server said so", "", func(s *scene) {
			tok := s.mint(1)
			s.Pending = true
			s.Meet = func() { s.Wait(21 * time.Second) }
			s.write(tok, 0, mib)
		}},

		{"token/unknown", "error token/unknown", func(s *scene) {
			s.copied()
			s.refuse(flowtest.InvalidToken)
			s.write(flowtest.NewToken(77), 0, mib)
		}},
		{"unknown, and taken", "note token/unknown", func(s *scene) {
			s.copied()
			s.OffloadWrite(s.New("new"), 0, 0, 0, flowtest.NewToken(77), 0)
		}},
		{"token/altered", "error token/altered; note token/unused", func(s *scene) {
			tok := s.mint(1)
			bad := tok
			bad[20] ^= 1
			s.refuse(flowtest.InvalidToken)
			s.write(bad, 0, mib)
			s.write(s.mint(2), 0, mib)
		}},
		{"token/overrun", "error token/overrun", func(s *scene) {
			tok := flowtest.NewToken(1)
			s.OffloadRead(s.src, 0, mib, 512*kib, tok)
			s.OffloadWrite(s.dst, 0, mib, 0, tok, mib)
		}},
		{"token/overrun-asked", "warning token/overrun-asked", func(s *scene) {
			tok := flowtest.NewToken(1)
			s.OffloadRead(s.src, 0, mib, 512*kib, tok)
			s.OffloadWrite(s.dst, 0, mib, 0, tok, 512*kib)
			s.OffloadRead(s.src, 512*kib, 512*kib, 512*kib, flowtest.NewToken(2))
			s.OffloadWrite(s.dst, 512*kib, 512*kib, 0, flowtest.NewToken(2), 512*kib)
		}},
		{"token/unused", "warning token/unused", func(s *scene) {
			s.copied()
			s.mint(2)
		}},
		{"unused after a refusal", "warning copy/fell-back; note token/unused", func(s *scene) {
			a := s.mint(1)
			s.mint(2)
			s.refuse(flowtest.NotSupported)
			s.write(a, 0, mib)
			s.plain(0, mib)
		}},
		{"token/part-used", "warning token/part-used", func(s *scene) {
			s.write(s.mint(1), 0, 512*kib)
			s.OffloadRead(s.src, 512*kib, 512*kib, 512*kib, flowtest.NewToken(2))
			s.OffloadWrite(s.dst, 512*kib, 512*kib, 0, flowtest.NewToken(2), 512*kib)
		}},
		{"token/reused", "note token/reused", func(s *scene) {
			tok := s.mint(1)
			s.write(tok, 0, mib)
			dst := s.New("second")
			s.SetSize(dst, mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"token/one-shot", "warning token/one-shot; warning token/refused; note token/part-used", func(s *scene) {
			tok := s.mint(1)
			s.write(tok, 0, 512*kib)
			s.refuse(flowtest.InvalidToken)
			s.write(tok, 512*kib, 512*kib)
			s.OffloadRead(s.src, 512*kib, 512*kib, 512*kib, flowtest.NewToken(2))
			s.OffloadWrite(s.dst, 512*kib, 512*kib, 0, flowtest.NewToken(2), 512*kib)
		}},
		{"token/expired-used", "note token/expired-used", func(s *scene) {
			tok := flowtest.NewToken(1)
			s.OffloadReadTTL(s.src, 0, mib, mib, tok, 1000, 0)
			s.Wait(3 * time.Second)
			s.write(tok, 0, mib)
		}},
		{"token/expired-used long ago", "warning token/expired-used", func(s *scene) {
			tok := flowtest.NewToken(1)
			s.OffloadReadTTL(s.src, 0, mib, mib, tok, 1000, 0)
			s.Wait(11 * time.Second)
			s.write(tok, 0, mib)
		}},
		{"a time that every use renews", "", func(s *scene) {
			tok := flowtest.NewToken(1)
			s.OffloadReadTTL(s.src, 0, mib, mib, tok, 1000, 0)
			for at := uint64(0); at < mib; at += 256 * kib {
				s.Wait(900 * time.Millisecond)
				s.write(tok, at, 256*kib)
			}
		}},
		{"token/expired-refused", "note token/expired-refused; note token/part-used", func(s *scene) {
			tok := flowtest.NewToken(1)
			s.OffloadReadTTL(s.src, 0, mib, mib, tok, 1000, 0)
			s.Wait(3 * time.Second)
			s.refuse(flowtest.InvalidToken)
			s.write(tok, 0, mib)
			s.write(s.mint(2), 0, mib)
		}},
		{"token/refused", "warning token/refused; note token/part-used", func(s *scene) {
			tok := s.mint(1)
			s.refuse(flowtest.InvalidToken)
			s.write(tok, 0, mib)
			s.write(s.mint(2), 0, mib)
		}},
		{"token/refused much later", "note token/refused; note token/part-used", func(s *scene) {
			tok := s.mint(1)
			s.Wait(30 * time.Second)
			s.refuse(flowtest.InvalidToken)
			s.write(tok, 0, mib)
			s.write(s.mint(2), 0, mib)
		}},
		{"token/stale-source", "warning token/stale-source", func(s *scene) {
			tok := s.mint(1)
			o := s.other()
			o.Write(o.Open("src", mib), 0, make([]byte, 4096))
			s.write(tok, 0, mib)
		}},
		{"another part of the source changed", "", func(s *scene) {
			tok := flowtest.NewToken(1)
			s.OffloadRead(s.src, 0, 512*kib, 512*kib, tok)
			o := s.other()
			o.Write(o.Open("src", mib), 768*kib, make([]byte, 4096))
			s.write(tok, 0, 512*kib)
			s.OffloadRead(s.src, 512*kib, 512*kib, 512*kib, flowtest.NewToken(2))
			s.OffloadWrite(s.dst, 512*kib, 512*kib, 0, flowtest.NewToken(2), 512*kib)
		}},
		{"token/other-session", "note token/other-session", func(s *scene) {
			tok := s.mint(1)
			o := s.other()
			dst := o.New("theirs")
			o.SetSize(dst, mib)
			o.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"token/other-session, refused", "warning token/other-session; warning token/refused; warning copy/abandoned; note token/part-used", func(s *scene) {
			tok := s.mint(1)
			o := s.other()
			dst := o.New("theirs")
			o.SetSize(dst, mib)
			o.Status = flowtest.InvalidToken
			o.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"a session that goes on after its connection", "", func(s *scene) {
			tok := s.mint(1)
			s.Finish(0)
			again := &flowtest.Client{Conn: s.Dial("10.0.0.1:50009", "10.0.0.9:445"), Session: 0x2000, Previous: s.Session, Tree: 7}
			again.Setup(share)
			dst := again.Open("dst", mib)
			again.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"token/other-server", "note token/other-server", func(s *scene) {
			tok := s.mint(1)
			o := s.Capture.Login("10.0.0.1:50005", "10.0.0.8:445", `\\other\share`)
			dst := o.New("there")
			o.SetSize(dst, mib)
			o.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},

		{"copy/gap", "error copy/gap; warning token/part-used; warning copy/wrong-resume", func(s *scene) {
			tok := s.mint(1)
			s.OffloadWrite(s.dst, 0, mib, 0, tok, 256*kib)
			s.write(tok, 512*kib, 512*kib)
		}},
		{"a gap that the source shows as zero", "", func(s *scene) {
			s.Allocated(s.src, 0, mib, 0, 256*kib, 512*kib, 512*kib)
			for i, at := range []uint64{0, 512 * kib} {
				tok := flowtest.NewToken(byte(i + 1))
				n := []uint64{256 * kib, 512 * kib}[i]
				s.OffloadRead(s.src, at, n, n, tok)
				s.OffloadWrite(s.dst, at, n, 0, tok, n)
			}
		}},
		{"copy/misplaced", "error copy/misplaced", func(s *scene) {
			tok := s.mint(1)
			s.write(tok, 0, 256*kib)
			s.OffloadWrite(s.dst, 256*kib, 256*kib, 512*kib, tok, 256*kib)
			s.OffloadWrite(s.dst, 512*kib, 256*kib, 256*kib, tok, 256*kib)
			s.write(tok, 768*kib, 256*kib)
		}},
		{"copy/overlap", "warning copy/overlap; note token/reused", func(s *scene) {
			tok := s.mint(1)
			s.write(tok, 0, 512*kib)
			s.write(tok, 256*kib, 768*kib)
		}},
		{"again after no answer", "warning smb/unanswered; note token/reused", func(s *scene) {
			tok := s.mint(1)
			s.write(tok, 0, 512*kib)
			s.Mute = true
			s.write(tok, 512*kib, 512*kib)
			s.Finish(0)
			again := &flowtest.Client{Conn: s.Dial("10.0.0.1:50009", "10.0.0.9:445"), Session: 0x2000, Previous: s.Session, Tree: 7}
			again.Setup(share)
			dst := again.Open("dst", mib)
			again.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"copy/wrong-resume", "warning copy/wrong-resume; error copy/gap; warning token/part-used", func(s *scene) {
			tok := s.mint(1)
			s.OffloadWrite(s.dst, 0, 512*kib, 0, tok, 256*kib)
			s.write(tok, 512*kib, 512*kib)
		}},
		{"a new token from where it stopped", "warning token/part-used", func(s *scene) {
			s.OffloadWrite(s.dst, 0, mib, 0, s.mint(1), 256*kib)
			tok := flowtest.NewToken(2)
			s.OffloadRead(s.src, 256*kib, 768*kib, 768*kib, tok)
			s.OffloadWrite(s.dst, 256*kib, 768*kib, 0, tok, 768*kib)
		}},
		{"copy/abandoned by a failure", "warning copy/abandoned; note token/part-used", func(s *scene) {
			tok := s.mint(1)
			s.write(tok, 0, 512*kib)
			s.refuse(0xc000007f) // STATUS_DISK_FULL
			s.write(tok, 512*kib, 512*kib)
		}},
		{"copy/abandoned without a tail", "warning copy/abandoned", func(s *scene) {
			tok := flowtest.NewToken(1)
			s.OffloadRead(s.src, 0, 512*kib, 512*kib, tok)
			s.write(tok, 0, 512*kib)
			s.Client.Close(s.dst)
		}},
		{"copy/size-differs", "warning copy/size-differs", func(s *scene) {
			s.copied()
			s.SetSize(s.dst, mib+4096)
		}},
		{"copy/not-presized", "warning copy/not-presized; note copy/size-differs", func(s *scene) {
			dst := s.New("short")
			s.OffloadWrite(dst, 0, mib, 0, s.mint(1), mib)
		}},
		{"copy/source-changed", "note copy/source-changed", func(s *scene) {
			a := flowtest.NewToken(1)
			s.OffloadRead(s.src, 0, 512*kib, 512*kib, a)
			s.write(a, 0, 512*kib)
			s.Write(s.src, 0, make([]byte, 4096))
			b := flowtest.NewToken(2)
			s.OffloadRead(s.src, 512*kib, 512*kib, 512*kib, b)
			s.OffloadWrite(s.dst, 512*kib, 512*kib, 0, b, 512*kib)
		}},
		{"copy/fell-back", "warning copy/fell-back", func(s *scene) {
			s.refuse(flowtest.NotSupported)
			s.OffloadRead(s.src, 0, mib, 0, flowtest.NewToken(1))
			key := s.ResumeKey(s.src)
			s.CopyChunk(s.dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 1, 0, mib)
		}},
		{"copy/fell-back to READ and WRITE", "warning copy/fell-back", func(s *scene) {
			s.refuse(flowtest.NotSupported)
			s.OffloadRead(s.src, 0, mib, 0, flowtest.NewToken(1))
			s.plain(0, mib)
		}},
		{"copy/fell-back with a token in hand", "warning copy/fell-back; note token/unused", func(s *scene) {
			s.mint(1)
			s.plain(0, mib)
		}},
		{"a tail below a sector by READ and WRITE", "", func(s *scene) {
			src, dst := s.Client.Open("odd", mib+100), s.New("odd copy")
			s.SetSize(dst, mib+100)
			s.OffloadRead(src, 0, mib, mib, flowtest.NewToken(1))
			s.OffloadWrite(dst, 0, mib, 0, flowtest.NewToken(1), mib)
			s.Read(src, mib, pattern(1, 100))
			s.Write(dst, mib, pattern(1, 100))
		}},
		{"copy/not-offloaded", "note copy/not-offloaded", func(s *scene) { s.plain(0, mib) }},
		{"copy/not-offloaded though it could", "warning copy/not-offloaded", func(s *scene) {
			s.copied()
			src, dst := s.src, s.New("plain")
			s.SetSize(dst, mib)
			s.dst = dst
			s.src = src
			s.plain(0, mib)
		}},
		{"read and written, but other bytes", "", func(s *scene) {
			for at := uint64(0); at < mib; at += 64 * kib {
				s.Read(s.src, at, pattern(1, 64*kib))
				s.Write(s.dst, at, pattern(2, 64*kib))
			}
		}},
		{"copy/token-churn", "note copy/token-churn", func(s *scene) {
			tok := s.mint(1)
			for at := uint64(0); at < mib; at += 64 * kib {
				s.OffloadWrite(s.dst, at, mib-at, at, tok, 64*kib)
			}
		}},
		{"copy/token-churn by small tokens", "note copy/token-churn", func(s *scene) {
			src, dst := s.Client.Open("big", 32*mib), s.New("big copy")
			s.SetSize(dst, 32*mib)
			for at := uint64(0); at < 32*mib; at += mib {
				tok := flowtest.NewToken(byte(at>>20) + 1)
				s.OffloadRead(src, at, 32*mib-at, mib, tok)
				s.OffloadWrite(dst, at, mib, 0, tok, mib)
			}
		}},
		{"copy/lease-stall", "warning copy/lease-stall", func(s *scene) {
			s.Oplock = 9
			src, dst := s.Client.Open("held", mib), s.dst
			tok := flowtest.NewToken(1)
			s.OffloadRead(src, 0, mib, mib, tok)
			s.Pending = true
			s.Meet = func() {
				s.Break(src)
				s.Wait(time.Second)
				s.BreakDone(src)
			}
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"a break that was over", "", func(s *scene) {
			s.Oplock = 9
			src := s.Client.Open("held", mib)
			s.Break(src)
			s.BreakDone(src)
			tok := flowtest.NewToken(1)
			s.OffloadRead(src, 0, mib, mib, tok)
			s.Pending = true
			s.OffloadWrite(s.dst, 0, mib, 0, tok, mib)
		}},

		{"unknown, but the capture came late to another client", "note token/unknown", func(s *scene) {
			s.copied()
			s.Late("10.0.0.3:50003", "10.0.0.9:445").QueryStandard(s.src, mib)
			s.refuse(flowtest.InvalidToken)
			s.write(flowtest.NewToken(77), 0, mib)
		}},
		{"a second channel of the session", "", func(s *scene) {
			tok := s.mint(1)
			second := &flowtest.Client{Conn: s.Dial("10.0.0.1:50009", "10.0.0.9:445"), Session: s.Session, Tree: s.Tree}
			second.OffloadWrite(s.dst, 0, mib, 0, tok, mib)
		}},
		{"a new open for every call", "", func(s *scene) {
			s.Client.Close(s.dst)
			for i := range uint64(4) {
				src := s.Client.Open("src", mib)
				tok := flowtest.NewToken(byte(i + 1))
				s.OffloadRead(src, i*256*kib, 256*kib, 256*kib, tok)
				s.Client.Close(src)
				dst := s.Client.Open("dst", mib)
				s.OffloadWrite(dst, i*256*kib, 256*kib, 0, tok, 256*kib)
				s.Client.Close(dst)
			}
		}},
		{"the same copy once more", "", func(s *scene) {
			s.copied()
			s.Client.Close(s.dst)
			s.dst = s.Again("dst")
			s.SetSize(s.dst, mib)
			s.write(s.mint(2), 0, mib)
		}},
		{"two copies at once", "", func(s *scene) {
			src, dst := s.Client.Open("src2", mib), s.New("dst2")
			s.SetSize(dst, mib)
			a, b := s.mint(1), flowtest.NewToken(2)
			s.OffloadRead(src, 0, mib, mib, b)
			for at := uint64(0); at < mib; at += 256 * kib {
				s.write(a, at, 256*kib)
				s.OffloadWrite(dst, at, 256*kib, at, b, 256*kib)
			}
		}},
		{"refused, and tried again", "note token/part-used", func(s *scene) {
			tok := s.mint(1)
			s.refuse(0xc000009a) // STATUS_INSUFFICIENT_RESOURCES
			s.write(tok, 0, mib)
			s.write(s.mint(2), 0, mib)
		}},
		{"a sparse source", "note copy/gap", func(s *scene) {
			s.Ioctl(0x900c4, s.src, nil, nil)
			for _, at := range []uint64{0, 768 * kib} {
				tok := flowtest.NewToken(byte(at>>18) + 1)
				s.OffloadRead(s.src, at, 256*kib, 256*kib, tok)
				s.OffloadWrite(s.dst, at, 256*kib, 0, tok, 256*kib)
			}
		}},
		{"a sparse source whose data is known", "error copy/gap", func(s *scene) {
			s.Ioctl(0x900c4, s.src, nil, nil)
			s.Allocated(s.src, 0, mib, 0, 512*kib, 768*kib, 256*kib)
			for _, at := range []uint64{0, 768 * kib} {
				tok := flowtest.NewToken(byte(at>>18) + 1)
				s.OffloadRead(s.src, at, 256*kib, 256*kib, tok)
				s.OffloadWrite(s.dst, at, 256*kib, 0, tok, 256*kib)
			}
		}},
		{"from a clone that is not there to copychunk to READ and WRITE", "warning copy/fell-back", func(s *scene) {
			s.refuse(flowtest.NotSupported)
			s.Clone(s.dst, s.src, 0, 0, mib)
			key := s.ResumeKey(s.src)
			s.CopyChunk(s.dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: 512 * kib}}, 1, 0, 512*kib)
			s.plain(512*kib, 512*kib)
		}},
		{"files got and put one after the other", "", func(s *scene) {
			for at := uint64(0); at < mib; at += 64 * kib {
				s.Read(s.src, at, pattern(byte(at>>16), 64*kib))
			}
			s.Client.Close(s.src)
			s.Wait(30 * time.Second)
			dst := s.New("other")
			for at := uint64(0); at < mib; at += 64 * kib {
				s.Write(dst, at, pattern(byte(at>>16)+99, 64*kib))
			}
		}},
		{"the answer to a mint is lost", "note token/unknown; note capture/gap; note smb/unanswered", func(s *scene) {
			s.copied()
			tok := flowtest.NewToken(2)
			s.Mute = true
			s.OffloadRead(s.src, 0, mib, mib, tok)
			s.Skip(1, 700)
			s.refuse(flowtest.InvalidToken)
			s.write(tok, 0, 0)
			for range 10 {
				s.QueryStandard(s.src, mib)
			}
		}},

		{"frames that the capture cut", "", func(s *scene) {
			s.copied()
			for i := range s.Packets {
				p := &s.Packets[i]
				p.Data = p.Data[:min(len(p.Data), 190)]
			}
		}},
		{"a hole in a copy by READ and WRITE", "error copy/gap", func(s *scene) {
			s.plain(0, 512*kib)
			s.plain(640*kib, 384*kib)
		}},
		{"zeros that a client reads and does not write", "", func(s *scene) {
			s.plain(0, 512*kib)
			s.Read(s.src, 512*kib, make([]byte, 128*kib))
			s.plain(640*kib, 384*kib)
		}},

		{"chunk/limits", "note chunk/limits", func(s *scene) {
			key := s.ResumeKey(s.src)
			s.refuse(flowtest.InvalidParameter)
			s.CopyChunk(s.dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 256, 512*kib, 16*mib)
			for at := uint64(0); at < mib; at += 512 * kib {
				s.CopyChunk(s.dst, key, []flowtest.Chunk{{From: at, To: at, Length: 512 * kib}}, 1, 0, 512*kib)
			}
		}},
		{"chunk/key-unknown", "error chunk/key-unknown", func(s *scene) {
			s.refuse(flowtest.NotFound)
			s.CopyChunk(s.dst, [24]byte{9, 9}, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 0, 0, 0)
			s.copied()
		}},
		{"a key of another connection", "", func(s *scene) {
			o := s.other()
			key := o.ResumeKey(o.Open("src", mib))
			s.CopyChunk(s.dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 1, 0, mib)
		}},
		{"chunk/short", "warning chunk/short; warning copy/abandoned", func(s *scene) {
			key := s.ResumeKey(s.src)
			s.CopyChunk(s.dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 1, 0, 512*kib)
		}},
		{"clone/unaligned", "warning clone/unaligned; warning copy/abandoned", func(s *scene) {
			s.SectorSize(s.src, 512, 8)
			s.refuse(flowtest.InvalidParameter)
			s.Clone(s.dst, s.src, 0, 0, 512*kib+512)
		}},
		{"a clone up to the end of file", "", func(s *scene) {
			s.SectorSize(s.src, 512, 8)
			src, dst := s.Client.Open("odd", mib+100), s.New("odd copy")
			s.SetSize(dst, mib+100)
			s.Clone(dst, src, 0, 0, mib+100)
		}},

		{"smb/replayed", "note smb/replayed", func(s *scene) {
			tok := s.mint(1)
			s.Flags = 1 << 29
			s.write(tok, 0, mib)
		}},
		{"smb/unanswered", "warning smb/unanswered; note token/part-used; warning copy/abandoned", func(s *scene) {
			tok := s.mint(1)
			s.write(tok, 0, 512*kib)
			s.Mute = true
			s.write(tok, 512*kib, 512*kib)
			s.Finish(0)
		}},
		{"unanswered as the capture ended", "note smb/unanswered; note token/part-used; note copy/abandoned", func(s *scene) {
			tok := s.mint(1)
			s.write(tok, 0, 512*kib)
			s.Mute = true
			s.write(tok, 512*kib, 512*kib)
		}},
		{"capture/gap", "note capture/gap; note token/unused", func(s *scene) {
			s.copied()
			s.mint(2)
			s.Skip(1, 3000)
			for range 10 {
				s.QueryStandard(s.src, mib)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			found, r := play(t, test.write)
			var got []string
			for _, f := range found {
				s := fmt.Sprintf("%v %s", f.Level, f.Rule)
				if !slices.Contains(got, s) && (f.Level != flows.Note || strings.Contains(test.want, s)) {
					got = append(got, s)
				}
			}
			var want []string
			if test.want != "" {
				want = strings.Split(test.want, "; ")
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("found %q, not %q", got, want)
				for _, f := range found {
					t.Logf("%v %s: %s %v copy %d", f.Level, f.Rule, f.Message, f.Frames, f.Copy)
				}
				for _, c := range r.Copies {
					t.Logf("copy %d: %v %q to %q whole %v sized %v covered %v gaps %v", c.ID, c.Methods, c.Source.Path, c.Destination.Path, c.Whole, c.Sized, c.Covered, c.Gaps)
				}
			}
		})
	}
}

// Every rule has what explains it.
func TestTable(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range Rules() {
		if seen[r.ID] || r.Meaning == "" || r.Advice == "" || r.Spec == "" || r.check == nil {
			t.Errorf("%s is not whole, or there twice", r.ID)
		}
		seen[r.ID] = true
	}
	if r, ok := Find("copy/gap"); !ok || r.Level != flows.Error {
		t.Error("copy/gap is not found")
	}
}

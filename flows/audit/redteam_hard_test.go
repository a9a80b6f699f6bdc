package audit

import (
	"slices"
	"testing"

	"github.com/odxray/odxray/flows/flowtest"
)

// What is harder to tell: several things at once, networks that misbehave, captures
// made badly, and faults in the midst of much that is right.
func TestRedTeamHard(t *testing.T) {
	perform(t, []story{
		{"three copies at once on one connection, one of them with a gap", "error copy/gap", func(s *stage) {
			var src, dst [3]flowtest.File
			for i := range src {
				src[i], dst[i] = s.pair(string(rune('a'+i)), 4*mib)
			}
			for at := range uint64(4) {
				for i := range src {
					if at == 2 && i == 1 {
						continue
					}
					s.odx(src[i], dst[i], byte(at*10)+byte(i*50), at*mib, mib)
				}
			}
			for i := range src {
				s.Close(dst[i])
			}
			s.verdicts = []string{"complete", "partial", "complete"}
		}},
		{"two servers, the same names, sessions and files on both, one copy on each", "", func(s *stage) {
			o := &stage{net: s.net, Client: &flowtest.Client{Conn: s.net.Dial("10.0.0.1:50001", "10.0.0.8:445"), Session: s.Session, Tree: s.Tree}}
			o.Setup(share)
			src, dst := s.pair("src", 2*mib)
			from, to := o.pair("src", 2*mib)
			for i := range uint64(2) {
				s.odx(src, dst, byte(i), i*mib, mib)
				o.odx(from, to, byte(i), i*mib, mib)
			}
			s.Close(dst)
			o.Close(to)
			s.verdicts = []string{"complete", "complete"}
		}},
		{"every frame is captured twice", "", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, mib, mib)
			s.Close(dst)
			var twice = slices.Clone(s.net.Packets[:0:0])
			for _, p := range s.net.Packets {
				twice = append(twice, p, p)
			}
			for i := range twice {
				twice[i].Number = i + 1
			}
			s.net.Packets = twice
			s.verdicts = []string{"complete"}
		}},
		{"the first transmission is lost in the network, the second is captured", "", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			tok := s.token(src, 1, 0, 2*mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.Hold = true
			s.OffloadWrite(dst, mib, mib, mib, tok, mib)
			first := s.Request
			s.Wait(300e6)
			s.Retransmit()
			s.Release(0)
			s.Close(dst)
			s.net.Lose(first)
			s.verdicts = []string{"complete"}
		}},
		{"the session expires, is renewed, and the call is made again", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.refused(0xc000035c)
			s.OffloadWrite(dst, 0, mib, 0, tok, 0)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.Close(dst)
		}},
		{"cancelled by the user and begun again", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.Pending = true
			s.Meet = func() { s.Cancel(true) }
			s.refused(flowtest.Cancelled)
			s.OffloadWrite(dst, 0, mib, 0, tok, 0)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.Close(dst)
		}},
		{"cancelled by the user for good", "warning copy/abandoned", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.odx(src, dst, 1, 0, mib)
			tok := s.token(src, 2, mib, mib)
			s.Pending = true
			s.Meet = func() { s.Cancel(true) }
			s.refused(flowtest.Cancelled)
			s.OffloadWrite(dst, mib, mib, 0, tok, 0)
			s.here()
			s.Close(dst)
		}},
		{"a copychunk that fails half way, and goes on from there", "", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			key := s.ResumeKey(src)
			s.Keep = true
			s.refused(0xc0000054) // STATUS_FILE_LOCK_CONFLICT
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}, {From: mib, To: mib, Length: mib}}, 1, 0, mib)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: mib, To: mib, Length: mib}}, 1, 0, mib)
			s.Close(dst)
			s.verdicts = []string{"complete"}
		}},
		{"limits are not bytes copied", "note chunk/limits; warning copy/abandoned", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			key := s.ResumeKey(src)
			s.refused(flowtest.InvalidParameter)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: 2 * mib}}, 256, mib, 2*mib)
			s.Close(dst)
			s.verdicts = []string{"failed"}
		}},
		{"a gap between copychunks into a file that nobody sized", "error copy/gap", func(s *stage) {
			src, dst := s.Open("src", 3*mib), s.New("dst")
			s.chunks(src, dst, 0, mib, mib)
			s.chunks(src, dst, 2*mib, mib, mib)
			s.Close(dst)
		}},
		{"ODX, then READ and WRITE with a gap", "error copy/gap; warning copy/fell-back", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			s.odx(src, dst, 1, 0, mib)
			s.through(src, dst, mib, 512*kib)
			s.through(src, dst, 2*mib, mib)
			s.Close(dst)
		}},
		{"the source is overwritten by a CREATE meanwhile", "warning token/stale-source", func(s *stage) {
			src, dst := s.Open("src", mib), s.Open("dst", mib)
			tok := s.token(src, 1, 0, mib)
			o := s.another("10.0.0.2:2222")
			o.Overwrite("src")
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"the source is cut by its allocation meanwhile", "warning token/stale-source", func(s *stage) {
			src, dst := s.Open("src", mib), s.Open("dst", mib)
			tok := s.token(src, 1, 0, mib)
			s.SetAllocation(src, 4096)
			s.here()
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, 512*kib)
		}},
		{"blocks are cloned into the source meanwhile", "warning token/stale-source", func(s *stage) {
			src, dst, third := s.Open("src", mib), s.Open("dst", mib), s.Open("third", mib)
			tok := s.token(src, 1, 0, mib)
			s.Clone(src, third, 0, 512*kib, 64*kib)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"the same end of file is set again, more is allocated", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.SetSize(src, mib)
			s.SetAllocation(src, 2*mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"another client changes the source under another name of server and share", "warning token/stale-source", func(s *stage) {
			src, dst := s.Open("src", mib), s.Open("dst", mib)
			tok := s.token(src, 1, 0, mib)
			o := &stage{net: s.net, Client: s.net.Login("10.0.0.2:2222", "10.0.0.9:445", `\\10.0.0.9\SHARE`)}
			o.Write(o.Open("src", mib), 0, pattern(1, 512))
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"another client changes the source under a name in capitals", "warning token/stale-source", func(s *stage) {
			src, dst := s.Open("Dir\\src.vhdx", mib), s.Open("dst", mib)
			tok := s.token(src, 1, 0, mib)
			o := s.another("10.0.0.2:2222")
			o.Write(o.Open("DIR\\SRC.VHDX", mib), 0, pattern(1, 512))
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"READs of 256 KiB and WRITEs of 64 KiB", "warning copy/not-offloaded", func(s *stage) {
			s.whole(1)
			src, dst := s.pair("src", 512*kib)
			for at := uint64(0); at < 512*kib; at += 256 * kib {
				data := pattern(byte(at>>18), 256*kib)
				s.Read(src, at, data)
				for i := uint64(0); i < 256*kib; i += 64 * kib {
					s.Write(dst, at+i, data[i:i+64*kib])
				}
			}
			s.Close(dst)
		}},
		{"READ on one channel, WRITE on the other", "warning copy/not-offloaded", func(s *stage) {
			s.whole(1)
			src, dst := s.pair("src", 512*kib)
			second := s.Channel("10.0.0.1:50077", "10.0.0.9:445")
			for at := uint64(0); at < 512*kib; at += 64 * kib {
				data := pattern(byte(at>>16), 64*kib)
				s.Read(src, at, data)
				second.Write(dst, at, data)
			}
			s.Close(dst)
		}},
		{"from one server to another by READ and WRITE", "", func(s *stage) {
			s.whole(1)
			o := &stage{net: s.net, Client: s.net.Login("10.0.0.1:50001", "10.0.0.8:445", `\\other\share`)}
			src := s.Open("src", 512*kib)
			dst := o.New("dst")
			o.SetSize(dst, 512*kib)
			for at := uint64(0); at < 512*kib; at += 64 * kib {
				data := pattern(byte(at>>16), 64*kib)
				s.Read(src, at, data)
				o.Write(dst, at, data)
			}
		}},
		{"a short answer while others are in flight is no wrong resume", "", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			tok := s.token(src, 1, 0, 4*mib)
			s.Hold = true
			s.OffloadWrite(dst, 0, 2*mib, 0, tok, mib)
			s.Hold = true
			s.OffloadWrite(dst, 2*mib, 2*mib, 2*mib, tok, 2*mib)
			s.Release(1)
			s.Release(0)
			s.OffloadWrite(dst, mib, mib, mib, tok, mib)
			s.Close(dst)
		}},
		{"many copies, then one whose token is altered in the last of eight writes", "error token/altered", func(s *stage) {
			for i := range byte(20) {
				s.whole(i)
			}
			src, dst := s.pair("src", 8*mib)
			tok := s.token(src, 100, 0, 8*mib)
			for i := range uint64(7) {
				s.OffloadWrite(dst, i*mib, mib, i*mib, tok, mib)
			}
			bad := tok
			bad[30]++
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 7*mib, mib, 7*mib, bad, 0)
			s.here()
			s.OffloadWrite(dst, 7*mib, mib, 7*mib, tok, mib)
		}},
		{"a break before the call, acknowledged only while it is pending", "warning copy/lease-stall", func(s *stage) {
			key := [16]byte{7}
			dst := s.OpenLeased("dst", key, 7)
			s.QueryStandard(dst, mib)
			src, again := s.Open("src", mib), s.Open("dst", mib)
			tok := s.token(src, 1, 0, mib)
			s.LeaseBreak(key, 7, 1)
			s.Pending = true
			s.Meet = func() {
				s.seconds(2)
				s.LeaseAck(key, 1)
			}
			s.OffloadWrite(again, 0, mib, 0, tok, mib)
			s.here()
		}},
		{"encrypted messages nearby leave an unknown token unsure", "uncertain token/unknown; note capture/undecrypted", func(s *stage) {
			s.whole(1)
			o := s.another("10.0.0.2:2222")
			sealed := append([]byte{0, 0, 0, 100}, append([]byte("\xfdSMB"), pattern(3, 96)...)...)
			copy(sealed[40:], []byte{48, 0, 0, 0, 0, 0, 1, 0})
			o.Send(0, sealed)
			dst := s.Open("dst", mib)
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 0, mib, 0, flowtest.NewToken(99), 0)
		}},
		{"a copy, a file of that name deleted, and another copy to that name with a gap", "error copy/gap", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			s.odx(src, dst, 1, 0, 3*mib)
			s.Close(dst)
			dst = s.New("src - Copy")
			s.SetSize(dst, 3*mib)
			s.odx(src, dst, 2, 0, mib)
			s.odx(src, dst, 3, 2*mib, mib)
			s.Close(dst)
			s.verdicts = []string{"complete", "partial"}
		}},
		{"an illumos copy: tokens with one byte that counts, one of them used twice and one not at all", "warning token/unused; error copy/misplaced; note token/reused", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			tok := func(i byte) flowtest.Token { t := flowtest.NewToken(7); t[60] = i; return t }
			for i := range uint64(4) {
				s.OffloadRead(src, i*mib, mib, mib, tok(byte(i)))
			}
			for _, i := range []uint64{0, 1} {
				s.OffloadWrite(dst, i*mib, mib, 0, tok(byte(i)), mib)
			}
			s.OffloadWrite(dst, 2*mib, mib, 0, tok(1), mib)
			s.here()
			s.OffloadWrite(dst, 3*mib, mib, 0, tok(3), mib)
			s.Close(dst)
		}},
		{"cloned whole, but the tail twice", "warning copy/overlap", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.Clone(dst, src, 0, 0, mib)
			s.Clone(dst, src, 512*kib, 512*kib, 512*kib)
			s.here()
		}},
		{"ServerGuid all zero on two servers", "", func(s *stage) {
			var f [2]*stage
			for i, address := range []string{"10.0.0.8:445", "10.0.0.7:445"} {
				f[i] = &stage{net: s.net, Client: &flowtest.Client{Conn: s.net.Dial("10.0.0.1:5100", address), Session: 77, Tree: 5, ServerGUID: make([]byte, 16)}}
				f[i].Setup(share)
			}
			a, b := f[0], f[1]
			src, dst := a.pair("src", mib)
			from, to := b.pair("src", mib)
			tok := a.token(src, 1, 0, mib)
			other := b.token(from, 1, 0, mib)
			a.OffloadWrite(dst, 0, mib, 0, tok, mib)
			b.OffloadWrite(to, 0, mib, 0, other, mib)
		}},
	})
}

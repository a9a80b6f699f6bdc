package audit

import (
	"testing"

	"github.com/odxray/odxray/flows/flowtest"
)

// What a capture lacks makes nobody guilty: findings that rest on it are notes.
func TestRedTeamLost(t *testing.T) {
	perform(t, []story{
		{"the frames that sized the destination are lost", "note capture/gap", func(s *stage) {
			src, dst := s.Open("src", mib), s.New("dst")
			s.SetSize(dst, mib)
			req, ans := s.Request, s.Answer
			s.odx(src, dst, 1, 0, mib)
			s.Close(dst)
			s.net.Lose(ans)
			s.net.Lose(req)
		}},
		{"the destination was sized anew, in frames that are lost", "uncertain copy/size-differs; note capture/gap", func(s *stage) {
			src, dst := s.Open("src", mib), s.New("dst")
			s.SetSize(dst, 2*mib)
			s.odx(src, dst, 1, 0, mib)
			s.SetSize(dst, mib)
			req, ans := s.Request, s.Answer
			s.Close(dst)
			s.net.Lose(ans)
			s.net.Lose(req)
		}},
		{"the frames that went on after a short write are lost", "uncertain copy/wrong-resume; note capture/gap", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			tok := s.token(src, 1, 0, 4*mib)
			s.OffloadWrite(dst, 0, 2*mib, 0, tok, mib)
			s.OffloadWrite(dst, mib, mib, mib, tok, mib)
			req, ans := s.Request, s.Answer
			s.OffloadWrite(dst, 2*mib, 2*mib, 2*mib, tok, 2*mib)
			s.Close(dst)
			s.net.Lose(ans)
			s.net.Lose(req)
		}},
		{"STATUS_PENDING is lost", "uncertain odx/slow; note capture/gap", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			interim := 0
			s.Pending = true
			s.Meet = func() { interim = len(s.net.Packets); s.seconds(30) }
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.Close(dst)
			s.net.Lose(interim)
		}},
		{"the answer that gave the resume key is lost", "uncertain chunk/key-unknown; note capture/gap", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.ResumeKey(src)
			ans := s.Answer
			key := [24]byte{}
			copy(key[:], src.ID[:])
			s.refused(flowtest.NotFound)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 0, 0, 0)
			s.odx(src, dst, 1, 0, mib)
			s.net.Lose(ans)
		}},
		{"an altered token, another connection to the server began before", "uncertain token/altered", func(s *stage) {
			late := s.net.Late("10.0.0.7:1234", "10.0.0.9:445")
			late.Read(late.Open("x", mib), 0, pattern(1, 512))
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			bad := tok
			bad[9]++
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 0, mib, 0, bad, 0)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"the answers to all writes of a token are cut before LengthWritten", "note capture/gap", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			tok := s.token(src, 1, 0, 2*mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			a := s.Answer
			s.OffloadWrite(dst, mib, mib, mib, tok, mib)
			s.Close(dst)
			s.net.Snap(a, len(s.net.Packets[a-1].Data)-12)
		}},
		{"WRITE requests cut by the snap length, answers whole", "", func(s *stage) {
			s.whole(1)
			src, dst := s.pair("src", 512*kib)
			for at := uint64(0); at < 512*kib; at += 64 * kib {
				data := pattern(byte(at>>16)+3, 64*kib)
				s.Read(src, at, data)
				s.Write(dst, at, data)
			}
			s.Close(dst)
			for i := range s.net.Packets {
				s.net.Snap(i+1, 256)
			}
		}},
		{"the answer is captured before the request", "", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			tok := s.token(src, 1, 0, 2*mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			p := s.net.Packets
			i, j := s.Request-1, s.Answer-1
			p[i], p[j] = p[j], p[i]
			p[i].Number, p[j].Number = i+1, j+1
			p[i].Time, p[j].Time = p[j].Time, p[i].Time
			s.OffloadWrite(dst, mib, mib, mib, tok, mib)
			s.Close(dst)
		}},
		{"a small file that falls back for all of its bytes", "warning copy/fell-back", func(s *stage) {
			src, dst := s.pair("src", 10*kib)
			s.refused(flowtest.NotSupported)
			s.OffloadRead(src, 0, 10*kib, 0, flowtest.NewToken(1))
			s.through(src, dst, 0, 10*kib)
		}},
		{"to another share of the same server", "", func(s *stage) {
			src := s.Open("src", mib)
			tok := s.token(src, 1, 0, mib)
			o := s.Channel("10.0.0.1:50077", "10.0.0.9:445")
			o.Tree = 9
			dst := o.New("dst")
			o.SetSize(dst, mib)
			o.OffloadWrite(dst, 0, mib, 0, tok, mib)
			o.Close(dst)
		}},
		{"part of a file onto itself, where it was read before", "warning token/stale-source", func(s *stage) {
			f := s.Open("f", 8*mib)
			tok := s.token(f, 1, 0, 4*mib)
			s.OffloadWrite(f, 2*mib, 2*mib, 0, tok, 2*mib)
			s.OffloadWrite(f, 4*mib, 2*mib, 2*mib, tok, 2*mib)
			s.here()
		}},
		{"the user logs off amid a copy", "warning copy/abandoned", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			s.odx(src, dst, 1, 0, mib)
			s.Logoff()
		}},
		{"the destination is overwritten, not created", "error copy/gap", func(s *stage) {
			src, dst := s.Open("src", 3*mib), s.Overwrite("dst")
			s.SetSize(dst, 3*mib)
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, 2*mib, mib)
			s.Close(dst)
		}},
		{"the destination is cut to nothing, not created", "error copy/gap", func(s *stage) {
			src, dst := s.Open("src", 3*mib), s.Open("dst", 9*mib)
			s.SetSize(dst, 0)
			s.SetSize(dst, 3*mib)
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, 2*mib, mib)
			s.Close(dst)
		}},
		{"a gap that the destination was zeroed in", "", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			s.ZeroData(dst, 0, 3*mib)
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, 2*mib, mib)
			s.Close(dst)
		}},
		{"a gap where a sparse source has data", "error copy/gap", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			s.SetSparse(src)
			s.Allocated(src, 0, 3*mib, 0, 3*mib)
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, 2*mib, mib)
			s.Close(dst)
		}},
		{"a gap in a sparse source that nobody asked about", "uncertain copy/gap", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			s.SetSparse(src)
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, 2*mib, mib)
			s.Close(dst)
		}},
		{"the second half falls back to another client", "warning copy/abandoned", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.odx(src, dst, 1, 0, mib)
			s.Close(dst)
			o := s.another("10.0.0.2:2222")
			o.QueryStandard(o.Open("src - Copy", 2*mib), 2*mib)
		}},
		{"the second half comes an hour later, by a new open", "", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.odx(src, dst, 1, 0, mib)
			s.Close(dst)
			s.seconds(3600)
			dst = s.Open("src - Copy", 2*mib)
			s.odx(src, dst, 2, mib, mib)
			s.Close(dst)
			s.verdicts = []string{"complete"}
		}},
	})
}

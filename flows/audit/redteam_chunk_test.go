package audit

import (
	"testing"

	"github.com/odxray/odxray/flows/flowtest"
)

// Copychunk, clones, messages, and what captures lack.
func TestRedTeamRest(t *testing.T) {
	perform(t, []story{
		// chunk/*
		{"limits asked for by no chunks at all", "note chunk/limits", func(s *stage) {
			src, dst := s.pair("src", mib)
			key := s.ResumeKey(src)
			s.refused(flowtest.InvalidParameter)
			s.CopyChunk(dst, key, nil, 256, mib, 16*mib)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 1, 0, mib)
			s.verdicts = []string{"complete"}
		}},
		{"a key that nobody gave", "error chunk/key-unknown; warning copy/abandoned", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.odx(src, dst, 1, 0, 512*kib)
			s.refused(flowtest.NotFound)
			s.CopyChunk(dst, [24]byte{1, 2, 3}, []flowtest.Chunk{{From: 512 * kib, To: 512 * kib, Length: 512 * kib}}, 0, 0, 0)
			s.here()
		}},
		{"a key with a byte changed, then the right one", "error chunk/key-unknown", func(s *stage) {
			src, dst := s.pair("src", mib)
			key := s.ResumeKey(src)
			bad := key
			bad[20] ^= 4
			s.refused(flowtest.NotFound)
			s.CopyChunk(dst, bad, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 0, 0, 0)
			s.here()
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 1, 0, mib)
		}},
		{"a key from nowhere, taken", "uncertain chunk/key-unknown", func(s *stage) {
			dst := s.New("dst")
			s.CopyChunk(dst, [24]byte{1, 2, 3}, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 1, 0, mib)
		}},
		{"a key from before the capture, refused", "uncertain chunk/key-unknown", func(s *stage) {
			late := &stage{net: s.net, Client: s.net.Late("10.0.0.3:40000", "10.0.0.9:445")}
			dst := late.Open("dst", mib)
			late.refused(flowtest.NotFound)
			late.CopyChunk(dst, [24]byte{1, 2, 3}, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 0, 0, 0)
			late.Write(dst, 0, pattern(1, 64*kib))
			late.Write(dst, 64*kib, make([]byte, mib-64*kib))
		}},
		{"a known key refused, the source was closed", "warning copy/fell-back", func(s *stage) {
			src, dst := s.pair("src", mib)
			key := s.ResumeKey(src)
			s.refused(flowtest.NotFound)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 0, 0, 0)
			s.through(src, dst, 0, mib)
		}},
		{"success, and less than asked for", "warning chunk/short", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			key := s.ResumeKey(src)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}, {From: mib, To: mib, Length: mib}}, 1, 0, mib)
			s.here()
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: mib, To: mib, Length: mib}}, 1, 0, mib)
		}},
		{"success, less by a part of the second chunk", "warning chunk/short", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			key := s.ResumeKey(src)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}, {From: mib, To: mib, Length: mib}}, 1, 512*kib, mib+512*kib)
			s.here()
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: mib + 512*kib, To: mib + 512*kib, Length: 512 * kib}}, 1, 0, 512*kib)
		}},

		// clone/unaligned
		{"a clone from the middle of a cluster", "warning clone/unaligned", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.FsFullSize(src, 512, 128)
			s.refused(flowtest.InvalidParameter)
			s.Clone(dst, src, 4096, 0, 64*kib)
			s.here()
			s.Clone(dst, src, 0, 0, mib)
		}},
		{"a clone of half a cluster inside the file, taken", "warning clone/unaligned", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.SectorSize(src, 512, 128)
			s.Clone(dst, src, 0, 0, 32*kib)
			s.here()
			s.Clone(dst, src, 64*kib, 64*kib, mib-64*kib)
			s.through(src, dst, 32*kib, 32*kib)
		}},
		{"clones of whole clusters, cluster unknown", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.Clone(dst, src, 0, 0, 512*kib)
			s.Clone(dst, src, 512*kib, 512*kib, 512*kib)
		}},

		// smb/*
		{"a segment sent again", "note smb/replayed", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.Hold = true
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.Retransmit()
			s.Release(0)
			s.verdicts = []string{"complete"}
		}},
		{"a segment sent again after the answer", "note smb/replayed", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.Retransmit()
		}},
		{"a channel fails and the call is replayed on another", "warning smb/unanswered; note smb/replayed", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			second := s.Channel("10.0.0.1:50077", "10.0.0.9:445")
			s.Mute = true
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.here()
			s.Reset(1)
			second.Flags, second.Sequence = 1<<29, 1
			second.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"no answer for more than a minute", "warning smb/unanswered; warning copy/abandoned", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.odx(src, dst, 1, 0, 512*kib)
			tok := s.token(src, 2, 512*kib, 512*kib)
			s.Mute = true
			s.OffloadWrite(dst, 512*kib, 512*kib, 0, tok, 512*kib)
			s.here()
			s.seconds(61)
			s.QueryStandard(src, mib)
		}},
		{"no answer to a copychunk as the connection goes", "warning smb/unanswered", func(s *stage) {
			src, dst := s.Open("src", mib), s.Open("old", mib)
			key := s.ResumeKey(src)
			s.Mute = true
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 1, 0, mib)
			s.here()
			s.Reset(0)
		}},
		{"pending as the connection goes", "note smb/unanswered", func(s *stage) {
			src, dst := s.Open("src", mib), s.Open("old", mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.Mute, s.Pending = true, true
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.Reset(0)
		}},

		// Captures that lack something.
		{"the answer of a mint is cut", "note capture/gap", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.net.Snap(s.Answer, 200)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.odx(src, s.Open("more", mib), 2, 0, mib)
		}},
		{"all is cut to 128 bytes", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.odx(src, dst, 1, 0, mib)
			s.chunks(src, s.New("other"), 0, mib, mib)
			for i := range s.net.Packets {
				s.net.Snap(i+1, 128)
			}
		}},
		{"the frame of a use is lost", "uncertain token/unused; note capture/gap", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, mib, mib)
			s.net.Lose(s.Answer)
			s.net.Lose(s.Request)
			s.Close(dst)
			s.Close(src)
		}},
		{"the frame of a use in the middle is lost", "uncertain copy/gap; note capture/gap", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, mib, mib)
			req, ans := s.Request, s.Answer
			s.odx(src, dst, 3, 2*mib, mib)
			s.Close(dst)
			s.net.Lose(ans)
			s.net.Lose(req)
		}},
		{"one answer is lost", "note capture/gap", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			tok := s.token(src, 1, 0, 2*mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			ans := s.Answer
			s.OffloadWrite(dst, mib, mib, mib, tok, mib)
			s.Close(dst)
			s.net.Lose(ans)
		}},
		{"what whole frames prove stays", "error odx/write-too-long; note capture/gap", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, mib)
			s.here()
			s.QueryStandard(src, mib)
			ans := s.Answer
			s.QueryStandard(src, mib)
			s.net.Lose(ans)
		}},
		{"a gap on a connection without copies", "", func(s *stage) {
			o := s.another("10.0.0.2:2222")
			f := o.Open("x", mib)
			o.Skip(1, 500)
			for range 5 {
				o.QueryStandard(f, mib)
			}
			s.whole(1)
		}},
		{"the capture begins after the CREATEs", "", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			from := len(s.net.Packets) + 1
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, mib, mib)
			s.Close(dst)
			s.net.From(from)
		}},
		{"the capture begins after the first mint", "uncertain token/unknown", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			tok := s.token(src, 1, 0, mib)
			from := len(s.net.Packets) + 1
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.odx(src, dst, 2, mib, mib)
			s.Close(dst)
			s.net.From(from)
		}},
		{"the capture begins after the resume key", "uncertain chunk/key-unknown", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			key := s.ResumeKey(src)
			from := len(s.net.Packets) + 1
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 1, 0, mib)
			s.refused(flowtest.NotFound)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: mib, To: mib, Length: mib}}, 0, 0, 0)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: mib, To: mib, Length: mib}}, 1, 0, mib)
			s.net.From(from)
		}},
		{"the capture begins after the first half of a gap", "", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			s.odx(src, dst, 1, 0, mib)
			from := len(s.net.Packets) + 1
			s.odx(src, dst, 3, 2*mib, mib)
			s.Close(dst)
			s.net.From(from)
		}},
	})
}

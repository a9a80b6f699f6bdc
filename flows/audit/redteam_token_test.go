package audit

import (
	"testing"

	"github.com/odxray/odxray/flows/flowtest"
)

// Tokens: each rule in at least two dresses, and what only looks like it.
func TestRedTeamTokens(t *testing.T) {
	perform(t, []story{
		// token/unknown
		{"made up", "error token/unknown", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 0, mib, 0, flowtest.NewToken(99), 0)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"made up, in a capture with no mint", "error token/unknown", func(s *stage) {
			dst := s.New("dst")
			s.SetSize(dst, mib)
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 0, mib, 0, flowtest.NewToken(99), 0)
			s.here()
		}},
		{"a token in 17 bytes unlike the minted one", "error token/unknown", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			other := tok
			for i := range 17 {
				other[200+i] ^= 0x55
			}
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 0, mib, 0, other, 0)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"taken though nobody minted it", "uncertain token/unknown", func(s *stage) {
			s.whole(1)
			dst := s.New("dst")
			s.SetSize(dst, mib)
			s.OffloadWrite(dst, 0, mib, 0, flowtest.NewToken(99), mib)
		}},
		{"refused, another connection to the server began before", "uncertain token/unknown", func(s *stage) {
			src, dst := s.pair("src", mib)
			late := s.net.Late("10.0.0.7:1234", "10.0.0.9:445")
			late.Read(late.Open("x", mib), 0, pattern(1, 512))
			s.odx(src, dst, 1, 0, mib)
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 0, mib, 0, flowtest.NewToken(99), 0)
		}},
		{"refused, frames of another connection are lost", "uncertain token/unknown", func(s *stage) {
			src, dst := s.pair("src", mib)
			o := s.another("10.0.0.2:2222")
			f := o.Open("x", mib)
			o.Skip(1, 700)
			for range 6 {
				o.QueryStandard(f, mib)
			}
			s.odx(src, dst, 1, 0, mib)
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 0, mib, 0, flowtest.NewToken(99), 0)
		}},

		// token/altered
		{"one bit", "error token/altered", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			bad := tok
			bad[511] ^= 1
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 0, mib, 0, bad, 0)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"16 bytes, refused with a status of its own", "error token/altered", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			bad := tok
			for i := range 16 {
				bad[8+i] ^= 0xff
			}
			s.refused(flowtest.InvalidParameter)
			s.OffloadWrite(dst, 0, mib, 0, bad, 0)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"beyond TokenIdLength all 512 bytes count", "error token/altered", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			bad := tok
			bad[400] = 7
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 0, mib, 0, bad, 0)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"a server that counts in its tokens: unlike the one before in a byte", "", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			for i := range uint64(4) {
				tok := flowtest.NewToken(1)
				tok[300] = byte(i)
				s.OffloadRead(src, i*mib, mib, mib, tok)
				s.OffloadWrite(dst, i*mib, mib, 0, tok, mib)
			}
		}},

		// token/overrun
		{"written past the token", "error token/overrun", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, 512*kib)
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, 512*kib)
			s.OffloadWrite(dst, 512*kib, 512*kib, 512*kib, tok, 512*kib)
			s.here()
		}},
		{"a sector past the token", "error token/overrun", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib-512)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.here()
		}},
		{"up to the sector that the token ends in", "", func(s *stage) {
			src, dst := s.pair("src", mib+100)
			s.OffloadRead(src, 0, mib+100, mib+100, flowtest.NewToken(1))
			s.OffloadWrite(dst, 0, mib+512, 0, flowtest.NewToken(1), mib+512)
		}},
		{"the same bytes minted again for more", "", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			tok := flowtest.NewToken(1)
			s.OffloadRead(src, 0, mib, mib, tok)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.OffloadRead(src, mib, 2*mib, 2*mib, tok)
			s.OffloadWrite(dst, mib, 2*mib, 0, tok, 2*mib)
		}},

		// token/overrun-asked
		{"asked for more, shortened to fit", "warning token/overrun-asked", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, 2*mib, 0, tok, mib)
			s.here()
			s.odx(src, dst, 2, mib, mib)
		}},
		{"asked for more, refused", "warning token/overrun-asked", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.refused(flowtest.InvalidParameter)
			s.OffloadWrite(dst, 0, mib, 512*kib, tok, 0)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},

		// token/unused
		{"minted twice, used once", "warning token/unused", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.token(src, 1, 0, mib)
			s.here()
			s.odx(src, dst, 2, 0, mib)
		}},
		{"minted and given up", "warning token/unused", func(s *stage) {
			s.token(s.Open("src", mib), 1, 0, mib)
		}},
		{"unused tokens behind a fall-back are told once", "warning copy/fell-back; note token/unused", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, 512*kib)
			s.token(src, 2, 512*kib, 512*kib)
			s.refused(flowtest.NotSupported)
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, 0)
			s.chunks(src, dst, 0, mib, mib)
		}},

		// token/part-used
		{"half is copied by the next token", "warning token/part-used", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, 512*kib)
			s.odx(src, dst, 2, 512*kib, 512*kib)
		}},
		{"the middle was left out, and came by another token", "warning token/part-used", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, 256*kib, 0, tok, 256*kib)
			s.OffloadWrite(dst, 512*kib, 512*kib, 512*kib, tok, 512*kib)
			s.odx(src, dst, 2, 256*kib, 256*kib)
		}},
		{"what lies past the end of file is not missed", "", func(s *stage) {
			src, dst := s.pair("src", mib+100)
			s.OffloadRead(src, 0, mib+512, mib+512, flowtest.NewToken(1))
			s.OffloadWrite(dst, 0, mib+100, 0, flowtest.NewToken(1), mib+100)
		}},
		{"consumed by two destinations together", "", func(s *stage) {
			src := s.Open("src", mib)
			a, b := s.Open("a", mib), s.Open("b", mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(a, 0, 512*kib, 0, tok, 512*kib)
			s.OffloadWrite(b, 0, 512*kib, 512*kib, tok, 512*kib)
		}},

		// token/one-shot and token/refused
		{"a second part refused", "warning token/one-shot; warning token/refused; warning copy/abandoned", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.NewToken(1)
			s.OffloadReadTTL(src, 0, mib, mib, tok, 30000, 0)
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, 512*kib)
			s.seconds(12)
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 512*kib, 512*kib, 512*kib, tok, 0)
			s.here()
		}},
		{"refused with STATUS_INVALID_LEVEL, then minted anew", "warning token/refused", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.refused(flowtest.InvalidLevel)
			s.OffloadWrite(dst, 0, mib, 0, tok, 0)
			s.here()
			s.odx(src, dst, 2, 0, mib)
		}},
		{"refused within 10 s of its last use, 30 s after the mint", "warning token/one-shot; warning token/refused", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			for i := range uint64(4) {
				s.OffloadWrite(dst, i*128*kib, 128*kib, i*128*kib, tok, 128*kib)
				s.seconds(8)
			}
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 512*kib, 512*kib, 512*kib, tok, 0)
			s.here()
			s.odx(src, dst, 2, 512*kib, 512*kib)
		}},
		{"refused 11 s later, nobody knows for how long it was to live", "uncertain token/refused", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.seconds(11)
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 0, mib, 0, tok, 0)
			s.odx(src, dst, 2, 0, mib)
		}},
		{"refused for lack of room, then given", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.refused(diskFull)
			s.OffloadWrite(dst, 0, mib, 0, tok, 0)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},

		// token/expired-*
		{"taken after eleven lives", "warning token/expired-used", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.NewToken(1)
			s.OffloadReadTTL(src, 0, mib, mib, tok, 2000, 0)
			s.seconds(22)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.here()
		}},
		{"a use renews, then eleven lives pass", "warning token/expired-used", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.NewToken(1)
			s.OffloadReadTTL(src, 0, mib, mib, tok, 1000, 0)
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, 512*kib)
			s.seconds(11)
			s.OffloadWrite(dst, 512*kib, 512*kib, 512*kib, tok, 512*kib)
			s.here()
		}},
		{"taken after two lives", "note token/expired-used", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.NewToken(1)
			s.OffloadReadTTL(src, 0, mib, mib, tok, 2000, 0)
			s.seconds(5)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"refused after its life is right", "note token/expired-refused", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.NewToken(1)
			s.OffloadReadTTL(src, 0, mib, mib, tok, 2000, 0)
			s.seconds(5)
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 0, mib, 0, tok, 0)
			s.odx(src, dst, 2, 0, mib)
		}},
		{"used long ago, refused after its life for another part", "note token/expired-refused", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.NewToken(1)
			s.OffloadReadTTL(src, 0, mib, mib, tok, 2000, 0)
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, 512*kib)
			s.seconds(3)
			s.refused(flowtest.InvalidToken)
			s.OffloadWrite(dst, 512*kib, 512*kib, 512*kib, tok, 0)
			s.odx(src, dst, 2, 512*kib, 512*kib)
		}},

		// token/stale-source
		{"zeroed meanwhile, by the same client", "warning token/stale-source", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.ZeroData(src, 512*kib, 768*kib)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"trimmed meanwhile", "warning token/stale-source", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.Trim(src, 0, 4096)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"cut and made long again", "warning token/stale-source", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.SetSize(src, 512*kib)
			s.here()
			s.SetSize(src, mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"overwritten by an offload write of another client", "warning token/stale-source", func(s *stage) {
			src, dst := s.pair("src", mib)
			o := s.another("10.0.0.2:2222")
			from, to := o.Open("third", mib), o.Open("src", mib)
			tok := s.token(src, 1, 0, mib)
			theirs := o.token(from, 50, 0, mib)
			o.OffloadWrite(to, 0, 64*kib, 0, theirs, 64*kib)
			s.faults = append(s.faults, [2]int{o.Request, o.Answer})
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.OffloadWrite(dst, 0, 0, 0, tok, 0)
			o.OffloadWrite(o.Open("else", mib), 64*kib, mib-64*kib, 64*kib, theirs, mib-64*kib)
		}},
		{"overwritten by copychunk", "warning token/stale-source", func(s *stage) {
			src, dst := s.pair("src", mib)
			other := s.Open("third", mib)
			tok := s.token(src, 1, 0, mib)
			s.CopyChunk(src, s.ResumeKey(other), []flowtest.Chunk{{From: 0, To: 0, Length: 4096}}, 1, 0, 4096)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"written while the use was under way", "warning token/stale-source", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.Hold = true
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.Write(src, 0, pattern(9, 512))
			s.here()
			s.Release(0)
		}},
		{"written in a part that was consumed before", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, 512*kib)
			s.Write(src, 0, pattern(9, 4096))
			s.OffloadWrite(dst, 512*kib, 512*kib, 512*kib, tok, 512*kib)
		}},
		{"written before the mint", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.Write(src, 0, pattern(9, 4096))
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"a write that was refused changed nothing", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.refused(diskFull)
			s.Write(src, 0, pattern(9, 4096))
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"grown, not cut", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.SetSize(src, 2*mib)
			s.SetSize(dst, 2*mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"a file of the same name on another share", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			o := &stage{net: s.net, Client: s.net.Login("10.0.0.2:2", "10.0.0.9:445", `\\server\other`)}
			o.Write(o.Open("src", mib), 0, pattern(9, 4096))
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},

		// token/other-session, token/other-server
		{"another client presents it and is refused", "warning token/other-session; warning token/refused", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			o := s.another("10.0.0.2:2222")
			f := o.Open("existing", mib)
			o.refused(flowtest.InvalidToken)
			o.OffloadWrite(f, 0, mib, 0, tok, 0)
			s.faults = append(s.faults, [2]int{o.Request, o.Answer})
			theirs := o.Open("src", mib)
			o.odx(theirs, f, 9, 0, mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"another client presents it and may", "note token/other-session", func(s *stage) {
			tok := s.token(s.Open("src", mib), 1, 0, mib)
			o := s.another("10.0.0.2:2222")
			o.OffloadWrite(o.Open("existing", mib), 0, mib, 0, tok, mib)
		}},
		{"another server takes it", "note token/other-server", func(s *stage) {
			tok := s.token(s.Open("src", mib), 1, 0, mib)
			o := &stage{net: s.net, Client: s.net.Login("10.0.0.1:50005", "10.0.0.8:445", `\\other\share`)}
			o.OffloadWrite(o.Open("existing", mib), 0, mib, 0, tok, mib)
		}},
		{"another server refuses what it did not mint", "warning token/refused; note token/other-server", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			o := &stage{net: s.net, Client: s.net.Login("10.0.0.1:50005", "10.0.0.8:445", `\\other\share`)}
			to := o.Open("existing", mib)
			o.refused(flowtest.InvalidToken)
			o.OffloadWrite(to, 0, mib, 0, tok, 0)
			o.OffloadWrite(to, 0, mib, 0, flowtest.ZeroToken(), mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},

		// Zero tokens are nobody's.
		{"a zero token of the client, refused", "", func(s *stage) {
			dst := s.Open("existing", mib)
			s.refused(flowtest.NotSupported)
			s.OffloadWrite(dst, 0, mib, 0, flowtest.ZeroToken(), 0)
			s.OffloadWrite(dst, 0, mib, 0, flowtest.ZeroToken(), mib)
		}},
		{"two clients mint zero tokens, and use them crosswise", "", func(s *stage) {
			o := s.another("10.0.0.2:2222")
			src, dst := s.pair("one", 2*mib)
			from, to := o.pair("two", 2*mib)
			s.odx(src, dst, 1, 0, mib)
			o.odx(from, to, 50, 0, mib)
			s.OffloadRead(src, mib, mib, mib, flowtest.ZeroToken())
			o.OffloadRead(from, mib, mib, mib, flowtest.ZeroToken())
			s.OffloadWrite(dst, mib, mib, 0, flowtest.ZeroToken(), mib)
			o.OffloadWrite(to, mib, mib, 0, flowtest.ZeroToken(), mib)
			s.Close(dst)
			o.Close(to)
			s.verdicts = []string{"complete", "complete"}
		}},
		{"a zero token is used again and again, longer than it was minted, after years", "", func(s *stage) {
			src, dst := s.pair("one", 4*mib)
			s.OffloadReadTTL(src, 0, mib, mib, flowtest.ZeroToken(), 1000, 0)
			s.seconds(3600)
			s.OffloadWrite(dst, 0, 2*mib, 0, flowtest.ZeroToken(), 2*mib)
			s.odx(src, dst, 1, 2*mib, 2*mib)
		}},
	})
}

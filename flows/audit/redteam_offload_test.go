package audit

import (
	"slices"
	"testing"

	"github.com/odxray/odxray/flows/flowtest"
)

// Offload calls: each rule in at least two dresses, and what only looks like it.
func TestRedTeamOffload(t *testing.T) {
	write := func(to, length, from uint64, tok flowtest.Token) []byte {
		return slices.Concat(u32(544), u32(0), u64(to), u64(length), u64(from), tok[:])
	}
	perform(t, []story{
		// odx/struct-size
		{"a read request of 40", "error odx/struct-size", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.refused(flowtest.InvalidParameter)
			s.Ioctl(odxRead, src, slices.Concat(u32(40), u32(0), u32(0), u32(0), u64(0), u64(mib), u64(0)), nil)
			s.here()
			s.odx(src, dst, 1, 0, mib)
		}},
		{"a write request of 512, refused", "error odx/struct-size", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			b := write(0, mib, 0, tok)
			copy(b, u32(512))
			s.refused(flowtest.InvalidParameter)
			s.Ioctl(odxWrite, dst, b, nil)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"a write request whose token is cut", "error odx/struct-size", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.refused(flowtest.InvalidParameter)
			s.Ioctl(odxWrite, dst, write(0, mib, 0, tok)[:300], nil)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"a write answer of 8 bytes", "error odx/struct-size", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.Ioctl(odxWrite, dst, write(0, mib, 0, tok), slices.Concat(u32(16), u32(0)))
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"a read answer that says 512", "error odx/struct-size", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.NewToken(1)
			s.Ioctl(odxRead, src, slices.Concat(u32(32), u32(0), u32(0), u32(0), u64(0), u64(mib)), slices.Concat(u32(512), u32(0), u64(mib), tok[:]))
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"more bytes behind the structures are no fault", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.NewToken(1)
			s.Ioctl(odxRead, src, slices.Concat(u32(32), u32(0), u32(0), u32(0), u64(0), u64(mib), u64(0)), slices.Concat(u32(528), u32(0), u64(mib), tok[:], u64(0)))
			s.Ioctl(odxWrite, dst, slices.Concat(write(0, mib, 0, tok), u64(0)), slices.Concat(u32(16), u32(0), u64(mib), u64(0)))
		}},

		// odx/read-too-long
		{"a sector more than asked for", "error odx/read-too-long", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.OffloadRead(src, 0, mib-512, mib, flowtest.NewToken(1))
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, flowtest.NewToken(1), mib)
		}},
		{"far more than asked for, on sectors of 4096", "error odx/read-too-long", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.FsFullSize(src, 4096, 1)
			s.OffloadRead(src, 0, 4096, 8192, flowtest.NewToken(1))
			s.here()
			s.OffloadWrite(dst, 0, 8192, 0, flowtest.NewToken(1), 8192)
			s.odx(src, dst, 2, 8192, mib-8192)
		}},
		{"rounded up to a sector of 4096", "", func(s *stage) {
			src, dst := s.pair("src", mib+100)
			s.FsSector(dst, 4096, 4096)
			s.OffloadRead(src, 0, mib+100, mib+4096, flowtest.NewToken(1))
			s.OffloadWrite(dst, 0, mib+100, 0, flowtest.NewToken(1), mib+100)
		}},

		// odx/read-empty
		{"nothing for a sector", "error odx/read-empty", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.odx(src, dst, 1, 0, mib)
			s.OffloadRead(src, mib-512, 512, 0, flowtest.NewToken(2))
			s.here()
		}},
		{"nothing for less than a sector inside the file", "warning odx/read-empty", func(s *stage) {
			src, dst := s.pair("src", mib+100)
			s.odx(src, dst, 1, 0, mib)
			s.OffloadRead(src, mib, 100, 0, flowtest.NewToken(2))
			s.here()
			s.Read(src, mib, pattern(1, 100))
			s.Write(dst, mib, pattern(1, 100))
		}},
		{"nothing past the end", "warning odx/read-empty", func(s *stage) {
			s.whole(1)
			s.OffloadRead(s.Open("src", mib), 4*mib, mib, 0, flowtest.NewToken(2))
			s.here()
		}},
		{"a refused read is not an empty one", "", func(s *stage) {
			s.whole(1)
			s.refused(flowtest.EndOfFile)
			s.OffloadRead(s.Open("src", mib), 4*mib, mib, 0, flowtest.NewToken(2))
		}},

		// odx/write-too-long
		{"a sector too much written", "error odx/write-too-long", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, mib-512, 0, tok, mib)
			s.here()
		}},
		{"too much of a zero token", "error odx/write-too-long", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.odx(src, dst, 1, 0, 512*kib)
			s.OffloadWrite(dst, 512*kib, 256*kib, 0, flowtest.ZeroToken(), 512*kib)
			s.here()
		}},

		// odx/write-empty
		{"nothing written of the last part", "warning odx/write-empty", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, 512*kib)
			s.OffloadWrite(dst, 512*kib, 512*kib, 512*kib, tok, 0)
			s.here()
			s.OffloadWrite(dst, 512*kib, 512*kib, 512*kib, tok, 512*kib)
		}},
		{"nothing written past the token is right, but asking is not", "warning token/overrun-asked", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, 512*kib)
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, 512*kib)
			s.OffloadWrite(dst, 512*kib, 512*kib, 512*kib, tok, 0)
			s.here()
			s.odx(src, dst, 2, 512*kib, 512*kib)
		}},

		// odx/result-unaligned
		{"a token for an odd number of bytes, whose end cannot be used", "error odx/result-unaligned; warning token/part-used", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.OffloadRead(src, 0, mib, 512*kib+100, flowtest.NewToken(1))
			s.here()
			s.OffloadWrite(dst, 0, 512*kib, 0, flowtest.NewToken(1), 512*kib)
			s.odx(src, dst, 2, 512*kib, 512*kib)
		}},
		{"an odd number of bytes written, and some again", "error odx/result-unaligned; warning copy/overlap", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, 1000)
			s.here()
			s.OffloadWrite(dst, 512, mib-512, 512, tok, mib-512)
		}},
		{"aligned to 512 on a tree of 4096", "error odx/result-unaligned; warning copy/overlap", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.FsSector(dst, 4096, 4096)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, 512*kib+512)
			s.here()
			s.OffloadWrite(dst, 512*kib, 512*kib, 512*kib, tok, 512*kib)
		}},

		// odx/unaligned
		{"a read from an odd offset that is taken", "warning odx/unaligned", func(s *stage) {
			src, dst := s.Open("src", 4*mib), s.Open("other", 4*mib)
			s.OffloadRead(src, 1000, mib, mib, flowtest.NewToken(1))
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, flowtest.NewToken(1), mib)
		}},
		{"a write from an odd offset of the token", "warning odx/unaligned", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.refused(flowtest.InvalidParameter)
			s.OffloadWrite(dst, 0, 512*kib, 100, tok, 0)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"512 on a destination of 4096", "warning odx/unaligned", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.SectorSize(dst, 4096, 16)
			tok := s.token(src, 1, 0, mib)
			s.refused(flowtest.InvalidParameter)
			s.OffloadWrite(dst, 0, mib-512, 0, tok, 0)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"512 on a destination of 512 and a source of 512, on another share of 4096", "", func(s *stage) {
			o := &stage{net: s.net, Client: s.net.Login("10.0.0.1:50555", "10.0.0.9:445", `\\server\fourk`)}
			o.FsSector(o.Open("x", 0), 4096, 4096)
			src, dst := s.pair("src", mib+512)
			s.odx(src, dst, 1, 0, mib+512)
		}},

		// odx/token-format
		{"TokenIdLength 505", "error odx/token-format", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.NewToken(1)
			tok[6], tok[7] = 1, 0xf9
			s.OffloadRead(src, 0, mib, mib, tok)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"TokenType 0xFFFFFFFF", "error odx/token-format", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.NewToken(1)
			copy(tok[:], []byte{0xff, 0xff, 0xff, 0xff})
			s.OffloadRead(src, 0, mib, mib, tok)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"TokenType of a vendor and length 504", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.NewToken(1)
			copy(tok[:], []byte{0xfe, 0xff, 0xff, 0xff, 0, 0, 1, 0xf8})
			s.OffloadRead(src, 0, mib, mib, tok)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"TokenType 0xFFFF0000", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.NewToken(1)
			copy(tok[:], []byte{0xff, 0xff, 0, 0})
			s.OffloadRead(src, 0, mib, mib, tok)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"Reserved is used", "note odx/token-format", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.NewToken(1)
			tok[5] = 1
			s.OffloadRead(src, 0, mib, mib, tok)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"a zero token with an id", "note odx/token-format", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := flowtest.ZeroToken()
			tok[100] = 1
			s.OffloadRead(src, 0, mib, mib, tok)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"a reserved type presented and never minted is not judged by its form", "error token/unknown", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.odx(src, dst, 1, 0, mib)
			tok := flowtest.NewToken(1)
			copy(tok[:], []byte{0xff, 0xff, 0xff, 0xff, 9, 9, 9, 9})
			copy(tok[100:], pattern(77, 200))
			s.refused(flowtest.InvalidParameter)
			s.OffloadWrite(dst, 0, mib, 0, tok, 0)
			s.here()
		}},

		// odx/output-small
		{"room for 527", "warning odx/output-small", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.Room = 527
			s.refused(flowtest.InvalidParameter)
			s.OffloadRead(src, 0, mib, 0, flowtest.NewToken(1))
			s.here()
			s.odx(src, dst, 1, 0, mib)
		}},
		{"room for 8, after a good read", "warning odx/output-small", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.Room = 8
			s.refused(0xc0000023)
			s.OffloadWrite(dst, 0, mib, 0, tok, 0)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"little room and taken all the same", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.Room = 8
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},

		// odx/slow
		{"a read of 25 s", "warning odx/slow", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.Meet = func() { s.seconds(25) }
			tok := s.token(src, 1, 0, mib)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"a write of 20.5 s in a compound", "warning odx/slow", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.Hold = true
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.here()
			s.seconds(20.5)
			s.Release(0)
		}},
		{"5 s", "note odx/slow", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.Meet = func() { s.seconds(5) }
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"40 s, pending after 1", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.Pending = true
			s.Meet = func() { s.seconds(40) }
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"the client waits for half an hour between calls", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.seconds(1800)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
	})
}

package audit

import (
	"testing"

	"github.com/odxray/odxray/flows/flowtest"
)

// Copies: each rule in at least two dresses, and what only looks like it.
func TestRedTeamCopies(t *testing.T) {
	perform(t, []story{
		// copy/gap
		{"a block left out", "error copy/gap", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, 2*mib, 2*mib)
			s.Close(dst)
			s.verdicts = []string{"partial"}
		}},
		{"a sector left out between copychunks", "error copy/gap", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.chunks(src, dst, 0, mib, mib)
			s.chunks(src, dst, mib+512, mib-512, mib)
			s.Close(dst)
		}},
		{"two blocks left out between chunks of one call", "error copy/gap; error copy/gap", func(s *stage) {
			src, dst := s.pair("src", 5*mib)
			key := s.ResumeKey(src)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}, {From: 2 * mib, To: 2 * mib, Length: mib}, {From: 4 * mib, To: 4 * mib, Length: mib}}, 3, 0, 3*mib)
			s.Close(dst)
		}},
		{"the source begins with zeros, and a block is left out", "error copy/gap", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			s.OffloadRead(src, 0, mib, mib, flowtest.ZeroToken())
			s.OffloadWrite(dst, 0, mib, 0, flowtest.ZeroToken(), mib)
			s.odx(src, dst, 2, 2*mib, 2*mib)
			s.Close(dst)
		}},
		{"a block left out by a client that opens anew for every call", "error copy/gap", func(s *stage) {
			dst := s.New("copy")
			s.SetSize(dst, 3*mib)
			s.Close(dst)
			for _, i := range []uint64{0, 2} {
				tok := flowtest.NewToken(byte(i))
				s.Related(func() {
					f := s.Open("src", 3*mib)
					s.OffloadRead(f, i*mib, mib, mib, tok)
					s.Close(f)
				})
				s.Related(func() {
					f := s.Open("copy", 3*mib)
					s.OffloadWrite(f, i*mib, mib, 0, tok, mib)
					s.Close(f)
				})
			}
		}},
		{"left out, but READ and written", "", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			s.odx(src, dst, 1, 0, mib)
			s.through(src, dst, mib, 63*kib)
			s.Write(dst, mib+63*kib, pattern(1, mib-63*kib))
			s.odx(src, dst, 2, 2*mib, mib)
			s.Close(dst)
		}},
		{"left out, and zero as the server lists what is allocated", "", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			s.Allocated(src, 0, 3*mib, 0, mib, 2*mib, mib)
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, 2*mib, mib)
		}},
		{"a token for nothing but zeros to the end is a complete copy", "", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			s.odx(src, dst, 1, 0, mib)
			s.OffloadReadTTL(src, mib, 2*mib, 0, flowtest.NewToken(9), 0, 1)
			s.Close(dst)
			s.verdicts = []string{"complete"}
		}},
		{"blocks left out of a file that was there before", "", func(s *stage) {
			src, dst := s.Open("src", 3*mib), s.Open("dst", 3*mib)
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, 2*mib, mib)
		}},
		{"rsync in place: only what differs", "", func(s *stage) {
			src, dst := s.Open("src", 64*mib), s.Open("dst", 64*mib)
			for _, at := range []uint64{0, 5 * mib, 17 * mib, 40 * mib} {
				s.odx(src, dst, byte(at>>20), at, mib)
			}
		}},

		// copy/misplaced
		{"two blocks in each other's place", "error copy/misplaced", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			a, b, c := s.token(src, 1, 0, mib), s.token(src, 2, mib, mib), s.token(src, 3, 2*mib, mib)
			s.OffloadWrite(dst, 0, mib, 0, a, mib)
			s.OffloadWrite(dst, mib, mib, 0, c, mib)
			s.here()
			s.OffloadWrite(dst, 2*mib, mib, 0, b, mib)
			s.here()
		}},
		{"TransferOffset not advanced", "error copy/misplaced; warning token/part-used; note token/reused", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, 512*kib)
			s.OffloadWrite(dst, 512*kib, 512*kib, 0, tok, 512*kib)
			s.here()
		}},
		{"chunks crossed", "error copy/misplaced", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			key := s.ResumeKey(src)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 1, 0, mib)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: mib, To: 2 * mib, Length: mib}, {From: 2 * mib, To: mib, Length: mib}}, 2, 0, 2*mib)
			s.here()
		}},
		{"a concatenation: the source goes behind a header", "", func(s *stage) {
			src, dst := s.Open("src", 4*mib), s.New("dst")
			s.SetSize(dst, 8*mib)
			s.Write(dst, 0, pattern(1, 64*kib))
			tok := s.token(src, 1, 0, 4*mib)
			s.OffloadWrite(dst, 64*kib, 4*mib, 0, tok, 4*mib)
			s.Close(dst)
		}},
		{"defragmenting into a new file of another length", "", func(s *stage) {
			src, dst := s.Open("src", 8*mib), s.New("dst")
			s.SetSize(dst, 2*mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			tok = s.token(src, 2, 6*mib, mib)
			s.OffloadWrite(dst, mib, mib, 0, tok, mib)
			s.Close(dst)
		}},

		// copy/overlap
		{"a block written twice", "warning copy/overlap", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, 0, mib)
			s.here()
			s.odx(src, dst, 3, mib, mib)
		}},
		{"chunks that overlap by a sector", "warning copy/overlap", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			key := s.ResumeKey(src)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 1, 0, mib)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: mib - 512, To: mib - 512, Length: mib + 512}}, 1, 0, mib+512)
			s.here()
		}},
		{"by another method is no overlap", "warning copy/fell-back", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.odx(src, dst, 1, 0, mib)
			s.refused(flowtest.NotSupported)
			s.OffloadRead(src, mib, mib, 0, flowtest.NewToken(2))
			s.chunks(src, dst, 0, 2*mib, mib)
		}},

		// copy/wrong-resume
		{"goes on where the call should have ended", "warning copy/wrong-resume; warning token/part-used; error copy/gap", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			tok := s.token(src, 1, 0, 4*mib)
			s.OffloadWrite(dst, 0, 2*mib, 0, tok, mib)
			s.here()
			s.OffloadWrite(dst, 2*mib, 2*mib, 2*mib, tok, 2*mib)
			s.here()
		}},
		{"goes on a sector late", "warning copy/wrong-resume; warning token/part-used; error copy/gap", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			tok := s.token(src, 1, 0, 2*mib)
			s.OffloadWrite(dst, 0, 2*mib, 0, tok, mib)
			s.OffloadWrite(dst, mib+512, mib-512, mib+512, tok, mib-512)
			s.here()
		}},
		{"goes on elsewhere and comes back", "", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			tok := s.token(src, 1, 0, 4*mib)
			s.OffloadWrite(dst, 0, 2*mib, 0, tok, mib)
			s.OffloadWrite(dst, 2*mib, 2*mib, 2*mib, tok, 2*mib)
			s.OffloadWrite(dst, mib, mib, mib, tok, mib)
		}},
		{"goes on by copychunk", "warning token/part-used; warning copy/fell-back", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			tok := s.token(src, 1, 0, 2*mib)
			s.OffloadWrite(dst, 0, 2*mib, 0, tok, mib)
			s.chunks(src, dst, mib, mib, mib)
		}},
		{"queries and closes between a short write and its rest", "", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			tok := s.token(src, 1, 0, 2*mib)
			s.OffloadWrite(dst, 0, 2*mib, 0, tok, mib)
			s.QueryStandard(dst, 2*mib)
			s.Close(dst)
			dst = s.Open("src - Copy", 2*mib)
			s.OffloadWrite(dst, mib, mib, mib, tok, mib)
		}},

		// copy/abandoned
		{"the disk is full", "warning copy/abandoned", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.odx(src, dst, 1, 0, mib)
			tok := s.token(src, 2, mib, mib)
			s.refused(diskFull)
			s.OffloadWrite(dst, mib, mib, 0, tok, 0)
			s.here()
			s.Close(dst)
		}},
		{"offload and copychunk both refused", "warning copy/abandoned", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.refused(notOffloadable)
			s.OffloadRead(src, 0, 2*mib, 0, flowtest.NewToken(1))
			key := s.ResumeKey(src)
			s.refused(flowtest.NotSupported)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: mib}}, 0, 0, 0)
			s.here()
			s.Close(dst)
			s.verdicts = []string{"failed"}
		}},
		{"the tail is missing, room was reserved", "warning copy/abandoned", func(s *stage) {
			src, dst := s.Open("src", 2*mib), s.NewAllocated("copy", 2*mib)
			s.SetSize(dst, 2*mib)
			s.odx(src, dst, 1, 0, mib)
			s.Close(dst)
			s.Close(src)
			s.verdicts = []string{"partial"}
		}},
		{"the tail is missing of a clone", "warning copy/abandoned", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.Clone(dst, src, 0, 0, mib)
			s.Close(dst)
		}},
		{"refused once, then it works", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.refused(0xc000009a) // STATUS_INSUFFICIENT_RESOURCES
			s.OffloadWrite(dst, 0, mib, 0, tok, 0)
			s.OffloadWrite(dst, 0, 512*kib, 0, tok, 512*kib)
			s.OffloadWrite(dst, 512*kib, 512*kib, 512*kib, tok, 512*kib)
		}},
		{"a probe that is refused after all is done", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.odx(src, dst, 1, 0, mib)
			s.refused(flowtest.EndOfFile)
			s.OffloadRead(src, mib, mib, 0, flowtest.NewToken(2))
		}},
		{"only the first half was wanted", "", func(s *stage) {
			src, dst := s.Open("src", 2*mib), s.New("half")
			s.SetSize(dst, mib)
			s.odx(src, dst, 1, 0, mib)
			s.Close(dst)
		}},

		// copy/size-differs
		{"longer than the source", "warning copy/size-differs", func(s *stage) {
			src, dst := s.Open("src", mib), s.New("dst")
			s.SetSize(dst, mib+512)
			s.odx(src, dst, 1, 0, mib)
			s.Close(dst)
		}},
		{"cut after it was copied", "warning copy/size-differs", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.odx(src, dst, 1, 0, mib)
			s.SetSize(dst, mib-512)
			s.CloseKnown(dst, mib-512)
		}},
		{"CLOSE says that the end of file is another", "warning copy/size-differs", func(s *stage) {
			src, dst := s.pair("src", mib+100)
			s.OffloadRead(src, 0, mib+512, mib+512, flowtest.NewToken(1))
			s.OffloadWrite(dst, 0, mib+512, 0, flowtest.NewToken(1), mib+512)
			s.CloseKnown(dst, mib+512)
		}},
		{"the source was longer than anybody wanted", "note copy/size-differs", func(s *stage) {
			src, dst := s.Open("src", 2*mib), s.New("half")
			s.SetSize(dst, mib)
			s.odx(src, dst, 1, 0, mib)
			s.Close(dst)
		}},

		// copy/not-presized
		{"into an empty file", "warning copy/not-presized", func(s *stage) {
			src, dst := s.Open("src", mib), s.New("dst")
			s.odx(src, dst, 1, 0, mib)
			s.here()
			s.SetSize(dst, mib)
			s.Close(dst)
		}},
		{"past the end of a file that was there", "warning copy/not-presized", func(s *stage) {
			src, dst := s.Open("src", mib), s.Open("dst", 4*mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 4*mib, mib, 0, tok, mib)
			s.here()
		}},
		{"copychunk extends a file", "", func(s *stage) {
			src, dst := s.Open("src", 2*mib), s.New("dst")
			s.chunks(src, dst, 0, 2*mib, mib)
			s.Close(dst)
		}},
		{"WRITE extended the file before", "", func(s *stage) {
			src, dst := s.Open("src", mib), s.New("dst")
			s.Write(dst, mib-1, []byte{0})
			s.odx(src, dst, 1, 0, mib)
			s.Close(dst)
		}},

		// copy/source-changed
		{"written between two tokens", "note copy/source-changed", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.odx(src, dst, 1, 0, mib)
			s.Write(src, 100, pattern(1, 512))
			s.odx(src, dst, 2, mib, mib)
		}},

		// copy/fell-back
		{"to copychunk after a refused write", "warning copy/fell-back", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			tok := s.token(src, 1, 0, 2*mib)
			s.refused(0xc000a2a2)
			s.OffloadWrite(dst, 0, 2*mib, 0, tok, 0)
			s.here()
			s.chunks(src, dst, 0, 2*mib, mib)
		}},
		{"from copychunk to READ and WRITE", "warning copy/fell-back", func(s *stage) {
			src, dst := s.pair("src", 256*kib)
			key := s.ResumeKey(src)
			s.refused(flowtest.NotSupported)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: 256 * kib}}, 0, 0, 0)
			s.through(src, dst, 0, 256*kib)
		}},
		{"from cloning to copychunk", "warning copy/fell-back", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.refused(flowtest.NotSupported)
			s.Clone(dst, src, 0, 0, 2*mib)
			s.chunks(src, dst, 0, 2*mib, mib)
		}},
		{"without a status, in the middle", "warning copy/fell-back", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.odx(src, dst, 1, 0, mib)
			s.through(src, dst, mib, mib)
			s.Close(dst)
		}},
		{"ODX refused, then a faster method", "", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.refused(notOffloadable)
			s.OffloadRead(src, 0, 2*mib, 0, flowtest.NewToken(1))
			s.Clone(dst, src, 0, 0, 2*mib)
		}},
		{"the rest below 64 KiB by READ and WRITE", "", func(s *stage) {
			src, dst := s.pair("src", mib+32*kib)
			s.odx(src, dst, 1, 0, mib)
			s.through(src, dst, mib, 32*kib)
		}},

		// copy/not-offloaded
		{"by READ and WRITE on a share that offloads", "warning copy/not-offloaded", func(s *stage) {
			s.whole(1)
			src, dst := s.pair("src", 512*kib)
			s.through(src, dst, 0, 512*kib)
			s.Close(dst)
		}},
		{"256 KiB by READ and WRITE, nobody knows better", "note copy/not-offloaded", func(s *stage) {
			src, dst := s.pair("src", 256*kib)
			s.through(src, dst, 0, 256*kib)
			s.Close(dst)
		}},
		{"pipelined READs, then WRITEs", "warning copy/not-offloaded", func(s *stage) {
			s.whole(1)
			src, dst := s.pair("src", 512*kib)
			for at := uint64(0); at < 512*kib; at += 256 * kib {
				for i := range uint64(4) {
					s.Read(src, at+i*64*kib, pattern(byte(at>>16)+byte(i), 64*kib))
				}
				for i := range uint64(4) {
					s.Write(dst, at+i*64*kib, pattern(byte(at>>16)+byte(i), 64*kib))
				}
			}
			s.Close(dst)
		}},
		{"a backup that reads a file, and a restore that writes another", "", func(s *stage) {
			s.whole(1)
			src, dst := s.pair("src", 512*kib)
			for at := uint64(0); at < 512*kib; at += 64 * kib {
				s.Read(src, at, pattern(byte(at>>16), 64*kib))
			}
			s.Close(src)
			for at := uint64(0); at < 512*kib; at += 64 * kib {
				s.Write(dst, at, pattern(byte(at>>16)+50, 64*kib))
			}
			s.Close(dst)
		}},
		{"a client only reads, another only writes", "", func(s *stage) {
			s.whole(1)
			o := s.another("10.0.0.2:2222")
			src := s.Open("src", 512*kib)
			dst := o.New("dst")
			o.SetSize(dst, 512*kib)
			for at := uint64(0); at < 512*kib; at += 64 * kib {
				s.Read(src, at, pattern(byte(at>>16), 64*kib))
				o.Write(dst, at, pattern(byte(at>>16), 64*kib))
			}
		}},
		{"only half of the file", "", func(s *stage) {
			s.whole(1)
			src, dst := s.pair("src", mib)
			s.through(src, dst, 0, 512*kib)
			s.Close(dst)
		}},

		// copy/token-churn
		{"1 MiB of 16 MiB a call", "note copy/token-churn", func(s *stage) {
			src, dst := s.pair("src", 16*mib)
			tok := s.token(src, 1, 0, 16*mib)
			for at := uint64(0); at < 16*mib; at += mib {
				s.OffloadWrite(dst, at, 16*mib-at, at, tok, mib)
			}
		}},

		// copy/lease-stall
		{"a write that waits for the client's own lease", "warning copy/lease-stall", func(s *stage) {
			key := [16]byte{7}
			dst := s.OpenLeased("dst", key, 7)
			s.QueryStandard(dst, mib)
			src, again := s.Open("src", mib), s.Open("dst", mib)
			tok := s.token(src, 1, 0, mib)
			s.Pending = true
			s.Meet = func() {
				s.LeaseBreak(key, 7, 1)
				s.seconds(2)
				s.LeaseAck(key, 1)
			}
			s.OffloadWrite(again, 0, mib, 0, tok, mib)
			s.here()
		}},
		{"a read that waits, and the acknowledgement never comes", "warning copy/lease-stall", func(s *stage) {
			key := [16]byte{7}
			src := s.OpenLeased("src", key, 7)
			s.QueryStandard(src, mib)
			dst := s.New("dst")
			s.SetSize(dst, mib)
			s.Pending = true
			s.Meet = func() {
				s.LeaseBreak(key, 7, 1)
				s.seconds(35)
			}
			tok := s.token(src, 1, 0, mib)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"another client's lease", "", func(s *stage) {
			o := s.another("10.0.0.2:2222")
			key := [16]byte{9}
			theirs := o.OpenLeased("src", key, 7)
			o.QueryStandard(theirs, mib)
			src, dst := s.pair("src", mib)
			s.Pending = true
			s.Meet = func() {
				o.LeaseBreak(key, 7, 1)
				s.seconds(2)
				o.LeaseAck(key, 1)
			}
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"a lease on a file that has nothing to do with the call", "", func(s *stage) {
			key := [16]byte{9}
			s.OpenLeased("elsewhere", key, 7)
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.Pending = true
			s.Meet = func() {
				s.LeaseBreak(key, 7, 1)
				s.LeaseAck(key, 1)
			}
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
	})
}

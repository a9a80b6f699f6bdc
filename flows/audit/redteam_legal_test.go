package audit

import (
	"fmt"
	"testing"

	"github.com/odxray/odxray/flows/flowtest"
)

// Whole jobs that nothing is wrong with, however unusual they are.
func TestRedTeamLegal(t *testing.T) {
	perform(t, []story{
		{"Windows copies 300 MiB by two tokens, 16 MiB a write", "", func(s *stage) {
			const size = 300*mib + 100
			src := s.Open("big", size)
			s.FsSector(src, 512, 4096)
			dst := s.NewAllocated("big - Copy", size)
			s.SetSize(dst, size)
			windows(s, src, dst, size, 256*mib)
			s.CloseKnown(dst, size)
			s.CloseKnown(src, size)
			s.Disconnect()
			s.Logoff()
		}},
		{"illumos: one block a token, on sectors of 512, answered by odd tokens", "", func(s *stage) {
			const size = 7*mib + 1234
			src, dst := s.pair("zfs", size)
			for i, at := 0, uint64(0); at < size; i, at = i+1, at+mib {
				tok := flowtest.NewToken(byte(i))
				copy(tok[4:8], []byte{0, 0, 0, 0})
				n := min(mib, (size-at+511)&^511)
				s.OffloadRead(src, at, n, n, tok)
				s.OffloadWrite(dst, at, n, 0, tok, n)
			}
		}},
		{"the Linux client opens anew for every call", "", func(s *stage) {
			const size = 4 * mib
			s.Related(func() { s.Close(s.New("copy")) })
			s.Related(func() {
				f := s.Open("copy", 0)
				s.SetSize(f, size)
				s.Close(f)
			})
			for i := range uint64(4) {
				tok := flowtest.NewToken(byte(i))
				s.Related(func() {
					f := s.Open("src", size)
					s.OffloadRead(f, i*mib, mib, mib, tok)
					s.CloseKnown(f, size)
				})
				s.Related(func() {
					f := s.Open("copy", size)
					s.OffloadWrite(f, i*mib, mib, 0, tok, mib)
					s.CloseKnown(f, size)
				})
			}
		}},
		{"Linux compounds, resumed after short writes", "", func(s *stage) {
			dst := s.New("copy")
			s.SetSize(dst, 4*mib)
			s.Close(dst)
			tok := flowtest.NewToken(1)
			s.Related(func() {
				f := s.Open("src", 4*mib)
				s.OffloadRead(f, 0, 4*mib, 4*mib, tok)
				s.Close(f)
			})
			for at := uint64(0); at < 4*mib; at += mib {
				s.Related(func() {
					f := s.Open("copy", 4*mib)
					s.OffloadWrite(f, at, 4*mib-at, at, tok, mib)
					s.Close(f)
				})
			}
		}},
		{"the middle of a file into the middle of another", "", func(s *stage) {
			src, dst := s.Open("src", 64*mib), s.Open("old", 64*mib)
			tok := s.token(src, 1, 16*mib, 4*mib)
			s.OffloadWrite(dst, 8*mib, 4*mib, 0, tok, 4*mib)
		}},
		{"the middle of a file into a new one that is longer before and after", "", func(s *stage) {
			src, dst := s.Open("src", 64*mib), s.New("new")
			s.SetSize(dst, 32*mib)
			tok := s.token(src, 1, 16*mib, 4*mib)
			s.OffloadWrite(dst, 8*mib, 4*mib, 0, tok, 4*mib)
			s.Close(dst)
		}},
		{"from the end to the start", "", func(s *stage) {
			src, dst := s.pair("src", 8*mib)
			for i := uint64(8); i > 0; i-- {
				s.odx(src, dst, byte(i), (i-1)*mib, mib)
			}
		}},
		{"copychunk from the end to the start", "", func(s *stage) {
			src, dst := s.pair("src", 8*mib)
			key := s.ResumeKey(src)
			for i := uint64(8); i > 0; i-- {
				s.CopyChunk(dst, key, []flowtest.Chunk{{From: (i - 1) * mib, To: (i - 1) * mib, Length: mib}}, 1, 0, mib)
			}
		}},
		{"chunks of one call in reverse", "", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			s.CopyChunk(dst, s.ResumeKey(src), []flowtest.Chunk{{From: mib, To: mib, Length: mib}, {From: 0, To: 0, Length: mib}}, 2, 0, 2*mib)
		}},
		{"many tokens alive, used in any order and in parts", "", func(s *stage) {
			src, dst := s.pair("src", 8*mib)
			var toks [8]flowtest.Token
			for i := range toks {
				toks[i] = s.token(src, byte(10*i), uint64(i)*mib, mib)
			}
			for _, i := range []uint64{3, 0, 7, 1, 2, 6, 5, 4} {
				s.OffloadWrite(dst, i*mib+512*kib, 512*kib, 512*kib, toks[i], 512*kib)
			}
			for _, i := range []uint64{5, 0, 7, 1, 4, 6, 3, 2} {
				s.OffloadWrite(dst, i*mib, 512*kib, 0, toks[i], 512*kib)
			}
		}},
		{"zero tokens between real ones", "", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			for i := range uint64(4) {
				if i%2 == 0 {
					s.odx(src, dst, byte(i), i*mib, mib)
					continue
				}
				s.OffloadRead(src, i*mib, mib, mib, flowtest.ZeroToken())
				s.OffloadWrite(dst, i*mib, mib, 0, flowtest.ZeroToken(), mib)
			}
		}},
		{"zero tokens that the client leaves unused, the destination is new", "", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			s.odx(src, dst, 1, 0, mib)
			s.OffloadRead(src, mib, 2*mib, 2*mib, flowtest.ZeroToken())
			s.odx(src, dst, 2, 3*mib, mib)
		}},
		{"a zero token made by the client itself, over and over, past any length", "", func(s *stage) {
			_, dst := s.pair("src", 4*mib)
			for range 3 {
				s.OffloadWrite(dst, 0, 4*mib, 64*mib, flowtest.ZeroToken(), 4*mib)
				s.seconds(100)
			}
		}},
		{"CopyLength 0, as Windows asks whether it may", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.OffloadRead(src, 0, 0, 0, flowtest.NewToken(9))
			s.OffloadWrite(dst, 0, 0, 0, flowtest.NewToken(9), 0)
			s.odx(src, dst, 1, 0, mib)
			s.OffloadWrite(dst, mib, 0, mib, flowtest.NewToken(1), 0)
		}},
		{"it ends where the source holds only zeros", "", func(s *stage) {
			src, dst := s.pair("src", 100*mib)
			tok := flowtest.NewToken(1)
			s.OffloadReadTTL(src, 0, 100*mib, 3*mib, tok, 0, 1)
			s.OffloadWrite(dst, 0, 3*mib, 0, tok, 3*mib)
			s.Close(dst)
			s.Close(src)
		}},
		{"a token that use keeps alive", "", func(s *stage) {
			src, dst := s.pair("src", 8*mib)
			tok := flowtest.NewToken(1)
			s.OffloadReadTTL(src, 0, 8*mib, 8*mib, tok, 30000, 0)
			for i := range uint64(8) {
				s.seconds(29)
				s.OffloadWrite(dst, i*mib, mib, i*mib, tok, mib)
			}
		}},
		{"a token presented on a second channel", "", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			tok := s.token(src, 1, 0, 2*mib)
			second := s.Channel("10.0.0.1:50077", "10.0.0.9:445")
			second.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.OffloadWrite(dst, mib, mib, mib, tok, mib)
			second.Close(dst)
		}},
		{"a second channel to another address of the server", "", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			tok := s.token(src, 1, 0, 2*mib)
			s.ServerGUID = []byte{10, 0, 0, 9}
			s.ClientGUID = []byte{10, 0, 0, 1}
			second := s.Channel("10.1.0.1:50077", "10.1.0.9:445")
			second.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.OffloadWrite(dst, mib, mib, mib, tok, mib)
		}},
		{"a connection lost and a session taken up again", "", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			tok := s.token(src, 1, 0, 4*mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.Reset(1)
			s.seconds(2)
			again := &stage{net: s.net, Client: &flowtest.Client{Conn: s.net.Dial("10.0.0.1:50100", "10.0.0.9:445"), Session: 0x9900, Previous: s.Session, Tree: 3}}
			again.Setup(share)
			dst = again.Open("src - Copy", 4*mib)
			again.OffloadWrite(dst, mib, 3*mib, mib, tok, 3*mib)
		}},
		{"two clients copy one source at once", "", func(s *stage) {
			o := s.another("10.0.0.2:40000")
			src, dst := s.pair("src", 4*mib)
			theirs, copied := o.Open("src", 4*mib), o.New("their copy")
			o.SetSize(copied, 4*mib)
			for i := range uint64(4) {
				mine, yours := s.token(src, byte(i), i*mib, mib), o.token(theirs, byte(40+i), i*mib, mib)
				s.OffloadWrite(dst, i*mib, mib, 0, mine, mib)
				o.OffloadWrite(copied, i*mib, mib, 0, yours, mib)
			}
		}},
		{"two clients are given the same bytes as tokens", "", func(s *stage) {
			o := s.another("10.0.0.2:40000")
			src, dst := s.pair("src", mib)
			theirs, copied := o.Open("src", mib), o.New("their copy")
			o.SetSize(copied, mib)
			s.OffloadRead(src, 0, mib, mib, flowtest.NewToken(1))
			s.OffloadWrite(dst, 0, mib, 0, flowtest.NewToken(1), mib)
			o.OffloadRead(theirs, 0, mib, mib, flowtest.NewToken(1))
			o.OffloadWrite(copied, 0, mib, 0, flowtest.NewToken(1), mib)
		}},
		{"a sparse source whose holes are left out", "", func(s *stage) {
			src, dst := s.pair("src", 8*mib)
			s.SetSparse(dst)
			s.Allocated(src, 0, 8*mib, 0, mib, 4*mib, mib)
			s.odx(src, dst, 1, 0, mib)
			s.odx(src, dst, 2, 4*mib, mib)
			s.Close(dst)
		}},
		{"the client zeroes the holes itself", "", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			s.odx(src, dst, 1, 0, mib)
			s.ZeroData(dst, mib, 3*mib)
			s.odx(src, dst, 2, 3*mib, mib)
		}},
		{"refused by the filter, then copychunk", "warning copy/fell-back", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			s.refused(notOffloadable)
			s.OffloadRead(src, 0, 4*mib, 0, flowtest.NewToken(1))
			s.chunks(src, dst, 0, 4*mib, mib)
			s.Close(dst)
		}},
		{"a clone whose tail ends at the end of file", "", func(s *stage) {
			src, dst := s.pair("src", 4*mib+777)
			s.FsFullSize(src, 512, 128)
			s.Clone(dst, src, 0, 0, 4*mib)
			s.Clone(dst, src, 4*mib, 4*mib, 777)
		}},
		{"copychunk after the server told its limits", "note chunk/limits", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			key := s.ResumeKey(src)
			s.refused(flowtest.InvalidParameter)
			s.CopyChunk(dst, key, []flowtest.Chunk{{From: 0, To: 0, Length: 4 * mib}}, 256, mib, 16*mib)
			for at := uint64(0); at < 4*mib; at += 2 * mib {
				s.CopyChunk(dst, key, []flowtest.Chunk{{From: at, To: at, Length: mib}, {From: at + mib, To: at + mib, Length: mib}}, 2, 0, 2*mib)
			}
		}},
		{"a small file by READ and WRITE on a share that offloads", "", func(s *stage) {
			s.whole(1)
			src, dst := s.pair("small", 200*kib)
			s.through(src, dst, 0, 200*kib)
		}},
		{"unrelated READs and WRITEs", "", func(s *stage) {
			s.whole(1)
			src, dst := s.pair("db", mib)
			for at := uint64(0); at < mib; at += 64 * kib {
				s.Read(src, at, pattern(byte(at>>16), 64*kib))
				s.Write(dst, at, pattern(byte(at>>16)+101, 64*kib))
			}
		}},
		{"a tail below a sector by READ and WRITE", "", func(s *stage) {
			const size = mib + 300
			src, dst := s.pair("odd", size)
			s.odx(src, dst, 1, 0, mib)
			s.Read(src, mib, pattern(1, 300))
			s.Write(dst, mib, pattern(1, 300))
			s.Close(dst)
		}},
		{"room reserved beyond the end", "", func(s *stage) {
			src, dst := s.Open("src", mib+100), s.NewAllocated("copy", 4*mib)
			s.SetSize(dst, mib+100)
			s.OffloadRead(src, 0, mib+512, mib+512, flowtest.NewToken(1))
			s.OffloadWrite(dst, 0, mib+512, 0, flowtest.NewToken(1), mib+512)
			s.Close(dst)
		}},
		{"another client reads the source meanwhile", "", func(s *stage) {
			o := s.another("10.0.0.2:40000")
			theirs := o.Open("src", mib)
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			o.Read(theirs, 0, pattern(1, 64*kib))
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			o.Close(theirs)
		}},
		{"the capture ends between two writes", "", func(s *stage) {
			// Ended captures end copies: that is what abandoned means of a whole copy.
			src := s.Open("src", 4*mib)
			dst := s.Open("old", 4*mib)
			tok := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.Mute = true
			s.OffloadWrite(dst, mib, mib, 0, flowtest.ZeroToken(), mib)
		}},
		{"the capture starts between mint and use", "uncertain token/unknown", func(s *stage) {
			late := &stage{net: s.net, Client: s.net.Late("10.0.0.3:40000", "10.0.0.9:445")}
			dst := flowtest.File{ID: [16]byte{1, 2, 3}}
			late.OffloadWrite(dst, 0, mib, 0, flowtest.NewToken(1), mib)
			late.refused(flowtest.InvalidToken)
			late.OffloadWrite(dst, mib, mib, 0, flowtest.NewToken(90), mib)
		}},
		{"pipelined, answered in any order, each pending first", "", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			tok := s.token(src, 1, 0, 4*mib)
			for i := range uint64(4) {
				s.Hold, s.Pending = true, true
				s.OffloadWrite(dst, i*mib, mib, i*mib, tok, mib)
			}
			for range 3 {
				s.seconds(5)
				s.Release(1)
			}
			s.Release(0)
		}},
		{"pipelined writes that come back short, the rest asked for later", "", func(s *stage) {
			src, dst := s.pair("src", 4*mib)
			tok := s.token(src, 1, 0, 4*mib)
			for i := range uint64(4) {
				s.Hold = true
				s.OffloadWrite(dst, i*mib, mib, i*mib, tok, 512*kib)
			}
			for range 4 {
				s.Release(0)
			}
			for i := range uint64(4) {
				at := i*mib + 512*kib
				s.OffloadWrite(dst, at, 512*kib, at, tok, 512*kib)
			}
		}},
		{"one token for three destinations", "note token/reused", func(s *stage) {
			src := s.Open("src", mib)
			tok := s.token(src, 1, 0, mib)
			for i := range 3 {
				dst := s.New(fmt.Sprintf("copy %d", i))
				s.SetSize(dst, mib)
				s.OffloadWrite(dst, 0, mib, 0, tok, mib)
				s.Close(dst)
			}
		}},
		{"the source is closed and gone before the token is used", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.Close(src)
			s.seconds(3)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"a second copy over the first, after it was emptied", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.odx(src, dst, 1, 0, mib)
			s.Close(dst)
			dst = s.Overwrite("src - Copy")
			s.SetSize(dst, mib)
			s.odx(src, dst, 2, 0, mib)
			s.Close(dst)
		}},
		{"a source that grew before it was copied", "", func(s *stage) {
			src := s.New("src")
			for at := uint64(0); at < mib; at += 64 * kib {
				s.Write(src, at, pattern(byte(at>>16), 64*kib))
			}
			dst := s.New("copy")
			s.SetSize(dst, mib)
			s.odx(src, dst, 1, 0, mib)
		}},
		{"the destination is written to once the copy is done", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.odx(src, dst, 1, 0, mib)
			s.Write(dst, 0, pattern(9, 4096))
			s.Close(dst)
			s.Close(src)
			dst = s.Open("src - Copy", mib)
			s.Write(dst, mib, pattern(9, 4096))
		}},
		{"the source is written to once the copy is done", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.odx(src, dst, 1, 0, mib)
			s.Close(dst)
			s.Write(src, 0, pattern(9, 4096))
			s.SetSize(src, 4096)
		}},
		{"a file copied within itself", "", func(s *stage) {
			f := s.Open("vm.vhdx", 16*mib)
			tok := s.token(f, 1, 0, mib)
			s.OffloadWrite(f, 8*mib, mib, 0, tok, mib)
		}},
		{"all ones as a lease that is broken and acknowledged before the copy", "", func(s *stage) {
			key := [16]byte{7}
			src := s.OpenLeased("src", key, 7)
			s.QueryStandard(src, mib)
			s.LeaseBreak(key, 7, 3)
			s.LeaseAck(key, 3)
			dst := s.New("copy")
			s.SetSize(dst, mib)
			s.odx(src, dst, 1, 0, mib)
		}},
		{"the sector size is 4096 and all is aligned to it but the tail", "", func(s *stage) {
			const size = mib + 1000
			src, dst := s.pair("src", size)
			s.FsSector(src, 4096, 4096)
			s.OffloadRead(src, 0, mib+4096, mib+4096, flowtest.NewToken(1))
			s.OffloadWrite(dst, 0, mib+4096, 0, flowtest.NewToken(1), mib+4096)
		}},
		{"the last read is answered up to the end of file only", "", func(s *stage) {
			const size = mib + 1000
			src, dst := s.pair("src", size)
			s.OffloadRead(src, 0, 2*mib, size, flowtest.NewToken(1))
			s.OffloadWrite(dst, 0, size, 0, flowtest.NewToken(1), size)
		}},
	})
}

// windows copies as CopyFile does: a token for as much as the server grants, spent in
// writes of all that is left of it, of which the server does 16 MiB.
func windows(s *stage, src, dst flowtest.File, size, grant uint64) {
	round := func(n uint64) uint64 { return (n + 511) &^ 511 }
	for at, i := uint64(0), byte(0); at < size; i++ {
		tok := flowtest.NewToken(i)
		got := min(grant, round(size-at))
		s.OffloadRead(src, at, round(size-at), got, tok)
		for used := uint64(0); used < got; {
			n := min(16*mib, got-used)
			s.OffloadWrite(dst, at+used, got-used, used, tok, n)
			used += n
		}
		at += got
	}
}

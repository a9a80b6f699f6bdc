package audit

import (
	"slices"
	"testing"

	"github.com/odxray/odxray/flows/flowtest"
)

// More dresses of the same faults.
func TestRedTeamMore(t *testing.T) {
	perform(t, []story{
		{"Linux compounds with a token used beyond its end", "error token/overrun", func(s *stage) {
			dst := s.New("copy")
			s.SetSize(dst, 2*mib)
			s.Close(dst)
			tok := flowtest.NewToken(1)
			s.Related(func() {
				f := s.Open("src", 2*mib)
				s.OffloadRead(f, 0, 2*mib, mib, tok)
				s.Close(f)
			})
			s.Related(func() {
				f := s.Open("copy", 2*mib)
				s.OffloadWrite(f, 0, 2*mib, 0, tok, 2*mib)
				s.Close(f)
			})
			s.here()
		}},
		{"Linux compounds whose token is altered", "error token/altered", func(s *stage) {
			dst := s.New("copy")
			s.SetSize(dst, mib)
			s.Close(dst)
			tok := flowtest.NewToken(1)
			s.Related(func() {
				f := s.Open("src", mib)
				s.OffloadRead(f, 0, mib, mib, tok)
				s.Close(f)
			})
			bad := tok
			bad[33] ^= 0x80
			s.Related(func() {
				f := s.Open("copy", mib)
				s.refused(flowtest.InvalidToken)
				s.OffloadWrite(f, 0, mib, 0, bad, 0)
				s.Close(f)
			})
			s.here()
			s.Related(func() {
				f := s.Open("copy", mib)
				s.OffloadWrite(f, 0, mib, 0, tok, mib)
				s.Close(f)
			})
		}},
		{"Linux clones in compounds, from cluster to cluster", "", func(s *stage) {
			src := s.Open("src", 2*mib)
			dst := s.New("copy")
			s.SetSize(dst, 2*mib)
			s.FsFullSize(src, 512, 8)
			s.Clone(dst, src, 0, 0, 2*mib)
			s.Close(dst)
		}},
		{"Linux copychunks, 16 chunks a call, the last one odd", "", func(s *stage) {
			const size = 20*mib + 4711
			src, dst := s.Open("src", size), s.New("copy")
			key := s.ResumeKey(src)
			for at := uint64(0); at < size; at += 16 * mib {
				var list []flowtest.Chunk
				total := uint32(0)
				for o := at; o < min(size, at+16*mib); o += mib {
					n := uint32(min(mib, size-o))
					list = append(list, flowtest.Chunk{From: o, To: o, Length: n})
					total += n
				}
				s.CopyChunk(dst, key, list, uint32(len(list)), 0, total)
			}
			s.CloseKnown(dst, size)
			s.verdicts = []string{"complete"}
		}},
		{"append: a copychunk behind the end of a file that was there", "", func(s *stage) {
			src, dst := s.Open("src", mib), s.Open("log", 5*mib)
			s.CopyChunk(dst, s.ResumeKey(src), []flowtest.Chunk{{From: 0, To: 5 * mib, Length: mib}}, 1, 0, mib)
			s.CloseKnown(dst, 6*mib)
		}},
		{"a clone behind the end of a file whose end is then set", "", func(s *stage) {
			src, dst := s.Open("src", mib), s.New("copy")
			s.SetSize(dst, mib)
			s.Clone(dst, src, 0, 0, mib)
			s.CloseKnown(dst, mib)
		}},
		{"STATUS_PENDING to a CREATE, a break of another's lease, then a good copy", "", func(s *stage) {
			o := s.another("10.0.0.2:2222")
			key := [16]byte{3}
			o.OpenLeased("src", key, 7)
			s.Pending = true
			s.Meet = func() {
				o.LeaseBreak(key, 7, 3)
				o.LeaseAck(key, 3)
			}
			src, dst := s.pair("src", mib)
			s.odx(src, dst, 1, 0, mib)
		}},
		{"a client that asks for one byte more than the token, again and again", "warning token/overrun-asked; warning token/overrun-asked", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			a := s.token(src, 1, 0, mib)
			s.OffloadWrite(dst, 0, mib+512, 0, a, mib)
			s.here()
			b := s.token(src, 2, mib, mib)
			s.OffloadWrite(dst, mib, mib+512, 0, b, mib)
			s.here()
		}},
		{"a token read of the whole, granted in part, and the rest by another: the Windows way", "", func(s *stage) {
			src, dst := s.pair("src", 3*mib)
			for at, i := uint64(0), byte(0); at < 3*mib; at, i = at+mib, i+1 {
				tok := flowtest.NewToken(i)
				s.OffloadRead(src, at, 3*mib-at, mib, tok)
				s.OffloadWrite(dst, at, mib, 0, tok, mib)
			}
			s.CloseKnown(dst, 3*mib)
		}},
		{"read at the end of file is refused, as is right", "", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.odx(src, dst, 1, 0, mib)
			s.refused(flowtest.EndOfFile)
			s.OffloadRead(src, mib, mib, 0, flowtest.NewToken(2))
			s.Close(dst)
		}},
		{"a first try on a file that is too small for the server, then READ and WRITE", "warning copy/fell-back", func(s *stage) {
			src, dst := s.pair("src", 300*kib)
			s.refused(0xc000a2a3) // STATUS_OFFLOAD_READ_FILE_NOT_SUPPORTED
			s.OffloadRead(src, 0, 300*kib, 0, flowtest.NewToken(1))
			s.through(src, dst, 0, 300*kib)
			s.Close(dst)
		}},
		{"a server without ODX: two files are tried, the second not any more", "warning copy/fell-back; note copy/not-offloaded", func(s *stage) {
			src, dst := s.pair("one", 512*kib)
			s.refused(flowtest.NotSupported)
			s.OffloadRead(src, 0, 512*kib, 0, flowtest.NewToken(1))
			s.through(src, dst, 0, 512*kib)
			s.Close(dst)
			src, dst = s.pair("two", 512*kib)
			s.through(src, dst, 0, 512*kib)
			s.Close(dst)
		}},
		{"virtual disks moved: four clients, one token each, all at once", "", func(s *stage) {
			var who [4]*stage
			var src, dst [4]flowtest.File
			for i := range who {
				who[i] = s.another([]string{"10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1", "10.0.0.5:1"}[i])
				src[i], dst[i] = who[i].pair(string(rune('a'+i)), 4*mib)
			}
			var tok [4]flowtest.Token
			for i := range who {
				tok[i] = who[i].token(src[i], byte(i*40), 0, 4*mib)
			}
			for at := uint64(0); at < 4*mib; at += mib {
				for i := range who {
					who[i].Hold = true
					who[i].OffloadWrite(dst[i], at, mib, at, tok[i], mib)
				}
				for i := range slices.Backward(who[:]) {
					who[i].Release(0)
				}
			}
			s.verdicts = []string{"complete", "complete", "complete", "complete"}
		}},
		{"a use that overlaps its predecessor's end, after no answer came", "warning smb/unanswered", func(s *stage) {
			src, dst := s.pair("src", 2*mib)
			tok := s.token(src, 1, 0, 2*mib)
			s.Mute = true
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.here()
			s.seconds(65)
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
			s.OffloadWrite(dst, mib, mib, mib, tok, mib)
			s.Close(dst)
		}},
		{"the source's end of file is unknown: late", "", func(s *stage) {
			l := &stage{net: s.net, Client: s.net.Late("10.0.0.3:40000", "10.0.0.9:445")}
			f, g := flowtest.File{ID: [16]byte{1, 5}}, flowtest.File{ID: [16]byte{2, 5}}
			l.OffloadRead(f, 0, mib+100, mib+100, flowtest.NewToken(1))
			l.OffloadWrite(g, 0, mib+100, 0, flowtest.NewToken(1), mib+100)
		}},
		{"a read is empty at an end of file that nobody knows: late", "uncertain odx/read-empty", func(s *stage) {
			l := &stage{net: s.net, Client: s.net.Late("10.0.0.3:40000", "10.0.0.9:445")}
			f := flowtest.File{ID: [16]byte{1, 5}}
			l.OffloadRead(f, mib, mib, 0, flowtest.NewToken(1))
		}},
	})
}

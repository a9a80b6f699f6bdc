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

// The stories of redteam_*_test.go are written from the rules, not from what the
// audit does: faults planted in traffic that is otherwise as clients and servers make
// it, and legal traffic that only looks like a fault.

// story is a capture and what is to be said of it.
type story struct {
	name  string
	want  string // errors and warnings, each as often as it is found, and notes that must be there: "error copy/gap; note token/reused"; "uncertain" is a note that says why
	write func(*stage)
}

// stage is where a story plays: a client that is logged in on a server.
type stage struct {
	net *flowtest.Capture
	*flowtest.Client
	faults   [][2]int // requests and answers: a finding must name one of the two
	spoil    bool     // the signature of the next answer
	verdicts []string // of the copies, each covering all that it should; nil if nobody asks
}

// here says that the fault is in the request or the answer of the latest call.
func (s *stage) here() { s.faults = append(s.faults, [2]int{s.Request, s.Answer}) }

// pair is a source, and a destination that is created and made as long.
func (s *stage) pair(name string, size uint64) (src, dst flowtest.File) {
	src, dst = s.Open(name, size), s.New(name+" - Copy")
	s.SetSize(dst, size)
	return src, dst
}

// token mints one for a range of a file.
func (s *stage) token(f flowtest.File, n byte, offset, length uint64) flowtest.Token {
	t := flowtest.NewToken(n)
	s.OffloadRead(f, offset, length, length, t)
	return t
}

// odx copies a range by one token and one write.
func (s *stage) odx(src, dst flowtest.File, n byte, offset, length uint64) {
	t := s.token(src, n, offset, length)
	s.OffloadWrite(dst, offset, length, 0, t, length)
}

// whole copies a file of 1 MiB.
func (s *stage) whole(n byte) {
	src, dst := s.pair(fmt.Sprintf("good %d", n), mib)
	s.odx(src, dst, n, 0, mib)
	s.Close(dst)
	s.Close(src)
}

// through copies a range by READ and WRITE.
func (s *stage) through(src, dst flowtest.File, offset, length uint64) {
	for at := offset; at < offset+length; at += 64 * kib {
		data := pattern(byte(at>>16)+3, min(64*kib, offset+length-at))
		s.Read(src, at, data)
		s.Write(dst, at, data)
	}
}

// chunks copies a range by copychunk, a chunk a call.
func (s *stage) chunks(src, dst flowtest.File, offset, length uint64, size uint32) {
	key := s.ResumeKey(src)
	for at := offset; at < offset+length; at += uint64(size) {
		n := uint32(min(uint64(size), offset+length-at))
		s.CopyChunk(dst, key, []flowtest.Chunk{{From: at, To: at, Length: n}}, 1, 0, n)
	}
}

// another is a client of its own, on the same server and share.
func (s *stage) another(address string) *stage {
	return &stage{net: s.net, Client: s.net.Login(address, "10.0.0.9:445", share)}
}

// refused makes the next call fail.
func (s *stage) refused(status uint32) { s.Status = status }

const (
	notOffloadable = 0xc000a2a1 // STATUS_OFFLOAD_READ_FLT_NOT_SUPPORTED
	diskFull       = 0xc000007f
)

func perform(t *testing.T, stories []story) {
	for _, x := range stories {
		t.Run(x.name, func(t *testing.T) {
			c := new(flowtest.Capture)
			s := &stage{net: c, Client: c.Login("10.0.0.1:50000", "10.0.0.9:445", share)}
			x.write(s)
			r := analyse(c)
			found := Judge(r)
			problem := compare(found, x.want, s.faults)
			var verdicts []string
			for _, c := range r.Copies {
				verdicts = append(verdicts, c.Verdict.String())
			}
			if s.verdicts != nil && !slices.Equal(verdicts, s.verdicts) {
				problem += fmt.Sprintf("copies are %q, not %q", verdicts, s.verdicts)
			}
			if problem != "" {
				t.Error(problem)
				for _, f := range found {
					t.Logf("%v %s: %s %v copy %d uncertain %q", f.Level, f.Rule, f.Message, f.Frames, f.Copy, f.Uncertain)
				}
				for _, c := range r.Copies {
					t.Logf("copy %d: %v %q to %q whole %v sized %v covered %v gaps %v %v", c.ID, c.Methods, c.Source.Path, c.Destination.Path, c.Whole, c.Sized, c.Covered, c.Gaps, c.Verdict)
				}
			}
		})
	}
}

// compare holds findings to what a story wants.
func compare(found []flows.Finding, want string, faults [][2]int) string {
	var loud, quiet []string
	for _, f := range found {
		switch {
		case f.Level != flows.Note:
			loud = append(loud, fmt.Sprintf("%v %s", f.Level, f.Rule))
		case f.Uncertain != "":
			quiet = append(quiet, "uncertain "+f.Rule)
		default:
			quiet = append(quiet, "note "+f.Rule)
		}
	}
	var must []string
	if want != "" {
		must = strings.Split(want, "; ")
	}
	var wantLoud []string
	for _, w := range must {
		switch {
		case !strings.HasPrefix(w, "note ") && !strings.HasPrefix(w, "uncertain "):
			wantLoud = append(wantLoud, w)
		case !slices.Contains(quiet, w):
			return fmt.Sprintf("%q is missing", w)
		}
	}
	slices.Sort(loud)
	slices.Sort(wantLoud)
	if !slices.Equal(loud, wantLoud) {
		return fmt.Sprintf("found %q, not %q", loud, wantLoud)
	}
	for _, n := range faults {
		if !slices.ContainsFunc(found, func(f flows.Finding) bool {
			return f.Level != flows.Note && (slices.Contains(f.Frames, n[0]) || slices.Contains(f.Frames, n[1]))
		}) {
			return fmt.Sprintf("no finding names one of the frames %d", n)
		}
	}
	return ""
}

// seconds lets time pass.
func (s *stage) seconds(n float64) { s.Wait(time.Duration(n * float64(time.Second))) }

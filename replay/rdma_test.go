package replay

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/replay/smbdtest"
)

// overTCP: what was captured over SMB Direct replays over TCP, with the data put together of
// RDMA operations. Every request that the same job made over TCP, too, gets the answer that
// it gets there, with the same data.
func overTCP(t *testing.T, server *smbdtest.Server) {
	answers := make(map[string]map[string]string) // by capture and request
	bytes := make(map[string]int)
	for _, name := range []string{"rocev2-311", "siw-311", "tcp-311"} {
		path := filepath.Join(captureDir(), "own", name+".pcap.zst")
		if _, err := os.Stat(path); err != nil {
			t.Skip("no captures: ", err)
		}
		p, _ := captured(t, nil, path)
		o := at(t, server, smbdtest.Shared, name)
		o.Order = Serial
		r := replayed(t, p, o)
		seen := make(map[string]int)
		answers[name] = make(map[string]string)
		for i := range p.Steps {
			s, out := &p.Steps[i], &r.Outcomes[i]
			switch {
			case s.Header.Command == smb2.Negotiate, s.Header.Command == smb2.SessionSetup, s.Header.Command == smb2.Echo:
				continue // the two need not have as many
			case out.Verdict == Failed, out.Verdict == Unsent:
				t.Errorf("%s: step %d: %v, %s", name, s.ID, out.Verdict, out.Reason)
				continue
			case out.Answer == nil:
				continue
			}
			x := &s.Exchange
			key := fmt.Sprint(s.Header.Command.Name(), " ", x.Function, " ", strings.ToLower(x.File), " ", x.Offset, "+", x.Length, " ", x.InfoType, "/", x.InfoClass)
			seen[key]++
			said := fmt.Sprintf("%#x", uint32(statusOf(out.Answer)))
			var d decoder
			if body, ok := d.decode(out.Answer, len(out.Answer), &s.Context, nil).Body.(*smb2.ReadResponse); ok {
				said += fmt.Sprintf(" %x", sha256.Sum256(body.Data))
				bytes[name] += len(body.Data)
			}
			answers[name][fmt.Sprint(key, " #", seen[key])] = said
		}
	}
	for _, name := range []string{"rocev2-311", "siw-311"} {
		both := 0
		for key, said := range answers[name] {
			other, ok := answers["tcp-311"][key]
			if !ok {
				continue
			}
			if both++; said != other {
				t.Errorf("%s: %s: %s over RDMA, %s over TCP", name, key, said, other)
			}
		}
		t.Logf("%s: %d answers are the same of %d over RDMA and %d over TCP; %d and %d bytes were read", name, both, len(answers[name]), len(answers["tcp-311"]), bytes[name], bytes["tcp-311"])
		if both < 600 || bytes[name] < 1<<20 {
			t.Errorf("%s: only %d requests are of both captures, with %d bytes read", name, both, bytes[name])
		}
	}
}

package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/flowtest"
)

// While a capture goes on, a copy with a hole is told of once its destination has been
// closed for a while, not before: a client may go on by another method.
func TestGapWhileItGoesOn(t *testing.T) {
	for _, test := range []struct {
		name   string
		closed bool
		passes time.Duration
		want   bool
	}{
		{"open", false, time.Minute, false},
		{"just closed", true, time.Second, false},
		{"closed for a while", true, 6 * time.Second, true},
	} {
		c := new(flowtest.Capture)
		s := c.Login("10.0.0.1:50000", "10.0.0.9:445", share)
		src, dst := s.Open("src", mib), s.New("dst")
		s.SetSize(dst, mib)
		token := flowtest.NewToken(1)
		s.OffloadRead(src, 0, mib, mib, token)
		s.OffloadWrite(dst, 0, mib/2, 0, token, mib/4)
		s.OffloadWrite(dst, mib/2, mib/2, mib/2, token, mib/2)
		if test.closed {
			s.Close(dst)
		}
		c.Wait(test.passes)
		s.QueryStandard(src, mib)
		a := flows.NewAnalyzer(flows.Options{})
		for i := range c.Packets {
			a.Packet(&c.Packets[i])
		}
		list := Judge(a.Results())
		if got := slices.ContainsFunc(list, func(f flows.Finding) bool { return f.Rule == "copy/gap" }); got != test.want {
			t.Errorf("%s: copy/gap told %v, want %v", test.name, got, test.want)
		}
	}
}

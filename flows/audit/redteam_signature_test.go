package audit

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/flowtest"
)

// sign signs a message as all of a session are but the first and interim answers; the
// next answer wrongly if it is to be spoiled.
func (s *stage) sign(m []byte, signer *seal.Signer) []byte {
	status, answer := binary.LittleEndian.Uint32(m[8:]), m[16]&1 != 0
	if binary.LittleEndian.Uint64(m[40:]) == 0 || answer && status == flowtest.Pending {
		return m
	}
	m[16] |= 8
	tag := signer.Sign(m)
	copy(m[48:], tag[:])
	if s.spoil && answer {
		s.spoil = false
		m[50] ^= 1
	}
	return m
}

// Signatures are wrong only where the key is known to be right.
func TestRedTeamSignatures(t *testing.T) {
	signer := seal.NewSigner(smb2.AESCMAC, seal.Derive(smb2.Dialect302, 0, []byte("0123456789abcdef"), nil).Signing)
	for _, x := range []struct {
		name  string
		want  string
		key   string // that odxray is given
		write func(*stage)
	}{
		{"all signed well", "", "30313233343536373839616263646566", func(s *stage) { s.whole(1) }},
		{"no key is given", "", "", func(s *stage) { s.spoil = true; s.whole(1) }},
		{"one answer among many", "error smb/bad-signature", "30313233343536373839616263646566", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.spoil = true
			tok := s.token(src, 1, 0, mib)
			s.here()
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
		{"two answers, to an unrelated query, too", "error smb/bad-signature; error smb/bad-signature", "30313233343536373839616263646566", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.spoil = true
			s.QueryStandard(src, mib)
			s.here()
			s.odx(src, dst, 1, 0, 512*kib)
			s.spoil = true
			s.odx(src, dst, 2, 512*kib, 512*kib)
			s.Close(dst)
		}},
		{"the key is another's", "uncertain smb/bad-signature", "00112233445566778899aabbccddeeff", func(s *stage) { s.whole(1) }},
		{"a signed answer that the capture cut", "", "30313233343536373839616263646566", func(s *stage) {
			src, dst := s.pair("src", mib)
			s.Read(src, 0, pattern(1, 1000))
			s.net.Snap(s.Answer, 300)
			s.odx(src, dst, 1, 0, mib)
		}},
		{"interim answers bear none", "", "30313233343536373839616263646566", func(s *stage) {
			src, dst := s.pair("src", mib)
			tok := s.token(src, 1, 0, mib)
			s.Pending = true
			s.OffloadWrite(dst, 0, mib, 0, tok, mib)
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := new(flowtest.Capture)
			s := &stage{net: c, Client: &flowtest.Client{Conn: c.Dial("10.0.0.1:50000", "10.0.0.9:445"), Session: 0x77, Tree: 3}}
			s.Wrap = func(m []byte) []byte { return s.sign(m, signer) }
			s.Setup(share)
			x.write(s)
			keys := new(flows.Keys)
			if x.key != "" {
				if err := keys.AddSessionKey(fmt.Sprintf("0x%x:%s", s.Session, x.key)); err != nil {
					t.Fatal(err)
				}
			}
			a := flows.NewAnalyzer(flows.Options{Keys: keys})
			for i := range c.Packets {
				a.Packet(&c.Packets[i])
			}
			a.Flush()
			r := a.Results()
			r.Done = true
			if problem := compare(Judge(r), x.want, s.faults); problem != "" {
				t.Error(problem)
				for _, f := range Judge(r) {
					t.Logf("%v %s: %s %v uncertain %q", f.Level, f.Rule, f.Message, f.Frames, f.Uncertain)
				}
				t.Logf("%+v", r.Sessions)
			}
		})
	}
}

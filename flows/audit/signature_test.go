package audit

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/seal"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/flowtest"
)

// A signature is wrong only if the key has proved others of the session.
func TestBadSignature(t *testing.T) {
	right, wrong := []byte("0123456789abcdef"), []byte("fedcba9876543210")
	for _, x := range []struct {
		name  string
		key   []byte // that the audit is given; nil for none
		spoil bool   // the last request
		want  string
	}{
		{"signed, no key", nil, true, ""},
		{"all right", right, false, ""},
		{"one wrong", right, true, "error smb/bad-signature [14]: a message of session 0x0000100000000004 has a wrong signature; 4 of its messages have a right one"},
		{"another key", wrong, false, "note smb/bad-signature [7]: none of 6 signatures of session 0x0000100000000004 is right: the key is wrong"},
	} {
		t.Run(x.name, func(t *testing.T) {
			var c flowtest.Capture
			s := c.Login("10.0.0.1:50000", "10.0.0.9:445", share)
			signer := seal.NewSigner(smb2.AESCMAC, seal.Derive(smb2.Dialect302, 0, right, nil).Signing)
			sign := func(m []byte) []byte {
				m[16] |= byte(smb2.FlagSigned)
				sig := signer.Sign(m)
				copy(m[48:], sig[:])
				return m
			}
			s.Wrap = sign
			f := s.Open("file", 1)
			s.QueryStandard(f, 1)
			if x.spoil {
				s.Wrap = func(m []byte) []byte { m = sign(m); m[len(m)-1] ^= 1; return m }
				s.Mute = true
			}
			s.Close(f)

			keys := new(flows.Keys)
			if x.key != nil {
				if err := keys.AddSessionKey(fmt.Sprintf("%#x:%x", s.Session, x.key)); err != nil {
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
			var got bytes.Buffer
			for _, f := range Judge(r) {
				if strings.HasPrefix(f.Rule, "smb/bad") {
					fmt.Fprintf(&got, "%v %s %v: %s", f.Level, f.Rule, f.Frames, f.Message)
				}
			}
			if got.String() != x.want {
				t.Errorf("%s\nwant %s", got.String(), x.want)
			}
		})
	}
}

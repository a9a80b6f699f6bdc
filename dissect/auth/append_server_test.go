package auth

import (
	"testing"

	"github.com/odxray/odxray/dissect/wire"
)

// TestServerTokens: what a server says decodes as that.
func TestServerTokens(t *testing.T) {
	decode := func(b []byte) (m Message) {
		c := wire.New(b, nil)
		if Decode(&c, &m); c.Failed() || c.Len() > 0 {
			t.Errorf("%x: %v", b, c.Err())
		}
		return m
	}
	if m := decode(ServerHello()); m.SPNEGO.Kind != Init || m.SPNEGO.Mechs != [8]Mech{NTLM} || string(m.SPNEGO.MechList) != string(MechTypes(NTLM)) {
		t.Errorf("hello: %+v", m.SPNEGO)
	}
	flags := ChallengeFlags(ClientFlags)
	challenge := Challenge(flags, [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, "LAB", 99)
	m := decode(Answer(Incomplete, challenge, nil))
	n := &m.NTLM
	if m.SPNEGO.Kind != Resp || m.SPNEGO.State != Incomplete || m.SPNEGO.Supported != NTLM || m.Mechanism != NTLM {
		t.Errorf("answer: %+v", m.SPNEGO)
	}
	if n.Type != NTLMChallenge || n.Flags != flags || n.Target.String() != "LAB" || n.ServerChallenge[7] != 8 || n.Info.Time != 99 ||
		n.Info.DNSComputer.String() != "LAB" || string(n.Raw) != string(challenge) {
		t.Errorf("challenge: %+v", n)
	}
	if flags&NegotiateExtended == 0 || flags&NegotiateKeyExch == 0 || ChallengeFlags(0)&NegotiateKeyExch != 0 {
		t.Errorf("flags: %#x", flags)
	}
	if m := decode(Answer(Completed, nil, []byte{1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0})); m.SPNEGO.State != Completed || len(m.SPNEGO.MIC) != 16 {
		t.Errorf("last answer: %+v", m.SPNEGO)
	}
}

package audit

import "testing"

// TestPlantedSignature changes signed messages of a session with Samba whose key is known.
func TestPlantedSignature(t *testing.T) {
	plant(t, "dialect_smb3_11_sign_required", []planted{
		{"a byte of a request", func(m *tape) { m.message(22, 14)[70] ^= 1 }, "+error smb/bad-signature"},
		{"a byte of a signature", func(m *tape) { m.message(22, 14)[50] ^= 1 }, "+error smb/bad-signature"},
		{"a status", func(m *tape) { m.message(25, 14)[9] ^= 1 }, "+error smb/bad-signature"},
		{"a message that says it is not signed", func(m *tape) { m.message(22, 14)[16] &^= 8 }, ""},
		{"a message that is cut", func(m *tape) { p := &m.packets[m.at(23)]; p.Data = p.Data[:len(p.Data)-1] }, "+note capture/gap"},
	})
}

// TestSignaturesOfChannels: the key of a session proves what binds further channels to it, and
// says nothing about what those carry, which have keys of their own.
func TestSignaturesOfChannels(t *testing.T) {
	for _, name := range []string{"torture_smb2_session", "torture_smb2_multichannel"} {
		found, r := load(t, name).findings()
		if len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
		verified := 0
		for _, s := range r.Sessions {
			verified += s.Verified
		}
		if verified < 100 {
			t.Errorf("%s: %d signatures verified", name, verified)
		}
	}
}

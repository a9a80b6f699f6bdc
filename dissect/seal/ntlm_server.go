package seal

import (
	"crypto/hmac"

	"github.com/odxray/odxray/dissect/auth"
)

// NTLMIntact tells whether the MIC of an Authenticate fits it and the two messages before
// it, all as they were sent. [MS-NLMP] 3.2.5.1.2
func NTLMIntact(key, negotiate, challenge []byte, m *auth.NTLMMessage) bool {
	if len(m.MIC) != 16 || len(m.Raw) < auth.MICOffset+16 {
		return false
	}
	raw := append([]byte{}, m.Raw...)
	clear(raw[auth.MICOffset : auth.MICOffset+16])
	return hmac.Equal(hmacMD5(key, negotiate, challenge, raw), m.MIC)
}

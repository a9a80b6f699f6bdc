package seal

import (
	"crypto/des"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rc4"
	"crypto/subtle"
	"unicode"
	"unicode/utf16"

	//lint:ignore SA1019 NTLM hashes passwords with MD4: nothing else reads them
	"golang.org/x/crypto/md4"

	"github.com/odxray/odxray/dissect/auth"
	"github.com/odxray/odxray/dissect/wire"
)

// NTHash is what NTLM knows of a password. [MS-NLMP] 3.3.1, NTOWFv1
func NTHash(password string) (h [md4.Size]byte) {
	m := md4.New()
	m.Write(encodeUTF16(utf16.Encode([]rune(password))))
	m.Sum(h[:0])
	return h
}

func encodeUTF16(units []uint16) []byte {
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

// NTLMKey returns the session key of an authentication that ended with an
// Authenticate message to a server's challenge of 8 bytes. ok is false if the
// response was not made with that hash. [MS-NLMP] 3.1.5.1.2, 3.4.5.1
func NTLMKey(hash [md4.Size]byte, challenge []byte, m *auth.NTLMMessage) (key []byte, ok bool) {
	if len(challenge) != 8 || m.Type != auth.NTLMAuthenticate {
		return nil, false
	}
	if len(m.NTResponse) > 24 {
		key, ok = ntlmV2(hash, challenge, m)
	} else {
		key, ok = ntlmV1(hash, challenge, m)
	}
	if ok && m.Flags&auth.NegotiateKeyExch != 0 && len(m.SessionKey) == 16 {
		random := make([]byte, 16)
		if c, err := rc4.NewCipher(key); err == nil {
			c.XORKeyStream(random, m.SessionKey)
		}
		key = random
	}
	return key, ok
}

func hmacMD5(key []byte, parts ...[]byte) []byte {
	h := hmac.New(md5.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// ntlmV2 returns the key that the proof of an NTLMv2 response leads to. [MS-NLMP] 3.3.2
func ntlmV2(hash [md4.Size]byte, challenge []byte, m *auth.NTLMMessage) ([]byte, bool) {
	proof, blob := m.NTResponse[:16], m.NTResponse[16:]
	v2 := hmacMD5(hash[:], upper(m.User), plain(m.Domain))
	want := hmacMD5(v2, challenge, blob)
	return hmacMD5(v2, proof), subtle.ConstantTimeCompare(want, proof) == 1
}

// ntlmV1 does so for a response of 24 bytes. [MS-NLMP] 3.3.1, 3.4.5.1
func ntlmV1(hash [md4.Size]byte, challenge []byte, m *auth.NTLMMessage) ([]byte, bool) {
	if len(m.NTResponse) != 24 {
		return nil, false
	}
	base := md4.New()
	base.Write(hash[:])
	key := base.Sum(nil)
	asked := challenge
	if m.Flags&auth.NegotiateExtended != 0 && len(m.LMResponse) >= 8 {
		both := md5.Sum(append(append([]byte{}, challenge...), m.LMResponse[:8]...))
		asked = both[:8]
		key = hmacMD5(key, challenge, m.LMResponse[:8])
	}
	return key, subtle.ConstantTimeCompare(desl(hash, asked), m.NTResponse) == 1
}

// desl encrypts 8 bytes three times, with a third of the padded hash each. [MS-NLMP] 6
func desl(hash [md4.Size]byte, data []byte) []byte {
	var padded [21]byte
	copy(padded[:], hash[:])
	out := make([]byte, 24)
	for i := range 3 {
		k := padded[7*i : 7*i+7]
		var key [8]byte // 7 bits a byte; the lowest is parity
		for j := range key {
			var v uint16
			if j > 0 {
				v = uint16(k[j-1]) << 8
			}
			if j < 7 {
				v |= uint16(k[j])
			}
			key[j] = byte(v>>j) &^ 1
		}
		if c, err := des.NewCipher(key[:]); err == nil {
			c.Encrypt(out[8*i:], data)
		}
	}
	return out
}

// upper returns a name in capitals, as UTF-16.
func upper(t auth.Text) []byte {
	b := plain(t)
	for i := 0; i+1 < len(b); i += 2 {
		if r := unicode.ToUpper(rune(b[i]) | rune(b[i+1])<<8); r < 1<<16 {
			b[i], b[i+1] = byte(r), byte(r>>8)
		}
	}
	return b
}

// plain returns a name as UTF-16.
func plain(t auth.Text) []byte {
	if t.OEM {
		return encodeUTF16(utf16.Encode([]rune(string(t.Raw))))
	}
	return append([]byte{}, wire.UTF16(t.Raw)...)
}

package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"

	"github.com/odxray/odxray/dissect/smb2"
)

// Keys are the keys of a session, made of its session key. Any of them may be nil:
// unknown. Encryption keys belong to a session, signing keys to one of its channels.
type Keys struct {
	Signing        []byte
	ClientToServer []byte // what the client encrypts with: ServerIn, EncryptionKey of the client
	ServerToClient []byte // ServerOut, DecryptionKey of the client
}

// Preauth is the hash of what was said before keys were known: NEGOTIATE and
// SESSION_SETUP messages. Dialect 3.1.1 binds keys to it. [MS-SMB2] 3.1.5.2
type Preauth [sha512.Size]byte

// Add takes the next message, from its SMB2 header to its end.
func (p *Preauth) Add(message []byte) {
	h := sha512.New()
	h.Write(p[:])
	h.Write(message)
	h.Sum(p[:0])
}

// Derive makes the keys of a session from the key that its authentication left.
// Before dialect 3.0 that key signs itself. p is needed in dialect 3.1.1 only.
// [MS-SMB2] 3.1.4.2, 3.2.5.3.1
func Derive(d smb2.Dialect, c smb2.Cipher, sessionKey []byte, p *Preauth) Keys {
	short := make([]byte, 16) // a shorter key is padded with zeros
	copy(short, sessionKey)
	switch {
	case d < smb2.Dialect300 || d == smb2.DialectWildcard:
		return Keys{Signing: short}
	case d < smb2.Dialect311:
		return Keys{
			Signing:        derive(short, "SMB2AESCMAC\x00", []byte("SmbSign\x00"), 16),
			ClientToServer: derive(short, "SMB2AESCCM\x00", []byte("ServerIn \x00"), 16),
			ServerToClient: derive(short, "SMB2AESCCM\x00", []byte("ServerOut\x00"), 16),
		}
	}
	full, size := short, 16
	if c == smb2.AES256CCM || c == smb2.AES256GCM {
		// "Session.FullSessionKey": keys of 256 bits need more than 16 bytes of it.
		if size = 32; len(sessionKey) > 16 {
			full = sessionKey
		}
	}
	return Keys{
		Signing:        derive(short, "SMBSigningKey\x00", p[:], 16),
		ClientToServer: derive(full, "SMBC2SCipherKey\x00", p[:], size),
		ServerToClient: derive(full, "SMBS2CCipherKey\x00", p[:], size),
	}
}

// derive is the key derivation function in counter mode with HMAC-SHA256, r = 32.
// [SP800-108] 5.1
func derive(key []byte, label string, context []byte, size int) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte{0, 0, 0, 1})
	h.Write([]byte(label))
	h.Write([]byte{0})
	h.Write(context)
	h.Write([]byte{0, 0, byte(size * 8 >> 8), byte(size * 8)})
	return h.Sum(nil)[:size]
}

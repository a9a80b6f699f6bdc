package seal

import (
	"crypto/cipher"

	"github.com/odxray/odxray/dissect/smb2"
)

// Seal appends a transform header and the message encrypted behind it. A nonce of
// a.NonceSize() bytes must never come twice with a key: the caller counts.
// [MS-SMB2] 2.2.41, 3.1.4.3
func Seal(dst []byte, a cipher.AEAD, nonce []byte, sessionID uint64, message []byte) []byte {
	start := len(dst)
	h := smb2.TransformHeader{Nonce: nonce, OriginalSize: uint32(len(message)), Flags: 1, SessionID: sessionID}
	dst = h.Append(dst)
	head := len(dst)
	dst = a.Seal(dst, nonce, message, dst[start+20:head])
	tag := len(dst) - tagSize
	copy(dst[start+4:], dst[tag:])
	return dst[:tag]
}

// Put signs a message in place: its flag, then its signature. [MS-SMB2] 3.1.4.1
func (s *Signer) Put(message []byte) {
	message[flagsOffset] |= byte(smb2.FlagSigned)
	sig := s.Sign(message)
	copy(message[signatureOffset:], sig[:])
}

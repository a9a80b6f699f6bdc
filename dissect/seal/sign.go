package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"hash"

	"github.com/odxray/odxray/dissect/smb2"
)

// Signer computes the signatures of one key. [MS-SMB2] 3.1.4.1
type Signer struct {
	mac     hash.Hash // HMAC-SHA256
	cmac    *cmac
	gmac    cipher.AEAD
	scratch []byte
}

// Where the header holds what signing needs. [MS-SMB2] 2.2.1.2
const (
	headerSize      = 64
	commandOffset   = 12
	flagsOffset     = 16
	messageIDOffset = 24
	signatureOffset = 48
)

// NewSigner returns a Signer; nil if the algorithm is unknown or the key of another
// size than 16 bytes.
func NewSigner(s smb2.Signing, key []byte) *Signer {
	if len(key) != 16 {
		return nil
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	switch s {
	case smb2.HMACSHA256:
		return &Signer{mac: hmac.New(sha256.New, key)}
	case smb2.AESCMAC:
		return &Signer{cmac: newCMAC(block)}
	case smb2.AESGMAC:
		if a, err := cipher.NewGCM(block); err == nil {
			return &Signer{gmac: a}
		}
	}
	return nil
}

var zeros [tagSize]byte

// Sign returns the signature of a message, given from its header to its end with the
// padding before the next one of its chain.
func (s *Signer) Sign(message []byte) (sig [tagSize]byte) {
	if len(message) < headerSize {
		return sig
	}
	head, tail := message[:signatureOffset], message[headerSize:]
	switch {
	case s.mac != nil:
		s.mac.Reset()
		s.mac.Write(head)
		s.mac.Write(zeros[:])
		s.mac.Write(tail)
		var sum [sha256.Size]byte
		s.mac.Sum(sum[:0])
		return [tagSize]byte(sum[:])
	case s.cmac != nil:
		return s.cmac.sum(head, zeros[:], tail)
	}
	nonce := s.nonce(message)
	s.scratch = append(append(append(s.scratch[:0], head...), zeros[:]...), tail...)
	s.gmac.Seal(sig[:0], nonce[:], nil, s.scratch)
	return sig
}

// nonce says who sent which message: "the first 8 bytes are MessageId, bit 0 of the
// next is set by the server, bit 1 for a CANCEL". [MS-SMB2] 3.1.4.1
func (s *Signer) nonce(message []byte) (n [12]byte) {
	copy(n[:], message[messageIDOffset:messageIDOffset+8])
	n[8] = message[flagsOffset] & byte(smb2.FlagResponse)
	if message[commandOffset] == byte(smb2.Cancel) && message[commandOffset+1] == 0 {
		n[8] |= 2
	}
	return n
}

// Verify reports whether a message has the signature that this key gives it.
func (s *Signer) Verify(message []byte) bool {
	if len(message) < headerSize {
		return false
	}
	want := s.Sign(message)
	return subtle.ConstantTimeCompare(want[:], message[signatureOffset:headerSize]) == 1
}

package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"

	"github.com/odxray/odxray/dissect/smb2"
)

// ErrCut says that a message cannot be opened because the capture holds a part of it.
var ErrCut = errors.New("the message was not captured whole")

// KeySize returns how many bytes the key of a cipher has; 0 if it is unknown.
func KeySize(c smb2.Cipher) int {
	switch c {
	case smb2.AES128CCM, smb2.AES128GCM:
		return 16
	case smb2.AES256CCM, smb2.AES256GCM:
		return 32
	}
	return 0
}

// NewCipher returns what opens messages that were encrypted with that cipher and key.
func NewCipher(c smb2.Cipher, key []byte) (cipher.AEAD, error) {
	if n := KeySize(c); n == 0 || n != len(key) {
		return nil, fmt.Errorf("cipher %v with a key of %d bytes", c, len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if c == smb2.AES128CCM || c == smb2.AES256CCM {
		return &ccm{block: block, nonceSize: 11, tagSize: tagSize}, nil
	}
	return cipher.NewGCM(block)
}

// Open decrypts the message of a transform header and appends it to dst. An empty dst
// with room for the message and 16 bytes more is not allocated anew.
func Open(dst []byte, a cipher.AEAD, h *smb2.TransformHeader) ([]byte, error) {
	if uint64(len(h.Data)) < uint64(h.OriginalSize) || len(h.Nonce) < a.NonceSize() || len(h.Signature) != tagSize {
		return nil, ErrCut
	}
	n := len(dst)
	dst = append(append(dst, h.Data[:h.OriginalSize]...), h.Signature...)
	b, err := a.Open(dst[:n], h.Nonce[:a.NonceSize()], dst[n:], h.Associated)
	if err != nil {
		return nil, ErrTag
	}
	return b, nil
}

package seal

import (
	"crypto/cipher"
	"crypto/subtle"
	"errors"
)

// ErrTag says that a message is not what its sender sealed, or that the key is not
// the one it was sealed with.
var ErrTag = errors.New("the tag does not fit message and key")

const (
	blockSize = 16 // of AES
	tagSize   = 16 // of everything in SMB2
)

// ccm is AES-CCM. RFC 3610
type ccm struct {
	block     cipher.Block
	nonceSize int // leaves 15-nonceSize bytes for the message's length
	tagSize   int // even, at least 4
}

func (c *ccm) NonceSize() int { return c.nonceSize }
func (c *ccm) Overhead() int  { return c.tagSize }

func (c *ccm) Seal(dst, nonce, plaintext, associated []byte) []byte {
	tag := c.tag(nonce, plaintext, associated)
	n := len(dst)
	dst = append(dst, plaintext...)
	c.stream(nonce, &tag, dst[n:])
	return append(dst, tag[:c.tagSize]...)
}

func (c *ccm) Open(dst, nonce, sealed, associated []byte) ([]byte, error) {
	size := len(sealed) - c.tagSize
	if size < 0 {
		return nil, ErrTag
	}
	var got [blockSize]byte
	copy(got[:], sealed[size:])
	n := len(dst)
	dst = append(dst, sealed[:size]...)
	c.stream(nonce, &got, dst[n:])
	want := c.tag(nonce, dst[n:], associated)
	if subtle.ConstantTimeCompare(want[:c.tagSize], got[:c.tagSize]) != 1 {
		clear(dst[n:])
		return nil, ErrTag
	}
	return dst, nil
}

// stream encrypts or decrypts tag and text in place. RFC 3610 2.3
func (c *ccm) stream(nonce []byte, tag *[blockSize]byte, text []byte) {
	var counter [blockSize]byte
	counter[0] = byte(14 - c.nonceSize)
	copy(counter[1:], nonce)
	s := cipher.NewCTR(c.block, counter[:])
	s.XORKeyStream(tag[:], tag[:])
	s.XORKeyStream(text, text)
}

// tag computes the CBC-MAC. RFC 3610 2.2
func (c *ccm) tag(nonce, text, associated []byte) (t [blockSize]byte) {
	var first [blockSize]byte
	first[0] = byte((c.tagSize-2)/2<<3 | (14 - c.nonceSize))
	if len(associated) > 0 {
		first[0] |= 0x40
	}
	copy(first[1:], nonce)
	for i, n := blockSize-1, len(text); i > c.nonceSize; i-- {
		first[i], n = byte(n), n>>8
	}
	m := newCBCMAC(c.block)
	m.write(first[:])
	if n := len(associated); n > 0 { // at most 64 KiB in SMB2: 32 bytes
		m.write([]byte{byte(n >> 8), byte(n)})
		m.write(associated)
		m.pad()
	}
	m.write(text)
	m.pad()
	return m.state
}

// cbcMAC chains blocks.
type cbcMAC struct {
	mode  cipher.BlockMode
	state [blockSize]byte // the last block that came out
	buf   [64 * blockSize]byte
	n     int // bytes in buf
}

func newCBCMAC(block cipher.Block) *cbcMAC {
	return &cbcMAC{mode: cipher.NewCBCEncrypter(block, make([]byte, blockSize))}
}

// write takes bytes; a full buffer stays until more come, for whoever treats the last
// block as a special one.
func (m *cbcMAC) write(b []byte) {
	for len(b) > 0 {
		if m.n == len(m.buf) {
			m.flush()
		}
		k := copy(m.buf[m.n:], b)
		m.n += k
		b = b[k:]
	}
}

// pad fills the last block with zeros, and ends it.
func (m *cbcMAC) pad() {
	for m.n%blockSize != 0 {
		m.buf[m.n] = 0
		m.n++
	}
	m.flush()
}

// flush chains the blocks in the buffer, which must be whole.
func (m *cbcMAC) flush() {
	if m.n > 0 {
		m.mode.CryptBlocks(m.buf[:m.n], m.buf[:m.n])
		copy(m.state[:], m.buf[m.n-blockSize:m.n])
		m.n = 0
	}
}

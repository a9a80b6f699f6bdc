package seal

import "crypto/cipher"

// cmac is AES-CMAC. RFC 4493
type cmac struct {
	block  cipher.Block
	k1, k2 [blockSize]byte
}

func newCMAC(block cipher.Block) *cmac {
	c := &cmac{block: block}
	block.Encrypt(c.k1[:], c.k1[:])
	double(&c.k1)
	c.k2 = c.k1
	double(&c.k2)
	return c
}

// double multiplies by x in GF(2^128).
func double(b *[blockSize]byte) {
	carry := b[0] >> 7
	for i := range blockSize - 1 {
		b[i] = b[i]<<1 | b[i+1]>>7
	}
	b[blockSize-1] = b[blockSize-1]<<1 ^ carry*0x87
}

// sum returns the code of the parts of a message.
func (c *cmac) sum(parts ...[]byte) [tagSize]byte {
	m := newCBCMAC(c.block)
	for _, p := range parts {
		m.write(p)
	}
	key := &c.k1
	if m.n%blockSize != 0 || m.n == 0 {
		m.buf[m.n] = 0x80
		m.n++
		for ; m.n%blockSize != 0; m.n++ {
			m.buf[m.n] = 0
		}
		key = &c.k2
	}
	for i, k := range key {
		m.buf[m.n-blockSize+i] ^= k
	}
	m.flush()
	return m.state
}

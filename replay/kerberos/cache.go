package kerberos

import "encoding/binary"

// sound reports whether a credential cache is what it claims to be, as far as the lengths
// in it go: gokrb5 takes them on trust, and makes as much room as they say.
// https://web.mit.edu/kerberos/krb5-latest/doc/formats/ccache_file_format.html
func sound(b []byte) bool {
	c := cacheReader{b: b, ok: true}
	if c.u8() != 5 {
		return false
	}
	version := c.u8()
	switch version {
	case 3:
	case 4:
		c.skip(uint32(c.u16())) // the header
	default: // 1 and 2 are in the byte order of the machine that wrote them
		return false
	}
	c.principal()
	for c.ok && len(c.b) > 0 {
		c.principal() // client
		c.principal() // server
		if c.u16(); version == 3 {
			c.u16() // the type of the key, again
		}
		c.data()
		c.skip(4*4 + 1 + 4) // times, is_skey, flags
		for range 2 {       // addresses, authorization data
			for n := c.u32(); n > 0 && c.ok; n-- {
				c.u16()
				c.data()
			}
		}
		c.data() // ticket
		c.data() // second ticket
	}
	return c.ok
}

// cacheReader goes through a cache; ok is false once it has come to the end too early.
type cacheReader struct {
	b  []byte
	ok bool
}

func (c *cacheReader) take(n uint32) []byte {
	if !c.ok || uint64(n) > uint64(len(c.b)) {
		c.ok = false
		return make([]byte, 4)
	}
	taken := c.b[:n]
	c.b = c.b[n:]
	return taken
}

func (c *cacheReader) skip(n uint32) { c.take(n) }
func (c *cacheReader) data()         { c.take(c.u32()) }
func (c *cacheReader) u8() uint8     { return c.take(1)[0] }
func (c *cacheReader) u16() uint16   { return binary.BigEndian.Uint16(c.take(2)) }
func (c *cacheReader) u32() uint32   { return binary.BigEndian.Uint32(c.take(4)) }

// principal goes over a name: its type, its parts, the realm before them.
func (c *cacheReader) principal() {
	c.u32()
	n := c.u32()
	c.data()
	for ; n > 0 && c.ok; n-- {
		c.data()
	}
}

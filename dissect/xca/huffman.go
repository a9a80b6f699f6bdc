package xca

// Blocks of LZ77+Huffman hold 64 KiB of output each and have a code of their own.
// [MS-XCA] 2.1
const (
	symbols    = 512 // 256 literals, and matches by 16 lengths and 16 sizes of distances
	tableSize  = symbols / 2
	blockBytes = 1 << 16
	codeBits   = 15 // of the longest code
)

// code is a canonical Huffman code.
type code struct {
	first  [codeBits + 2]uint32 // of each length: the first code, aligned to codeBits
	index  [codeBits + 2]uint32 // and where its symbols begin in sorted
	sorted [symbols]uint16      // symbols by length, then by value
}

// read takes the lengths of codes, two a byte. ok is false if there is no room for so
// many. [MS-XCA] 2.2.4
func (c *code) read(lengths []byte) (ok bool) {
	var count [codeBits + 1]uint32
	length := func(s int) byte { return lengths[s/2] >> (4 * (s & 1)) & 15 }
	for s := range symbols {
		count[length(s)]++
	}
	next, at := uint32(0), uint32(0)
	var fill [codeBits + 1]uint32
	for n := 1; n <= codeBits; n++ {
		c.first[n], c.index[n], fill[n] = next, at, at
		next += count[n] << (codeBits - n)
		at += count[n]
	}
	c.first[codeBits+1], c.index[codeBits+1] = next, at
	for s := range symbols {
		if n := length(s); n > 0 {
			c.sorted[fill[n]] = uint16(s)
			fill[n]++
		}
	}
	return next <= 1<<codeBits
}

// find returns the symbol whose code the first of codeBits bits are, and the length of
// that; 0 if they are none.
func (c *code) find(bits uint32) (symbol uint16, length int) {
	n := 1
	for bits >= c.first[n+1] {
		if n++; n > codeBits {
			return 0, 0
		}
	}
	return c.sorted[c.index[n]+(bits-c.first[n])>>(codeBits-n)], n
}

// huffman decompresses LZ77+Huffman. [MS-XCA] 2.2.4
func huffman(w *window, src []byte) error {
	in := input{b: src}
	var c code
	for !w.full() {
		if len(in.b) < tableSize || !c.read(in.b[:tableSize]) {
			return ErrDamaged
		}
		in.b = in.b[tableSize:]
		if err := huffmanBlock(w, &in, &c, min(w.end, len(w.out)+blockBytes)); err != nil {
			return err
		}
	}
	return nil
}

func huffmanBlock(w *window, in *input, c *code, end int) error {
	bits := uint32(in.u16()<<16 | in.u16())
	extra := 16 // bits at hand beyond the 16 that there always are
	drop := func(n int) {
		bits <<= n
		if extra -= n; extra < 0 {
			bits |= uint32(in.u16()) << -extra
			extra += 16
		}
	}
	for len(w.out) < end {
		s, n := c.find(bits >> (32 - codeBits))
		// A compressor writes all bits that are looked at ahead, or at most 32 less.
		if n == 0 || in.over > 4 {
			return ErrDamaged
		}
		drop(n)
		if s < 256 {
			w.literal(byte(s))
			continue
		}
		length, size := uint64(s)&15, int(s-256)>>4
		if length == 15 {
			if length = in.u8(); length == 255 {
				if length = in.u16(); length == 0 {
					length = in.u32()
				}
				if length < 15 {
					return ErrDamaged
				}
				length -= 15
			}
			length += 15
		}
		distance := uint64(1)<<size + uint64(bits)>>(32-size)
		drop(size)
		if !w.match(distance, length+3) {
			return ErrDamaged
		}
	}
	return nil
}

package xca

import "math/bits"

// chunkBytes is what a chunk of LZNT1 becomes at most. [MS-XCA] 2.5.1
const chunkBytes = 4096

// lznt1 decompresses chunks, each of which knows nothing of the others. [MS-XCA] 2.5
func lznt1(w *window, src []byte) error {
	in := input{b: src}
	for !w.full() {
		header := in.u16()
		size := int(header&0xfff) + 1
		if in.over > 0 || header == 0 || header>>12&7 != 3 || size > len(in.b) {
			return ErrDamaged
		}
		data := in.b[:size]
		in.b = in.b[size:]
		if header>>15 == 0 {
			for _, b := range data {
				if !w.literal(b) {
					return ErrDamaged
				}
			}
			continue
		}
		chunk := window{out: w.out, start: len(w.out), end: min(w.end, len(w.out)+chunkBytes)}
		if err := lznt1Chunk(&chunk, data); err != nil {
			return err
		}
		w.out = chunk.out
	}
	return nil
}

// lznt1Chunk decompresses a chunk: 8 flags, each for a literal or a match.
func lznt1Chunk(w *window, data []byte) error {
	in := input{b: data}
	for len(in.b) > 0 {
		flags := in.u8()
		for i := 0; i < 8 && len(in.b) > 0; i++ {
			if flags>>i&1 == 0 {
				if !w.literal(byte(in.u8())) {
					return ErrDamaged
				}
				continue
			}
			v := in.u16()
			// The further into the chunk, the more bits for the distance: 4 to 12.
			n := 16 - max(4, bits.Len(uint(max(w.made(), 1)-1)))
			if in.over > 0 || n < 4 || !w.match(v>>n+1, v&(1<<n-1)+3) {
				return ErrDamaged
			}
		}
	}
	return nil
}

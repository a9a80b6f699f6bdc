package xca

// lz77 decompresses plain LZ77: 32 flags, each for a literal or a match. [MS-XCA] 2.4.4
func lz77(w *window, src []byte) error {
	in := input{b: src}
	var flags uint64
	left := 0        // of flags
	var half uint64  // the upper half of a byte of lengths
	hasHalf := false // nobody has used it yet
	for !w.full() && in.over == 0 {
		if left == 0 {
			flags, left = in.u32(), 32
		}
		left--
		if flags>>left&1 == 0 {
			if b := byte(in.u8()); in.over == 0 {
				w.literal(b)
			}
			continue
		}
		v := in.u16()
		length := v & 7
		if length == 7 {
			if hasHalf {
				length = half
			} else {
				b := in.u8()
				length, half = b&15, b>>4
			}
			hasHalf = !hasHalf
			if length == 15 {
				if length = in.u8(); length == 255 {
					if length = in.u16(); length == 0 {
						length = in.u32()
					}
					if length < 15+7 {
						return ErrDamaged
					}
					length -= 15 + 7
				}
				length += 15
			}
			length += 7
		}
		if in.over > 0 || !w.match(v>>3+1, length+3) {
			return ErrDamaged
		}
	}
	return nil
}

package xca

import (
	"slices"

	"github.com/pierrec/lz4/v4"
)

// maxRatio is what a byte of LZ4 becomes at most.
const maxRatio = 255

// lz4 decompresses an LZ4 block.
func (w *window) lz4(src []byte) error {
	size := w.end - w.start
	if size == 0 && len(src) == 1 && src[0] == 0 {
		return nil // the library does not take an empty destination
	}
	if size == 0 || size > maxRatio*len(src) {
		return ErrDamaged
	}
	w.out = slices.Grow(w.out, size)
	n, err := lz4.UncompressBlock(src, w.out[w.start:w.end:w.end])
	if err != nil || n != size {
		return ErrDamaged
	}
	w.out = w.out[:w.end]
	return nil
}

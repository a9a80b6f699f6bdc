// Package xca decompresses what SMB2 compresses: LZNT1, LZ77, LZ77+Huffman, LZ4 and
// Pattern_V1. [MS-XCA], [MS-SMB2] 3.1.4.4
//
// A stream comes from whoever made the capture. How much it becomes is told before,
// and no decompressor makes more of it, or holds more than that at once.
package xca

import (
	"errors"

	"github.com/odxray/odxray/dissect/smb2"
)

var (
	// ErrDamaged reports a stream that its compressor cannot have made.
	ErrDamaged = errors.New("the compressed data is damaged")
	// ErrSize reports a message that says it becomes larger than sides have agreed on.
	ErrSize = errors.New("the compressed data becomes larger than was negotiated")
	// ErrAlgorithm reports an algorithm that there is none of.
	ErrAlgorithm = errors.New("the compression algorithm is unknown")
)

// Message appends to dst what a compressed message was before, of at most limit bytes.
// [MS-SMB2] 3.2.5.1.10, 3.3.5.2.13
func Message(dst []byte, h *smb2.CompressionHeader, limit int) ([]byte, error) {
	start := len(dst)
	if uint64(h.OriginalSize)+uint64(len(h.Plain)) > uint64(max(limit, 0)) {
		return dst, ErrSize
	}
	if !h.Chained {
		return Decompress(append(dst, h.Plain...), h.Data, h.Algorithm, int(h.OriginalSize))
	}
	size := int(h.OriginalSize)
	var err error
	for p := range h.Payloads.Each {
		left := size - (len(dst) - start)
		if dst, err = payload(dst, &p, left); err != nil {
			return dst, err
		}
	}
	if len(dst)-start != size {
		return dst, ErrDamaged
	}
	return dst, nil
}

// payload appends what a link of a chain was, of at most limit bytes.
func payload(dst []byte, p *smb2.Payload, limit int) ([]byte, error) {
	switch p.Algorithm {
	case smb2.CompressionNone:
		if len(p.Data) > limit {
			return dst, ErrDamaged
		}
		return append(dst, p.Data...), nil
	case smb2.PatternV1:
		if uint64(p.Repetitions) > uint64(limit) {
			return dst, ErrDamaged
		}
		var run [1024]byte
		for i := range run {
			run[i] = p.Pattern
		}
		for n := int(p.Repetitions); n > 0; n -= len(run) {
			dst = append(dst, run[:min(n, len(run))]...)
		}
		return dst, nil
	}
	if uint64(p.OriginalSize) > uint64(limit) {
		return dst, ErrDamaged
	}
	return Decompress(dst, p.Data, p.Algorithm, int(p.OriginalSize))
}

// Decompress appends the size bytes that src was made of.
func Decompress(dst, src []byte, algorithm smb2.Compression, size int) ([]byte, error) {
	w := window{out: dst, start: len(dst), end: len(dst) + size}
	var err error
	switch algorithm {
	case smb2.LZNT1:
		err = lznt1(&w, src)
	case smb2.LZ77:
		err = lz77(&w, src)
	case smb2.LZ77Huffman:
		err = huffman(&w, src)
	case smb2.LZ4:
		err = w.lz4(src)
	default:
		err = ErrAlgorithm
	}
	if err == nil && len(w.out) != w.end {
		err = ErrDamaged
	}
	return w.out, err
}

// window is what has been decompressed, which matches refer to.
type window struct {
	out        []byte
	start, end int // of this stream in out
}

// full reports whether everything is there.
func (w *window) full() bool { return len(w.out) >= w.end }

// made returns how many bytes are there.
func (w *window) made() int { return len(w.out) - w.start }

// literal appends a byte.
func (w *window) literal(b byte) bool {
	if w.full() {
		return false
	}
	w.out = append(w.out, b)
	return true
}

// match appends the length bytes that lie distance back, some of which it may be that
// appends.
func (w *window) match(distance, length uint64) bool {
	if distance == 0 || distance > uint64(w.made()) || length > uint64(w.end-len(w.out)) {
		return false
	}
	from, n := len(w.out)-int(distance), int(length)
	for n > 0 {
		k := min(n, len(w.out)-from)
		w.out = append(w.out, w.out[from:from+k]...)
		n -= k
	}
	return true
}

// input is a stream of bytes. What is past its end is zero, and sets over.
type input struct {
	b    []byte
	over int // bytes read past the end
}

func (in *input) u8() uint64 {
	if len(in.b) == 0 {
		in.over++
		return 0
	}
	v := in.b[0]
	in.b = in.b[1:]
	return uint64(v)
}

func (in *input) u16() uint64 { v := in.u8(); return v | in.u8()<<8 }
func (in *input) u32() uint64 { v := in.u16(); return v | in.u16()<<16 }

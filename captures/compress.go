package captures

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow is the largest zstd window that is accepted: what zstd itself takes
// without being told to take more (--long=27), and what its level 22 uses. A file
// that only claims to need it has it set aside, but not filled.
const maxWindow = 128 << 20

// uncompress returns what src holds, which begins with head, and the name of the
// compression. Of the result nothing is held but the window that the compression
// needs, so it does not matter how large it gets.
func uncompress(head []byte, src io.Reader) (out io.Reader, name string, done io.Closer, err error) {
	whole := io.MultiReader(bytes.NewReader(head), src)
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}):
		z, err := gzip.NewReader(whole)
		if err != nil {
			return nil, "", nil, corrupt(err)
		}
		return plain{z}, "gzip", nil, nil
	case isZstd(head):
		z, err := zstd.NewReader(whole, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, "", nil, corrupt(err)
		}
		return plain{z}, "zstd", z.IOReadCloser(), nil
	}
	return whole, "", nil, nil
}

// isZstd accepts a frame and a skippable frame, which tools put in front.
func isZstd(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	m := littleEndian.u32(head)
	return m == 0xfd2fb528 || m&^0xf == 0x184d2a50
}

// plain gives the errors of a decompressor their meaning: a file that ends too
// early was cut, everything else is damage.
type plain struct{ r io.Reader }

func (p plain) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if err != nil && err != io.EOF {
		err = corrupt(err)
	}
	return n, err
}

func corrupt(err error) error {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return &Error{Off: -1, What: "needs more than 128 MiB to unpack; unpack it first: zstd -d --long=31", Err: ErrForeign}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		return &Error{What: "the compressed file ends too early", Err: ErrCut}
	}
	return damage("the compressed data are damaged: %v", err)
}

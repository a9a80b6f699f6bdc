package captures

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// ErrSpoolFull: the capture is a stream, and this part of it was not kept because
// the spool had reached its limit.
var ErrSpoolFull = errors.New("these bytes were not kept: the spool is full")

// DefaultSpool is how many bytes a spool takes on disk, if Options do not say.
const DefaultSpool = 4 << 30

// A spool keeps what went by in a stream, in a temporary file, so that packets
// can be read again. It is a row of zstd frames that hold 1 MiB each and stand
// alone, because no reader of gzip or zstd can start in the middle.
type spool struct {
	mu     sync.Mutex
	file   *os.File
	limit  int64
	enc    *zstd.Encoder
	dec    *zstd.Decoder
	ends   []int64 // where each frame ends in the file
	packed []byte  // scratch
	tail   []byte  // what does not fill a frame yet
	err    error   // why nothing more is kept

	cached int // the frame that plain holds; -1 for none
	plain  []byte
}

const spoolFrame = 1 << 20

// newSpool makes a spool in the user's cache directory.
func newSpool(limit int64) (*spool, error) {
	if limit <= 0 {
		limit = DefaultSpool
	}
	dir, err := CacheDir()
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, "spool-*")
	if err != nil {
		return nil, err
	}
	// Where a system lets open files be removed, nothing stays behind whatever
	// happens; Close does it for the others.
	_ = os.Remove(f.Name())
	s := &spool{file: f, limit: limit, cached: -1, tail: make([]byte, 0, spoolFrame)}
	s.enc, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err == nil {
		s.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(spoolFrame))
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// CacheDir makes the user's directory for what can be made again, and returns it.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	dir = filepath.Join(dir, "odxray")
	return dir, os.MkdirAll(dir, 0o700)
}

// keep appends p. An error, or the limit, ends the spool but not the stream.
func (s *spool) keep(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && len(p) > 0 {
		n := min(len(p), spoolFrame-len(s.tail))
		s.tail = append(s.tail, p[:n]...)
		p = p[n:]
		if len(s.tail) == spoolFrame {
			s.flush()
		}
	}
}

func (s *spool) flush() {
	var end int64
	if n := len(s.ends); n > 0 {
		end = s.ends[n-1]
	}
	s.packed = s.enc.EncodeAll(s.tail, s.packed[:0])
	if end+int64(len(s.packed)) > s.limit {
		s.err = ErrSpoolFull
		return
	}
	if _, err := s.file.WriteAt(s.packed, end); err != nil {
		s.err = err
		return
	}
	s.ends = append(s.ends, end+int64(len(s.packed)))
	s.tail = s.tail[:0]
}

// ReadAt reads what was kept.
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for n < len(p) {
		from, err := s.frame(int(off / spoolFrame))
		if err != nil {
			return n, err
		}
		in := int(off % spoolFrame)
		if in >= len(from) {
			return n, io.EOF
		}
		m := copy(p[n:], from[in:])
		n += m
		off += int64(m)
	}
	return n, nil
}

// frame returns the bytes of frame i.
func (s *spool) frame(i int) ([]byte, error) {
	switch {
	case i == len(s.ends):
		if s.err != nil && len(s.tail) < spoolFrame {
			return nil, s.err
		}
		return s.tail, nil
	case i > len(s.ends) && s.err != nil:
		return nil, s.err
	case i > len(s.ends):
		return nil, io.EOF
	case i == s.cached:
		return s.plain, nil
	}
	var start int64
	if i > 0 {
		start = s.ends[i-1]
	}
	n := int(s.ends[i] - start)
	if cap(s.packed) < n {
		s.packed = make([]byte, n)
	}
	b := s.packed[:n]
	if _, err := s.file.ReadAt(b, start); err != nil {
		return nil, err
	}
	s.cached = -1
	var err error
	if s.plain, err = s.dec.DecodeAll(b, s.plain[:0]); err != nil {
		return nil, err
	}
	s.cached = i
	return s.plain, nil
}

// Close removes the spool.
func (s *spool) Close() error {
	if s.enc != nil {
		_ = s.enc.Close() // it has no writer that could fail
	}
	if s.dec != nil {
		s.dec.Close()
	}
	err := s.file.Close()
	if e := os.Remove(s.file.Name()); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// A tee keeps in the spool what goes by.
type tee struct {
	r io.Reader
	s *spool
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.s.keep(p[:n])
	return n, err
}

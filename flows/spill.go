package flows

// What of the index would take too much memory lies in a file of the cache directory, which
// the system has in memory as far as somebody looks at it.

import (
	"errors"
	"os"
	"runtime"
	"unsafe"

	"github.com/odxray/odxray/captures"
)

const (
	maxSpill   = 4 << 30  // bytes on disk
	spillBlock = 16 << 20 // bytes that are mapped at once: a process may have some ten thousand mappings
)

var errSpillFull = errors.New("the index takes as much of the disk as it may")

// spill is that file. The zero spill is ready; it has no file until it holds something.
type spill struct {
	file  *os.File
	block []byte           // the last that was mapped
	used  int              // bytes of it
	size  int64            // of the blocks before it and of it
	most  int64            // bytes of all; maxSpill if it is 0
	err   error            // why it takes no more
	left  map[int][][]byte // places that are free again, by their sizes
}

// leave gives back a place that move has given.
func (s *spill) leave(place []byte) {
	if s.left == nil {
		s.left = make(map[int][][]byte)
	}
	s.left[len(place)] = append(s.left[len(place)], place)
}

// move copies b into the file and returns where it is from now on, which may be written to.
func (s *spill) move(b []byte) ([]byte, error) {
	if free := s.left[len(b)]; len(free) > 0 {
		last := len(free) - 1
		s.left[len(b)] = free[:last]
		copy(free[last], b)
		return free[last], nil
	}
	if s.err == nil {
		s.err = s.room(len(b))
	}
	if s.err == nil {
		// Written, not copied into the mapping: that fails where the disk is full, and a copy faults.
		_, s.err = s.file.WriteAt(b, s.size-int64(len(s.block))+int64(s.used))
	}
	if s.err != nil {
		return nil, s.err
	}
	at := s.block[s.used : s.used+len(b) : s.used+len(b)]
	s.used += len(b)
	return at, nil
}

// room makes room for n bytes in one block.
func (s *spill) room(n int) error {
	if s.used+n <= len(s.block) {
		return nil
	}
	if !mapsFiles {
		return errors.ErrUnsupported // before there is a file, which such systems would keep
	}
	most := s.most
	if most == 0 {
		most = maxSpill
	}
	if n > spillBlock || s.size+spillBlock > most {
		return errSpillFull
	}
	if s.file == nil {
		dir, err := captures.CacheDir()
		if err != nil {
			return err
		}
		if s.file, err = os.CreateTemp(dir, "index-*"); err != nil {
			return err
		}
		_ = os.Remove(s.file.Name()) // nothing stays behind, whatever happens
	}
	if err := s.file.Truncate(s.size + spillBlock); err != nil {
		return err
	}
	block, err := mapFile(s.file, s.size, spillBlock)
	if err != nil {
		return err
	}
	runtime.AddCleanup(s, unmap, block)
	s.block, s.used, s.size = block, 0, s.size+spillBlock
	return nil
}

// chunkBytes returns the bytes of a chunk.
func chunkBytes[T any](chunk *[chunkSize]T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(chunk)), unsafe.Sizeof(*chunk))
}

// spill moves the oldest chunk that is in memory to a file, but not the newest. T holds no
// pointers: the garbage collector does not look into files. It reports false if there is no such
// chunk, or if s takes no more.
func (c *chunks[T]) spill(s *spill) bool {
	from := max(c.spilled, c.gone)
	if from+2*chunkSize > c.n {
		return false
	}
	chunk := &c.list[from/chunkSize]
	b, err := s.move(chunkBytes(*chunk))
	if err != nil {
		return false
	}
	*chunk = (*[chunkSize]T)(unsafe.Pointer(&b[0]))
	c.spilled = from + chunkSize
	return true
}

// spill moves the oldest of what grows with the capture to a file.
func (ix *index) spill() bool {
	moved := ix.frames.spill(ix.file)
	for _, more := range []func(*spill) bool{ix.messages.spill, ix.sends.spill, ix.runs.spill, ix.brought.spill} {
		moved = more(ix.file) || moved
	}
	return moved
}

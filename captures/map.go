package captures

import (
	"io"
	"os"
	"runtime"
)

// A mapping is a file in memory, as long as anything refers to it: a pass may still
// look at packets when somebody closes the Reader.
type mapping struct{ all []byte }

const (
	mapLeast = 1 << 20 // bytes that a file has at least to be mapped: less is read as fast
	mapStep  = 1 << 20 // bytes that are brought in at once, and let go once nobody holds their block
)

// newMapping maps f, from its beginning to where it ends now. It returns nil where that
// is not possible, or of no use.
func newMapping(f *os.File, size int64) *mapping {
	if size < mapLeast || int64(int(size)) != size {
		return nil
	}
	b, err := mapFile(f, int(size))
	if err != nil {
		return nil
	}
	m := &mapping{b}
	runtime.AddCleanup(m, unmap, b)
	return m
}

// advance goes on to a block of the mapping that begins where r is. Where the mapping has
// no more, or cannot give it, it ends the mapping: then the file is read from there, so
// that bytes that came later are found, and errors are what reading says.
func (r *Reader) advance(n int) {
	at, known := r.cur.base+int64(r.off), r.cur.base+int64(r.cur.end)
	size := int64(len(r.mapped.all))
	end := min(max(at+int64(n), known+mapStep), size)
	if end <= known || !bringIn(r.mapped.all, int(known), int(end)) {
		r.mapped, r.src = nil, &counter{r.file, &r.done}
		_, r.srcErr = r.file.Seek(known, io.SeekStart)
		return
	}
	r.done.Add(end - known)
	b := r.views.get()
	b.buf, b.base, b.end, b.of = r.mapped.all[at:end:end], at, int(end-at), r.mapped
	r.cur.release()
	r.cur, r.off = b, 0
}

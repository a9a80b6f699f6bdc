package captures

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/odxray/odxray/captures/linktype"
)

// Reader reads one capture. Next, ReadBatch and the gopacket methods belong to
// one goroutine; At, Comments, Info and Progress may be called from any.
type Reader struct {
	name string
	walk walker
	runs runner // walk, if it is one
	ring *ring

	src    io.Reader // the capture, uncompressed
	eager  bool      // src always has more unless it ends: fill whole blocks
	srcErr error     // why src gave no more; io.EOF at its end

	cur    *block
	off    int   // the next record is at cur.buf[off]
	skip   int64 // bytes to pass over before it
	inside bool  // these bytes do not end their record
	found  int64 // length of the packet record that step found
	number int
	err    error // given by every call from now on

	scratch Packet

	random  io.ReaderAt // the capture, uncompressed; nil without random access
	window  window
	closers []io.Closer
	once    sync.Once
	done    atomic.Int64 // bytes taken from the file on disk
	size    int64

	compression string
	link        linktype.Type // of the first packet, if there has been one
	ancillary   []any         // for gopacket, made anew only when the link type changes
}

// Open opens a capture. "-" is standard input.
func Open(path string) (*Reader, error) { return OpenWith(path, Options{}) }

// Options change how a capture is opened.
type Options struct {
	// Random makes At work for captures that cannot be read at any place
	// (compressed files, standard input): what goes by is kept in a temporary
	// file in the user's cache directory until Close.
	Random bool
	// Spool is how many bytes that file may take; 0 means DefaultSpool. What comes
	// later cannot be read again.
	Spool int64
	// Follow reads on where a file (and no pipe) ends, as it grows, until the channel
	// is closed.
	Follow <-chan struct{}

	moved func() bool // with Follow: nothing more will come
}

const stdinName = "standard input"

// OpenWith opens a capture with options.
func OpenWith(path string, opt Options) (*Reader, error) {
	if path == "-" {
		return newReader(os.Stdin, stdinName, opt)
	}
	f, err := os.Open(path)
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, &Error{File: path, Off: -1, Err: err}
	}
	r, err := newReader(f, path, opt)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.closers = append(r.closers, f)
	return r, nil
}

// NewReader reads a capture from a stream; name is for messages. If src can be
// read at any place (io.ReaderAt and io.Seeker), so can the Reader. Close does not
// close src.
func NewReader(src io.Reader, name string) (*Reader, error) {
	return newReader(src, name, Options{})
}

func newReader(src io.Reader, name string, opt Options) (*Reader, error) {
	r := &Reader{name: name, ring: newRing(blockBytes)}
	grows := opt.Follow != nil
	if f, ok := src.(*os.File); ok {
		st, err := f.Stat()
		if err == nil && st.IsDir() {
			err = errors.New("is a directory")
		}
		if err != nil {
			return nil, &Error{File: name, Off: -1, Err: err}
		}
		if st.Mode().IsRegular() {
			r.size = st.Size()
		} else {
			grows = false // a pipe waits for more by itself
		}
	}
	if s, ok := src.(io.Seeker); ok {
		if at, err := s.Seek(0, io.SeekCurrent); err == nil && at == 0 {
			r.random, r.eager = src.(io.ReaderAt)
		}
	}
	if grows {
		src, r.eager, r.size = &follower{src, opt.Follow, opt.moved}, false, 0
	}
	if err := r.open(&counter{src, &r.done}, opt); err != nil {
		r.Close()
		return nil, r.fail(0, err)
	}
	// The walk begins at the end of a block without bytes, which nobody gives back.
	r.cur = &block{}
	r.cur.refs.Store(2)
	if err := r.begin(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// open sets src: it undoes a compression, and keeps what can be had only once.
func (r *Reader) open(src io.Reader, opt Options) error {
	head := make([]byte, longestHead)
	n, err := io.ReadFull(src, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	plain, name, closer, err := uncompress(head[:n], src)
	if err != nil {
		return err
	}
	r.src, r.compression = plain, name
	if closer != nil {
		r.closers = append(r.closers, closer)
	}
	if name != "" {
		r.random, r.eager = nil, true
	}
	if r.random == nil && opt.Random {
		s, err := newSpool(opt.Spool)
		if err != nil {
			return err
		}
		r.closers = append(r.closers, s)
		r.random, r.src = s, &tee{plain, s}
	}
	return nil
}

// begin tells the format and goes to the first packet, so that interfaces and
// the link type are known before it is asked for; in a stream only as far as it
// has come.
func (r *Reader) begin() error {
	w, n, err := detect(func(n int) []byte {
		r.need(n)
		return r.cur.buf[r.off:r.cur.end]
	}, r.name)
	if err != nil {
		if r.srcErr != nil && r.srcErr != io.EOF {
			err = r.srcErr
		}
		return r.fail(0, err)
	}
	r.walk = w
	r.runs, _ = w.(runner)
	r.off += n
	if !r.eager {
		r.here(&r.scratch)
		return nil
	}
	if !r.step(&r.scratch) && errors.Is(r.err, ErrNotCapture) {
		return r.err
	}
	return nil
}

// A counter counts what was read.
type counter struct {
	r io.Reader
	n *atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// Name returns the name the capture was opened by.
func (r *Reader) Name() string { return r.name }

// Next reads the next packet. p.Data is valid until the next call. After the last
// packet it returns io.EOF, or an *Error if the file does not end well.
func (r *Reader) Next(p *Packet) error {
	if !r.step(p) {
		return r.err
	}
	r.take(p)
	return nil
}

// take makes the packet that step found the last one read.
func (r *Reader) take(p *Packet) {
	p.Pos = r.cur.base + int64(r.off)
	r.number++
	p.Number = r.number
	p.File, p.InFile = 0, 0
	if r.number == 1 {
		r.link = p.Link
	}
	r.off += int(r.found)
}

// step finds the next packet and stays before it; take goes past it. It reports
// false and sets err where there is none.
func (r *Reader) step(p *Packet) bool {
	for r.err == nil {
		if !r.pass() {
			r.end()
			return false
		}
		n, s, err := r.walk.record(r.cur.buf[r.off:r.cur.end], r.cur.base+int64(r.off), p)
		switch {
		case err != nil:
			r.err = r.fail(r.cur.base+int64(r.off), err)
			return false
		case s == stepPacket:
			r.found = n
			return true
		case s != stepMore:
			r.skip, r.inside = n, s == stepPart
		case !r.need(int(n)):
			r.end()
			return false
		}
	}
	return false
}

// pass goes over what is to be skipped.
func (r *Reader) pass() bool {
	for r.skip > 0 {
		n := min(r.skip, int64(r.cur.end-r.off))
		r.off += int(n)
		if r.skip -= n; r.skip > 0 && !r.need(1) {
			return false
		}
	}
	return true
}

// end sets err where the source gave no more.
func (r *Reader) end() {
	at := r.cur.base + int64(r.off)
	switch {
	case r.srcErr != io.EOF:
		r.err = r.fail(at, r.srcErr)
	case r.off == r.cur.end && r.skip == 0 && !r.inside:
		r.err = io.EOF
	default:
		r.err = r.fail(at, ErrCut)
	}
}

// need makes n bytes available from off on, if the source has them. What is left
// of the current block goes to the front of the next.
func (r *Reader) need(n int) bool {
	rest := r.cur.buf[r.off:r.cur.end]
	if len(rest) >= n {
		return true
	}
	if r.srcErr != nil {
		return false
	}
	b := r.ring.get()
	start := blockFront - len(rest)
	copy(b.buf[start:], rest)
	b.base = r.cur.base + int64(r.off-start)
	b.end = blockFront
	most := max(blockFront+blockSize, start+n)
	for r.srcErr == nil && (b.end-start < n || r.eager && b.end < most) {
		var m int
		m, r.srcErr = r.src.Read(b.buf[b.end:most])
		b.end += m
	}
	r.cur.release()
	r.cur, r.off = b, start
	return b.end-start >= n
}

// fail completes an error with file and offset.
func (r *Reader) fail(off int64, err error) error {
	var e *Error
	switch {
	case errors.As(err, &e) && e.File == "":
		complete := *e
		complete.File = r.name
		if complete.Off >= 0 {
			complete.Off += off
		}
		return &complete
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{File: r.name, Off: off, Err: ErrCut}
	}
	return &Error{File: r.name, Off: off, Err: err}
}

// ReadBatch reads packets up to the end of a block, at least one. The caller
// gives the block back with b.Release. Errors are those of Next; a batch that
// comes with one is empty.
func (r *Reader) ReadBatch(b *Batch) error {
	b.Packets = nil
	p := &r.scratch
	if !r.step(p) {
		return r.err
	}
	// The block is new or was read by Next: what an earlier batch holds has been
	// read to its end, so its list of packets is not touched.
	k := r.cur
	list := append(k.packets[:0], *p)
	r.take(&list[0])
	for {
		if r.runs != nil && r.skip == 0 {
			n, size := len(list), 0
			list, size = r.runs.run(list, k.buf[r.off:k.end], k.base+int64(r.off), r.number)
			r.number += len(list) - n
			r.off += size
		}
		// Packets are read where they are listed: they are large to copy.
		if list, p = next(list); !r.here(p) {
			list = list[:len(list)-1]
			break
		}
		r.take(p)
	}
	k.packets = list
	b.Packets = list
	b.hold(k)
	return nil
}

// here is step within the block at hand. Where it reports false, step goes on.
func (r *Reader) here(p *Packet) bool {
	for r.skip <= int64(r.cur.end-r.off) {
		r.off += int(r.skip)
		r.skip = 0
		n, s, err := r.walk.record(r.cur.buf[r.off:r.cur.end], r.cur.base+int64(r.off), p)
		switch {
		case err != nil || s == stepMore:
			return false
		case s == stepPacket:
			r.found = n
			return true
		}
		r.skip, r.inside = n, s == stepPart
	}
	return false
}

// Close closes the file.
func (r *Reader) Close() error {
	var err error
	r.once.Do(func() {
		if r.err == nil {
			r.err = &Error{File: r.name, Off: -1, Err: os.ErrClosed}
		}
		for _, c := range r.closers {
			err = errors.Join(err, c.Close())
		}
	})
	return err
}

// Progress tells how much of the file on disk has been read, and its size, 0 if
// that is unknown.
func (r *Reader) Progress() (done, size int64) { return r.done.Load(), r.size }

// Info describes the file, with the interfaces met so far.
func (r *Reader) Info() FileInfo {
	f := FileInfo{Name: r.name, Compression: r.compression}
	if s, ok := r.random.(*spool); ok {
		f.Spool = filepath.Dir(s.file.Name())
	}
	r.walk.info(&f)
	return f
}

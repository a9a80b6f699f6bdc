package captures

import (
	"errors"
	"io"
	"sync"
)

// ErrNoRandom: the capture comes from a stream and was opened without
// Options.Random.
var ErrNoRandom = errors.New("packets of a stream cannot be read again")

// A window keeps the piece of the file that was looked at last: the frames of a
// message lie close together.
type window struct {
	mu  sync.Mutex
	buf []byte
	pos int64
}

const windowSize = 64 << 10

// look returns at least n bytes of the file from pos on, fewer only at its end.
func (w *window) look(src io.ReaderAt, pos int64, n int) ([]byte, error) {
	if off := pos - w.pos; off >= 0 && off+int64(n) <= int64(len(w.buf)) {
		return w.buf[off:], nil
	}
	n = max(n, windowSize)
	if cap(w.buf) < n {
		w.buf = make([]byte, n)
	}
	m, err := src.ReadAt(w.buf[:n], pos)
	w.buf, w.pos = w.buf[:m], pos
	if err == io.EOF {
		err = nil
	}
	return w.buf, err
}

// At reads the packet whose Pos is pos again. It sets all of p but Number and
// File; p.Data is the caller's to keep.
func (r *Reader) At(pos int64, p *Packet) error {
	var q Packet
	return r.at(pos, &q, func(walker, []byte) {
		q.Data = append([]byte(nil), q.Data...)
		q.Number, q.Pos, q.File = p.Number, pos, p.File
		*p = q
	})
}

// Comments reads the comments of the packet whose Pos is pos. Only pcapng has
// any.
func (r *Reader) Comments(pos int64) ([]string, error) {
	var (
		q    Packet
		list []string
	)
	err := r.at(pos, &q, func(w walker, b []byte) { list = w.comments(b, pos) })
	return list, err
}

// at finds the record at pos and calls use while its bytes are at hand.
func (r *Reader) at(pos int64, q *Packet, use func(walker, []byte)) error {
	if r.random == nil {
		return &Error{File: r.name, Off: -1, Err: ErrNoRandom}
	}
	r.window.mu.Lock()
	defer r.window.mu.Unlock()
	w := r.walk.at(pos)
	for need := 1; ; {
		b, err := r.window.look(r.random, pos, need)
		if err != nil {
			return r.fail(pos, err)
		}
		n, s, err := w.record(b, pos, q)
		switch {
		case err != nil:
			return r.fail(pos, err)
		case s == stepPacket:
			use(w, b[:n])
			return nil
		case s != stepMore:
			return r.fail(pos, damage("no packet begins here"))
		case len(b) >= need && int(n) > len(b):
			need = int(n)
		default:
			return r.fail(pos, ErrCut)
		}
	}
}

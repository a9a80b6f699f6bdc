package captures

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Source is where packets come from: a [Reader], or several as one timeline.
type Source interface {
	Next(p *Packet) error
	ReadBatch(b *Batch) error
	At(pos int64, p *Packet) error
	Comments(pos int64) ([]string, error)
	Info() FileInfo
	Progress() (done, size int64)
	Close() error
}

var (
	_ Source = (*Reader)(nil)
	_ Source = (*Merged)(nil)
)

// OpenFiles opens one capture, or several as one timeline. It refuses captures
// whose clocks are seen to disagree right at their start.
func OpenFiles(paths []string, opt Options) (Source, error) {
	if len(paths) == 1 {
		return OpenWith(paths[0], opt)
	}
	var readers []*Reader
	fail := func(err error) (Source, error) {
		for _, r := range readers {
			err = errors.Join(err, r.Close())
		}
		return nil, err
	}
	for _, path := range paths {
		r, err := OpenWith(path, opt)
		if err != nil {
			return fail(err)
		}
		readers = append(readers, r)
	}
	if err := compareStarts(readers); err != nil {
		return fail(err)
	}
	m, err := Merge(readers...)
	if err != nil {
		return fail(err)
	}
	return m, nil
}

// MaxFiles is how many files can be one timeline.
const MaxFiles = 64

// A position in one of several files is the file's number above posBits bits of
// the position in it. Together they fit 48 bits.
const posBits = 42

// Merged is several captures as one timeline: packets come in order of time, and
// from the first file where times are equal. The order within a file is kept.
//
// A frame that two files hold (the same bytes, the same length on the wire,
// within one second) is delivered once; one that a file holds twice is delivered
// twice. Packet.Interface is an index in FileInfo.Files[p.File].Interfaces.
type Merged struct {
	readers []*Reader
	heads   []Batch // what is left of each reader's block
	errs    []error // why a reader ended
	pairs   twins
	clocks  *clocks
	number  int
	err     error

	batch Batch // of Next
	next  int
}

// Merge makes one timeline of readers, and closes them when it is closed.
func Merge(readers ...*Reader) (*Merged, error) {
	if len(readers) == 0 || len(readers) > MaxFiles {
		return nil, fmt.Errorf("%d files: one timeline has 1 to %d", len(readers), MaxFiles)
	}
	return &Merged{
		readers: readers,
		heads:   make([]Batch, len(readers)),
		errs:    make([]error, len(readers)),
		clocks:  newClocks(readers),
		pairs:   newTwins(len(readers)),
	}, nil
}

// Next reads the next packet. p.Data is valid until the next call. A file that
// ends badly does not keep the others from being read; the last error tells.
func (m *Merged) Next(p *Packet) error {
	for m.next >= len(m.batch.Packets) {
		m.batch.Release()
		if err := m.ReadBatch(&m.batch); err != nil {
			return err
		}
		m.next = 0
	}
	*p = m.batch.Packets[m.next]
	m.next++
	return nil
}

// ReadBatch reads packets as [Reader.ReadBatch] does, from a block of each file.
func (m *Merged) ReadBatch(b *Batch) error {
	b.Packets = nil
	list := b.own[:0]
	// No block is asked for while packets of this batch hold some: their reader may
	// have no other.
	for len(list) == 0 {
		if m.err == nil {
			m.err = m.refill()
		}
		if m.err != nil {
			return m.err
		}
		for file := m.first(); ; file = m.first() {
			h := &m.heads[file]
			p := h.Packets[0]
			h.Packets = h.Packets[1:]
			p.File, p.InFile = file, p.Number
			known := false
			if len(m.readers) > 1 {
				id := twinID(&p)
				if m.err = m.clocks.see(id, &p); m.err != nil {
					break
				}
				known = m.pairs.see(id, &p)
			}
			if !known {
				m.number++
				p.Number = m.number
				p.Pos |= int64(file) << posBits
				list = append(list, p)
			}
			if len(h.Packets) == 0 {
				break
			}
		}
	}
	for i := range m.heads {
		for _, k := range m.heads[i].blocks {
			b.hold(k)
		}
	}
	b.own, b.Packets = list, list
	return nil
}

// first returns the file whose next packet is the earliest.
func (m *Merged) first() int {
	best := -1
	for i := range m.heads {
		if q := m.heads[i].Packets; len(q) > 0 && (best < 0 || q[0].Time < m.heads[best].Packets[0].Time) {
			best = i
		}
	}
	return best
}

// refill reads the next block of every file that has none left.
func (m *Merged) refill() error {
	some := false
	for i, r := range m.readers {
		if len(m.heads[i].Packets) == 0 && m.errs[i] == nil {
			m.heads[i].Release()
			m.errs[i] = r.ReadBatch(&m.heads[i])
		}
		some = some || len(m.heads[i].Packets) > 0
	}
	if some {
		return nil
	}
	return m.end()
}

// end tells how the files ended: by damage, where there is any, by a cut, where
// there is any, or well.
func (m *Merged) end() error {
	var cuts, worse []error
	for _, err := range m.errs {
		switch {
		case err == io.EOF:
		case errors.Is(err, ErrCut):
			cuts = append(cuts, err)
		default:
			worse = append(worse, err)
		}
	}
	switch {
	case len(worse) > 0:
		return errors.Join(worse...)
	case len(cuts) > 0:
		return errors.Join(cuts...)
	}
	return io.EOF
}

// At reads the packet whose Pos is pos again, as [Reader.At] does.
func (m *Merged) At(pos int64, p *Packet) error {
	r, in, err := m.place(pos)
	if err != nil {
		return err
	}
	if err := r.At(in, p); err != nil {
		return err
	}
	p.Pos, p.File = pos, int(pos>>posBits)
	return nil
}

// Comments reads the comments of the packet whose Pos is pos.
func (m *Merged) Comments(pos int64) ([]string, error) {
	r, in, err := m.place(pos)
	if err != nil {
		return nil, err
	}
	return r.Comments(in)
}

func (m *Merged) place(pos int64) (*Reader, int64, error) {
	if pos < 0 || pos>>posBits >= int64(len(m.readers)) {
		return nil, 0, fmt.Errorf("no packet at %#x", pos)
	}
	return m.readers[pos>>posBits], pos & (1<<posBits - 1), nil
}

// Info describes the files: what they share at the top, each in Files.
func (m *Merged) Info() FileInfo {
	var f FileInfo
	var names []string
	for i, r := range m.readers {
		g := r.Info()
		names = append(names, g.Name)
		f.Files = append(f.Files, g)
		f.Spool = cmp.Or(f.Spool, g.Spool)
		f.TimeDigits = max(f.TimeDigits, g.TimeDigits)
		f.Snaplen = max(f.Snaplen, g.Snaplen)
		f.Dropped += g.Dropped
		for _, s := range []struct{ sum, one *string }{{&f.Format, &g.Format}, {&f.Compression, &g.Compression}, {&f.ByteOrder, &g.ByteOrder}} {
			if i == 0 {
				*s.sum = *s.one
			} else if *s.sum != *s.one {
				*s.sum = "mixed"
			}
		}
	}
	f.Name = strings.Join(names, ", ")
	return f
}

// Progress tells how much of the files has been read. The size is 0 if that of
// one is unknown.
func (m *Merged) Progress() (done, size int64) {
	known := true
	for _, r := range m.readers {
		d, s := r.Progress()
		done, size = done+d, size+s
		known = known && s > 0
	}
	if !known {
		size = 0
	}
	return done, size
}

// Close closes the files.
func (m *Merged) Close() error {
	var err error
	for _, r := range m.readers {
		err = errors.Join(err, r.Close())
	}
	return err
}

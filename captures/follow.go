package captures

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// followEvery is how often a file is asked whether it has grown.
const followEvery = 100 * time.Millisecond

// A follower reads a file that grows: where it ends, it waits for more until stop
// is closed, or until moved says that nothing more will come.
type follower struct {
	r     io.Reader
	stop  <-chan struct{}
	moved func() bool // may be nil
}

func (f *follower) Read(p []byte) (int, error) {
	for {
		n, err := f.r.Read(p)
		if n > 0 || err != io.EOF {
			return n, err
		}
		if f.moved != nil && f.moved() {
			return f.r.Read(p) // what came since
		}
		select {
		case <-f.stop:
			return f.r.Read(p)
		case <-time.After(followEvery):
		}
	}
}

// Followed is a file that grows, and the files that take its place: another one of the
// same name, as logrotate leaves it; the next number of dumpcap -b and of odxray live -b
// (x_00001_20260101120000.pcapng), or of tcpdump -C (x.pcap, x.pcap1). It is a Source.
type Followed struct {
	stop  <-chan struct{}
	batch Batch // of Next
	turn  int

	mu      sync.Mutex // guards what follows
	readers []*Reader  // by file; nil if closed
	cur     *Reader
	path    string
	next    string // that takes the place of path, once it is there
	number  int    // of the one goroutine that reads
	closed  bool
}

var _ Source = (*Followed)(nil)

// Follow reads a file from its beginning, and on as it grows, until stop is closed.
func Follow(path string, stop <-chan struct{}) (*Followed, error) {
	f := &Followed{stop: stop}
	return f, f.open(path)
}

// open goes on with a file.
func (f *Followed) open(path string) error {
	file, err := os.Open(path)
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return &Error{File: path, Off: -1, Err: err}
	}
	r, err := newReader(file, path, Options{Follow: f.stop, moved: func() bool { return f.moved(file, path) }})
	if err != nil {
		return errors.Join(err, file.Close())
	}
	r.closers = append(r.closers, file)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers, f.cur, f.path, f.next = append(f.readers, r), r, path, ""
	if old := len(f.readers) - openFiles; old >= 0 && f.readers[old] != nil {
		err = f.readers[old].Close()
		f.readers[old] = nil
	}
	if f.closed {
		return errors.Join(err, r.Close())
	}
	return err
}

// moved reports whether another file has taken the place of an open one.
func (f *Followed) moved(file *os.File, path string) bool {
	have, err := file.Stat()
	if err != nil {
		return false
	}
	next := ""
	at, _ := file.Seek(0, io.SeekCurrent)
	if now, err := os.Stat(path); err == nil && now.Size() > 0 && (!os.SameFile(have, now) || now.Size() < at) {
		next = path
	} else if have.Mode().IsRegular() {
		next = successor(path)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = next
	return next != ""
}

var (
	ringName  = regexp.MustCompile(`^(.*_)(\d{5})_\d{14}(\.[^.]*)?$`)
	countName = regexp.MustCompile(`^(.*\D)(\d{1,9})$`)
)

// successor returns the file that comes after one in a ring, if it is there and has
// something in it.
func successor(path string) string {
	dir, name := filepath.Split(path)
	var found string
	if m := ringName.FindStringSubmatch(name); m != nil {
		n, _ := strconv.Atoi(m[2])
		list, err := filepath.Glob(filepath.Join(dir, fmt.Sprintf("%s%05d_*%s", globless(m[1]), n+1, globless(m[3]))))
		if err == nil && len(list) > 0 {
			found = list[0]
		}
	} else if m := countName.FindStringSubmatch(name); m != nil {
		n, _ := strconv.Atoi(m[2])
		found = filepath.Join(dir, m[1]+strconv.Itoa(n+1))
	} else {
		found = path + "1"
	}
	if st, err := os.Stat(found); found == "" || err != nil || st.Size() == 0 || !st.Mode().IsRegular() {
		return ""
	}
	return found
}

var special = regexp.MustCompile(`[*?\[\\]`)

// globless has no character that means something in a pattern.
func globless(s string) string { return special.ReplaceAllString(s, `\$0`) }

// ReadBatch reads packets as they come.
func (f *Followed) ReadBatch(b *Batch) error {
	for {
		f.mu.Lock()
		r, file := f.cur, len(f.readers)-1
		f.mu.Unlock()
		err := r.ReadBatch(b)
		if err == nil {
			for i := range b.Packets {
				f.number++
				b.Packets[i].Number = f.number
				b.Packets[i].Pos |= int64(file%MaxFiles) << posBits
			}
			return nil
		}
		f.mu.Lock()
		next := f.next
		f.mu.Unlock()
		// A file whose place was taken may end in a record that nobody will complete.
		if next == "" || err != io.EOF && !errors.Is(err, ErrCut) {
			return err
		}
		if err := f.open(next); err != nil {
			return err
		}
	}
}

// Next reads the next packet. p.Data is valid until the next call.
func (f *Followed) Next(p *Packet) error {
	for f.turn >= len(f.batch.Packets) {
		f.batch.Release()
		f.turn = 0
		if err := f.ReadBatch(&f.batch); err != nil {
			return err
		}
	}
	*p = f.batch.Packets[f.turn]
	f.turn++
	return nil
}

// At reads a packet again. The files before the last few are closed.
func (f *Followed) At(pos int64, p *Packet) error {
	r, err := f.at(pos)
	if err != nil {
		return err
	}
	if err := r.At(pos&(1<<posBits-1), p); err != nil {
		return err
	}
	p.Pos = pos
	return nil
}

func (f *Followed) at(pos int64) (*Reader, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := max(len(f.readers)-openFiles, 0); i < len(f.readers); i++ {
		if r := f.readers[i]; int64(i%MaxFiles) == pos>>posBits && r != nil {
			return r, nil
		}
	}
	return nil, &Error{File: f.path, Off: -1, Err: ErrOverwritten}
}

// Comments reads the comments of the packet whose Pos is pos.
func (f *Followed) Comments(pos int64) ([]string, error) {
	r, err := f.at(pos)
	if err != nil {
		return nil, err
	}
	return r.Comments(pos & (1<<posBits - 1))
}

// Info describes the file that is read.
func (f *Followed) Info() FileInfo {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cur.Info()
}

// Progress tells how much was read of the file at hand.
func (f *Followed) Progress() (done, size int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cur.Progress()
}

func (f *Followed) rereads() bool { return true }

// Close closes the files.
func (f *Followed) Close() (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for _, r := range f.readers {
		if r != nil {
			err = errors.Join(err, r.Close())
		}
	}
	return err
}

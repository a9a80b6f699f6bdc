package captures

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/odxray/odxray/captures/linktype"
)

// ErrOverwritten: the packet's bytes were kept in a ring of files, or in a spool, and
// others are there now.
var ErrOverwritten = errors.New("these bytes are gone: newer ones took their place")

// Rotate says when a new file is begun, and how many are kept. Zero values are no limits.
type Rotate struct {
	Bytes    int64
	Packets  int
	Duration time.Duration
	Files    int
}

// RecordOptions say where packets are written.
type RecordOptions struct {
	Path        string // "-" for Out
	Out         io.Writer
	Rotate      Rotate
	Application string
	Comments    []string // of each file

	spool int64 // bytes; then there is no Path
}

// Recorder writes packets to a file, to one file after the other, or to a spool, and
// reads them again. A position counts through all files. The bytes of a batch are with
// the system when write returns, so a process that is killed leaves whole records.
type Recorder struct {
	o    RecordOptions
	feed feed

	mu     sync.Mutex // guards what follows
	files  []*recorded
	ids    map[ifaceKey]int
	keys   []ifaceKey
	ifaces []Interface
	walk   *pcapng // with one section that all files are parts of
	count  int     // files begun
	gone   int64   // bytes of files that are not kept
	notes  []string

	// Of the goroutine that writes.
	base    int64 // position of the file's first byte
	w       *Writer
	first   int64 // times of packets of the file
	last    int64
	packets int

	again Reader // reads what was written
}

// recorded is a file of a Recorder.
type recorded struct {
	name       string
	file       *os.File // nil if it cannot be read again
	base, size int64
}

const (
	spoolFiles = 8
	openFiles  = 32 // that can be read again, of a ring
	writeSize  = 256 << 10
)

func newRecorder(o RecordOptions, f feed) (*Recorder, error) {
	if o.Path == "" {
		o.Rotate = Rotate{Bytes: max(o.spool/spoolFiles, 1<<20), Files: spoolFiles}
	}
	r := &Recorder{o: o, feed: f, ids: make(map[ifaceKey]int)}
	r.walk = &pcapng{cur: &section{order: littleEndian}}
	r.walk.sections = []*section{r.walk.cur}
	r.again = Reader{name: "what was captured", walk: r.walk, random: r}
	for i, d := range f.interfaces() {
		r.meet(ifaceKey{iface: i, link: d.Link}, d)
	}
	return r, r.begin()
}

// meet makes an interface known.
func (r *Recorder) meet(key ifaceKey, i Interface) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[key] = len(r.keys)
	r.keys = append(r.keys, key)
	if linktype.Of(i.LinkNumber) != key.link {
		i.LinkNumber = uint16(key.link)
	}
	r.ifaces = append(r.ifaces, i)
	r.walk.mu.Lock()
	r.walk.cur.ifaces = append(r.walk.cur.ifaces, iface{clock: newClock(9, 0), snaplen: uint32(i.Snaplen), number: i.LinkNumber})
	r.walk.mu.Unlock()
}

// begin begins a file.
func (r *Recorder) begin() error {
	if r.w != nil {
		r.base = r.pos()
	}
	f := &recorded{base: r.base}
	if err := r.open(f); err != nil {
		return err
	}
	r.mu.Lock()
	r.files = append(r.files, f)
	r.count++
	var old []*recorded
	if n := r.o.Rotate.Files; n > 0 && len(r.files) > n {
		old, r.files = r.files[:1], r.files[1:]
		r.gone += old[0].size
	} else if len(r.files) > openFiles {
		old, r.files = r.files[:1], r.files[1:]
		r.gone += old[0].size
		old[0].name = "" // closed, but it stays
	}
	r.mu.Unlock()
	var err error
	for _, o := range old {
		if o.file != nil {
			err = errors.Join(err, o.file.Close())
		}
		if o.name != "" {
			err = errors.Join(err, os.Remove(o.name))
		}
	}
	r.packets, r.first, r.last = 0, 0, 0
	if err == nil {
		r.w, err = NewWriter(r, WriterOptions{Application: r.o.Application, Comments: r.o.Comments})
	}
	if err == nil {
		r.w.hold = writeSize
	}
	for i, key := range r.keys {
		if err == nil {
			_, err = r.w.introduce(key, r.ifaces[i])
		}
	}
	return err
}

// open opens the file that comes next. One of a ring is called as dumpcap calls it.
func (r *Recorder) open(f *recorded) (err error) {
	switch {
	case r.o.Path == "":
		dir, err := CacheDir()
		if err != nil {
			return err
		}
		if f.file, err = os.CreateTemp(dir, "live-*"); err != nil {
			return err
		}
		// Nothing stays behind, whatever happens.
		return os.Remove(f.file.Name())
	case r.o.Path == "-":
		return nil
	}
	f.name = r.o.Path
	if r.o.Rotate.rotates() {
		ext := filepath.Ext(f.name)
		f.name = fmt.Sprintf("%s_%05d_%s%s", strings.TrimSuffix(f.name, ext), r.count+1, time.Now().Format("20060102150405"), ext)
	}
	if f.file, err = os.OpenFile(f.name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666); err == nil {
		if st, e := f.file.Stat(); e == nil && !st.Mode().IsRegular() { // a pipe: it cannot be read again
			r.o.Out, f.file, f.name = f.file, nil, ""
		}
	}
	return err
}

func (r Rotate) rotates() bool { return r.Bytes > 0 || r.Packets > 0 || r.Duration > 0 }

// Write takes what the Writer makes to the file at hand.
func (r *Recorder) Write(p []byte) (int, error) {
	f := r.files[len(r.files)-1]
	var n int
	var err error
	if f.file != nil {
		n, err = f.file.WriteAt(p, f.size)
	} else {
		n, err = r.o.Out.Write(p)
	}
	r.mu.Lock()
	f.size += int64(n)
	r.mu.Unlock()
	return n, err
}

// pos is the position behind all that was written or is held.
func (r *Recorder) pos() int64 { return r.base + r.w.size }

// full reports whether the next packet goes to a new file.
func (r *Recorder) full(now int64) bool {
	o := &r.o.Rotate
	return r.packets > 0 && (o.Packets > 0 && r.packets >= o.Packets ||
		o.Bytes > 0 && r.w.size >= o.Bytes ||
		o.Duration > 0 && now-r.first >= int64(o.Duration))
}

// write writes packets, and sets where they lie. It returns how many were written before
// the end that stop sets.
func (r *Recorder) write(list []Packet, stop *Stop) (n int, err error) {
	for i := range list {
		p := &list[i]
		if stop.Bytes > 0 && r.pos() >= stop.Bytes {
			return i, r.w.flush()
		}
		if r.full(p.Time) {
			if stop.Files > 0 && r.count >= stop.Files {
				return i, r.w.flush()
			}
			if err := r.rotate(); err != nil {
				return i, err
			}
		}
		key := ifaceKey{p.File, p.Interface, p.Link}
		if _, ok := r.ids[key]; !ok {
			d := Interface{FCSLen: -1}
			if all := r.feed.interfaces(); p.Interface < len(all) {
				d = all[p.Interface]
			}
			r.meet(key, d)
			if _, err := r.w.introduce(key, r.ifaces[len(r.ifaces)-1]); err != nil {
				return i, err
			}
		}
		p.Pos = r.pos()
		if err := r.w.Packet(p, r.noted()...); err != nil {
			return i, err
		}
		if r.packets++; r.packets == 1 {
			r.first = p.Time
		}
		r.last = max(r.last, p.Time)
	}
	return len(list), r.w.flush()
}

func (r *Recorder) comment(text string) {
	const most = 100 // that wait for a packet
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.notes) < most {
		r.notes = append(r.notes, text)
	}
}

func (r *Recorder) noted() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.notes
	r.notes = nil
	return list
}

// finish ends a file with what became of the packets of its interfaces.
func (r *Recorder) finish() error {
	counts := r.feed.counts()
	notes := r.noted()
	var err error
	for id, key := range r.keys {
		if key.iface >= len(counts) || err != nil {
			continue
		}
		err = r.w.statistics(uint32(id), r.first, r.last, counts[key.iface], notes)
		notes = nil
	}
	return errors.Join(err, r.w.flush())
}

func (r *Recorder) rotate() error {
	if err := r.finish(); err != nil {
		return err
	}
	return r.begin()
}

// ReadAt reads from the file that a position lies in.
func (r *Recorder) ReadAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.files {
		if off >= f.base && off < f.base+f.size && f.file != nil {
			return f.file.ReadAt(p[:min(int64(len(p)), f.base+f.size-off)], off-f.base)
		}
	}
	if len(r.files) > 0 && off < r.files[0].base {
		return 0, ErrOverwritten
	}
	return 0, io.EOF
}

// at reads a packet again.
func (r *Recorder) at(pos int64, p *Packet) error {
	if r.o.Path == "-" {
		return &Error{File: "standard output", Off: -1, Err: ErrNoRandom}
	}
	r.mu.Lock()
	gone := len(r.files) > 0 && pos < r.files[0].base
	r.mu.Unlock()
	if gone {
		return &Error{File: r.again.name, Off: -1, Err: ErrOverwritten}
	}
	if err := r.again.At(pos, p); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.Interface < len(r.keys) {
		p.Interface = r.keys[p.Interface].iface
	}
	return nil
}

func (r *Recorder) close() error {
	err := r.finish()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.files {
		if f.file != nil {
			err = errors.Join(err, f.file.Close())
		}
	}
	return err
}

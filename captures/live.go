package captures

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/gopacket"

	"github.com/odxray/odxray/captures/linktype"
)

// Live is packets as they come: of network interfaces, of an RDMA device, of a stream.
// It is a Source whose ReadBatch may hand out a batch without packets, some ten times a
// second, so that who waits for them can do something else meanwhile.
//
// Packets are analysed where the kernel put them. What nobody fetches in time the kernel
// drops, and counts: nothing here grows with what comes.
type Live struct {
	feed    feed
	under   Source    // behind feed, if that can read packets again
	record  *Recorder // nil if packets are not kept
	keeper  *keeper   // nil if all are written that are captured
	name    string
	limits  Stop
	opened  time.Time
	number  int
	full    bool         // there is no room for more
	halted  atomic.Int64 // when Halt was called; 0 if it was not
	packets atomic.Uint64
	bytes   atomic.Uint64
	err     error
	once    sync.Once
	scratch Batch // of Next
	next    int
}

// A feed hands out packets as they come.
type feed interface {
	// read waits for packets, no longer than wait, and fills b; b stays as it is if none
	// come. After the last it returns io.EOF.
	read(b *Batch, wait time.Duration) error
	// interfaces describes where packets come from.
	interfaces() []Interface
	// counts tells what became of the packets of each interface.
	counts() []Counts
	close() error
}

// Counts is what became of packets.
type Counts struct {
	Received uint64 // that the filter let through, with those that were dropped
	Dropped  uint64 // for want of room
	Known    bool   // the others are valid
	Held     int    // percent of the buffer that is in use
}

// LiveOptions say what is captured, and what becomes of it.
type LiveOptions struct {
	Interfaces  []string // names; "any" for all
	Device      string   // of RDMA; instead of Interfaces
	Filter      string   // for Interfaces, see package bpf
	Snaplen     int      // bytes kept of a packet; 0 for all
	Promiscuous bool
	Buffer      int    // bytes that the kernel holds for each interface; 0 for DefaultBuffer
	Stream      Source // instead of Interfaces

	// Packets of one link type, instead of Interfaces: a handle of libpcap, say. Drops are
	// unknown then.
	Packets gopacket.PacketDataSource
	Link    linktype.Type

	Random bool // At works
	Spool  int64
	Write  RecordOptions // where to; Write.Path is empty for nowhere
	Stop   Stop

	// Triggered has only that written which Trigger asks for; a spool holds the rest for a
	// while.
	Triggered bool
}

// Stop says when a capture ends by itself. Zero values are no limits.
type Stop struct {
	Packets  int
	Bytes    int64         // of the files written
	Files    int           // written
	Duration time.Duration // since it began
}

const (
	// DefaultBuffer is how many bytes the kernel holds for an interface.
	DefaultBuffer = 32 << 20
	// DefaultLiveSpool is how many bytes are kept to be looked at where no file is written.
	DefaultLiveSpool = 1 << 30

	maxSnaplen = maxPacket
	liveWait   = 100 * time.Millisecond
	haltWithin = 200 * time.Millisecond // what came before is with us by then
)

var _ Source = (*Live)(nil)

// OpenLive begins to capture. What needs privileges is done when it returns.
func OpenLive(opt LiveOptions) (*Live, error) {
	if opt.Snaplen <= 0 || opt.Snaplen > maxSnaplen {
		opt.Snaplen = maxSnaplen
	}
	if opt.Buffer <= 0 {
		opt.Buffer = DefaultBuffer
	}
	f, name, err := openFeed(&opt)
	if err != nil {
		return nil, err
	}
	l := &Live{feed: f, name: name, limits: opt.Stop, opened: time.Now()}
	if s, ok := f.(*streamFeed); ok {
		if r, ok := s.src.(interface{ rereads() bool }); ok && r.rereads() {
			l.under = s.src
		}
	}
	if opt.Write.Path != "" || opt.Random && l.under == nil {
		o := opt.Write
		if opt.Triggered {
			l.keeper = &keeper{}
			if l.keeper.file, err = newRecorder(o, f); err != nil {
				return nil, errors.Join(err, f.close())
			}
			o = RecordOptions{}
		}
		if o.Path == "" {
			o.spool = opt.Spool
			if o.spool <= 0 {
				o.spool = DefaultLiveSpool
			}
		}
		if l.record, err = newRecorder(o, f); err != nil {
			return nil, errors.Join(err, f.close())
		}
		if l.keeper != nil {
			l.keeper.spool = l.record
		}
	}
	return l, nil
}

func openFeed(opt *LiveOptions) (feed, string, error) {
	switch {
	case opt.Stream != nil:
		return newStreamFeed(opt.Stream), opt.Stream.Info().Name, nil
	case opt.Packets != nil:
		return newDataFeed(opt.Packets, opt.Device, opt.Link, opt.Snaplen, nil, nil), opt.Device, nil
	case opt.Device != "":
		f, err := openDevice(opt.Device, opt.Snaplen)
		return f, opt.Device, err
	}
	return openSockets(opt)
}

// ReadBatch waits for packets for a while; the batch may be empty.
func (l *Live) ReadBatch(b *Batch) error {
	b.Packets = nil
	if l.err == nil {
		l.err = l.read(b)
	}
	if l.err != nil {
		b.Release()
	}
	return l.err
}

func (l *Live) read(b *Batch) error {
	if d := l.limits.Duration; d > 0 && time.Since(l.opened) >= d {
		return io.EOF
	}
	halted := l.halted.Load()
	if halted > 0 && time.Since(time.Unix(0, halted)) > haltWithin {
		return io.EOF
	}
	if err := l.feed.read(b, liveWait); err != nil {
		return err
	}
	if halted > 0 && len(b.Packets) == 0 {
		return io.EOF
	}
	if most := l.limits.Packets; most > 0 {
		b.Packets = b.Packets[:min(len(b.Packets), most-l.number)]
	}
	if l.record != nil {
		n, err := l.record.write(b.Packets, &l.limits)
		if err != nil {
			return err
		}
		if n < len(b.Packets) { // these are the last ones
			b.Packets, l.limits = b.Packets[:n], Stop{Packets: l.number + n}
			l.full = n == 0
		}
	}
	if l.keeper != nil {
		if err := l.keeper.take(b.Packets, l.number+1); err != nil {
			return err
		}
	}
	size := 0
	for i := range b.Packets {
		p := &b.Packets[i]
		l.number++
		p.Number = l.number
		size += len(p.Data)
	}
	l.packets.Add(uint64(len(b.Packets)))
	l.bytes.Add(uint64(size))
	if len(b.Packets) == 0 && (l.full || l.limits.Packets > 0 && l.number >= l.limits.Packets) {
		return io.EOF
	}
	return nil
}

// Halt ends the capture once what has come by now was handed out, as if a file ended.
func (l *Live) Halt() { l.halted.Store(time.Now().UnixNano()) }

// Next waits for a packet. p.Data is valid until the next call.
func (l *Live) Next(p *Packet) error {
	for l.next >= len(l.scratch.Packets) {
		l.scratch.Release()
		l.next = 0
		if err := l.ReadBatch(&l.scratch); err != nil {
			return err
		}
	}
	*p = l.scratch.Packets[l.next]
	l.next++
	return nil
}

// At reads a packet again. Those whose file was overwritten since are gone.
func (l *Live) At(pos int64, p *Packet) error {
	switch {
	case l.record != nil:
		return l.record.at(pos, p)
	case l.under != nil:
		return l.under.At(pos, p)
	}
	return &Error{File: l.name, Off: -1, Err: ErrNoRandom}
}

// Comments reads the comments of a packet of a stream.
func (l *Live) Comments(pos int64) ([]string, error) {
	if l.under == nil || l.record != nil {
		return nil, nil
	}
	return l.under.Comments(pos)
}

// Directory is where files will be begun later; "" if none will.
func (l *Live) Directory() string {
	switch r := l.record; {
	case r == nil || !r.o.Rotate.rotates():
		return ""
	case r.o.Path != "":
		return filepath.Dir(r.o.Path)
	}
	dir, err := CacheDir()
	if err != nil {
		return ""
	}
	return dir
}

// Keeps reports whether packets are written to a file.
func (l *Live) Keeps() bool { return l.keeper != nil || l.record != nil && l.record.o.Path != "" }

// Comment has text written to the file, with the packet that comes next.
func (l *Live) Comment(text string) {
	if l.record != nil && l.keeper == nil { // Trigger says it of what it keeps
		l.record.comment(text)
	}
}

// Info describes the capture.
func (l *Live) Info() FileInfo {
	f := FileInfo{Name: l.name, Format: "live", TimeDigits: 9}
	if s, ok := l.feed.(*streamFeed); ok && l.under != nil {
		f = s.told()
	}
	f.Interfaces = l.feed.interfaces()
	for i, c := range l.feed.counts() {
		if i < len(f.Interfaces) {
			f.Interfaces[i].Dropped = c.Dropped
		}
	}
	f.Dropped = 0
	for _, i := range f.Interfaces {
		f.Snaplen = max(f.Snaplen, i.Snaplen)
		f.Dropped += i.Dropped
	}
	return f
}

// Counts tells what became of the packets of all interfaces.
func (l *Live) Counts() (sum Counts) {
	for i, c := range l.feed.counts() {
		sum.Received += c.Received
		sum.Dropped += c.Dropped
		sum.Known = c.Known && (i == 0 || sum.Known)
		sum.Held = max(sum.Held, c.Held)
	}
	return sum
}

// Traffic returns how many packets, and bytes of them, were handed out.
func (l *Live) Traffic() (packets, bytes uint64) { return l.packets.Load(), l.bytes.Load() }

// Progress returns the bytes that were handed out.
func (l *Live) Progress() (done, size int64) { return int64(l.bytes.Load()), 0 }

// Close ends the capture, and what is written.
func (l *Live) Close() (err error) {
	l.once.Do(func() {
		if l.keeper != nil {
			err = errors.Join(l.keeper.take(nil, 0), l.keeper.file.close())
		}
		if l.record != nil {
			err = errors.Join(err, l.record.close())
		}
		err = errors.Join(err, l.feed.close())
	})
	return err
}

// PrivilegeError is that a capture needs what the process is not allowed.
type PrivilegeError struct {
	What string // that was refused
	Err  error
}

func (e *PrivilegeError) Error() string {
	return fmt.Sprintf("%s: %v: capturing needs CAP_NET_RAW: run odxray as root, or give it that once: sudo setcap cap_net_raw+ep %s", e.What, e.Err, self())
}

// self is where this program lies.
func self() string {
	if path, err := os.Executable(); err == nil {
		return path
	}
	return "odxray"
}

func (e *PrivilegeError) Unwrap() error { return e.Err }

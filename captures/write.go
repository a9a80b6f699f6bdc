package captures

import (
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/odxray/odxray/captures/linktype"
)

// Writer writes pcapng, little-endian, with times in nanoseconds.
//
// gopacket's pcapgo writes pcapng too, but neither packet comments, which carry
// odxray's findings, nor link types above 255.
type Writer struct {
	w      io.Writer
	like   Source
	ifaces map[ifaceKey]uint32
	buf    []byte // blocks to be written, and the one at hand
	start  int    // of the one at hand, in buf
	hold   int    // bytes that are written together; 0 to write each block
	size   int64  // bytes of all whole blocks
	err    error
}

// WriterOptions say what a Writer puts in front of the packets.
type WriterOptions struct {
	Application string
	Comments    []string // about the file
	// Like is where the packets come from. Their interfaces are described as
	// there.
	Like Source
}

// An ifaceKey is an interface of the source with one link type; those that hold
// ERF records have several.
type ifaceKey struct {
	file, iface int
	link        linktype.Type
}

// NewWriter writes a section header. Nothing is buffered.
func NewWriter(w io.Writer, opt WriterOptions) (*Writer, error) {
	x := &Writer{w: w, like: opt.Like, ifaces: map[ifaceKey]uint32{}}
	x.begin(ngSection)
	x.u32(ngMagic)
	x.u16(1)
	x.u16(0)
	x.u32(1<<32 - 1) // the length of the section is not known
	x.u32(1<<32 - 1)
	x.comments(opt.Comments)
	x.option(4, opt.Application)
	return x, x.end()
}

// Packet writes a packet with comments. The packet's File and Interface are those
// of the source; its interface is described before its first packet.
func (x *Writer) Packet(p *Packet, comments ...string) error {
	key := ifaceKey{p.File, p.Interface, p.Link}
	id, ok := x.ifaces[key]
	if !ok {
		var err error
		if id, err = x.introduce(key, x.describe(p)); err != nil {
			return err
		}
	}
	x.begin(ngEnhanced)
	x.u32(id)
	x.time(p.Time)
	x.u32(uint32(len(p.Data)))
	x.u32(uint32(p.WireLen))
	x.buf = append(x.buf, p.Data...)
	x.pad()
	x.comments(comments)
	return x.end()
}

// introduce describes an interface, from now on known by a number.
func (x *Writer) introduce(key ifaceKey, i Interface) (id uint32, err error) {
	id = uint32(len(x.ifaces))
	x.ifaces[key] = id
	return id, x.iface(i)
}

// statistics writes what became of the packets of an interface between two times.
func (x *Writer) statistics(id uint32, from, to int64, c Counts, comments []string) error {
	x.begin(ngStats)
	x.u32(id)
	x.time(to)
	x.comments(comments)
	x.u16(2) // start
	x.u16(8)
	x.time(from)
	x.u16(3) // end
	x.u16(8)
	x.time(to)
	if c.Known {
		x.u16(4) // received
		x.u16(8)
		x.buf = binary.LittleEndian.AppendUint64(x.buf, c.Received)
		x.u16(5) // dropped
		x.u16(8)
		x.buf = binary.LittleEndian.AppendUint64(x.buf, c.Dropped)
	}
	return x.end()
}

// describe says what the source knows about the interface of p.
func (x *Writer) describe(p *Packet) Interface {
	var i Interface
	if x.like != nil {
		f := x.like.Info()
		if len(f.Files) > p.File {
			f = f.Files[p.File]
		}
		if len(f.Interfaces) > p.Interface {
			i = f.Interfaces[p.Interface]
		}
	} else {
		i.FCSLen = -1
	}
	if i.Link = p.Link; linktype.Of(i.LinkNumber) != p.Link {
		i.LinkNumber = uint16(p.Link)
	}
	return i
}

func (x *Writer) iface(i Interface) error {
	x.begin(ngInterface)
	x.u16(i.LinkNumber)
	x.u16(0)
	x.u32(uint32(i.Snaplen))
	x.comments(i.Comments)
	x.option(2, i.Name)
	x.option(3, i.Description)
	x.option(9, "\x09") // nanoseconds
	if i.Filter != "" {
		x.option(11, "\x00"+i.Filter)
	}
	x.option(12, i.OS)
	if i.FCSLen >= 0 {
		x.option(13, string([]byte{byte(i.FCSLen)}))
	}
	x.option(15, i.Hardware)
	return x.end()
}

func (x *Writer) u16(v uint16) { x.buf = binary.LittleEndian.AppendUint16(x.buf, v) }
func (x *Writer) u32(v uint32) { x.buf = binary.LittleEndian.AppendUint32(x.buf, v) }

// time writes a time as two halves, the upper one first.
func (x *Writer) time(ns int64) {
	t := uint64(max(ns, 0))
	x.u32(uint32(t >> 32))
	x.u32(uint32(t))
}

func (x *Writer) pad() {
	for len(x.buf)%4 != 0 {
		x.buf = append(x.buf, 0)
	}
}

func (x *Writer) begin(kind uint32) {
	x.start = len(x.buf)
	x.u32(kind)
	x.u32(0) // the length, see end
}

// end closes the block, and writes it unless more are to be written with it.
func (x *Writer) end() error {
	n := uint32(len(x.buf) - x.start + 4)
	x.u32(n)
	binary.LittleEndian.PutUint32(x.buf[x.start+4:], n)
	x.size += int64(n)
	if len(x.buf) < x.hold {
		return x.err
	}
	return x.flush()
}

// flush writes what is held.
func (x *Writer) flush() error {
	if x.err == nil && len(x.buf) > 0 {
		_, x.err = x.w.Write(x.buf)
	}
	x.buf = x.buf[:0]
	return x.err
}

// option adds an option, unless it is empty. The end of the block ends the
// options, so there is no end marker.
func (x *Writer) option(code uint16, text string) {
	if text == "" {
		return
	}
	x.u16(code)
	x.u16(uint16(len(text)))
	x.buf = append(x.buf, text...)
	x.pad()
}

// comments adds comments, as many as a reader with limits takes. A comment that is
// too long is cut.
func (x *Writer) comments(list []string) {
	for room := maxOptions / 2; len(list) > 0; list = list[1:] {
		c := strings.ToValidUTF8(list[0], "\ufffd")
		most := room - 8 // code, length and padding
		if len(c) > most {
			if most < len("…") {
				return
			}
			for c = c[:most-len("…")]; !utf8.ValidString(c); {
				c = c[:len(c)-1]
			}
			c += "…"
		}
		room -= len(c) + 8
		x.option(optComment, c)
	}
}

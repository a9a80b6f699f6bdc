package captures

import (
	"sync"

	"github.com/odxray/odxray/captures/linktype"
)

// pcapng walks blocks: type, length, body, length again.
//
// A file has sections, each with a byte order and interfaces of its own; packet
// blocks name an interface by its number in the section. Blocks that hold no
// packet (names, statistics, decryption secrets, whatever comes) are passed over
// without being held in memory.
type pcapng struct {
	cur  *section // where the walk is; its fields change only under mu
	tail uint32   // the length that must end the block being passed over; 0 if none

	mu         sync.RWMutex
	sections   []*section
	interfaces []Interface // of all sections
	file       FileInfo    // what section headers say
	text       int         // bytes of text kept so far
}

// A section reads its packets alike wherever it is met. Once the walk is past a
// packet, what that packet needs does not change.
type section struct {
	start  int64
	order  byteOrder
	first  int // its first interface in the list of all
	ifaces []iface
}

// An iface is what reading a packet needs to know of an interface.
type iface struct {
	clock   clock
	snaplen uint32
	number  uint16
}

const (
	ngSection   = 0x0a0d0d0a
	ngInterface = 1
	ngPacket    = 2 // obsolete
	ngSimple    = 3
	ngStats     = 5
	ngEnhanced  = 6
	ngMagic     = 0x1a2b3c4d

	ngPacketHead = 28 // bytes of a packet block before its data; of a simple one, 12
	ngMinBlock   = 12 // type, length, length
	ngMaxBlock   = maxPacket + maxOptions + 64

	// Real files have a handful of each. They are kept in memory, so there is a
	// bound, and one for the text of their options.
	ngMaxSections   = 1 << 14
	ngMaxInterfaces = 1 << 14
	ngMaxText       = 1 << 20
)

// isPcapng reports whether head begins with a section header.
func isPcapng(head []byte) bool {
	return bigEndian.u32(head) == ngSection && (bigEndian.u32(head[8:]) == ngMagic || littleEndian.u32(head[8:]) == ngMagic)
}

func newPcapng() *pcapng { return &pcapng{cur: &section{}} }

func (w *pcapng) record(b []byte, pos int64, p *Packet) (int64, step, error) {
	if w.tail != 0 {
		if len(b) < 4 {
			return 4, stepMore, nil
		}
		if last := w.cur.order.u32(b); last != w.tail {
			return 0, 0, damage("block ends with length %d where it began with %d", last, w.tail)
		}
		w.tail = 0
		return 4, stepSkip, nil
	}
	if len(b) < ngMinBlock {
		return ngMinBlock, stepMore, nil
	}
	if bigEndian.u32(b) == ngSection {
		return w.section(b, pos)
	}
	s := w.cur
	kind, length := s.order.u32(b), s.order.u32(b[4:])
	if length < ngMinBlock || length%4 != 0 {
		return 0, 0, damage("block of type %#x says %d bytes", kind, length)
	}
	switch kind {
	case ngEnhanced, ngPacket, ngSimple:
		return s.packet(b, kind, length, p)
	case ngInterface:
		return w.iface(b, length)
	case ngStats:
		if length <= 24+maxOptions {
			return w.statistics(b, length)
		}
	}
	w.tail = length
	return int64(length) - 4, stepPart, nil
}

// whole checks that a block which must be read as a whole is at hand, and that
// both of its lengths agree.
func whole(b []byte, o byteOrder, length uint32) (int64, step, error) {
	if len(b) < int(length) {
		return int64(length), stepMore, nil
	}
	if last := o.u32(b[length-4:]); last != length {
		return 0, 0, damage("block ends with length %d where it began with %d", last, length)
	}
	return int64(length), stepSkip, nil
}

// packet reads a packet block.
//
//	enhanced: interface, time (2×32), captured, wire, data, options
//	obsolete: interface, drops (both 16), the rest as enhanced
//	simple:   wire, data
func (s *section) packet(b []byte, kind, length uint32, p *Packet) (int64, step, error) {
	head := uint32(ngPacketHead)
	if kind == ngSimple {
		head = 12
	}
	if length < head+4 {
		return 0, 0, damage("packet block says %d bytes in all", length)
	}
	if len(b) < int(head) {
		return int64(head), stepMore, nil
	}
	var id, captured, wire uint32
	var units uint64
	if kind == ngSimple {
		wire = s.order.u32(b[8:])
	} else {
		h := (*[ngPacketHead]byte)(b)
		if kind == ngEnhanced {
			id = s.order.u32(h[8:])
		} else {
			id = uint32(s.order.u16(h[8:]))
		}
		units = uint64(s.order.u32(h[12:]))<<32 | uint64(s.order.u32(h[16:]))
		captured, wire = s.order.u32(h[20:]), s.order.u32(h[24:])
	}
	if id >= uint32(len(s.ifaces)) {
		return 0, 0, damage("packet of interface %d, but the section has described %d", id, len(s.ifaces))
	}
	f := &s.ifaces[id]
	room := length - head - 4
	if kind == ngSimple {
		captured = min(wire, room)
		if f.snaplen != 0 {
			captured = min(captured, f.snaplen)
		}
	}
	switch {
	case captured > maxPacket:
		return 0, 0, damage("packet record says %d bytes", captured)
	case captured > room:
		return 0, 0, damage("packet record says %d bytes in a block of %d", captured, length)
	case room-captured > maxOptions+3:
		return 0, 0, damage("packet record says %d bytes of options", room-captured)
	}
	if n, step, err := whole(b, s.order, length); err != nil || step == stepMore {
		return n, step, err
	}
	if p.Time = 0; kind != ngSimple {
		p.Time = f.clock.nanoseconds(units)
	}
	p.Link = linktype.Of(f.number)
	p.WireLen = wireLen(wire, int(captured))
	p.Data = b[head : head+captured : head+captured]
	p.Interface = s.first + int(id)
	if f.number == uint16(linktype.ERF) {
		unwrapERF(p)
	}
	return int64(length), stepPacket, nil
}

func (w *pcapng) run(list []Packet, b []byte, pos int64, number int) ([]Packet, int) {
	if w.tail != 0 {
		return list, 0
	}
	return w.cur.run(list, b, pos, number)
}

// run reads enhanced packet blocks.
func (s *section) run(list []Packet, b []byte, pos int64, number int) (packets []Packet, size int) {
	packets = list
	for rest := b; len(rest) >= ngPacketHead+4; rest = b[size:] {
		h, o := (*[ngPacketHead]byte)(rest), s.order
		length, id, captured := o.u32(h[4:]), o.u32(h[8:]), o.u32(h[20:])
		room := length - ngPacketHead - 4
		if o.u32(h[:]) != ngEnhanced || length < ngPacketHead+4 || length%4 != 0 || int(length) > len(rest) || id >= uint32(len(s.ifaces)) ||
			captured > min(room, maxPacket) || room-captured > maxOptions+3 || o.u32(rest[length-4:]) != length {
			break
		}
		f := &s.ifaces[id]
		if f.number == uint16(linktype.ERF) {
			break
		}
		var p *Packet
		packets, p = next(packets)
		number++
		p.Number, p.Pos = number, pos+int64(size)
		p.Time = f.clock.nanoseconds(uint64(o.u32(h[12:]))<<32 | uint64(o.u32(h[16:])))
		p.Link, p.WireLen = linktype.Of(f.number), wireLen(o.u32(h[24:]), int(captured))
		p.Data = rest[ngPacketHead : ngPacketHead+captured : ngPacketHead+captured]
		p.Interface, p.File, p.InFile = s.first+int(id), 0, 0
		size += int(length)
	}
	return packets, size
}

// section begins a section. Its length field is not used: it may be unknown, and
// the blocks say where they end.
func (w *pcapng) section(b []byte, pos int64) (int64, step, error) {
	o := littleEndian
	switch uint32(ngMagic) {
	case bigEndian.u32(b[8:]):
		o = bigEndian
	case littleEndian.u32(b[8:]):
	default:
		return 0, 0, damage("section header without byte-order magic")
	}
	length := o.u32(b[4:])
	switch {
	case length < 28 || length%4 != 0:
		return 0, 0, damage("section header says %d bytes", length)
	case length > 28+maxOptions:
		return 0, 0, damage("section header says %d bytes of options", length-28)
	}
	n, step, err := whole(b, o, length)
	if err != nil || step == stepMore {
		return n, step, err
	}
	if major, minor := o.u16(b[12:]), o.u16(b[14:]); major != 1 || minor != 0 && minor != 2 {
		return 0, 0, &Error{Err: ErrNotCapture,
			What: "pcapng version " + utoa(uint32(major)) + "." + utoa(uint32(minor)) + " is not known (1.0 is)"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sections) == ngMaxSections {
		return 0, 0, damage("more than %d sections", ngMaxSections)
	}
	w.cur = &section{start: pos, order: o, first: len(w.interfaces)}
	w.sections = append(w.sections, w.cur)
	switch order := o.String(); w.file.ByteOrder {
	case "":
		w.file.ByteOrder = order
	case order:
	default:
		w.file.ByteOrder = "mixed"
	}
	err = options(b[24:length-4], o, func(code uint16, v []byte) {
		switch code {
		case optComment:
			if v = w.keep(v); len(v) > 0 {
				w.file.Comments = append(w.file.Comments, string(v))
			}
		case 2:
			w.file.Hardware = string(w.keep(v))
		case 3:
			w.file.OS = string(w.keep(v))
		case 4:
			w.file.Application = string(w.keep(v))
		}
	})
	return n, stepSkip, err
}

// iface reads an interface description.
func (w *pcapng) iface(b []byte, length uint32) (int64, step, error) {
	o := w.cur.order
	switch {
	case length < 20:
		return 0, 0, damage("interface description says %d bytes in all", length)
	case length > 20+maxOptions:
		return 0, 0, damage("interface description says %d bytes of options", length-20)
	}
	n, step, err := whole(b, o, length)
	if err != nil || step == stepMore {
		return n, step, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.interfaces) == ngMaxInterfaces {
		return 0, 0, damage("more than %d interfaces", ngMaxInterfaces)
	}
	f := iface{number: o.u16(b[8:]), snaplen: o.u32(b[12:])}
	i := Interface{Link: linktype.Of(f.number), LinkNumber: f.number, Snaplen: int(f.snaplen), FCSLen: -1}
	resolution, offset := byte(6), int64(0)
	err = options(b[16:length-4], o, func(code uint16, v []byte) {
		switch {
		case code == optComment:
			if v = w.keep(v); len(v) > 0 {
				i.Comments = append(i.Comments, string(v))
			}
		case code == 2:
			i.Name = string(w.keep(v))
		case code == 3:
			i.Description = string(w.keep(v))
		case code == 9 && len(v) == 1:
			resolution = v[0]
		case code == 11 && len(v) > 1 && v[0] == 0: // 0: as text, 1: compiled
			i.Filter = string(w.keep(v[1:]))
		case code == 12:
			i.OS = string(w.keep(v))
		case code == 13 && len(v) == 1:
			i.FCSLen = int(v[0])
		case code == 14 && len(v) == 8:
			offset = int64(o.u64(v))
		case code == 15:
			i.Hardware = string(w.keep(v))
		}
	})
	f.clock = newClock(resolution, offset)
	i.TimeDigits = f.clock.digits()
	w.cur.ifaces = append(w.cur.ifaces, f)
	w.interfaces = append(w.interfaces, i)
	return n, stepSkip, err
}

// statistics reads how many packets an interface lost. There may be several such
// blocks for one; the last counts.
func (w *pcapng) statistics(b []byte, length uint32) (int64, step, error) {
	o := w.cur.order
	n, step, err := whole(b, o, length)
	if err != nil || step == stepMore || length < 24 {
		return n, step, err
	}
	id := o.u32(b[8:])
	if id >= uint32(len(w.cur.ifaces)) {
		return n, step, nil // no packet is lost by passing over it
	}
	var dropped uint64
	err = options(b[20:length-4], o, func(code uint16, v []byte) {
		if (code == 5 || code == 7) && len(v) == 8 { // by the interface, by the system
			dropped += o.u64(v)
		}
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interfaces[w.cur.first+int(id)].Dropped = dropped
	return n, step, err
}

// keep cuts text that would make more than ngMaxText together.
func (w *pcapng) keep(v []byte) []byte {
	v = v[:min(len(v), ngMaxText-w.text)]
	w.text += len(v)
	return v
}

const optComment = 1

// options calls f for every option in b.
func options(b []byte, o byteOrder, f func(code uint16, value []byte)) error {
	for len(b) >= 4 {
		code, n := o.u16(b), int(o.u16(b[2:]))
		if code == 0 {
			return nil
		}
		if b = b[4:]; n > len(b) {
			return damage("option %d says %d bytes where %d are left", code, n, len(b))
		}
		f(code, b[:n:n])
		b = b[min((n+3)&^3, len(b)):]
	}
	return nil
}

// at finds the section that pos lies in and freezes it.
func (w *pcapng) at(pos int64) walker {
	w.mu.RLock()
	defer w.mu.RUnlock()
	s := &section{}
	for lo, hi := 0, len(w.sections); lo < hi; {
		if mid := (lo + hi) / 2; w.sections[mid].start <= pos {
			copied := *w.sections[mid]
			s, lo = &copied, mid+1
		} else {
			hi = mid
		}
	}
	return &pcapng{cur: s}
}

func (w *pcapng) info(f *FileInfo) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	f.Format, f.ByteOrder = "pcapng", w.file.ByteOrder
	f.Application, f.OS, f.Hardware = w.file.Application, w.file.OS, w.file.Hardware
	f.Comments = append([]string(nil), w.file.Comments...)
	f.Interfaces = append([]Interface(nil), w.interfaces...)
	for _, i := range f.Interfaces {
		f.TimeDigits = max(f.TimeDigits, i.TimeDigits)
		f.Snaplen = max(f.Snaplen, i.Snaplen)
		f.Dropped += i.Dropped
	}
	if len(f.Interfaces) == 0 {
		f.TimeDigits = 6
	}
}

func (w *pcapng) comments(b []byte, pos int64) []string {
	var p Packet
	n, step, err := w.record(b, pos, &p)
	if err != nil || step != stepPacket {
		return nil
	}
	head := 28
	if w.cur.order.u32(b) == ngSimple {
		return nil
	}
	start := head + (len(p.Data)+3)&^3
	if start > int(n)-4 {
		return nil
	}
	var list []string
	// A bad option ends the list; the packet itself is sound.
	_ = options(b[start:n-4], w.cur.order, func(code uint16, v []byte) {
		if code == optComment {
			list = append(list, string(v))
		}
	})
	return list
}

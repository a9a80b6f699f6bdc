package captures

import "github.com/odxray/odxray/captures/linktype"

// pcap walks the files of libpcap. The magic number tells byte order and time
// unit.
//
//	file header: magic, version, 8 reserved bytes, snaplen, link type
//	record: seconds, fraction, captured length, wire length, data
//
// The snaplen of the file is a wish: writers put 0 or 2 GiB there, and packets
// may be longer. It sizes nothing.
type pcap struct {
	fixed
	order   byteOrder
	head    int   // bytes of a record's header
	unit    int64 // nanoseconds of the fraction's unit
	minor   uint16
	snaplen uint32
	number  uint16 // of the link type
	link    linktype.Type
	fcs     int
}

const (
	pcapMicro    = 0xa1b2c3d4
	pcapNano     = 0xa1b23c4d
	pcapModified = 0xa1b2cd34 // Kuznetzov's: interface, protocol and packet type follow the lengths

	pcapFileHead = 24
	pcapRecHead  = 16
)

// isPcap reports whether head begins with one of pcap's magic numbers.
func isPcap(head []byte) (byteOrder, bool) {
	for _, o := range []byteOrder{littleEndian, bigEndian} {
		switch o.u32(head) {
		case pcapMicro, pcapNano, pcapModified:
			return o, true
		}
	}
	return false, false
}

func newPcap(head []byte, o byteOrder) (walker, int, error) {
	w := &pcap{order: o, head: pcapRecHead, unit: 1e3, minor: o.u16(head[6:]), snaplen: o.u32(head[16:]), fcs: -1}
	switch o.u32(head) {
	case pcapNano:
		w.unit = 1
	case pcapModified:
		w.head += 8
	}
	if major := o.u16(head[4:]); major != 2 {
		return nil, 0, &Error{Off: 4, Err: ErrNotCapture,
			What: "pcap version " + utoa(uint32(major)) + "." + utoa(uint32(w.minor)) + " is not known (2.4 is)"}
	}
	// The upper half of the link type tells the length of the frame check
	// sequence, in 16-bit words, if its bit 26 is set.
	network := o.u32(head[20:])
	w.number = uint16(network)
	w.link = linktype.Of(w.number)
	if network&(1<<26) != 0 {
		w.fcs = int(network>>28) * 2
	}
	return w, pcapFileHead, nil
}

func (w *pcap) record(b []byte, _ int64, p *Packet) (int64, step, error) {
	if len(b) < w.head {
		return int64(w.head), stepMore, nil
	}
	captured, wire := w.order.u32(b[8:]), w.order.u32(b[12:])
	// Before version 2.3 the lengths were the other way round, in 2.3 in either.
	if w.minor < 3 || w.minor == 3 && captured > wire {
		captured, wire = wire, captured
	}
	if captured > maxPacket {
		return 0, 0, damage("packet record says %d bytes", captured)
	}
	n, all := int(captured), w.head+int(captured)
	if len(b) < all {
		return int64(all), stepMore, nil
	}
	p.Time = int64(w.order.u32(b))*1e9 + int64(w.order.u32(b[4:]))*w.unit
	p.Link = w.link
	p.WireLen = wireLen(wire, n)
	p.Data = b[w.head:all:all]
	p.Interface = 0
	if w.number == uint16(linktype.ERF) {
		unwrapERF(p)
	}
	return int64(all), stepPacket, nil
}

func (w *pcap) run(list []Packet, b []byte, pos int64, number int) (packets []Packet, size int) {
	packets = list
	if w.minor < 4 || w.number == uint16(linktype.ERF) {
		return list, 0
	}
	for rest := b; len(rest) >= w.head; rest = b[size:] {
		h, o := (*[pcapRecHead]byte)(rest), w.order
		captured := o.u32(h[8:])
		end := w.head + int(captured)
		if captured > maxPacket || end > len(rest) {
			break
		}
		var p *Packet
		packets, p = next(packets)
		number++
		p.Number, p.Pos = number, pos+int64(size)
		p.Time = int64(o.u32(h[:]))*1e9 + int64(o.u32(h[4:]))*w.unit
		p.Link, p.WireLen = w.link, wireLen(o.u32(h[12:]), int(captured))
		p.Data = rest[w.head:end:end]
		p.Interface, p.File, p.InFile = 0, 0, 0
		size += end
	}
	return packets, size
}

func (w *pcap) at(int64) walker { return w }

func (w *pcap) info(f *FileInfo) {
	f.Format, f.ByteOrder, f.Snaplen = "pcap", w.order.String(), int(w.snaplen)
	if w.head != pcapRecHead {
		f.Format = "modified pcap"
	}
	f.TimeDigits = 6
	if w.unit == 1 {
		f.TimeDigits = 9
	}
	f.Interfaces = []Interface{{Link: w.link, LinkNumber: w.number, Snaplen: f.Snaplen, TimeDigits: f.TimeDigits, FCSLen: w.fcs}}
}

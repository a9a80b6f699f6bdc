package captures

import "github.com/odxray/odxray/captures/linktype"

// erf walks Endace's extensible record format. A file is records without a file
// header, so it is told by a chain of plausible ones.
//
//	record: time (little-endian, seconds in units of 2^-32), type, flags,
//	        record length, losses or colour, wire length (big-endian),
//	        extension headers of 8 bytes, the type's own header, data
//
// Data may be padded, so a packet ends with the shorter of record and wire.
type erf struct {
	fixed
	link linktype.Type // of the first packet
}

const (
	erfHead = 16
	erfMore = 0x80 // in a type: another header of 8 bytes follows
)

// Record types, of the 7 bits that remain.
const (
	erfHDLC       = 1
	erfEthernet   = 2
	erfMCHDLC     = 5
	erfMCAAL2     = 12
	erfIPCounter  = 13
	erfTCPCounter = 14
	erfAAL2       = 18
	erfInfiniBand = 21
	erfIPv4       = 22
	erfIPv6       = 23
	erfIBLink     = 25
	erfMeta       = 27
	erfPad        = 48
)

// erfLink returns the link type of a record type and the length of the header
// between the extension headers and the frame.
func erfLink(kind byte) (link linktype.Type, head int) {
	switch kind {
	case erfEthernet, 11, 16, 20: // plain, with colour, from a DSM, with hash
		return linktype.Ethernet, 2
	case erfHDLC, 10, 15, 19:
		return linktype.CiscoHDLC, 0
	case erfMCHDLC, 17:
		return linktype.CiscoHDLC, 4
	case erfInfiniBand, erfIBLink:
		return linktype.InfiniBand, 0
	case erfIPv4:
		return linktype.IPv4, 0
	case erfIPv6:
		return linktype.IPv6, 0
	}
	return linktype.Other, 0
}

// erfRecord reads the record that b holds. It reports false where the lengths in
// it do not agree. The record may say that it is longer than b, because tools that
// write records into pcap leave out the padding.
func erfRecord(b []byte, p *Packet) bool {
	if len(b) < erfHead {
		return false
	}
	length, wire := int(bigEndian.u16(b[10:])), int(bigEndian.u16(b[14:]))
	if length < erfHead {
		return false
	}
	b = b[:min(length, len(b))]
	at := erfHead
	for more := b[8]; more&erfMore != 0; at += 8 {
		if at+8 > len(b) {
			return false
		}
		more = b[at]
	}
	link, head := erfLink(b[8] &^ erfMore)
	if at += head; at > len(b) {
		return false
	}
	t := littleEndian.u64(b)
	p.Time = int64(t>>32)*1e9 + int64((t&(1<<32-1)*1e9+1<<31)>>32) // the nearest nanosecond
	p.Link = link
	p.Data = b[at:min(len(b), at+wire)]
	p.Data = p.Data[:len(p.Data):len(p.Data)]
	p.WireLen = wire
	return true
}

// unwrapERF replaces a packet of link type ERF, as some InfiniBand tools write
// into pcap, by the frame in its record. One that is no sound record stays what
// it is.
func unwrapERF(p *Packet) { erfRecord(p.Data, p) }

func (w *erf) record(b []byte, _ int64, p *Packet) (int64, step, error) {
	if len(b) < erfHead {
		return erfHead, stepMore, nil
	}
	length := int(bigEndian.u16(b[10:]))
	if length < erfHead {
		return 0, 0, damage("record says %d bytes", length)
	}
	if len(b) < length {
		return int64(length), stepMore, nil
	}
	switch b[8] &^ erfMore {
	case erfIPCounter, erfTCPCounter, erfMeta, erfPad:
		return int64(length), stepSkip, nil
	}
	if !erfRecord(b[:length], p) {
		return 0, 0, damage("extension headers run past their record of %d bytes", length)
	}
	p.Interface = 0
	return int64(length), stepPacket, nil
}

func (w *erf) at(int64) walker { return w }

func (w *erf) info(f *FileInfo) {
	f.Format, f.ByteOrder, f.TimeDigits = "ERF", bigEndian.String(), 9
	f.Interfaces = []Interface{{Link: w.link, LinkNumber: uint16(w.link), TimeDigits: 9, FCSLen: -1}}
}

// detectERF tells an ERF file by its first two records, or its only one: they must
// be whole, of known types and lie within a week. More asks for bytes of the file
// and returns what there is.
func detectERF(more func(n int) []byte) *erf {
	const (
		year1990 = 631152000
		week     = 7 * 24 * 3600
	)
	var (
		w     *erf
		off   int
		first int64
		p     Packet
	)
	for found := range 2 {
		b := more(off + erfHead)
		if len(b) == off && found == 1 {
			break
		}
		if len(b) < off+erfHead {
			return nil
		}
		head := b[off:]
		length, kind, sec := int(bigEndian.u16(head[10:])), head[8]&^erfMore, int64(littleEndian.u32(head[4:]))
		if found == 0 {
			first = sec
		}
		// This needs no more of a file that may still have to grow.
		if kind == 0 || kind > 29 && kind != erfPad || sec < year1990 || sec > first+week || sec < first-week || length < erfHead {
			return nil
		}
		if b = more(off + length); len(b) < off+length {
			return nil
		}
		if b = b[off : off+length]; !erfRecord(b, &p) || p.WireLen == 0 && kind != erfPad {
			return nil
		}
		if w == nil {
			w = &erf{link: p.Link}
		}
		off += length
	}
	return w
}

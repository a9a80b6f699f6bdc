package captures

import (
	"sync/atomic"

	"github.com/odxray/odxray/captures/linktype"
)

// snoop walks the files of Solaris' snoop, version 2 (RFC 1761). Numbers are
// big-endian, times have microseconds.
//
//	file header: "snoop\0\0\0", version, data link type
//	record: original length, included length, record length, drops, seconds,
//	        microseconds, data, padding
type snoop struct {
	fixed
	link    linktype.Type
	dropped atomic.Uint32 // since the capture began, as the records count
}

const (
	snoopMagic     = "snoop\x00\x00\x00"
	snoopFileHead  = 16
	snoopRecHead   = 24
	snoopMaxRecord = snoopRecHead + maxPacket + maxOptions
)

func newSnoop(head []byte, name string) (walker, int, error) {
	if v := bigEndian.u32(head[8:]); v != 2 {
		return nil, 0, foreign("a snoop file of version "+utoa(v), byEditcap, name)
	}
	return &snoop{link: snoopLink(bigEndian.u32(head[12:]))}, snoopFileHead, nil
}

// snoopLink maps the data link types of RFC 1761, and those that Solaris'
// <sys/dlpi.h> added, which snoop writes.
func snoopLink(d uint32) linktype.Type {
	switch d {
	case 0, 4, 24, 25: // IEEE 802.3, Ethernet, either, 100BaseT
		return linktype.Ethernet
	case 2, 23:
		return linktype.TokenRing
	case 5:
		return linktype.CiscoHDLC
	case 8:
		return linktype.FDDI
	case 9, 14: // other, loopback
		return linktype.Null
	case 26:
		return linktype.IPoIB
	}
	return linktype.Other
}

func (s *snoop) record(b []byte, _ int64, p *Packet) (int64, step, error) {
	if len(b) < snoopRecHead {
		return snoopRecHead, stepMore, nil
	}
	captured, record := bigEndian.u32(b[4:]), bigEndian.u32(b[8:])
	switch {
	case captured > maxPacket:
		return 0, 0, damage("packet record says %d bytes", captured)
	case record > snoopMaxRecord:
		return 0, 0, damage("packet record says %d bytes in all", record)
	case record < snoopRecHead+captured:
		return 0, 0, damage("packet record says %d bytes in all, %d of them captured", record, captured)
	case len(b) < int(record):
		return int64(record), stepMore, nil
	}
	if d := bigEndian.u32(b[12:]); d > s.dropped.Load() {
		s.dropped.Store(d)
	}
	n := int(captured)
	p.Time = int64(bigEndian.u32(b[16:]))*1e9 + int64(bigEndian.u32(b[20:]))*1e3
	p.Link = s.link
	p.WireLen = wireLen(bigEndian.u32(b), n)
	p.Data = b[snoopRecHead : snoopRecHead+n : snoopRecHead+n]
	p.Interface = 0
	return int64(record), stepPacket, nil
}

func (s *snoop) at(int64) walker { return s }

func (s *snoop) info(f *FileInfo) {
	f.Format, f.ByteOrder, f.TimeDigits = "snoop", bigEndian.String(), 6
	f.Dropped = uint64(s.dropped.Load())
	f.Interfaces = []Interface{{Link: s.link, Dropped: f.Dropped, LinkNumber: uint16(s.link), TimeDigits: 6, FCSLen: -1}}
}

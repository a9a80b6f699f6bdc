package captures

import "slices"

// A step is what a walker found at the place it was asked to look.
type step int

const (
	stepPacket step = iota // a packet; the record has n bytes, all at hand
	stepSkip               // no packet; n bytes to pass over, which need not be at hand
	stepPart               // as stepSkip, and the record goes on after the n bytes
	stepMore               // cannot tell with fewer than n bytes
)

// A walker knows the records of one format.
type walker interface {
	// record reads the record at the front of b, which lies at pos in the file.
	// It sets p's Time, Link, WireLen, Data and Interface if it returns
	// stepPacket, and leaves p alone if not. What it asks for with stepMore fits a
	// block. An error is an *Error without file and offset.
	record(b []byte, pos int64, p *Packet) (n int64, s step, err error)
	// at returns a walker for one packet at pos that was walked before. It may be
	// used beside the one that walks on.
	at(pos int64) walker
	// info fills in what the format knows about the file. It may be called beside
	// the walk.
	info(*FileInfo)
	// comments returns the comments of the packet record at the front of b.
	comments(b []byte, pos int64) []string
}

// A runner is a walker that reads many records at once.
type runner interface {
	// run adds to list the packets of the records at the front of b, which lies at pos,
	// as long as they are what most are, and returns how many bytes they take. number is
	// that of the packet before. What it says of them record says, too.
	run(list []Packet, b []byte, pos int64, number int) ([]Packet, int)
}

// next extends list by a packet of which all is still to be set.
func next(list []Packet) ([]Packet, *Packet) {
	n := len(list)
	if n == cap(list) {
		list = slices.Grow(list, 1)
	}
	list = list[:n+1]
	return list, &list[n]
}

// A fixed walker is one that does not change while it walks and has no comments.
type fixed struct{}

func (fixed) comments([]byte, int64) []string { return nil }

// byteOrder reads numbers in the order of the machine that wrote the file. It is
// a type of its own because calls through binary.ByteOrder are not inlined.
type byteOrder bool

const (
	littleEndian byteOrder = false
	bigEndian    byteOrder = true
)

func (o byteOrder) u16(b []byte) uint16 {
	_ = b[1]
	if o == bigEndian {
		return uint16(b[0])<<8 | uint16(b[1])
	}
	return uint16(b[1])<<8 | uint16(b[0])
}

func (o byteOrder) u32(b []byte) uint32 {
	_ = b[3]
	if o == bigEndian {
		return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	}
	return uint32(b[3])<<24 | uint32(b[2])<<16 | uint32(b[1])<<8 | uint32(b[0])
}

func (o byteOrder) u64(b []byte) uint64 {
	if o == bigEndian {
		return uint64(o.u32(b))<<32 | uint64(o.u32(b[4:]))
	}
	return uint64(o.u32(b[4:]))<<32 | uint64(o.u32(b))
}

func (o byteOrder) String() string {
	if o == bigEndian {
		return "big-endian"
	}
	return "little-endian"
}

// wireLen returns the length on the wire that a record gives, which a broken
// writer may have made less than what it kept.
func wireLen(wire uint32, captured int) int { return max(int(wire), captured) }

package inet

import (
	"fmt"
	"net/netip"

	"github.com/odxray/odxray/dissect/wire"
)

// Values of a checksum's status, as Wireshark's filters compare them.
const (
	badStatus        = 0
	goodStatus       = 1
	unverifiedStatus = 2
	missingStatus    = 3 // the sender computed none
	illegalStatus    = 4 // and had to
)

func sumStatus(v uint64) string {
	switch v {
	case badStatus:
		return "Bad"
	case goodStatus:
		return "Good"
	case missingStatus:
		return "Not present"
	case illegalStatus:
		return "Illegal"
	}
	return "Unverified"
}

func sumUnverified(v uint64) string { return fmt.Sprintf("0x%04x [unverified]", v) }
func sumGood(v uint64) string       { return fmt.Sprintf("0x%04x [correct]", v) }
func sumBad(v uint64) string        { return fmt.Sprintf("0x%04x [incorrect]", v) }

// checksum reads the checksum of a message and, for the tree, verifies it. message is
// nil if it was not captured whole; pseudo is the sum of what is not in it.
func checksum(c *wire.Cursor, message []byte, pseudo uint32, unverified, good, bad, status *wire.Field) {
	switch {
	case !c.Recording():
		c.BE16(unverified)
	case message == nil:
		c.BE16(unverified)
		c.Note(status, unverifiedStatus, "")
	case fold(pseudo+sum(message)) == 0xffff:
		c.BE16(good)
		c.Note(status, goodStatus, "")
	default:
		c.BE16(bad)
		c.Note(status, badStatus, "")
	}
}

// sum adds up the 16-bit numbers of b, at most 64 KiB. RFC 1071
func sum(b []byte) (s uint32) {
	for i, v := range b {
		if i&1 == 0 {
			s += uint32(v) << 8
		} else {
			s += uint32(v)
		}
	}
	return s
}

func fold(s uint32) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

// pseudoHeader sums the header that the checksums above IPv6 include. RFC 8200 8.1
func pseudoHeader(src, dst netip.Addr, n int, proto uint8) uint32 {
	a, b := src.As16(), dst.As16()
	return sum(a[:]) + sum(b[:]) + uint32(n)>>16 + uint32(n)&0xffff + uint32(proto)
}

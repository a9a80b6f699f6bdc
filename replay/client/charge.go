package client

import (
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

const headerSize = smb2.HeaderSize

// Charge is the CreditCharge of a request on a connection with multi-credit requests: a
// credit for each 64 KiB that goes out or may come back, for READ, WRITE, IOCTL,
// QUERY_DIRECTORY, CHANGE_NOTIFY, QUERY_INFO and SET_INFO; 1 for all others.
// [MS-SMB2] 3.2.4.1.5, 3.3.5.2.5
func Charge(command smb2.Command, body []byte) uint16 {
	u32 := func(off int) uint64 {
		if off+4 > len(body) {
			return 0
		}
		return uint64(wire.GetU32(body[off:]))
	}
	var out, in uint64
	switch command { // offsets of lengths in the bodies
	case smb2.Read:
		in = u32(4)
	case smb2.Write:
		out = u32(4)
	case smb2.Ioctl:
		out, in = u32(28)+u32(40), u32(32)+u32(44)
	case smb2.QueryDirectory:
		in = u32(28)
	case smb2.ChangeNotify:
		in = u32(4)
	case smb2.QueryInfo:
		out, in = u32(12), u32(4)
	case smb2.SetInfo:
		out = u32(4)
	}
	n := max(out, in, 1)
	return uint16(min((n-1)/65536+1, 0xffff))
}

// consumed is how many credits, and MessageIds, a request of a charge takes.
func consumed(charge uint16) int { return max(int(charge), 1) }

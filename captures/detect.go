package captures

import (
	"bytes"
	"fmt"
	"strconv"
)

// longestHead is what detect wants to see of a file, if the file has it.
const longestHead = 32

func utoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// foreign refuses a capture of another kind.
func foreign(what, command string) error {
	return &Error{Off: -1, Err: ErrForeign, What: fmt.Sprintf("is %s, which odxray does not read; convert it: %s", what, command)}
}

// detect tells the format by the first bytes of a file. It returns its walker and
// where the first record begins.
func detect(head []byte) (w walker, start int, err error) {
	if len(head) == 0 {
		return nil, 0, &Error{Off: -1, Err: ErrNotCapture, What: "is empty, not a capture file"}
	}
	full := make([]byte, longestHead)
	copy(full, head)
	switch order, ok := isPcap(full); {
	case ok:
		w, start, err = newPcap(full, order)
	case bytes.HasPrefix(full, []byte(snoopMagic)):
		w, start, err = newSnoop(full)
	case bigEndian.u32(full) == ngSection && (bigEndian.u32(full[8:]) == ngMagic || littleEndian.u32(full[8:]) == ngMagic):
		return newPcapng(), 0, nil
	default:
		return nil, 0, &Error{Off: -1, Err: ErrNotCapture, What: "is not a capture file that odxray knows (pcap, pcapng, snoop, ERF; also in gzip or zstd)"}
	}
	if err == nil && len(head) < start {
		err = ErrCut
	}
	return w, start, err
}

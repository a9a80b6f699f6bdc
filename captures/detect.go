package captures

import (
	"bytes"
	"strconv"
)

// longestHead is what the formats with a magic number want to see of a file, if
// the file has it; foreignHead is what it takes to name those that are not read.
const (
	longestHead = 32
	foreignHead = 512
)

func utoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// detect tells the format by the first bytes of a file. It returns its walker and
// where the first record begins. More asks for n bytes of the file and returns
// what there is.
func detect(more func(n int) []byte, name string) (w walker, start int, err error) {
	head := more(longestHead)
	if len(head) == 0 {
		return nil, 0, &Error{Off: -1, Err: ErrNotCapture, What: "is empty, not a capture file"}
	}
	full := make([]byte, longestHead)
	copy(full, head)
	switch order, ok := isPcap(full); {
	case ok:
		if len(head) < pcapFileHead {
			return nil, 0, ErrCut
		}
		return newPcap(full, order)
	case bytes.HasPrefix(full, []byte(snoopMagic)):
		if len(head) < snoopFileHead {
			return nil, 0, ErrCut
		}
		return newSnoop(full, name)
	case isPcapng(full):
		return newPcapng(), 0, nil
	default:
		if err := detectForeign(more(foreignHead), name); err != nil {
			return nil, 0, err
		}
		if w := detectERF(more); w != nil {
			return w, 0, nil
		}
		return nil, 0, &Error{Off: -1, Err: ErrNotCapture, What: "is not a capture file that odxray knows (pcap, pcapng, snoop, ERF; also in gzip or zstd)"}
	}
}

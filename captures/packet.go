package captures

import "github.com/odxray/odxray/captures/linktype"

// Packet is one captured frame.
type Packet struct {
	Number    int   // 1-based, in order of delivery
	Time      int64 // nanoseconds since 1970 UTC; 0 if the file has none
	Link      linktype.Type
	WireLen   int    // bytes on the wire, never less than len(Data)
	Data      []byte // bytes in the file; a slice of the reader's block
	Pos       int64  // where the record lies, for [Reader.At]; opaque after [Merge]
	Interface int    // index in FileInfo.Interfaces
	File      int    // which of several files, in the order given to [Merge]
	InFile    int    // Number within that file; 0 if there is only one
}

// FileInfo says what kind of file a capture is.
type FileInfo struct {
	Name        string
	Format      string // pcap, modified pcap, pcapng, snoop, ERF
	Compression string // gzip, zstd or empty
	ByteOrder   string // little-endian, big-endian, mixed
	Spool       string // directory of the file that keeps what goes by, because the capture can be read but once; "" if there is none
	TimeDigits  int    // digits after the second: 6 or 9, or the most any interface has
	Snaplen     int    // the most bytes the capture kept of a packet; 0 for all
	Interfaces  []Interface
	Comments    []string // of the file, not of packets
	Application string   // what wrote the file
	OS          string
	Hardware    string
	Dropped     uint64     // packets that the capture says it lost, on all interfaces
	Files       []FileInfo // of a timeline of several files, each of them
}

// Interface is where packets were captured. Formats that know only one link type
// have one interface without a name.
type Interface struct {
	Name        string
	Description string
	Filter      string // capture filter
	OS          string
	Hardware    string
	Comments    []string
	Link        linktype.Type
	LinkNumber  uint16 // as in the registry
	Snaplen     int    // 0 for all
	TimeDigits  int    // 0 to 9
	Dropped     uint64 // packets that the capture says it lost, as far as the file has been read
	FCSLen      int    // bytes of frame check sequence at the end of each packet; -1 if unknown
}

package captures

import "github.com/google/gopacket/layers"

// Packet is one captured frame.
type Packet struct {
	Number    int             // 1-based, in order of delivery
	Time      int64           // nanoseconds since 1970 UTC; 0 if the file has none
	Link      layers.LinkType // see [LinkType]
	WireLen   int             // bytes on the wire, never less than len(Data)
	Data      []byte          // bytes in the file; a slice of the reader's block
	Pos       int64           // where the record lies, for [Reader.At]; opaque after [Merge]
	Interface int             // index in FileInfo.Interfaces
	File      int             // which of several files, in the order given to [Merge]
	InFile    int             // Number within that file; 0 if there is only one
}

// Link types that gopacket does not name. Its type has eight bits, the registry
// of link types sixteen.
const (
	// LinkInfiniBand is LINKTYPE_INFINIBAND: a frame from its local route header.
	LinkInfiniBand layers.LinkType = 247
	// LinkIPoIB is LINKTYPE_IPOIB: IP over InfiniBand.
	LinkIPoIB layers.LinkType = 242
	// LinkLinuxSLL2 stands for LINKTYPE_LINUX_SLL2, which is 276: its low eight
	// bits, as pcapgo has it too. No link type has the number 20.
	LinkLinuxSLL2 layers.LinkType = 20
	// LinkOther stands for every other link type above 255, so that none of them
	// passes for what its low eight bits say. No link type has the number 21.
	LinkOther layers.LinkType = 21

	linkERF = 197
)

// LinkType maps a number of the registry (tcpdump.org/linktypes.html) to
// gopacket's type. Raw IP has several numbers, by system; all become
// LinkTypeRaw.
func LinkType(number uint16) layers.LinkType {
	switch {
	case number == 276:
		return LinkLinuxSLL2
	case number > 255:
		return LinkOther
	case number == 12 || number == 14:
		return layers.LinkTypeRaw
	}
	return layers.LinkType(number)
}

// FileInfo says what kind of file a capture is.
type FileInfo struct {
	Name        string
	Format      string // pcap, modified pcap, pcapng, snoop, ERF
	Compression string // gzip, zstd or empty
	ByteOrder   string // little-endian, big-endian, mixed
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
	Link        layers.LinkType
	LinkNumber  uint16 // as in the registry
	Snaplen     int    // 0 for all
	TimeDigits  int    // 0 to 9
	Dropped     uint64 // packets that the capture says it lost, as far as the file has been read
	FCSLen      int    // bytes of frame check sequence at the end of each packet; -1 if unknown
}

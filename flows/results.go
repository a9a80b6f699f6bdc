package flows

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// Range is the half-open range [Start, End) of bytes of a file or a token.
type Range struct{ Start, End uint64 }

// Row is a line of the packet list.
type Row struct {
	Frame    int
	Time     int64 // nanoseconds since 1970 UTC
	Source   string
	Dest     string
	Protocol string
	Length   int // bytes on the wire
	Info     string
	Marks    Mark // what colours the row
}

// Mark is a set of facts about a frame that lists show by colour and by filter.
type Mark uint16

const (
	MarkSMB        Mark = 1 << iota // holds the end of an SMB message
	MarkOffload                     // one of them is an offload call
	MarkCopy                        // one of them is another call of a copy
	MarkError                       // one of them is an error answer
	MarkRetransmit                  // bytes seen before
	MarkLost                        // bytes before it are missing
	MarkMalformed                   // cannot be decoded as a whole
	MarkCut                         // the capture holds less than the wire did
	MarkEncrypted                   // holds a message that nobody could decrypt
)

// Exchange is one request with its answers, or an answer whose request the capture
// does not show.
type Exchange struct {
	ID           int // from 1, in the order of the requests
	Conn         int // Connection.ID
	Command      smb2.Command
	Function     fscc.Code // valid iff Command is Ioctl
	InfoType     uint8     // valid iff Command is QueryInfo or SetInfo
	InfoClass    uint8     // valid iff Command is QueryInfo, SetInfo or QueryDirectory
	MessageID    uint64
	SessionID    uint64
	TreeID       uint32 // 0 if unknown
	File         string // relative to the share; "" if unknown or none
	Share        string // \\server\share; "" if unknown
	User         string // domain\name; "" if unknown
	Client       string // address
	Transport    Transport
	Offset       uint64 // valid iff HasRange
	Length       uint64 // bytes asked for; valid iff HasRange
	HasRange     bool
	Moved        uint64 // bytes read, written or copied, as the answer says
	Status       ntstatus.Status
	RequestFrame int   // 0 if not in the capture
	AnswerFrame  int   // of the final answer; 0 if not in the capture
	InterimFrame int   // of the STATUS_PENDING answer; 0 if there was none
	RequestTime  int64 // nanoseconds since 1970 UTC; 0 if RequestFrame is
	AnswerTime   int64

	InterimTime     int64         // 0 if InterimFrame is
	CreditWait      time.Duration // for which the client had no credits just before; 0 if it had, or if that is unknown
	Network         time.Duration // of Took, between capture and server, as the handshake took; 0 if unknown
	CancelFrame     int           // of the CANCEL; 0 if there was none
	Replay          bool          // sent again, after its channel had failed
	ChannelSequence uint16
	RDMA            Transfer
	Uncertain       string // why the exchange may be incomplete; "" if it is not
}

// Took returns the time from request to final answer, or false if one is missing.
func (x *Exchange) Took() (time.Duration, bool) {
	if x.RequestFrame == 0 || x.AnswerFrame == 0 {
		return 0, false
	}
	return time.Duration(x.AnswerTime - x.RequestTime), true
}

// UntilInterim returns the time from request to STATUS_PENDING, or false if one is missing.
func (x *Exchange) UntilInterim() (time.Duration, bool) {
	return time.Duration(x.InterimTime - x.RequestTime), x.RequestFrame != 0 && x.InterimTime != 0
}

// Pending returns the time from STATUS_PENDING to the final answer, or false if one is
// missing.
func (x *Exchange) Pending() (time.Duration, bool) {
	return time.Duration(x.AnswerTime - x.InterimTime), x.AnswerFrame != 0 && x.InterimTime != 0
}

// InServer estimates how long the server took: what is left of Took without the way
// between the capture and the server, as long as that was for the handshake. It is
// best where the capture is near the server.
func (x *Exchange) InServer() (time.Duration, bool) {
	took, ok := x.Took()
	return max(0, took-x.Network), ok && x.Network > 0
}

// Transport is what carries a connection.
type Transport string

const (
	TCP        Transport = "tcp"
	RoCEv2     Transport = "rocev2" // SMB Direct on a queue pair
	RoCEv1     Transport = "rocev1"
	InfiniBand Transport = "infiniband"
	IWARP      Transport = "iwarp" // SMB Direct on RDMAP, DDP and MPA over TCP
)

// Connection is a connection that carries SMB.
type Connection struct {
	ID            int
	Host          int // the same for all connections to one server
	Transport     Transport
	Client        netip.AddrPort
	Server        netip.AddrPort
	First, Last   int   // frames
	FirstTime     int64 // of First
	LastMessage   int   // frame of its last message
	LastTime      int64 // of that
	EndTime       int64 // of its first FIN or RST, or of its end by CM; 0 if the capture does not show it
	Dialect       smb2.Dialect
	ClientGUID    wire.GUID
	ServerGUID    wire.GUID
	LateStart     bool   // began before the capture
	LostBytes     uint64 // missing from the capture
	CutFrames     int    // cut by the snap length
	Retransmitted int    // frames
	Messages      int
	Encrypted     int // messages that could not be decrypted
	Nameless      int // of those, that name no session
	Malformed     int
	Compressed    int   // messages that could not be decompressed
	CompressedWhy error // the last of them
	Credits       Credits
}

// Credits are how many requests a client was allowed to have on its way. [MS-SMB2] 3.3.1.1
type Credits struct {
	Asked   uint64 // in all
	Granted uint64
	Charged uint64
	Known   bool // Window is what the client has, and all below is of the whole connection
	Window  int
	Most    int           // the largest Window
	Stalls  int           // times that the client had none left
	Stalled int64         // nanoseconds of those
	History []CreditPoint // of Window while it was known, the oldest first; not of all connections if there are very many
}

// Session is an authenticated session, on one or more connections.
type Session struct {
	ID     uint64
	Server string
	User   string // domain\name; "" if the capture does not show it
	Host   string // workstation
	Conns  []int
	First  int  // frame of the SESSION_SETUP response that finished it; 0 if not in the capture
	Guest  bool // as the server says
	Signed bool
	Sealed bool
	Trees  []Tree

	Encrypted     int    // messages
	Decrypted     int    // of them
	KeyOrigin     string // what opened them: a password, a session key, direction keys; "" if nothing did
	Trouble       string // why not all were decrypted; "" if all were, or none had to be
	TroubleFrame  int    // of the first that was not; 0 if all were
	Verified      int    // messages outside encryption whose signature a key proved
	BadSignatures []int  // frames of messages whose signature is wrong, on connections where others were verified; not all if there are very many
	Unverified    int    // messages with a signature that no key fits, on connections where none does

	Ended    int      // frame in which it was over; 0 if it goes on
	Previous uint64   // id of the session that it took the place of; 0 if none
	Earlier  []string // whose it was before somebody authenticated anew
	Opens    int      // files that are open at the end
}

// Tree is a tree connect.
type Tree struct {
	ID    uint32
	Share string // \\server\share; "" if unknown
	Type  uint8  // 1 disk, 2 pipe, 3 printer; 0 unknown
	Frame int
}

// Level says how bad a finding is.
type Level uint8

const (
	Note Level = iota
	Warning
	Error
)

func (l Level) String() string { return [...]string{"note", "warning", "error"}[l] }

// Finding is what a rule of the audit says.
type Finding struct {
	Rule      string
	Level     Level
	Message   string
	Frames    []int
	Copy      int    // Copy.ID; 0 if none
	Mint      string // Mint.ID; "" if none
	Uncertain string // why; "" if it is certain
}

// RDMAFault is something that is wrong with SMB Direct or the RDMA below it.
type RDMAFault struct {
	Kind     FaultKind
	Level    Level
	Frame    int
	Answer   int    // frame of the answer to what Frame asks; 0 if there is none
	Exchange int    // Exchange.ID; 0 if none
	Text     string // what it is

	Uncertain string // why it may be none; "" if it is one
}

// Missing names what the capture lacks of a connection: bytes, or packets where nothing says
// how long they were.
func (c *Connection) Missing() string {
	if c.Transport == TCP || c.Transport == IWARP {
		return fmt.Sprintf("%d bytes", c.LostBytes)
	}
	return "packets"
}

// FaultKind is what sort of fault it is.
type FaultKind uint8

const (
	FaultHeader FaultKind = iota
	FaultFragment
	FaultShort
	FaultBounds
	FaultDirection
	FaultLong
	FaultOverrun
	FaultLastCredit
	FaultStarved
	FaultKeepAlive
	FaultInvalidated
)

// Results is what a pass has found, so far or in the end. It is a value: nobody
// changes it.
type Results struct {
	RDMA     []RDMAConnection // without their operations
	Attempts []Attempt        // to connect by RDMA

	Done        bool // the pass is over
	Frames      int
	Messages    int // SMB2 messages, each element of a compound its own
	Exchanges   int
	First, Last int64    // times of the first and the last frame; 0 if there is none
	Problems    []string // what could not be read, decrypted or decoded, in words
	Incomplete  bool     // something was lost, cut or not decrypted
	Connections []Connection
	Sessions    []Session
	Opens       int
	Caching     Caches
	Durables    int // opens that were made to outlive their connection
	Resumptions int // times a client came back to one
	Copies      []Copy
	Mints       []Mint
	Loose       []Call // of copies' calls, those that belong to no copy
	Unread      bool   // the capture went on where the pass ended: interrupted, cut or damaged
	Findings    []Finding
	Protocols   map[string]int // frames by Protocol column
}

// Count returns how many findings there are at level l.
func (r *Results) Count(l Level) (n int) {
	for i := range r.Findings {
		if r.Findings[i].Level == l {
			n++
		}
	}
	return n
}

// Caching is what a client may keep to itself: an oplock, or the state of a lease.
type Caching struct {
	Oplock smb2.OplockLevel
	Lease  smb2.LeaseState // valid iff Oplock is OplockLease
}

// String returns the letters that leases are spoken of with, or the oplock's name.
func (c Caching) String() string {
	switch {
	case c.Oplock == smb2.OplockII:
		return "level II"
	case c.Oplock == smb2.OplockExclusive:
		return "exclusive"
	case c.Oplock == smb2.OplockBatch:
		return "batch"
	case c.Oplock != smb2.OplockLease || c.Lease == 0:
		return "none"
	}
	s := ""
	for _, bit := range []struct {
		state  smb2.LeaseState
		letter string
	}{{smb2.LeaseRead, "R"}, {smb2.LeaseWrite, "W"}, {smb2.LeaseHandle, "H"}} {
		if c.Lease&bit.state != 0 {
			s += bit.letter
		}
	}
	return s
}

// CacheBreak is a server's demand that a client give up caching.
type CacheBreak struct {
	Conn      int
	File      string // "" if unknown
	Frame     int    // of the notification
	Time      int64
	From      Caching // valid iff FromKnown
	FromKnown bool
	To        Caching
	Needed    bool    // an acknowledgement is
	Ack       int     // frame of that; 0 if it is not in the capture
	AckTime   int64   // 0 if Ack is
	Kept      Caching // what the client says that it goes on with; valid iff Ack is not 0
}

// CacheCounts is how often clients were allowed to cache, and had to stop it.
type CacheCounts struct {
	Leases    int // granted, each CREATE counted
	Oplocks   int
	Breaks    int
	Forgotten int // grants that were not followed, because there were too many
}

// Caches is what became of leases and oplocks.
type Caches struct {
	CacheCounts
	Shown []CacheBreak // the breaks, in order; not all if there are very many
}

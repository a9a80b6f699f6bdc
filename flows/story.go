package flows

// What is known of copies and tokens, as values.

import (
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// Method is how a copy moves its bytes, the slowest first.
type Method uint8

const (
	Plain Method = iota // READ and WRITE
	CopyChunk
	ODX
	DuplicateExtents
	methods
)

func (m Method) String() string {
	return [...]string{"plain", "copychunk", "odx", "duplicate-extents"}[m]
}

// methodOf returns the method that a call belongs to.
func methodOf(k *Call) Method {
	switch {
	case k.Command != smb2.Ioctl:
		return Plain
	case k.Function == fscc.OffloadRead || k.Function == fscc.OffloadWrite:
		return ODX
	case k.Function == fscc.CopyChunk || k.Function == fscc.CopyChunkWrite:
		return CopyChunk
	}
	return DuplicateExtents
}

// Verdict is what became of a copy.
type Verdict uint8

const (
	Unknown Verdict = iota
	Complete
	Partial
	Failed
)

func (v Verdict) String() string { return [...]string{"unknown", "complete", "partial", "failed"}[v] }

// End is one end of a copy.
type End struct {
	File    int // the same for all ends that are the same file
	Server  string
	Share   string // "" if unknown
	Path    string // "" if unknown
	Size    uint64 // end of file as last known when the copy ended; valid iff HasSize
	HasSize bool
	Frame   int // of the CREATE response of its first open; 0 if not in the capture
}

// Call is one request of a copy's story, with its answer. Many are kept: small fields stand
// together.
type Call struct {
	Command  smb2.Command
	Function fscc.Code // valid iff Command is Ioctl
	Frame    int       // of the request
	Answer   int       // of the final response; 0 if not in the capture
	Interim  int       // of a STATUS_PENDING answer, to it or to the request that its compound begins with; 0 if there was none
	Conn     int       // Connection.ID
	Host     int       // Connection.Host
	File     string    // path of the file that it is on; "" if unknown
	Time     int64     // of the request, nanoseconds since 1970 UTC
	Took     int64     // nanoseconds; 0 if Answer is
	Offset   uint64    // in the file that it is on
	Asked    uint64    // bytes
	Moved    uint64    // bytes
	From     uint64    // where its bytes come from: in the source file or, of OFFLOAD_WRITE, in the token
	Status   ntstatus.Status
	Replay   bool   // sent again as SMB2_FLAGS_REPLAY_OPERATION says
	Ended    bool   // of a call without an answer: its connection ended
	Waited   int64  // of the same: nanoseconds until its connection or the capture ended
	Mint     string // Mint.ID of the token that it brought or presented
	Repeats  []int  // frames that carried the same request again

	// Of offload calls.
	TokenType  uint32 // presented by OFFLOAD_WRITE
	Size       uint32 // of the request's structure in bytes, as it claims
	Input      uint32 // bytes of the request's buffer
	AnswerSize uint32 // of the answer's structure, as it claims
	Output     uint32 // bytes of the answer's buffer
	MaxOutput  uint32 // bytes that the client takes back
	Damaged    bool   // the request's or the answer's buffer ends before its structure does
	Cut        bool   // the capture does not hold all of the answer
	AllZero    bool   // OFFLOAD_READ: ALL_ZERO_BEYOND_CURRENT_RANGE
	Forgotten  bool   // of a token whose mint was dropped because there were too many
	Differs    int    // of a token that nobody minted: in how many bytes it differs from Nearest; 0 if none was compared
	Nearest    string // the Mint.ID on that server that differs in the fewest
	Break      int    // frame of a lease or oplock break to the same client, about a file of the call, that it waited for; 0 if none
	Ack        int    // frame of the client's acknowledgement; 0 if not in the capture

	// Of SRV_COPYCHUNK.
	Limits   fscc.CopyChunkLimits // of the server, which refused it for them; valid iff Limited
	Limited  bool
	KeyKnown bool // a SRV_REQUEST_RESUME_KEY in the capture gave its key

	// Of the file that it is on, and of the one that its bytes come from.
	HasEnd       bool
	HasSourceEnd bool
	Sector       uint32 // logical sector size in bytes; 0 if the capture does not show it
	Cluster      uint32 // allocation unit in bytes; 0 if the capture does not show it
	tree         uint32 // that tells both
	End          uint64 // end of file before the call; valid iff HasEnd
	SourceEnd    uint64 // likewise
}

// fewBytes is in how many bytes a token differs at most from the one that it was.
const fewBytes = 16

// Altered reports whether the call had a token refused that nobody minted, and that differs
// from one of that server in a few bytes.
func (k *Call) Altered() bool { return k.Refused() && k.Differs > 0 && k.Differs <= fewBytes }

// Refused reports whether a final answer says that the call failed.
func (k *Call) Refused() bool { return k.Answer != 0 && failed(k.Status) }

// Took reports whether a final answer says that the call did what it could.
func (k *Call) Accepted() bool { return k.Answer != 0 && !failed(k.Status) }

// Change is something that altered the bytes of a file.
type Change struct {
	Command  smb2.Command
	Function fscc.Code // valid iff Command is Ioctl
	Range
	Frame  int // of the request
	Answer int
	begun  int64
	done   int64
}

// Overlap is bytes of a destination that two calls of one method wrote.
type Overlap struct {
	Range
	Method       Method
	First, Again int // frames of the requests; First is 0 if it is not kept
}

// Resume is what the client did after a call that moved less than it was asked for,
// while no other call was under way.
type Resume struct {
	Short int    // frame of that call
	Next  int    // frame of the call that followed
	At    uint64 // where the short one stopped, in the destination
	Left  Range  // from there on, what nobody asked for later
}

// Failure is a call that was refused, and what it was asked for that nothing wrote
// afterwards.
type Failure struct {
	Frame, Answer int
	Function      fscc.Code
	Status        ntstatus.Status
	Left          []Range // of the destination, below the end of file
}

// Copy is all calls that move data from one file to another for one client.
type Copy struct {
	ID          int
	Client      string
	SessionID   uint64
	Method      Method // of most bytes
	Methods     []Method
	Fallback    string // status name that ended the first method; "no status" if none was seen, "" if it was not left
	Source      End
	Destination End
	Bytes       uint64 // moved, not cut at the end of file
	WireBytes   uint64 // file data that crossed the network for it
	Mints       int
	Reads       int // OFFLOAD_READs (or READs of a plain copy), a retransmitted one once
	Writes      int // calls that write the destination
	Covered     []Range
	Gaps        []Range
	Verdict     Verdict
	Uncertain   string // why the verdict is; "" if it is certain
	Closed      bool   // its destination was closed after it: it is over, as far as one can know
	FirstFrame  int
	LastFrame   int
	FirstTime   int64
	LastTime    int64
	Calls       []Call // its story, in order; ordinary ones are left out past a limit

	// What the audit looks at.
	Whole       bool    // the capture saw its destination empty, and its first call goes from 0 to 0
	Sized       bool    // the client made the destination as long as the source
	Sparse      bool    // the source is a sparse file, or may be one
	Proved      []Range // of the source: data, as the capture shows
	Blurred     bool    // too much was written too scattered to say what was not
	Overlaps    []Overlap
	Misplaced   []int // frames of calls that moved bytes to another offset than they came from
	Resumes     []Resume
	Failures    []Failure
	Unsized     []int    // frames of OFFLOAD_WRITEs that begin at or past the destination's end of file
	Changes     []Change // of the source between first and last call, outside the life of tokens
	First       Method   // that it began with
	Slower      uint64   // bytes moved by slower methods afterwards
	LeftAt      int      // frame of the first call of a slower method
	FailedAt    int      // frame of the answer with the status in Fallback; 0 if none
	Guessed     bool     // a plain copy whose contents could not be compared
	OffloadOK   bool     // the server took an offload call on that share
	Offloads    int      // offload calls, refused ones too
	Tokens      int      // mints but zero tokens and empty ones
	ShortFirsts int      // of them: those whose first successful use moved less than 1/8 of what was asked for
	SmallMints  int      // of them: those for less than 1/8 of what was asked for
	ShortFrames []int    // request and answer of the first such use
	Conns       []int    // Connection.ID of those that carried it
}

// Seconds returns how long the copy took, from its first request to its last answer.
func (c *Copy) Seconds() float64 { return float64(c.LastTime-c.FirstTime) / 1e9 }

// MintState says how much of a token was used.
type MintState uint8

const (
	Unused MintState = iota
	PartlyConsumed
	Consumed
	OverConsumed
)

func (s MintState) String() string {
	return [...]string{"unused", "partly-consumed", "consumed", "over-consumed"}[s]
}

// Use is an OFFLOAD_WRITE that presents a token.
type Use struct {
	Frame       int
	Response    int // 0 if not in the capture
	Time        int64
	Took        int64 // nanoseconds
	Destination string
	FileOffset  uint64
	TokenOffset uint64
	Asked       uint64
	Written     uint64
	Repeats     []int // frames that carried the same request again
	SessionID   uint64
	Age         int64    // nanoseconds from the mint, or the latest accepted use before, to the request
	Again       []Range  // of the token, consumed before
	Stale       []Change // of the bytes that it consumed, since the mint

	// Many are kept: small numbers stand together.
	Status  ntstatus.Status
	Copy    int32 // Copy.ID; 0 if none
	Host    int32 // Connection.Host of the server that it was presented to
	Conn    int32 // Connection.ID
	Session int32 // the same for all channels and reconnects of one session
	Before  int32 // accepted uses before
	Closed  bool  // the source was closed when it was presented
	Changed bool  // the source was changed since the mint

	copy *copyState
}

// Refused reports whether the server said no.
func (u *Use) Refused() bool { return u.Response != 0 && failed(u.Status) }

// Accepted reports whether the server wrote, if only in part.
func (u *Use) Accepted() bool { return u.Response != 0 && !failed(u.Status) }

// Mint is a successful OFFLOAD_READ answer that carries a token.
type Mint struct {
	ID       string // first 8 hex digits of SHA-256 of the token; -2, -3 … for later mints of the same bytes
	Type     uint32 // TokenType
	Server   string
	Frame    int // of the response
	Time     int64
	Source   string  // path
	Offset   uint64  // FileOffset
	Asked    uint64  // CopyLength
	Length   uint64  // TransferLength
	TTL      uint32  // milliseconds, of the request; 0 is the server's default
	AllZero  bool    // ALL_ZERO_BEYOND_CURRENT_RANGE
	Token    []byte  // 512 bytes; nil once there are too many mints to keep them
	Uses     []Use   // ordinary ones are left out past a limit
	Consumed []Range // from the token's start
	State    MintState
	Copy     int // Copy.ID; 0 if none

	Request      int    // frame of the OFFLOAD_READ
	Client       string // as Copy.Client
	Host         int    // Connection.Host of the server
	Conn         int    // Connection.ID
	Session      int    // as Use.Session
	SessionID    uint64
	File         int    // as End.File, of the source
	Sector       uint32 // logical sector size of the source's volume; 0 if the capture does not show it
	Below        uint64 // bytes of Length that lie below the source's end of file, all the time
	IDLength     uint16 // TokenIdLength
	Reserved     uint16
	HasID        bool // TokenId is not all zeros
	Instead      int  // Copy.ID of a copy of the same source and client, that left its method or had another token refused; 0 if none
	InsteadFrame int  // frame of that refusal or fall-back
}

// Fields fills tree with what the token's bytes are, as far as they are kept.
func (m *Mint) Fields(tree *wire.Tree) {
	tree.Reset()
	if len(m.Token) > 0 {
		c := wire.New(m.Token, tree)
		new(odx.Token).Decode(&c)
	}
}

// IsZero reports whether the token stands for zeros.
func (m *Mint) IsZero() bool { return m.Type == zeroData }

// zeroData is the type of tokens that stand for zeros. [MS-FSCC] 2.1.11
const zeroData = 0xffff0001

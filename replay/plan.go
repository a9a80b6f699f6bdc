package replay

// What a plan is made of.

import (
	"net/netip"
	"strconv"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
)

// Plan is what a capture's clients did, ready to be done again.
type Plan struct {
	Conns    []Conn
	Steps    []Step  // in the order of their requests
	Groups   []Group // likewise
	Slots    []Slot
	Breaks   []Break
	Problems []string // what cannot be replayed, and why, in words
	First    int64    // time of the first request, in nanoseconds since 1970 UTC

	users map[int]string  // by Step.ID of the first of a log-on, who it was by NTLM; "" for nobody
	trees map[string]bool // things of directories that CHANGE_NOTIFY watches with all below them
}

// Conn is a captured connection.
type Conn struct {
	ID          int // flows.Connection.ID
	Host        int // flows.Connection.Host
	Client      netip.AddrPort
	Server      netip.AddrPort
	Dialect     smb2.Dialect // that the captured server chose; 0 if the capture does not show it
	Negotiate   int          // Step.ID; 0 if it is not in the capture
	Outstanding int          // the most groups that were on their way at once
	RDMA        bool
}

// SlotKind is what sort of value a slot holds.
type SlotKind uint8

const (
	SlotSession SlotKind = iota
	SlotTree
	SlotFile
	SlotResumeKey
	SlotToken
	SlotLease
	SlotGUID
	SlotHandle // of a remote procedure call
	SlotSnapshot
	SlotSID // of an account of the server's
)

var slotNames = [...]string{"sid", "tid", "fid", "resumekey", "token", "leasekey", "guid", "handle", "snapshot", "account"}

// slotSizes are the bytes of a value; 0 if that is not fixed.
var slotSizes = [...]int{8, 4, 16, 24, 512, 16, 16, 20, 0, accountSize}

func (k SlotKind) String() string { return slotNames[k] }

// ours reports whether the replayer makes the value, not the server.
func (k SlotKind) ours() bool { return k == SlotLease || k == SlotGUID }

// Slot stands for a value that differs from run to run.
type Slot struct {
	Kind    SlotKind
	Number  int    // among those of its kind, from 1
	Old     []byte // the captured value
	Defined int    // Step.ID of the request whose answer brought it; 0 if the capture begins later, or if it is ours
	LastUse int    // Step.ID
	Dies    int    // Step.ID of the CLOSE, TREE_DISCONNECT or LOGOFF; 0 if there is none
	Parent  int    // slot that it dies with: the tree of a file, the session of a tree; -1 if none

	Path  string // files: relative to the share. Trees: \\server\share
	Late  bool   // was there before the capture began
	Pipe  bool   // a tree of named pipes
	Known bool   // files: Path is known
	Bogus bool   // the captured server did not know it either: it is presented as it was
	Host  int    // of the server
}

// String returns the slot's name: $fid7.
func (s *Slot) String() string { return "$" + s.Kind.String() + strconv.Itoa(s.Number) }

// Use is a place in a message that holds a slot's value.
type Use struct {
	Slot     int // index in Plan.Slots
	Off, Len int // in the message, from its header on
}

// Step is a request and the answer to expect.
type Step struct {
	ID            int // from 1, in the order of the requests
	Group         int // index in Plan.Groups
	Exchange      flows.Exchange
	exchangeIndex int    // for Capture.Exchange; -1 if it has none
	Position      int    // in its compound
	Header        Header // of the request
	Request       []byte // from its header on, as captured; shorter than Size if the capture lacks some
	Size          int
	Answer        []byte // from its header on; nil if the capture does not show it
	AnsSize       int
	Session       int // slot; -1 if none
	Tree          int // slot; -1 if none
	Uses          []Use
	Defines       []Use // in the answer
	Context       smb2.Context
	Missing       []flows.Range // bytes of Request that the capture lacks
	Data          []byte        // of a READ or WRITE, where RDMA moved it and the capture has all of it

	Previous int    // SESSION_SETUP: slot of the session that it takes the place of; -1 if none
	Login    int    // SESSION_SETUP: Step.ID of the first of its log-on
	Break    int    // OPLOCK_BREAK: position in Plan.Breaks of what it acknowledges, from 1; 0 if there is nothing
	Cancel   int    // CANCEL: Step.ID of what it ends
	Sealed   bool   // the request was encrypted
	Bare     bool   // the answer was not encrypted
	Skip     string // why it is not replayed; "" if it is
}

// Answered reports whether the capture shows the final answer.
func (s *Step) Answered() bool { return s.Answer != nil }

// Group is a compound, or a single request: what is sent at once; or the end of a
// connection.
type Group struct {
	Conn   int   // index in Plan.Conns
	Steps  []int // none if the connection ends
	Ends   bool
	Closes []int // slots of files that were open on the connection when it ended
	After  []int // groups whose answers must have come
	Behind []int // groups that must have been sent
	Sent   int64 // captured times, in nanoseconds since 1970 UTC
	Done   int64 // 0 if the capture does not show it
}

// Break is an oplock or lease break that the captured server sent.
type Break struct {
	Conn  int // index in Plan.Conns
	Frame int
	Time  int64
	Slot  int    // lease or file; -1 if unknown
	Level uint32 // new oplock level, or lease state
	Lease bool
	Turn  int // among the breaks of its slot, from 1
	Ack   int // Step.ID of what acknowledges it; 0 if nothing does
}

// Step returns step id.
func (p *Plan) Step(id int) *Step { return &p.Steps[id-1] }

// Count returns how many steps will be replayed.
func (p *Plan) Count() (n int) {
	for i := range p.Steps {
		if p.Steps[i].Skip == "" {
			n++
		}
	}
	return n
}

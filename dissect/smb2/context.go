package smb2

import (
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/rpc"
)

// Context is what a message does not hold but its decoder needs or shows. The zero
// value means "unknown" throughout: generated nodes are then left out. Package flows
// fills it; decoders only read it.
type Context struct {
	Dialect Dialect

	RequestFrame  uint32        // number of the frame that this response answers
	ResponseFrame uint32        // of the final response to this request; known to a second look only
	Elapsed       time.Duration // from RequestFrame
	Request       Request       // what the request said; the same for a request's own decoding

	// The file behind the message's FileID.
	File       string // its name, relative to the share
	OpenFrame  uint32 // frame of the CREATE response that opened it
	CloseFrame uint32 // frame of the CLOSE, if that has been seen

	// The tree connect and the session of the message.
	Share        string // \\server\share
	ShareType    uint8
	ShareFrame   uint32 // frame of the TREE_CONNECT response
	Account      string
	Domain       string
	Host         string
	SessionFrame uint32 // frame of the SESSION_SETUP response that finished it

	Pipe bool        // the file is a named pipe: what is read and written is DCE/RPC
	RPC  rpc.Context // what the calls on that pipe have in common
}

// Request is what a response needs to know of its request.
type Request struct {
	Function   fscc.Code // IOCTL
	InfoType   uint8     // QUERY_INFO, SET_INFO
	InfoClass  uint8     // those and QUERY_DIRECTORY
	Additional uint32    // QUERY_INFO: AdditionalInformation
	Name       string    // CREATE: the file name. QUERY_DIRECTORY: the pattern. TREE_CONNECT: the path
}

// Dialect is a version of the protocol. [MS-SMB2] 2.2.4
type Dialect uint16

const (
	Dialect202      Dialect = 0x0202
	Dialect210      Dialect = 0x0210
	DialectWildcard Dialect = 0x02ff // the answer to a multi-protocol negotiate
	Dialect300      Dialect = 0x0300
	Dialect302      Dialect = 0x0302
	Dialect311      Dialect = 0x0311
)

// String returns the dialect's name as Wireshark has it.
func (d Dialect) String() string {
	switch d {
	case Dialect202:
		return "SMB 2.0.2"
	case Dialect210:
		return "SMB 2.1"
	case 0x0222:
		return "SMB 2.2.2 (deprecated; should be 3.0)"
	case 0x0224:
		return "SMB 2.2.4 (deprecated; should be 3.0)"
	case DialectWildcard:
		return "SMB2 wildcard"
	case Dialect300:
		return "SMB 3.0"
	case Dialect302:
		return "SMB 3.0.2"
	case 0x0310:
		return "SMB 3.1.0 (deprecated; should be 3.1.1)"
	case Dialect311:
		return "SMB 3.1.1"
	}
	return "Unknown"
}

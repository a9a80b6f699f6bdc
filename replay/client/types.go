package client

import (
	"time"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// Options of a connection. The zero value offers all that this package can do.
type Options struct {
	Dialects   []smb2.Dialect // offered; nil offers all
	ClientGUID wire.GUID      // of the client, shared by its connections; zero makes one up
	Mode       smb2.SecurityMode
	Ciphers    []smb2.Cipher  // offered in dialect 3.1.1, the preferred first; nil offers all
	Signings   []smb2.Signing // as Ciphers
	ServerName string         // for the NETNAME context and the service name of NTLM; may be empty

	// Credits is how many the client tries to hold: requests ask for what is missing. 0 is
	// 512. With ExactCredits they ask for what Request.Credits says, at least their charge.
	Credits      uint16
	ExactCredits bool

	// Timeout is how long what returns a StatusError waits for an answer, besides its
	// context; 0 waits as long as that. Start and Wait know no other time than the context's.
	Timeout time.Duration

	// Tap sees every unit that goes out or comes in, in its order, from one goroutine a
	// direction. It must not keep the bytes.
	Tap func(*Unit)

	// OnBreak gets oplock and lease breaks, one after the other, in a goroutine of its own:
	// it may send. nil leaves them unanswered.
	OnBreak func(*Break)
}

// Unit is what one session-service header frames: a message, or several as a compound.
type Unit struct {
	Sent  bool // by the client
	Time  time.Time
	Wire  []byte // as it travelled, without the session-service header
	Plain []byte // decrypted; Wire itself if that was not encrypted, nil if it could not be
}

// Request is one request, or an element of a compound.
type Request struct {
	Command smb2.Command
	Body    []byte // from StructureSize on; its offsets count from the header, 64 bytes before
	TreeID  uint32

	// SessionID is what the header says in place of the session's own id, unless it is 0:
	// related requests may have all bits set.
	SessionID uint64

	// Flags are sent as they are, but for those that the client sets itself: response,
	// async, signed.
	Flags           smb2.Flags
	ChannelSequence uint16
	Credits         uint16 // asked for; more is, to keep the window up, unless Options.ExactCredits
	Charge          uint16 // CreditCharge; 0 computes it, see Charge

	// Plain leaves the request unencrypted in a session or tree that encrypts, as only
	// tests of servers want to.
	Plain bool
	// PlainAnswer takes an answer in the clear to an encrypted request: some servers give
	// such to requests that are wrong.
	PlainAnswer bool
}

// Answer is what a server said to a request.
type Answer struct {
	smb2.Header        // of the final answer; Signature aliases Message
	Message     []byte // the final answer from its header on, with the padding behind it in a compound
	Received    time.Time
	Encrypted   bool
	Interim     *Interim // nil if there was none
}

// Body is what follows the header of the final answer.
func (a *Answer) Body() []byte { return a.Message[headerSize:] }

// Interim is the answer that there will be one. [MS-SMB2] 3.3.4.2
type Interim struct {
	AsyncID  uint64
	Message  []byte
	Received time.Time
}

// Break is what a server says unasked: give up caching. [MS-SMB2] 2.2.23
type Break struct {
	Conn     *Conn
	Message  []byte // from its header on
	Received time.Time

	Lease bool // which of the two below is set
	Open  smb2.OplockBreakNotification
	Key   smb2.LeaseBreakNotification
}

// Acknowledge reports whether the server waits for an acknowledgment.
// [MS-SMB2] 3.2.5.19
func (b *Break) Acknowledge() bool {
	if b.Lease {
		const ackRequired = 1
		return b.Key.Flags&ackRequired != 0
	}
	return true // of level II there are none: the client knows what it held
}

// Credentials of a user. The zero value is an anonymous login.
type Credentials struct {
	User, Domain, Password string
	NTHash                 *[16]byte // in place of the password
	Kerberos               Kerberos  // in place of NTLM and all the above; may be nil
	Workstation            string
	Previous               uint64 // PreviousSessionId: a session that the client has lost
	Guest                  bool   // take a session as guest where the server does not know the user

	// Encrypt asks for encryption even where the server does not; Sign for signatures.
	Encrypt, Sign bool

	// Anyhow has the server say what it thinks of a Bind that the client knows to be wrong.
	Anyhow bool
}

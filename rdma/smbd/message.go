package smbd

import (
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/wire"
)

// Kind is one of the three messages.
type Kind uint8

const (
	Unknown Kind = iota
	NegotiateRequest
	NegotiateResponse
	DataTransfer
)

// String returns the name as the Info column has it.
func (k Kind) String() string {
	return [...]string{"", "NegotiateRequest", "NegotiateResponse", "DataMessage"}[min(k, DataTransfer)]
}

// Sizes of the messages, in bytes.
const (
	requestLen  = 20 // [MS-SMBD] 2.2.1
	responseLen = 32 // [MS-SMBD] 2.2.2
	headerLen   = 20 // of a data transfer, without the padding. [MS-SMBD] 2.2.3
	version     = 0x0100
)

// Message is one of the three messages. What its kind does not have is zero.
type Message struct {
	Kind             Kind
	CreditsRequested uint16 // that the sender wants to have in all
	CreditsGranted   uint16 // more for the receiver; not of NegotiateRequest
	Size             int    // bytes of the message on the wire

	// Of the two of the negotiation. [MS-SMBD] 2.2.1, 2.2.2
	MinVersion, MaxVersion uint16
	PreferredSendSize      uint32 // bytes of a message that the sender would send
	MaxReceiveSize         uint32 // bytes of a message that it takes
	MaxFragmentedSize      uint32 // bytes of fragments joined that it takes

	// Of NegotiateResponse. [MS-SMBD] 2.2.2
	NegotiatedVersion uint16
	Status            ntstatus.Status
	MaxReadWriteSize  uint32 // bytes that the server moves by RDMA for one request

	// Of DataTransfer. [MS-SMBD] 2.2.3
	ResponseRequested bool // a keep-alive: something has to come back
	Remaining         uint32
	DataOffset        uint32      // from the start of the message
	DataLength        uint32      // 0 in messages that only grant credits
	Data              wire.Cursor // the fragment
}

var (
	messages  = fields.Section("[MS-SMBD] 2.2")
	fMessage  = messages.Struct("smb_direct", "SMB-Direct (SMB RDMA Transport)")
	fMin      = messages.Hex("smb_direct.version.min", "MinVersion")
	fMax      = messages.Hex("smb_direct.version.max", "MaxVersion")
	fAsk      = messages.Uint("smb_direct.credits.requested", "CreditsRequested")
	fGrant    = messages.Uint("smb_direct.credits.granted", "CreditsGranted")
	fSend     = messages.Uint("smb_direct.preferred_send_size", "PreferredSendSize")
	fReceive  = messages.Uint("smb_direct.max_receive_size", "MaxReceiveSize")
	fFragment = messages.Uint("smb_direct.max_fragmented_size", "MaxFragmentedSize")
	fReserved = messages.Bytes("", "Reserved")

	requests = fields.Section("[MS-SMBD] 2.2.1")
	fRequest = requests.Struct("smb_direct.negotiate_request", "NegotiateRequest")

	responses   = fields.Section("[MS-SMBD] 2.2.2")
	fResponse   = responses.Struct("smb_direct.negotiate_response", "NegotiateResponse")
	fNegotiated = responses.Hex("smb_direct.version.negotiated", "NegotiatedVersion")
	fStatus     = responses.Enum("smb_direct.status", "Status", wire.Text[ntstatus.Status]).InHex()
	fReadWrite  = responses.Uint("smb_direct.max_read_write_size", "MaxReadWriteSize")

	transfers  = fields.Section("[MS-SMBD] 2.2.3")
	fTransfer  = transfers.Struct("smb_direct.data_message", "DataMessage")
	fFlags     = transfers.Hex("smb_direct.flags", "Flags").Split(fAskAnswer)
	fAskAnswer = transfers.Flag(1, "smb_direct.flags.response_requested", "ResponseRequested", "False", "True")
	fRemaining = transfers.Uint("smb_direct.remaining_length", "RemainingLength")
	fOffset    = transfers.Uint("smb_direct.data_offset", "DataOffset")
	fLength    = transfers.Uint("smb_direct.data_length", "DataLength")
)

// Decode decodes the message that c is at, which is of a kind that the state of its
// connection tells. The data is left to the caller.
func (m *Message) Decode(c *wire.Cursor, kind Kind) {
	*m = Message{Kind: kind, Size: c.Len()}
	body := c.Sub(fMessage, c.Len()) // its offsets count from here
	defer c.Join(&body)
	defer body.Close(body.Open(fMessage))
	switch kind {
	case NegotiateRequest:
		m.request(&body)
	case NegotiateResponse:
		m.response(&body)
	case DataTransfer:
		m.transfer(&body)
	}
}

func (m *Message) request(c *wire.Cursor) {
	defer c.Close(c.Open(fRequest))
	m.MinVersion = c.U16(fMin)
	m.MaxVersion = c.U16(fMax)
	c.Pass(fReserved, 2)
	m.CreditsRequested = c.U16(fAsk)
	m.PreferredSendSize = c.U32(fSend)
	m.MaxReceiveSize = c.U32(fReceive)
	m.MaxFragmentedSize = c.U32(fFragment)
}

func (m *Message) response(c *wire.Cursor) {
	defer c.Close(c.Open(fResponse))
	m.MinVersion = c.U16(fMin)
	m.MaxVersion = c.U16(fMax)
	m.NegotiatedVersion = c.U16(fNegotiated)
	c.Pass(fReserved, 2)
	m.CreditsRequested = c.U16(fAsk)
	m.CreditsGranted = c.U16(fGrant)
	m.Status = ntstatus.Status(c.U32(fStatus))
	m.MaxReadWriteSize = c.U32(fReadWrite)
	m.PreferredSendSize = c.U32(fSend)
	m.MaxReceiveSize = c.U32(fReceive)
	m.MaxFragmentedSize = c.U32(fFragment)
}

func (m *Message) transfer(c *wire.Cursor) {
	defer c.Close(c.Open(fTransfer))
	m.CreditsRequested = c.U16(fAsk)
	m.CreditsGranted = c.U16(fGrant)
	m.ResponseRequested = c.U16(fFlags)&1 != 0
	c.Pass(fReserved, 2)
	m.Remaining = c.U32(fRemaining)
	m.DataOffset = c.U32(fOffset)
	m.DataLength = c.U32(fLength)
	if m.DataLength > 0 {
		m.Data = c.At(fLength, m.DataOffset, m.DataLength)
		c.Join(&m.Data)
	}
}

// Bytes returns the data as far as it was captured.
func (m *Message) Bytes() []byte {
	look := m.Data.Ahead()
	return look.Rest(fLength)
}

// Recognise returns the kind of what may be a message, the first that a side is seen to
// send: Unknown if it cannot be one of this protocol.
func Recognise(b []byte) Kind {
	var m Message
	c := wire.New(b, nil)
	switch len(b) {
	case requestLen:
		if m.Decode(&c, NegotiateRequest); m.MinVersion == version && m.MaxVersion >= version && m.MaxReceiveSize > 0 && m.MaxFragmentedSize > 0 {
			return NegotiateRequest
		}
	case responseLen:
		if m.Decode(&c, NegotiateResponse); m.MinVersion == version && m.MaxVersion >= version {
			return NegotiateResponse
		}
	}
	c = wire.New(b, nil)
	m.Decode(&c, DataTransfer)
	if c.Failed() || !begins(m.Bytes()) {
		return Unknown
	}
	return DataTransfer
}

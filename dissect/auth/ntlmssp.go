package auth

import (
	"errors"
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

// signature begins every NTLMSSP message.
const signature = "NTLMSSP\x00"

// MessageType tells the messages of NTLMSSP. [MS-NLMP] 2.2.1
type MessageType uint32

const (
	NTLMNegotiate    MessageType = 1 // client: what I can
	NTLMChallenge    MessageType = 2 // server: who I am, and a challenge
	NTLMAuthenticate MessageType = 3 // client: who I am, and the response
)

func (t MessageType) String() string {
	switch t {
	case NTLMNegotiate:
		return "NTLMSSP_NEGOTIATE"
	case NTLMChallenge:
		return "NTLMSSP_CHALLENGE"
	case NTLMAuthenticate:
		return "NTLMSSP_AUTH"
	}
	return "Unrecognized NTLMSSP Message"
}

// Text is a name in an NTLMSSP message: UTF-16, or in a code page that the message
// does not tell.
type Text struct {
	Raw []byte
	OEM bool
}

func (t Text) String() string { return string(t.AppendTo(nil)) }

// AppendTo appends what String returns.
func (t Text) AppendTo(b []byte) []byte {
	if t.OEM {
		return append(b, t.Raw...)
	}
	return wire.UTF16(t.Raw).AppendTo(b)
}

// NTLMMessage is a message of NTLMSSP. [MS-NLMP] 2.2.1.1 to 2.2.1.3
type NTLMMessage struct {
	Type            MessageType
	Flags           NTLMFlags
	Domain          Text       // of the client, in a Negotiate; of the user, in an Authenticate
	Workstation     Text       // of the client, in both
	User            Text       // Authenticate; empty in an anonymous one
	Target          Text       // Challenge: the server's domain, or its name
	ServerChallenge []byte     // Challenge: 8 bytes
	Info            TargetInfo // what a Challenge says of the server, and what the NTLMv2 response repeats of that and adds
	LMResponse      []byte     // Authenticate
	NTResponse      []byte     // Authenticate: NTLMv2 if longer than 24 bytes
	SessionKey      []byte     // Authenticate: random key, encrypted; valid iff Flags has NegotiateKeyExch
	MIC             []byte     // Authenticate: 16 bytes, nil where there is no room for it
	Version         Version    // valid iff Flags has NegotiateVersion
	Raw             []byte     // the message itself, for who has a key
}

// Version is for debugging, says the specification. [MS-NLMP] 2.2.2.10
type Version struct {
	Major, Minor uint8
	Build        uint16
	Revision     uint8 // of NTLM
}

// errMessageType reports a message of another type than the three there are.
var errMessageType = errors.New("is none of NTLMSSP")

var (
	ntlm         = fields.Section("[MS-NLMP] 2.2.1")
	fNTLM        = ntlm.Struct("ntlmssp", "NTLM Secure Service Provider")
	fIdentifier  = ntlm.ASCII("ntlmssp.identifier", "NTLMSSP identifier")
	fMessageType = ntlm.Enum("ntlmssp.messagetype", "NTLM Message Type", wire.Text[MessageType]).InHex()
	fStringPair  = pairOf("string")
	fBlobPair    = pairOf("blob")
	fInfoPair    = pairOf("challenge.target_info")

	fCallingDomain = name("negotiate.domain", "Calling workstation domain")
	fCallingHost   = name("negotiate.callingworkstation", "Calling workstation name")

	fTargetName = name("challenge.target_name", "Target Name")
	fChallenge  = ntlm.Bytes("ntlmssp.ntlmserverchallenge", "NTLM Server Challenge")
	fReserved   = ntlm.Bytes("ntlmssp.reserved", "Reserved")

	fLMResponse      = ntlm.Bytes("ntlmssp.auth.lmresponse", "Lan Manager Response")
	fClientChallenge = ntlm.Bytes("ntlmssp.ntlmclientchallenge", "LMv2 Client Challenge")
	fNTResponse      = ntlm.Bytes("ntlmssp.auth.ntresponse", "NTLM Response")
	fDomain          = name("auth.domain", "Domain name")
	fUser            = name("auth.username", "User name")
	fHost            = name("auth.hostname", "Host name")
	fSessionKey      = ntlm.Bytes("ntlmssp.auth.sesskey", "Session Key")
	fAuthMIC         = ntlm.Bytes("ntlmssp.authenticate.mic", "MIC")
)

var (
	version   = fields.Section("[MS-NLMP] 2.2.2.10")
	fVersion  = version.Struct("ntlmssp.version", "Version").Formatted(versionText)
	fMajor    = version.Uint("ntlmssp.version.major", "Major Version")
	fMinor    = version.Uint("ntlmssp.version.minor", "Minor Version")
	fBuild    = version.Uint("ntlmssp.version.build_number", "Build Number")
	fRevision = version.Uint("ntlmssp.version.ntlm_current_revision", "NTLM Current Revision")
)

var (
	mics      = fields.Section("[MS-NLMP] 2.2.2.9")
	fVerifier = mics.Struct("ntlmssp.verf", "NTLMSSP Verifier")
	fVerVers  = mics.Uint("ntlmssp.verf.vers", "Version Number")
	fVerBody  = mics.Bytes("ntlmssp.verf.body", "Verifier Body")
)

func ntlmFlag(bit int, name, label string) *wire.Field {
	return ntlm.Flag(1<<bit, "ntlmssp."+name, label, "Not set", "Set")
}

// A name is declared twice: in UTF-16 and in a code page.
type nameFields struct{ unicode, oem *wire.Field }

func name(name, label string) nameFields {
	return nameFields{ntlm.String("ntlmssp."+name, label), ntlm.ASCII("ntlmssp."+name, label)}
}

// pairFields are those of a length, a length again, and an offset from the start of
// the message, which tshark shows below what they point at.
type pairFields struct{ n, most, off *wire.Field }

func pairOf(what string) pairFields {
	what = "ntlmssp." + what
	return pairFields{ntlm.Uint(what+".length", "Length"), ntlm.Uint(what+".maxlen", "Maxlen"), ntlm.Uint(what+".offset", "Offset")}
}

// pairSize is the size of a length and offset pair.
const pairSize = 8

// Decode decodes the NTLMSSP message that is the rest of c.
func (m *NTLMMessage) Decode(c *wire.Cursor) {
	c.Meet("ntlmssp")
	*m = NTLMMessage{}
	look := c.Ahead()
	m.Raw = look.Pass(fNTLM, look.Len())
	defer c.Close(c.Open(fNTLM))
	s := c.Sub(fNTLM, c.Len())
	mark := s.OverlayValue(fIdentifier, len(signature), 0)
	s.Title(mark, 0, "NTLMSSP")
	if string(s.Pass(fIdentifier, len(signature))) != signature {
		s.Fail(fIdentifier, errMessageType)
	}
	m.Type = MessageType(s.U32(fMessageType))
	switch m.Type {
	case NTLMNegotiate:
		m.negotiate(&s)
	case NTLMChallenge:
		m.challenge(&s)
	case NTLMAuthenticate:
		m.authenticate(&s)
	default:
		s.Fail(fMessageType, errMessageType)
	}
	c.Join(&s)
}

// A reader is a cursor over a message, that knows where its payload begins: old
// messages end where newer ones have more fields, and their length does not tell.
type reader struct {
	*wire.Cursor
	size  int // of the message in bytes
	first int // offset of the first byte that a pair points at, as far as pairs were read
}

func newReader(c *wire.Cursor) reader { return reader{c, c.Len() + 12, c.Len() + 12} }

// room reports whether n more bytes lie before the payload.
func (r *reader) room(n int) bool { return r.Len() >= n && r.size-r.Len()+n <= r.first }

// pair returns the length and the offset that come next, as a Cursor to read them
// from once more, and takes note of where they point.
func (r *reader) pair(f *wire.Field) (again wire.Cursor, n uint16, off uint32) {
	again = r.Sub(f, pairSize)
	r.Join(&again)
	look := again.Ahead()
	n = look.U16(f)
	look.U16(f)
	off = look.U32(f)
	if int64(off) >= int64(r.size-r.Len()) {
		r.first = min(r.first, int(off))
	}
	return again, n, off
}

// empty reads a pair that points at nothing.
func (r *reader) empty(pair *wire.Cursor, f *wire.Field, text string) {
	pair.Title(pair.OverlayValue(f, pairSize, 0), 0, text)
	pair.Pass(f, pairSize)
	r.Join(pair)
}

// below puts a pair below the value just read at f, which v is past, and takes
// over their failures.
func (r *reader) below(v, pair *wire.Cursor, f *wire.Field, fs pairFields) {
	mark := v.Below(f)
	pair.U16(fs.n)
	pair.U16(fs.most)
	pair.U32(fs.off)
	v.End(mark)
	r.Join(pair)
	r.Join(v)
}

// name reads the name that the next pair points at.
func (r *reader) name(fs nameFields, oem bool) Text {
	f := fs.unicode
	if oem {
		f = fs.oem
	}
	pair, n, off := r.pair(f)
	if n == 0 {
		r.empty(&pair, f, "NULL")
		return Text{}
	}
	v := r.At(f, off, uint32(n))
	t := Text{v.Bytes(f, int(n)), oem}
	r.below(&v, &pair, f, fStringPair)
	return t
}

// blob reads what the next pair points at.
func (r *reader) blob(f *wire.Field) []byte {
	pair, n, off := r.pair(f)
	if n == 0 {
		r.empty(&pair, f, "Empty")
		return nil
	}
	v := r.At(f, off, uint32(n))
	b := v.Bytes(f, int(n))
	r.below(&v, &pair, f, fBlobPair)
	return b
}

func (m *NTLMMessage) negotiate(c *wire.Cursor) {
	r := newReader(c)
	m.Flags = NTLMFlags(r.U32(fNTLMFlags))
	if !r.room(1) {
		return
	}
	m.Domain = r.name(fCallingDomain, true)
	m.Workstation = r.name(fCallingHost, true)
	if m.Flags&NegotiateVersion != 0 && r.room(1) {
		m.Version.decode(c)
	}
}

func (m *NTLMMessage) challenge(c *wire.Cursor) {
	look := c.Ahead()
	look.Pass(fTargetName.unicode, pairSize)
	oem := NTLMFlags(look.U32(fNTLMFlags))&NegotiateUnicode == 0

	r := newReader(c)
	m.Target = r.name(fTargetName, oem)
	m.Flags = NTLMFlags(r.U32(fNTLMFlags))
	m.ServerChallenge = r.Bytes(fChallenge, 8)
	if r.room(1) {
		r.Skip(fReserved, 8)
	}
	if r.room(1) {
		r.targetInfo(&m.Info)
	}
	if r.room(1) {
		m.Version.decode(c)
	}
}

func (m *NTLMMessage) authenticate(c *wire.Cursor) {
	r := newReader(c)
	look := c.Ahead()
	ahead := newReader(&look)
	for range 6 {
		if ahead.room(1) {
			ahead.pair(fStringPair.off)
		}
	}
	// Messages without flags come from Windows NT, which spoke Unicode.
	oem := ahead.room(1) && NTLMFlags(ahead.U32(fNTLMFlags))&NegotiateUnicode == 0

	m.LMResponse = r.lmResponse()
	m.NTResponse = r.ntResponse(&m.Info)
	m.Domain = r.name(fDomain, oem)
	m.User = r.name(fUser, oem)
	m.Workstation = r.name(fHost, oem)
	if r.room(1) {
		m.SessionKey = r.blob(fSessionKey)
	}
	if r.room(1) {
		m.Flags = NTLMFlags(r.U32(fNTLMFlags))
	}
	if r.room(1) {
		m.Version.decode(c)
	}
	if r.room(16) {
		m.MIC = r.Bytes(fAuthMIC, 16)
	}
}

// lmResponse reads the response that starts with a challenge of the client's if the
// sides negotiated extended session security, and is then zero. [MS-NLMP] 2.2.2.4
func (r *reader) lmResponse() []byte {
	pair, n, off := r.pair(fLMResponse)
	if n == 0 {
		r.empty(&pair, fLMResponse, "Empty")
		return nil
	}
	v := r.At(fLMResponse, off, uint32(n))
	again := v
	b := v.Bytes(fLMResponse, int(n))
	r.below(&v, &pair, fLMResponse, fBlobPair)
	if len(b) == 24 && string(b[8:]) == string(zeros[:]) {
		again.Skip(fClientChallenge, 8)
	}
	return b
}

var zeros [16]byte

func (v *Version) decode(c *wire.Cursor) {
	mark := c.Open(fVersion)
	look := c.Ahead()
	c.Title(mark, look.U64(fVersion), "")
	v.Major = c.U8(fMajor)
	v.Minor = c.U8(fMinor)
	v.Build = c.U16(fBuild)
	c.Pass(fVersion, 3)
	v.Revision = c.U8(fRevision)
	c.Close(mark)
}

// versionText is the line of a version, from its 8 bytes.
func versionText(v uint64) string {
	return fmt.Sprintf(" %d.%d (Build %d); NTLM Current Revision %d", uint8(v), uint8(v>>8), uint16(v>>16), uint8(v>>56))
}

// verifier decodes a signature of NTLMSSP's, if that is what the rest of c is.
func verifier(c *wire.Cursor) bool {
	look := c.Ahead()
	if look.Len() != 16 || look.U32(fVerVers) != 1 {
		return false
	}
	c.Meet("ntlmssp")
	mark := c.Open(fVerifier)
	c.U32(fVerVers)
	c.Bytes(fVerBody, c.Len())
	c.Close(mark)
	return true
}

func (m *NTLMMessage) appendInfo(b []byte) []byte {
	b = append(append(b, ", "...), m.Type.String()...)
	if m.Type == NTLMAuthenticate {
		b = m.Domain.AppendTo(append(b, ", User: "...))
		b = m.User.AppendTo(append(b, '\\'))
	}
	return b
}

package auth

import "github.com/odxray/odxray/dissect/wire"

// SPNEGO is what a blob says on the choice of a mechanism. RFC 4178 4.2, [MS-SPNG] 2.2.1
type SPNEGO struct {
	Kind      TokenKind
	Mechs     [8]Mech  // offered, the preferred first, up to the first zero; more are left out
	State     NegState // of a Resp
	Supported Mech     // chosen by the acceptor; in its first Resp only
	Hint      []byte   // of a server's Init: a name that means nothing
	MIC       []byte   // protects the choice
	MechList  []byte   // of an Init: what the MIC is made of, for who has a key
}

// TokenKind tells what SPNEGO calls NegTokenInit and NegTokenResp.
type TokenKind uint8

const (
	None TokenKind = iota // there is no SPNEGO
	Init
	Resp
)

// NegState is an acceptor's state plus one, for it may leave it out. RFC 4178 4.2.2
type NegState uint8

const (
	NoState NegState = iota
	Completed
	Incomplete
	Reject
	RequestMIC
	unknownState
)

var negStates = [...]string{"", "accept-completed", "accept-incomplete", "reject", "request-mic", "Unknown"}

func (s NegState) String() string { return negStates[min(s, unknownState)] }

// negState turns the number on the wire into a NegState.
func negState(v int64) NegState {
	if v < 0 || v > 3 {
		return unknownState
	}
	return NegState(v + 1)
}

var (
	negotiation = fields.Section("RFC 4178 4.2")
	fSPNEGO     = negotiation.Struct("spnego", "Simple Protected Negotiation")
	fInit       = negotiation.Struct("spnego.negTokenInit_element", "negTokenInit")
	fResp       = negotiation.Struct("spnego.negTokenTarg_element", "negTokenTarg")
	fMechTypes  = negotiation.Uint("spnego.mechTypes", "mechTypes").Formatted(items)
	fMechType   = negotiation.OID("spnego.MechType", "MechType", oidName)
	fReqFlags   = negotiation.Bytes("spnego.reqFlags", "reqFlags")
	fMechToken  = negotiation.Bytes("spnego.mechToken", "mechToken")
	fNegResult  = negotiation.Enum("spnego.negResult", "negResult", func(v uint64) string { return negState(int64(v)).String() })
	fSupported  = negotiation.OID("spnego.supportedMech", "supportedMech", oidName)
	fRespToken  = negotiation.Bytes("spnego.responseToken", "responseToken")
	fMIC        = negotiation.Bytes("spnego.mechListMIC", "mechListMIC")
)

var (
	hints        = fields.Section("[MS-SPNG] 2.2.1")
	fHints       = hints.Struct("spnego.negHints_element", "negHints")
	fHintName    = hints.ASCII("spnego.hintName", "hintName")
	fHintAddress = hints.Bytes("spnego.hintAddress", "hintAddress")
)

// decode decodes a NegTokenInit or NegTokenResp and the token within it.
func (s *SPNEGO) decode(c *wire.Cursor, m *Message) {
	defer c.Close(c.Open(fSPNEGO))
	c.Meet("spnego")
	id, e := c.Element(fSPNEGO)
	switch id {
	case contextTag:
		s.Kind = Init
		s.init(&e, m)
	case contextTag + 1:
		s.Kind = Resp
		s.resp(&e, m)
	default:
		c.Fail(fSPNEGO, errTag)
	}
	c.Join(&e)
}

func (s *SPNEGO) init(c *wire.Cursor, m *Message) {
	defer c.Close(c.Open(fInit))
	seq := inside(c, sequenceTag, fInit)
	for seq.Len() > 0 {
		id, e := seq.Element(fInit)
		switch id {
		case contextTag:
			s.mechTypes(&e)
		case contextTag + 1:
			octets(&e, bitStringTag, fReqFlags)
		case contextTag + 2:
			m.spnegoToken(&e, fMechToken)
		case contextTag + 3:
			// [3] is the mechListMIC of RFC 4178, and the negHints of [MS-SPNG],
			// which has the MIC at [4].
			look := e.Ahead()
			if look.U8(fHints) == sequenceTag {
				s.hints(&e)
			} else {
				s.mic(&e)
			}
		case contextTag + 4:
			s.mic(&e)
		}
		seq.Join(&e)
	}
	c.Join(&seq)
}

func (s *SPNEGO) mechTypes(c *wire.Cursor) {
	look := c.Ahead()
	s.MechList = look.Pass(fMechTypes, look.Len())
	seq := inside(c, sequenceTag, fMechTypes)
	mark := seq.OverlayValue(fMechTypes, seq.Len(), 0)
	n := 0
	for ; seq.Len() > 0; n++ {
		if m := mechanism(&seq, fMechType); n < len(s.Mechs) {
			s.Mechs[n] = m
		}
	}
	seq.Title(mark, uint64(n), "")
	seq.Close(mark)
	c.Join(&seq)
}

func (s *SPNEGO) hints(c *wire.Cursor) {
	defer c.Close(c.Open(fHints))
	seq := inside(c, sequenceTag, fHints)
	for seq.Len() > 0 {
		id, e := seq.Element(fHints)
		switch id {
		case contextTag:
			s.Hint = octets(&e, stringTag, fHintName)
		case contextTag + 1:
			octets(&e, octetStringTag, fHintAddress)
		}
		seq.Join(&e)
	}
	c.Join(&seq)
}

func (s *SPNEGO) resp(c *wire.Cursor, m *Message) {
	defer c.Close(c.Open(fResp))
	seq := inside(c, sequenceTag, fResp)
	for seq.Len() > 0 {
		id, e := seq.Element(fResp)
		switch id {
		case contextTag:
			s.State = negState(integer(&e, enumTag, fNegResult))
		case contextTag + 1:
			s.Supported = mechanism(&e, fSupported)
		case contextTag + 2:
			m.spnegoToken(&e, fRespToken)
		case contextTag + 3:
			s.mic(&e)
		}
		seq.Join(&e)
	}
	c.Join(&seq)
}

// spnegoToken reads the token at c as bytes, and then decodes it.
func (m *Message) spnegoToken(c *wire.Cursor, f *wire.Field) {
	e := inside(c, octetStringTag, f)
	inner := e
	e.Bytes(f, e.Len())
	m.token(&inner)
	e.Join(&inner)
	c.Join(&e)
}

// mic reads the mechListMIC, the form of which depends on the mechanism.
func (s *SPNEGO) mic(c *wire.Cursor) {
	e := inside(c, octetStringTag, fMIC)
	inner := e
	s.MIC = e.Bytes(fMIC, e.Len())
	signed(&inner)
	e.Join(&inner)
	c.Join(&e)
}

// signed decodes a signature if that is what the rest of c is.
func signed(c *wire.Cursor) bool { return verifier(c) || checksum(c) }
